"""The benchmark's own arithmetic: a wrong number in its table would be believed. No test measures time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hist import Hist
from rich.console import Console

from benchmarks import data, grid
from benchmarks.bench import Bench
from benchmarks.compare import differences, misplaced
from benchmarks.measure import Timing, interleave, mean_ratio, ratio
from benchmarks.read_limit import COLUMNS, Limit
from benchmarks.run import KNOWN, main
from benchmarks.targets import Row, table

if TYPE_CHECKING:
    from pathlib import Path


def histogram(*values: float) -> Any:
    return Hist.new.Reg(10, 0, 10, name="x").Double().fill(values)


@pytest.mark.parametrize(
    ("values", "moved"),
    [
        ((1, 2, 3), 0),
        ((1, 2, 4), 1),
        ((1, 2, 5), 2),
        ((1, 2, -1), 4),  # the underflow is a bin
        ((1, 2), 1),
        ((1, 2, 3, 9), 1),
        ((1, 3), 1),
    ],
)
def test_entries_that_are_elsewhere(values: tuple[float, ...], moved: float) -> None:
    assert misplaced(histogram(1, 2, 3), histogram(*values)) == moved


def test_one_entry_in_many_may_be_one_bin_away_and_a_second_one_may_not() -> None:
    reference = {"x": histogram(*[1] * 1000)}
    assert differences(reference, {"x": histogram(*[1] * 999, 2)}) == []
    assert differences(reference, {"x": histogram(*[1] * 998, 2, 2)}) == ["x: 2 of 1000 entries are elsewhere"]


def test_other_histograms_and_other_axes_are_differences() -> None:
    assert differences({"x": histogram(1)}, {"y": histogram(1)})
    assert differences({"x": histogram(1)}, {"x": Hist.new.Reg(10, 0, 11, name="x").Double().fill([1])})


def test_ratios_are_of_medians_and_their_mean_is_geometric() -> None:
    timings = {"ours": Timing([1, 2, 9], [1, 1, 1]), "theirs": Timing([4, 4, 4], [2, 2, 2])}
    assert ratio(timings, "ours", "theirs") == 0.5
    assert ratio(timings, "ours", "theirs", "wall") == 0.5
    assert ratio(timings, "ours", "nobody") is None
    assert mean_ratio([2, 8]) == pytest.approx(4)
    assert mean_ratio([2, None]) is None


def test_variants_take_turns_and_one_that_fails_does_not_stop_the_others() -> None:
    calls = []

    def broken() -> None:
        msg = "no such file"
        raise OSError(msg)

    done = interleave({"a": lambda: calls.append("a"), "broken": broken, "b": lambda: calls.append("b")}, repeats=2)
    assert calls == ["a", "b"] + ["a", "b"] * 2
    assert done.failures == {"broken": "OSError: no such file"}
    assert len(done.timings["a"].cpu) == 2


def test_the_table_tells_what_is_reached_from_what_is_not() -> None:
    rows = [
        Row("P1", "small", 0.1, 0.09),
        Row("P1", "large", 0.1, 0.11),
        Row("P8", "gain", 1.8, 1.9, at_least=True),
        Row("P4", "skipped", 0.4, None),
    ]
    assert [row.ok for row in rows] == [True, False, True, None]
    console = Console(width=120, record=True, quiet=True)
    console.quiet = False
    with console.capture() as printed:
        console.print(table(rows))
    assert [line.count("not yet") for line in printed.get().splitlines() if "large" in line] == [1]


def test_a_variant_that_fills_other_bins_is_reported(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 0, 1, console=Console(quiet=True))
    bench.measure("part", "q", {"a": lambda: {"x": histogram(1, 2)}, "b": lambda: {"x": histogram(5, 9)}})
    assert bench.wrong == ["WRONG q, b against a: x: 11 of 2 entries are elsewhere"]


def test_the_file_is_what_it_is_said_to_be_and_a_longer_one_begins_with_it(tmp_path: Path) -> None:
    import uproot

    few, more = (data.sample(tmp_path, events) for events in (100, 300))
    tree, longer = (uproot.open(path)["Events"] for path in (few, more))
    assert len(tree.keys()) == data.NARROW
    assert tree["Jet_pt"].array().tolist() == longer["Jet_pt"].array(entry_stop=100).tolist()


def test_the_read_limit_reads_the_values(tmp_path: Path) -> None:
    import awkward as ak
    import uproot

    path = data.sample(tmp_path, 1000)
    tree = uproot.open(path)["Events"]
    for name, baskets in Limit(path, COLUMNS["q6"]).read().items():
        flat = ak.ravel(tree[name].array())
        assert [value for basket in baskets for value in basket.tolist()] == flat.tolist()


def test_cells_are_not_repeated() -> None:
    assert len(set(grid.cells(201))) == 201
    assert grid.cells(201)[:50] == grid.cells(50)


def test_only_known_targets_are_accepted(capsys: pytest.CaptureFixture[str]) -> None:
    assert {f"P{i}" for i in range(1, 15)} <= set(KNOWN)
    with pytest.raises(SystemExit):
        main(["--only", "P99"])
    assert "there is no P99" in capsys.readouterr().err


def test_some_histograms_of_all_variants_are_the_same(tmp_path: Path) -> None:
    assert main(["--quick", "--only", "P8", "--events", "500", "--folder", str(tmp_path)]) == 0

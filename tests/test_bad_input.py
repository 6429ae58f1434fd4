"""What goes wrong with files and programs: each one clear error, and with `on_error="report"` nothing else is lost."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write("a.root", x=[1.0, 2.0])`: a file with one tree, each array of `parts` in baskets of its own."""

    def make(name: str, tree: str = "Events", parts: int = 1, **columns: Any) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        arrays = {key: np.asarray(values) for key, values in columns.items()}
        with uproot.recreate(path, compression=None) as file:
            made = file.mktree(tree, {key: array.dtype for key, array in arrays.items()})
            for k in range(parts):
                made.extend({key: np.array_split(array, parts)[k] for key, array in arrays.items()})
        return str(path)

    return make


@pytest.fixture
def broken_basket(write: Callable[..., str]) -> str:
    """A file that opens well, and cannot be read from entry 50 on."""
    path = write("broken.root", parts=2, x=np.arange(100.0))
    with uproot.open(path) as file:
        branch = file["Events"]["x"]
        where = branch.basket_key(1).fSeekKey
        size = branch.basket_key(1).fNbytes
    with open(path, "r+b") as file:
        file.seek(where)
        file.write(b"\xff" * size)
    return path


# -- no file ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [[], {}, {"ttbar": []}, {"ttbar": {"files": []}}])
def test_dataset_without_files_is_refused(source: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="the dataset has no files"):
        ht.dataset(source)


def test_missing_file_is_named_with_those_beside_it(write: Callable[..., str]) -> None:
    path = write("muons.root", x=[1.0])
    with pytest.raises(FileNotFoundError, match=r"moons.root does not exist: its folder has 'muons.root'") as caught:
        ht.dataset(path.replace("muons", "moons"))
    assert isinstance(caught.value, ht.HepTablesError)


def test_pattern_without_matches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ht.HepTablesError, match=r"no file matches .*none-\*.root"):
        ht.dataset(str(tmp_path / "none-*.root"))


def test_folder_is_refused_with_a_pattern(tmp_path: Path) -> None:
    with pytest.raises(ht.HepTablesError, match=r"is a directory: give its files, for example .*\*.root"):
        ht.dataset(str(tmp_path))


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    path.write_text("no ROOT file at all")
    with pytest.raises(ht.HepTablesError, match="is not a ROOT or Parquet file: it starts with b'no R'"):
        ht.dataset(path)


def test_empty_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.root"
    path.touch()
    with pytest.raises(ht.HepTablesError, match=r"it is empty \(0 bytes\)"):
        ht.dataset(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.99])
def test_truncated_file_is_refused(write: Callable[..., str], part: float) -> None:
    path = Path(write("a.root", parts=4, x=np.arange(1000.0)))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ht.HepTablesError, match=r"a\.root"):
        ht.dataset(path)


def test_missing_tree_is_named_with_those_of_the_file(write: Callable[..., str]) -> None:
    with pytest.raises(KeyError, match=r"has no tree 'Evens': it has 'Events'") as caught:
        ht.dataset(write("a.root", x=[1.0]), tree="Evens")
    assert isinstance(caught.value, ht.HepTablesError)


def test_unknown_schema_names_the_closest_first(write: Callable[..., str]) -> None:
    with pytest.raises(ht.HepTablesError, match=r"there is no schema 'nanoadd'\n(.*\n)*Hint: did you mean nanoaod\?"):
        ht.dataset(write("a.root", x=[1.0]), schema="nanoadd")


@pytest.mark.parametrize("source", [42, None, b"a.root", [1, 2], ["a.root", None]])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=r"is no dataset|is no file of a dataset"):
        ht.dataset(source)


# -- files that do not fit -------------------------------------------------------------------------------------------


def test_column_of_two_kinds_names_both_files(write: Callable[..., str], tmp_path: Path) -> None:
    one = write("one.root", x=[1.0, 2.0])
    two = str(tmp_path / "two.root")
    with uproot.recreate(two) as file:
        file.mktree("Events", {"x": "var * float64"}).extend({"x": ak.Array([[1.0], [2.0, 3.0]])})
    with pytest.raises(ht.HepTablesError, match=r"'x' has different types in two files(.*\n)+.*one.root\n.*two.root"):
        ht.dataset([one, two])


def test_wider_number_wins_where_files_differ(write: Callable[..., str]) -> None:
    one = write("one.root", x=np.array([1, 2], np.int32))
    two = write("two.root", x=np.array([0.5], np.float64))
    answer = ht.make_local(ht.dataset([one, two]).x)
    assert str(answer.type) == "3 * float64"
    assert answer.to_list() == [1.0, 2.0, 0.5]


def test_column_that_a_later_file_lacks_is_missing_there(write: Callable[..., str]) -> None:
    events = ht.dataset([write("one.root", x=[1.0], y=[2.0]), write("two.root", x=[3.0])])
    assert ht.make_local(events.y).to_list() == [2.0, None]


def test_column_that_the_first_file_lacks_is_missing_there(write: Callable[..., str]) -> None:
    events = ht.dataset([write("one.root", x=[1.0]), write("two.root", x=[3.0], y=[2.0])])
    assert ht.make_local(events.y).to_list() == [None, 2.0]


def test_file_that_occurs_twice_counts_twice(write: Callable[..., str]) -> None:
    path = write("one.root", x=[1.0, 2.0])
    assert ht.make_local(ht.dataset([path, path]).x).to_list() == [1.0, 2.0, 1.0, 2.0]


def test_order_of_files_is_kept_where_one_occurs_again(write: Callable[..., str]) -> None:
    one, two = write("one.root", x=[1.0, 2.0]), write("two.root", x=[3.0])
    result = ht.run(ht.dataset([one, two, one]).x, chunksize=1)
    assert result.value.to_list() == [1.0, 2.0, 3.0, 1.0, 2.0]
    assert (result.report.events, result.report.chunks) == (5, 5)


def test_file_in_two_samples_has_the_metadata_of_each(write: Callable[..., str]) -> None:
    path = write("one.root", x=[1.0, 2.0])
    events = ht.dataset(
        {
            "a": {"files": [path], "metadata": {"xsec": 10.0}},
            "b": {"files": [path], "metadata": {"xsec": 20.0}},
        }
    )
    assert ht.make_local(events.x * ht.metadata(events, "xsec")).to_list() == [10.0, 20.0, 20.0, 40.0]


def test_metadata_that_one_sample_lacks_are_missing_there(write: Callable[..., str]) -> None:
    path = write("one.root", x=[1.0])
    events = ht.dataset({"a": {"files": [path], "metadata": {"xsec": 10.0}}, "b": {"files": [path]}})
    assert ht.make_local(ht.metadata(events, "xsec")).to_list() == [10.0, None]


def test_empty_file_among_others_adds_nothing(write: Callable[..., str]) -> None:
    events = ht.dataset([write("one.root", x=[1.0]), write("none.root", x=np.empty(0)), write("two.root", x=[2.0])])
    assert ht.make_local(events.x).to_list() == [1.0, 2.0]


def test_dataset_without_events_has_answers(write: Callable[..., str]) -> None:
    events = ht.dataset(write("none.root", x=np.empty(0)))
    h = ht.Hist.new.Reg(2, 0, 1, name="x").Double().fill(events.x)
    column, count, top, filled = ht.make_local(events.x, events.Count(), events.x.Max(), h)
    assert (column.to_list(), count, top, filled.sum()) == ([], 0, None, 0.0)


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["é tt̄.root", "a b.root", "run#12.root", "a:b.root", "100%.root", "[1].root", "x=1&y.root"]
)
def test_file_of_any_name_is_read(write: Callable[..., str], name: str) -> None:
    assert ht.make_local(ht.dataset(write(name, x=[1.0, 2.0])).x).to_list() == [1.0, 2.0]


def test_tree_after_a_colon_is_chosen(write: Callable[..., str]) -> None:
    path = write("a.root", tree="other", x=[1.0])
    assert ht.make_local(ht.dataset(f"{path}:other").x).to_list() == [1.0]


@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".yaml", ".yml"])
def test_fileset_of_a_file_is_read(write: Callable[..., str], tmp_path: Path, suffix: str) -> None:
    path = write("é.root", x=[1.0, 2.0])
    fileset = {"tt̄": {"files": {path: "Events"}, "metadata": {"xsec": 831.8}}}
    target = tmp_path / f"fileset{suffix}"
    text = json.dumps(fileset, ensure_ascii=False)
    target.write_bytes(gzip.compress(text.encode()) if suffix.endswith("gz") else text.encode())
    events = ht.dataset(target)
    assert ht.make_local(ht.metadata(events, "dataset")).to_list() == ["tt̄", "tt̄"]
    assert ht.make_local(ht.metadata(events, "xsec")).to_list() == [831.8, 831.8]


@pytest.mark.parametrize("text", ["{", "[1, 2", "42", "null"])
def test_file_that_holds_no_fileset_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fileset.json"
    path.write_text(text)
    with pytest.raises(ht.HepTablesError, match="no fileset"):
        ht.dataset(path)


@pytest.mark.parametrize("text", ["a: [1", "42"])
def test_yaml_that_holds_no_fileset_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fileset.yaml"
    path.write_text(text)
    with pytest.raises(ht.HepTablesError, match="no fileset"):
        ht.dataset(path)


# -- failures while running ------------------------------------------------------------------------------------------


def test_bad_basket_names_file_and_entries(broken_basket: str) -> None:
    events = ht.dataset(broken_basket)
    with pytest.raises(ht.HepTablesError, match=r"broken.root(.*\n)*.*entries: 50 to 100"):
        ht.make_local(events.x, chunksize=50)


def test_bad_basket_loses_only_its_range_when_reported(broken_basket: str, write: Callable[..., str]) -> None:
    good = write("good.root", x=[1.0, 2.0])
    with ht.options(on_error="report"):
        result = ht.run(ht.dataset([broken_basket, good], name="data").x, chunksize=50)
    assert result.value.to_list() == [*map(float, range(50)), 1.0, 2.0]
    (failure,) = result.report.failures
    assert (failure.sample, failure.file, failure.start, failure.stop) == ("data", broken_basket, 50, 100)
    assert "cannot read 'x', entries 50 to 100" in failure.reason
    assert result.report.coverage == 52 / 102


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
def test_every_bad_file_is_reported_and_good_ones_run(write: Callable[..., str], tmp_path: Path, executor: str) -> None:
    good = [write("a.root", x=[1.0]), write("b.root", x=[2.0])]
    junk = tmp_path / "junk.root"
    junk.write_text("junk")
    missing = str(tmp_path / "gone.root")
    with ht.options(on_error="report"):
        events = ht.dataset([good[0], str(junk), missing, good[1]])
        result = ht.run(events.x, executor=executor, workers=2)
    assert result.value.to_list() == [1.0, 2.0]
    assert list(result.report.failed_files) == [str(junk), missing]
    assert "is not a ROOT or Parquet file" in result.report.failed_files[str(junk)]
    assert "does not exist" in result.report.failed_files[missing]
    assert result.report.coverage is None
    assert "coverage: unknown, since files could not be opened" in str(result.report)


def test_dataset_of_bad_files_only_is_refused_even_when_reported(tmp_path: Path) -> None:
    (tmp_path / "a.root").write_text("junk")
    (tmp_path / "b.root").write_text("junk")
    with ht.options(on_error="report"), pytest.raises(ht.HepTablesError, match="is not a ROOT or Parquet file"):
        ht.dataset([str(tmp_path / "a.root"), str(tmp_path / "b.root")])


def test_file_that_goes_bad_after_recording_is_an_error(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    events = ht.dataset(path)
    Path(path).write_text("junk")
    with pytest.raises(ht.HepTablesError, match=r"a.root is not a ROOT or Parquet file"):
        ht.make_local(events.x)


def test_nothing_left_names_the_files(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    events = ht.dataset(path)
    Path(path).unlink()
    with pytest.raises(
        ht.HepTablesError, match=r"no file of the dataset could be processed\n.*a.root: .*does not exist"
    ):
        ht.make_local(events.x, on_error="report")


def test_column_that_vanished_after_recording_is_an_error(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0], y=[2.0]))
    write("a.root", x=[1.0])
    with pytest.raises(ht.HepTablesError, match=r"a.root has no column 'y', which every file had"):
        ht.make_local(events.y)


def test_column_that_only_a_late_file_lacks_is_an_error_and_not_a_guess(write: Callable[..., str]) -> None:
    paths = [write(f"{k}.root", x=[1.0], **({} if k == 22 else {"y": [2.0]})) for k in range(40)]
    events = ht.dataset(paths)
    with pytest.raises(ht.HepTablesError, match=r"22.root has no column 'y'(.*\n)*Hint: .*every_file=True"):
        ht.make_local(events.y.Count())
    result = ht.run(events.y, on_error="report")
    assert (len(result.value), list(result.report.failed_files)) == (39, [paths[22]])
    assert result.report.coverage == 39 / 40


def test_column_that_a_late_file_lacks_is_missing_there_if_every_file_is_looked_at(write: Callable[..., str]) -> None:
    paths = [write(f"{k}.root", x=[1.0], **({} if k == 22 else {"y": [2.0]})) for k in range(40)]
    events = ht.dataset(paths, every_file=True)
    assert str(events.y) == "<Array event * ?float64>"
    assert ht.make_local(events.y).to_list() == [None if k == 22 else 2.0 for k in range(40)]


def test_number_of_a_late_file_that_is_cut_off_is_an_error_and_not_another_number(write: Callable[..., str]) -> None:
    paths = [write(f"{k}.root", x=[1.5] if k == 22 else [1]) for k in range(40)]
    message = r"the column x is float64 in this file, with numbers that int64, its type in others, cannot hold"
    with pytest.raises(ht.HepTablesError, match=message):
        ht.make_local(ht.dataset(paths).x)
    assert ht.make_local(ht.dataset(paths, every_file=True).x)[22] == 1.5


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("kind", ["parquet", "root"])
@pytest.mark.parametrize("schema", ["flat", "nanoaod"])
def test_column_that_one_file_lacks_has_the_rows_of_its_collection(
    tmp_path: Path, schema: str, kind: str, engine: str
) -> None:
    whole = ak.Array(
        [{"Jet": [{"pt": 10.0, "eta": 0.5}, {"pt": 20.0, "eta": 1.5}]}, {"Jet": [{"pt": 5.0, "eta": 2.5}]}]
    )
    paths = [str(tmp_path / f"{name}.{kind}") for name in ("whole", "lacking")]
    for path, jets in zip(paths, (whole.Jet, whole.Jet[["pt"]])):
        table = ak.zip({"Jet": jets}, depth_limit=1)
        if kind == "parquet":
            ak.to_parquet(table, path)
        else:
            with uproot.recreate(path) as file:
                file.mkrntuple("Events", table)
    jet = ht.dataset(paths, schema=schema).Jet
    outputs = [jet.eta, jet.eta.Count(), ht.fill_missing(jet[jet.pt > 5].eta, 9.0), jet.pt + jet.eta]
    found = [answer.to_list() for answer in ht.make_local(outputs, engine=engine)]
    assert found == [
        [[0.5, 1.5], [2.5], [None, None], [None]],
        [2, 1, 2, 1],
        [[0.5, 1.5], [], [9.0, 9.0], []],
        [[10.5, 21.5], [7.5], [None, None], [None]],
    ]
    assert ht.make_local(jet.eta, engine=engine).to_list() == found[0]


def test_last_of_many_files_is_looked_at(write: Callable[..., str]) -> None:
    paths = [write(f"{k}.root", x=[1.0], **({} if k == 39 else {"y": [2.0]})) for k in range(40)]
    assert ht.make_local(ht.dataset(paths).y)[-1] is None


def test_column_that_changed_its_kind_after_recording_is_an_error(write: Callable[..., str], tmp_path: Path) -> None:
    path = write("a.root", x=[1.0])
    events = ht.dataset(path)
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": "var * float64"}).extend({"x": ak.Array([[1.0]])})
    with pytest.raises(
        ht.HepTablesError, match=r"a.root: the column 'x' holds numbers in 1 lists, and held float64 in 0"
    ):
        ht.make_local(events.x)


def test_unreadable_branch_is_an_error_only_where_it_is_used(data: Callable[[str], str]) -> None:
    events = ht.dataset(data("PHYSLITE_example.root"), schema="physlite")
    assert len(ht.make_local(events.Electrons.pt)) == 100


# -- rewritten files -------------------------------------------------------------------------------------------------


def test_rewritten_file_is_read_anew(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    events = ht.dataset(path)
    first = ht.make_local(events.x).to_list()
    write("a.root", x=[3.0, 4.0])
    assert (first, ht.make_local(events.x).to_list()) == ([1.0], [3.0, 4.0])


def test_rewritten_file_is_read_anew_by_kept_workers(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    with ht.options(executor="futures", workers=2):
        first = ht.make_local(ht.dataset(path).x).to_list()
        write("a.root", x=[3.0, 4.0])
        assert (first, ht.make_local(ht.dataset(path).x).to_list()) == ([1.0], [3.0, 4.0])


def test_changed_metadata_are_seen(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    answers = []
    for xsec in (3.0, 5.0):
        events = ht.dataset(path, metadata={"xsec": xsec})
        answers.append(ht.make_local(ht.metadata(events, "xsec")).to_list())
    assert answers == [[3.0], [5.0]]


def test_replaced_file_of_the_same_size_is_read_anew(write: Callable[..., str], tmp_path: Path) -> None:
    path = write("a.root", x=[1.0])
    other = write("b.root", x=[2.0])
    events = ht.dataset(path)
    first = ht.make_local(events.x).to_list()
    shutil.move(other, path)
    assert (first, ht.make_local(events.x).to_list()) == ([1.0], [2.0])


# -- programs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
@pytest.mark.parametrize("on_error", ["raise", "report"])
def test_failing_program_names_line_file_and_entries(write: Callable[..., str], executor: str, on_error: str) -> None:
    path = write("a.root", x=np.arange(10.0))
    events = ht.dataset(path)
    fails = ht.zip_rows(a=events.x, b=events.x[events.x > 0])
    with pytest.raises(ht.HepTablesError, match=r"recorded at .*test_bad_input.py:\d+: fails = ") as caught:
        ht.make_local(fails, executor=executor, workers=2, on_error=on_error, chunksize=5)
    assert "entries: 0 to 5" in str(caught.value)
    assert "a.root" in str(caught.value)


def test_unknown_option_names_the_closest_first(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0]))
    with pytest.raises(ht.HepTablesError, match=r"no option 'chunksze'\n(.*\n)*Hint: did you mean chunksize\?"):
        ht.make_local(events.x, chunksze=5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("chunksize", 0),
        ("chunksize", 1.5),
        ("chunksize", True),
        ("workers", -1),
        ("on_error", "skip"),
        ("engine", "fast"),
    ],
)
def test_impossible_value_of_an_option_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=f"{name}={value!r} is not possible"):
        ht.options(**{name: value})


def test_unknown_executor_names_the_closest_first(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0]))
    with pytest.raises(ht.HepTablesError, match=r"no executor 'itrative'\n(.*\n)*Hint: did you mean iterative\?"):
        ht.make_local(events.x, executor="itrative")


def test_what_is_no_executor_is_refused(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0]))
    with pytest.raises(ht.HepTablesError, match="int is no executor"):
        ht.make_local(events.x, executor=4)

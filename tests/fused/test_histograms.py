"""Histograms that a kernel fills are those that hist fills with the same numbers, to the last bit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EDGES = [-3.0, -1.0, 0.1, 0.3, 2.0, 7.5]


def awkward_numbers(dtype: str) -> Any:
    """Numbers on the edges of all axes of this page and just beside them, and those that are no usual numbers."""
    edges = [*EDGES, *np.linspace(0, 1, 11), *np.linspace(-2, 3, 8), *range(-1, 7), 1e-30, 1e30]
    exact = np.array(edges, dtype)
    beside = [np.nextafter(exact, np.array(end, dtype)) for end in (-np.inf, np.inf)]
    special = np.array([np.nan, np.inf, -np.inf, -0.0], dtype)
    return np.concatenate([exact, *beside, special, -special])


SINGLE, DOUBLE = awkward_numbers("float32"), awkward_numbers("float64")
WEIGHTS = np.random.default_rng(5).normal(size=len(DOUBLE))
COLUMNS = {
    "single": SINGLE,
    "double": DOUBLE,
    "whole": np.arange(len(DOUBLE)) % 9 - 2,
    "small": (np.arange(len(DOUBLE)) % 7 - 3).astype("int8"),
    "truth": np.arange(len(DOUBLE)) % 3 == 0,
    "weight": WEIGHTS,
    "weight32": WEIGHTS.astype("float32"),
}
#: The axis that is filled, and by which columns.
AXES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "regular": (lambda new: new.Reg(10, 0, 1), ["single", "double"]),
    "regular of no round width": (lambda new: new.Reg(7, -2, 3), ["single", "double", "whole", "small"]),
    "regular without flow": (lambda new: new.Reg(10, 0, 1, flow=False), ["double"]),
    "regular without underflow": (lambda new: new.Reg(10, 0, 1, underflow=False), ["double"]),
    "regular without overflow": (lambda new: new.Reg(10, 0, 1, overflow=False), ["double"]),
    "variable": (lambda new: new.Var(EDGES), ["single", "double", "whole"]),
    "variable of even edges": (lambda new: new.Var(np.linspace(0, 1, 11).tolist()), ["single", "double"]),
    "integers": (lambda new: new.Int(-1, 5), ["whole", "small"]),
    "integers without flow": (lambda new: new.Int(-1, 5, flow=False), ["whole"]),
    "numbers of categories": (lambda new: new.IntCat([-2, 5, 1]), ["whole", "small"]),
    "truth": (lambda new: new.Bool(), ["truth"]),
}
CASES = [(axis, column) for axis, (_, columns) in AXES.items() for column in columns]
WEIGHTED = ["Double", "Weight"]
STORAGES = ["Double", "Weight", "Int64"]
CATEGORIES = {"category": "b", "category that is not listed": "c"}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    file = tmp_path_factory.mktemp("numbers") / "numbers.parquet"
    ak.to_parquet(ak.zip({name: ak.Array(values) for name, values in COLUMNS.items()}, depth_limit=1), file)
    return ht.flat(file)


def storage(builder: Any, name: str) -> Any:
    return getattr(builder, name)()


@pytest.fixture(scope="module")
def recorded(events: ht.Array) -> dict[str, Any]:
    """All histograms of this page, in one kernel."""
    made: dict[str, Any] = {}
    for axis, column in CASES:
        make = AXES[axis][0]
        made[f"{axis}, {column}"] = make(ht.Hist.new).Double().fill(events[column])
        for kind in WEIGHTED:
            filled = storage(make(ht.Hist.new), kind).fill(events[column], weight=events.weight)
            made[f"{axis}, {column}, {kind}"] = filled
    for kind in STORAGES:
        made[kind] = storage(ht.Hist.new.Reg(10, 0, 1), kind).fill(events.double)
    made["single weights"] = ht.Hist.new.Reg(10, 0, 1).Weight().fill(events.double, weight=events.weight32)
    made["one weight"] = ht.Hist.new.Reg(10, 0, 1).Weight().fill(events.double, weight=0.1)
    two = ht.Hist.new.Reg(10, 0, 1).Var(EDGES).Weight()
    made["two axes"] = two.fill(events.double, events.single, weight=events.weight)
    for name, category in CATEGORIES.items():
        made[name] = ht.Hist.new.StrCat(["a", "b"]).Reg(10, 0, 1).Double().fill(category, events.double)
    made["twice"] = ht.Hist.new.Reg(10, 0, 1).Double().fill(events.double).fill(events.single)
    return made


@pytest.fixture(scope="module")
def answers(recorded: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(recorded, engine="fused")


def test_all_of_them_are_fused(recorded: dict[str, Any]) -> None:
    assert ht.explain(recorded, engine="fused").accounts[0].engine == ("fused",)


def exactly(histogram: Any) -> tuple[Any, ...]:
    """The axes and the bytes of a histogram."""
    return tuple(histogram.axes), histogram.view(flow=True).tobytes(), histogram.storage_type


@pytest.mark.parametrize(("axis", "column"), CASES)
def test_axis_is_filled_as_hist_fills_it(axis: str, column: str, answers: dict[str, Any]) -> None:
    expected = AXES[axis][0](hist.Hist.new).Double().fill(COLUMNS[column])
    assert exactly(answers[f"{axis}, {column}"]) == exactly(expected)


@pytest.mark.parametrize("kind", WEIGHTED)
@pytest.mark.parametrize(("axis", "column"), CASES)
def test_weights_are_summed_as_hist_sums_them(axis: str, column: str, kind: str, answers: dict[str, Any]) -> None:
    expected = storage(AXES[axis][0](hist.Hist.new), kind).fill(COLUMNS[column], weight=COLUMNS["weight"])
    assert exactly(answers[f"{axis}, {column}, {kind}"]) == exactly(expected)


@pytest.mark.parametrize("kind", STORAGES)
def test_storage_is_filled_as_hist_fills_it(kind: str, answers: dict[str, Any]) -> None:
    assert exactly(answers[kind]) == exactly(storage(hist.Hist.new.Reg(10, 0, 1), kind).fill(DOUBLE))


def test_weights_in_single_precision(answers: dict[str, Any]) -> None:
    expected = hist.Hist.new.Reg(10, 0, 1).Weight().fill(DOUBLE, weight=COLUMNS["weight32"])
    assert exactly(answers["single weights"]) == exactly(expected)


def test_one_weight_for_all(answers: dict[str, Any]) -> None:
    expected = hist.Hist.new.Reg(10, 0, 1).Weight().fill(DOUBLE, weight=0.1)
    assert exactly(answers["one weight"]) == exactly(expected)


def test_two_axes(answers: dict[str, Any]) -> None:
    expected = hist.Hist.new.Reg(10, 0, 1).Var(EDGES).Weight().fill(DOUBLE, SINGLE, weight=WEIGHTS)
    assert exactly(answers["two axes"]) == exactly(expected)


@pytest.mark.parametrize("name", CATEGORIES)
def test_category_by_name(name: str, answers: dict[str, Any]) -> None:
    expected = hist.Hist.new.StrCat(["a", "b"]).Reg(10, 0, 1).Double().fill(CATEGORIES[name], DOUBLE)
    assert exactly(answers[name]) == exactly(expected)


def test_two_fills_of_one_histogram(answers: dict[str, Any]) -> None:
    assert exactly(answers["twice"]) == exactly(hist.Hist.new.Reg(10, 0, 1).Double().fill(DOUBLE).fill(SINGLE))


def test_counts_do_not_depend_on_chunks(recorded: dict[str, Any], answers: dict[str, Any]) -> None:
    chunks = ht.make_local(recorded, engine="fused", chunksize=7)
    names = [f"{axis}, {column}" for axis, column in CASES]
    assert [exactly(chunks[name]) for name in names] == [exactly(answers[name]) for name in names]


#: What is left to the columnar engine, with the reason; it is filled all the same.
LEFT: dict[str, tuple[Callable[[Any], Any], str]] = {
    "AtomicInt64": (lambda new: new.Reg(10, 0, 1).AtomicInt64(), "the storage AtomicInt64"),
    "Unlimited": (lambda new: new.Reg(10, 0, 1).Unlimited(), "the storage Unlimited"),
    "no overflow": (lambda new: new.Var(EDGES, overflow=False).Double(), "an axis Variable of this kind"),
    "circular": (
        lambda new: new.Reg(10, 0, 1, circular=True).Double(),
        "an axis Regular that is circular or grows",
    ),
}


@pytest.mark.parametrize("what", LEFT)
def test_other_histograms_are_columnar_and_the_same(what: str, events: ht.Array) -> None:
    make, reason = LEFT[what]
    recorded = {"left": make(ht.Hist.new).fill(events.double)}
    assert ht.explain(recorded, engine="fused").accounts[0].engine == ("columnar", f"left is not fused: {reason}")
    answer = ht.make_local(recorded, engine="fused")["left"]
    assert answer == make(hist.Hist.new).fill(DOUBLE)


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("chunksize", [None, 1])
def test_first_value_without_a_bin_beside_a_constant_loses_no_other(
    tmp_path: Path, engine: str, chunksize: int | None
) -> None:
    ak.to_parquet(ak.zip({"x": ak.Array(np.array([11, -1, 1, 2], "int32"))}), tmp_path / "numbers.parquet")
    events = ht.flat(tmp_path / "numbers.parquet")
    histogram = ht.Hist.new.Int(0, 3, overflow=False, name="x").Int(-1, 4, name="c").Double().fill(events.x, 1)
    assert ht.make_local(histogram, engine=engine, chunksize=chunksize).sum(flow=True) == 3

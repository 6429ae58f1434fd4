"""What uproot's dialect cannot say, it refuses before anything runs, with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import UPROOT, needs, supports, write_query
from hep_tables_coffea.graph.traverse import walk

if TYPE_CHECKING:
    from collections.abc import Callable


@ht.user_func
def doubled(x: float) -> float:
    return 2 * x


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "first row": (lambda e: e.Jet.pt.First(), "fails for a whole file where one list has no such row"),
    "place": (lambda e: e.Jet[1].pt, "fails for a whole file where one list has no such row"),
    "nearest": (lambda e: e.Electron.nearest(e.Jet).pt, "fails for a whole file"),
    "slice": (lambda e: e.Jet[:2].pt, "has no slices of lists"),
    "filled up": (lambda e: ak.pad_none(e.Jet.pt, 2), "does not fill up lists"),
    "index": (lambda e: e.Jet[ak.argmax(e.Jet.pt, axis=-1, keepdims=True)].pt, "takes no rows by an index"),
    "position": (lambda e: ak.local_index(e.Jet.pt), "has no positions"),
    "order": (lambda e: ak.argsort(e.Jet.pt, axis=-1), "has no positions in lists"),
    "mean": (lambda e: e.Jet.pt.Mean(), "has no mean of a list"),
    "argmax": (lambda e: e.Jet.pt.ArgMax(), "has no argmax of a list"),
    "kept dimension": (lambda e: ak.sum(e.Jet.pt, axis=-1, keepdims=True), "has no options of sum|list"),
    "filling": (lambda e: ht.fill_missing(e.Jet.pt.Max(), 0), "puts nothing in place of missing values"),
    "is missing": (lambda e: ht.is_missing(e.Jet.pt.Mean()), "has no mean of a list"),
    "masked": (lambda e: ak.mask(e.Jet.pt, e.Jet.pt > 3), "has no ak.mask"),
    "cast": (lambda e: ak.values_astype(e.Jet.pt, "float64"), "has no ak.values_astype"),
    "table": (lambda e: np.digitize(e.Jet.pt, [10, 20]), "has no digitize"),
    "constant of numpy": (lambda e: e.Jet.pt * np.float64(2), "gives float32 there, and not float64"),
    "no number": (lambda e: e.Jet.pt * float("nan"), "cannot write nan"),
    "mask that may be missing": (
        lambda e: e.Jet[e.Jet.pt > e.Electron.pt.Max()].pt,
        "puts nothing in place of missing values",
    ),
    "events that may be missing": (lambda e: e[e.Jet.pt.Max() > 2 * e.Jet.eta.Max()].MET.pt, "in place of missing"),
    "comparison with a constant of numpy": (lambda e: e.Jet.pt > np.float64(0.4), "compares in float32 there"),
    "user function": (lambda e: doubled(e.Jet.pt), "has no function doubled, which is Python"),
    "metadata": (lambda e: ht.metadata(e, "xsec") * e.MET.pt, "does not know the metadata of the dataset"),
    "dataset-wide": (lambda e: e.MET.pt - e.MET.pt.Sum(axis=None), "this is a value of the whole dataset"),
    "records": (lambda e: e.Jet, "delivers columns, and a record is several of them"),
    "flat events": (lambda e: ak.flatten(e.Jet.pt), "flattened ones are no events"),
    "with itself": (
        lambda e: ak.combinations(e.Jet.pt, 2, replacement=True, axis=-1)["0"],
        "has no combinations of a row with itself",
    ),
    "side by side": (lambda e: e.Jet.matched_electrons.pt, "fails for a whole file|side by side"),
    "half precision": (lambda e: np.sqrt(e.Muon.tightId), "delivers no float16"),
}


def reasons(node: Any) -> list[str]:
    answers = [supports(one, UPROOT) for one in walk([node], needs)]
    return [answer.reason for answer in answers if not answer]


@pytest.mark.parametrize(("column", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_reason(column: Callable[[Any], Any], reason: str, nano: str) -> None:
    events = ht.nanoaod(nano, metadata={"xsec": 2.0})
    node = column(events)._node
    with pytest.raises(ht.HepTablesError, match=f"the uproot dialect of func_adl .*({reason})"):
        write_query({"x": node}, None, UPROOT, "Events")
    assert any(reasons(node))


def test_columns_of_other_events_are_refused(events: ht.Array) -> None:
    chosen = events[events.MET.pt > 20]
    with pytest.raises(ht.HepTablesError, match="columns of some events are asked for, and other events are delivered"):
        write_query({"met": chosen.MET.pt._node}, None, UPROOT, "Events")


def test_column_that_a_file_may_lack_is_refused(events: ht.Array, nano: str, tmp_path: Any) -> None:
    import uproot

    with uproot.recreate(tmp_path / "less.root") as file:
        file.mktree("Events", {"run": "int64"})
        file["Events"].extend({"run": np.arange(3)})
    both = ht.nanoaod([nano, str(tmp_path / "less.root")])
    assert supports(both.MET.pt._node, UPROOT).reason == (
        "the uproot dialect of func_adl fails for a file that lacks MET_pt"
    )


def test_names_of_columns_can_be_written(tmp_path: Any) -> None:
    ak.to_parquet(ak.zip({"it's": [1.0]}), tmp_path / "quote.parquet")
    column = ht.flat(tmp_path / "quote.parquet")["it's"]
    assert supports(column._node, UPROOT).reason == "the uproot dialect of func_adl cannot write a name with a quote"

"""Columns that come out of a kernel: values and types are those of the columnar engine, at every depth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable


def everything(d: ht.Array) -> dict[str, Any]:
    """Outputs of all depths and types, all of them fused."""
    pairs = ht.pairs(d.els)
    good = d.jets[d.jets.pt > 10]
    return {
        "float64": d.met * 2,
        "float32": d.weight,
        "float32 of both": d.weight * d.jets.pt,
        "bool": ~d.flag,
        "int8": d.small,
        "int8 that overflows": d.small + d.small,
        "option": d.maybe + 1,
        "list": d.jets.pt,
        "list of bool": d.jets.ok,
        "list of options": d.jets.maybe * 2,
        "list of lists": d.jets.hits + 1,
        "filter": good.pt,
        "filter of lists": good.hits,
        "filter of events": d[d.flag].jets.pt,
        "no event": d[d.met > 1000].met,
        "no event with lists": d[d.met > 1000].jets.hits,
        "sum": d.jets.pt.Sum(),
        "number": good.Count(),
        "maximum": d.jets.pt.Max(),
        "sum of inner lists": d.jets.hits.Sum(),
        "first row": d.jets[0].pt,
        "slice": d.jets.pt[:2],
        "pairs": ht.pairs(d.jets.pt),
        "sums of pairs": pairs.a.q + pairs.b.q,
        "records": d.els,
        "filtered records": d.els[d.els.pt > 5],
        "records of pairs": pairs,
        "record that may be missing": d.els[0],
        "cross": ht.cross(a=d.jets.pt, b=d.els.pt),
        "sorted": d.jets.pt[d.jets.pt > 0].Count(),
        "one of the dataset": d.met.Max(),
        "mean": d.jets.pt.Mean(axis=None),
        "number of all": d.jets.Count(axis=None),
        "all rows": d.jets.pt.Max(axis=None),
    }


@pytest.fixture(scope="module")
def outputs(d: ht.Array) -> dict[str, Any]:
    return everything(d)


@pytest.fixture(scope="module")
def answers(outputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {engine: ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar")}


NAMES = list(everything(ht.flat(__file__))) if False else None


def test_all_of_them_are_fused(outputs: dict[str, Any]) -> None:
    assert ht.explain(outputs, engine="fused").accounts[0].engine == ("fused",)

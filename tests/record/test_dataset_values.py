"""Values of the whole dataset: reduced over any chunks, computed with, and used for each row in a second pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

CASES: dict[str, Any] = {
    "jets.o.Min(axis=None)": 1.0,
    "jets.o.Count(axis=None)": 6,
    "(jets.o>1).Any(axis=None)": True,
    "met-met.Mean()": [-3.875, -43.875, 56.125, -8.375],
    "jets.pt[jets.pt>jets.pt.Mean(axis=None)]": [[50.0, 35.0], [], [31.0], []],
    "met.Sum()/d.w.Sum()": 22.2,
    "met.Sum()/met.Count()": 13.875,
    "met[met>1000].Max()": None,
    "met[met>1000].Max()+1": None,
    "met+ht.fill_missing(met[met>1000].Max(),-1)": [9.0, -31.0, 69.0, 4.5],
    "ht.where(met.Max()>60,met.Max(),0)": 70.0,
    "ht.where(met.Max()>60,met,0)": [10.0, -30.0, 70.0, 5.5],
    "d[met>met.Mean()].jets.n": [[0]],
    "np.sqrt(met.Max())": 8.366600265340756,
    "-met.Max()": -70.0,
    "~d.flag.All()": True,
    "met.Max()>3": True,
    "(met.Max()>3)&(met.Min()<0)": True,
    "round(met.Mean())": 14.0,
    "d.u64.Sum()": 2**63 + 6,
    "d.big.Sum()": 2**62 - 4,
    "d.flag.Sum()": 3,
    "d.u.Sum()": 258,
    "d.u.Max()": 255,
    "d.flag.Max()": True,
    "d.n.Mean()": 0.5,
    "d.u64.Max()": 2**63,
    "d.u64.Min()": 0,
    "(met/0).Max()": float("inf"),
    "jets.b.Any(axis=None)": True,
    "jets.b.All(axis=None)": False,
    "d[met>1000].met.Sum()": 0.0,
    "d[met>1000].flag.Any()": False,
    "d[met>1000].flag.All()": True,
    "d[met>1000].met.Mean()": None,
    "d.Count()": 4,
    "jets.Count(axis=None)": 6,
    "jets.Count(axis=0)": 4,
    "jets.Count().Max()": 3,
    "(met*1j).Sum()": 55.5j,
    "d.name.First()": "ab",
    "d.name.Count()": 4,
    "met.First()+met.Last()": 15.5,
    "ak.values_astype(met.Mean(),'int64')": 13,
    "np.clip(met.Max(),0,50)": 50.0,
    "np.maximum(met.Max(),100)": 100.0,
    "met + met[met > 1000].Max()": [None, None, None, None],
    "jets.pt * met[met > 1000].Max()": [[None] * 3, [], [None], [None, None]],
    "ev.met * met[met > 1000].Max()": [None] * 3,
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_value_of_the_dataset_is_the_same_for_any_chunks(
    text: str, expected: Any, check: Callable[[str, Any], None]
) -> None:
    check(text, expected)


def test_value_of_the_dataset_needs_a_pass_before(d: ht.Array) -> None:
    assert "in a pass before" in str(ht.explain(d.met - d.met.Mean()))


def test_processor_of_two_passes_is_refused_with_the_way_out(d: ht.Array) -> None:
    with pytest.raises(TypeError, match=r"needs two passes over the data(?s:.*)Hint: ht.make_local makes both"):
        ht.to_processor({"x": d.met - d.met.Mean()})


@pytest.mark.parametrize(
    ("text", "total"),
    {
        "jets.pt": 6.0,
        "jets.vec": 7.0,
        "jets.o": 3.0,
        "jets[0].pt": 3.0,
        "d.flag": 4.0,
        "met - met.Mean()": 4.0,
        "ht.pairs(jets).a.pt": 4.0,
        "ak.pad_none(jets.pt, 4)": 6.0,
    }.items(),
)
def test_histogram_is_filled_with_every_value_that_is_not_missing(
    text: str, total: float, record: Callable[[str], Any]
) -> None:
    filled = ht.Hist.new.Reg(4, 0, 80).Double().fill(record(text))
    assert ht.make_local(filled, chunksize=1).sum(flow=True) == total


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "jets": "is filled with numbers, and not with PtEtaPhiMLorentzVector",
        "d.name": "is filled with numbers, and not with string",
        "jets.pt * 1j": "is filled with numbers, and not with complex",
        "met.Max()": "is filled with values of the events, and not with one value of the dataset",
    }.items(),
)
def test_histogram_refuses_what_is_no_number(text: str, message: str, record: Callable[[str], Any]) -> None:
    with pytest.raises(TypeError, match=message):
        ht.Hist.new.Reg(4, 0, 80, name="x").Double().fill(record(text))

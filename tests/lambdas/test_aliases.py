"""Aliases: names for what functions make of the values on certain paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.errors import UsageError

HALF = [[25, 10, 17.5], [], [15.5]]

REACHES: dict[str, tuple[str, Callable[[Any], Any], Any]] = {
    "everywhere": ("", lambda e: e.jets, HALF),
    "a suffix": ("jets", lambda e: e.jets, HALF),
    "an exact path": (".jets", lambda e: e.jets, HALF),
    "through a filter": (".jets", lambda e: e.jets[lambda j: j.pt > 30], [[25, 17.5], [], [15.5]]),
    "through an event filter": ("jets", lambda e: e[e.met > 20].jets, [[15.5]]),
    "through a position": ("jets", lambda e: e.jets[0], [25, None, 15.5]),
    "through a pair": ("jets", lambda e: ht.pairs(e.jets).b, [[10, 17.5, 17.5], [], []]),
    "through a call": ("jets", lambda e: e.jets("jets"), HALF),
    "through a list of an element": ("jets", lambda e: e.mcs.map(lambda m: e.jets), [[[25, 10, 17.5]] * 2, [[]], []]),
}


@pytest.mark.parametrize(("pattern", "reach", "expected"), REACHES.values(), ids=REACHES)
def test_alias_reaches(toy: Any, local: Any, pattern: str, reach: Any, expected: Any) -> None:
    ht.define_alias(pattern, "half", lambda x: x.pt / 2)
    assert local(reach(toy).half) == expected


def test_alias_of_a_parameter(toy: Any, local: Any) -> None:
    ht.define_alias("jets", "half", lambda j: j.pt / 2)
    assert local(toy.jets.map(lambda j: j.half), toy.jets[lambda j: j.half > 16].pt) == (HALF, [[50, 35], [], []])


def test_root_alias_is_of_the_events(toy: Any, local: Any) -> None:
    ht.define_alias(".", "leading", lambda e: e.jets.First())
    assert local(toy.leading.pt) == [50, None, 31]
    with pytest.raises(AttributeError, match="leading"):
        toy.jets.leading  # noqa: B018


@pytest.mark.parametrize("order", [1, -1], ids=["general first", "specific first"])
@pytest.mark.parametrize(("general", "specific"), [("", "jets"), ("jets", ".jets"), ("", ".jets")])
def test_most_specific_wins(toy: Any, local: Any, general: str, specific: str, order: int) -> None:
    for pattern, shift in [(general, 1), (specific, 2)][::order]:
        ht.define_alias(pattern, "moved", lambda x, shift=shift: x.pt + shift)
    assert local(toy.jets.moved) == [[52, 22, 37], [], [33]]


def test_last_of_equals_wins(toy: Any, local: Any) -> None:
    ht.define_alias("jets", "moved", lambda j: j.pt)
    ht.define_alias("jets", "moved", lambda j: j.pt + 1)
    assert local(toy.jets.moved[:, 0]) == [51, None, 32]


def test_alias_may_hide_what_it_reads(toy: Any, local: Any) -> None:
    ht.define_alias("jets", "pt", lambda j: j.pt / 2)
    assert local(toy.jets.pt, toy.mcs.pt) == (HALF, [[1, 2], [3], []])


def test_column_wins_over_an_alias(toy: Any, local: Any) -> None:
    ht.define_alias("", "half", lambda x: x.pt / 2)
    toy.jets["half"] = 0.5
    assert local(toy.jets.half) == [[0.5] * 3, [], [0.5]]


def test_alias_may_use_aliases_and_columns(toy: Any, local: Any) -> None:
    toy.jets["plus"] = toy.jets.pt + 1
    ht.define_alias("", "half", lambda x: x.plus / 2)
    ht.define_alias("", "quarter", lambda x: x.half / 2)
    assert local(toy.jets.quarter[:, 0]) == [12.75, None, 8]


def test_alias_may_capture(toy: Any, local: Any) -> None:
    ht.define_alias("jets", "near", lambda j: toy.mcs[lambda m: m.eta < j.eta])
    assert local(toy.jets.near.Count()) == [[2, 2, 0], [], [0]]


def test_alias_of_one_dataset(toy: Any, toy_path: str, local: Any) -> None:
    other = ht.flat(toy_path, tree="events")
    ht.define_alias("", "half", lambda x: x.pt / 2, on=other)
    assert local(other.jets.half) == HALF
    with pytest.raises(AttributeError, match="half"):
        toy.jets.half  # noqa: B018


def test_aliases_that_need_each_other_end_in_an_error(toy: Any) -> None:
    ht.define_alias("", "hen", lambda x: x.egg)
    ht.define_alias("", "egg", lambda x: x.hen)
    with pytest.raises(AttributeError, match=r"hen|egg"):
        toy.jets.hen  # noqa: B018


def test_cleared_aliases_are_gone(toy: Any) -> None:
    ht.define_alias("", "half", lambda x: x.pt / 2)
    ht.clear_aliases()
    with pytest.raises(AttributeError, match="half"):
        toy.jets.half  # noqa: B018


@pytest.mark.parametrize("wrong", [(3, "a", abs), ("", "not a name", abs), ("", "a", "no function")])
def test_wrong_definitions_are_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="define_alias takes a pattern, a name and a function"):
        ht.define_alias(*wrong)

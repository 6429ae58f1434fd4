"""Weights that a storage cannot keep are refused while they are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

    from hep_tables_coffea import Array


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Array:
    return ht.nanoaod(ht.samples.nanoaod(tmp_path_factory.mktemp("few") / "zll.root", events=20))


FRACTIONS: dict[str, Callable[[Any], Any]] = {
    "a column": lambda events: events.MET.pt,
    "a constant": lambda events: 0.5,
}


@pytest.mark.parametrize("storage", ["Int64", "AtomicInt64"])
@pytest.mark.parametrize("what", FRACTIONS)
def test_storage_of_integers_takes_no_fractions(what: str, storage: str, events: Any) -> None:
    empty = getattr(ht.Hist.new.Reg(3, 0, 100), storage)()
    with pytest.raises(
        ht.HepTablesError, match=rf"the storage {storage} counts in integers, and the weight is a float\d\d"
    ):
        empty.fill(events.MET.pt, weight=FRACTIONS[what](events))


@pytest.mark.parametrize("weight", [2, 2.0])
def test_storage_of_integers_takes_whole_numbers(weight: float, events: Any) -> None:
    filled = ht.Hist.new.Reg(1, 0, 1e6).Int64().fill(events.MET.pt, weight=weight)
    assert ht.make_local(filled).values().tolist() == [40]

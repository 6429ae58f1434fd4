"""Histograms that differ in their selections alone are filled by one statement, and have the contents that they would."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable


def spectrum(**options: bool) -> Any:
    return ht.Hist.new.Reg(8, 0, 120, name="x", **options)


def fills(kernel: str) -> int:
    return kernel.count("bins[")


def test_selections_of_one_value_make_one_fill(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    selections = {"one": many.Jet.Count() > 1, "two": many.MET.pt > 20, "all": many.MET.pt >= 0}
    outputs = {name: spectrum().Double().fill(many.Jet.pt[mask]) for name, mask in selections.items()}
    kernel = fused(outputs | {"any": spectrum().Double().fill(many.Jet.pt)}).kernel
    assert fills(kernel) == 1
    assert "bins[10 * selected + bin_between(" in kernel


def test_events_without_any_selection_are_passed_over(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    selections = {"one": many.Muon.Count() > 1, "two": many.MET.pt > 20}
    outputs = {name: spectrum().Double().fill(many.Jet.pt[mask]) for name, mask in selections.items()}
    assert "        if selected > 0:\n            for jet in range(" in fused(outputs).kernel


def test_what_is_dear_is_asked_only_where_it_was_before(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    """A cut flow: what is asked last is computed only for what has passed the first."""
    first = many.Jet.Count() > 1
    second = ht.combinations(many.Jet, 3).a.pt.Max() > 40
    masks = {"one": first, "both": first & second}
    outputs = {name: spectrum().Double().fill(many.MET.pt[mask]) for name, mask in masks.items()}
    lines = [line.strip() for line in fused(outputs).kernel.splitlines()]
    asked = next(place for place, line in enumerate(lines) if line.startswith("if ") and "> 1:" in line)
    assert asked < next(place for place, line in enumerate(lines) if line.startswith("for c in"))


def test_weights_are_filled_one_by_one(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    masks = {"one": many.Jet.Count() > 1, "two": many.MET.pt > 20}
    outputs = {n: spectrum().Double().fill(many.MET.pt[mask], weight=0.1) for n, mask in masks.items()}
    assert fills(fused(outputs).kernel) == 2


def test_large_histograms_are_not_repeated_for_each_combination(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    masks = {"one": many.Jet.Count() > 1, "two": many.MET.pt > 20}
    plane = ht.Hist.new.Reg(100, 0, 100).Reg(100, 0, 100)
    outputs = {n: plane.Double().fill(many.MET.pt[mask], many.MET.phi[mask]) for n, mask in masks.items()}
    assert fills(fused(outputs).kernel) == 2


#: What a histogram is made of.
MAKERS: dict[str, Callable[[Any, Any], Any]] = {
    "numbers of events": lambda events, mask: spectrum().Double().fill(events.MET.pt[mask]),
    "rows": lambda events, mask: spectrum().Int64().fill(events.Jet.pt[mask]),
    "rows of a selection": lambda events, mask: spectrum().Weight().fill(events.Jet.pt[events.Jet.pt > 30][mask]),
    "rows that pass": lambda events, mask: spectrum().Double().fill(events.Jet.pt[(events.Jet.pt > 25) & mask]),
    "what may be missing": lambda events, mask: spectrum().Double().fill(events.Muon.pt.Max()[mask]),
    "no overflow": lambda events, mask: spectrum(flow=False).Double().fill(events.Jet.pt[mask]),
    "two axes": lambda events, mask: (
        spectrum().Var([0, 1, 2, 5]).Weight().fill(events.MET.pt[mask], events.Jet.Count()[mask])
    ),
    "pairs": lambda events, mask: spectrum().Double().fill(ht.pairs(events.Muon).a.pt[mask]),
    "two fills": lambda events, mask: spectrum().Double().fill(events.MET.pt[mask]).fill(events.MET.phi),
    "weights": lambda events, mask: spectrum().Weight().fill(events.MET.pt[mask], weight=0.5),
    "a category": lambda events, mask: spectrum().StrCat([], growth=True).Double().fill(events.MET.pt[mask], "a"),
}


def selections(events: Any, random: Random) -> list[Any]:
    """Some masks of events, of which some ask more than others."""
    simple = [
        events.MET.pt > 15,
        events.Jet.Count() >= 2,
        (events.Muon.pt > 30).Any(),
        events.MET.phi > 0,
        events.Jet.pt.Max() > 50,
        events.MET.pt >= 0,
    ]
    made = [random.choice(simple) for _ in range(random.randint(2, 4))]
    for _ in range(random.randint(0, 6)):
        made.append(random.choice(made) & random.choice(simple))
    return made


@pytest.mark.parametrize("seed", range(12))
def test_contents_are_those_of_the_columnar_engine(seed: int, many: ht.Array, same: Callable[..., bool]) -> None:
    random = Random(seed)
    masks = selections(many, random)
    kinds = random.sample(list(MAKERS), 3)
    outputs = {f"{kind} {k}": MAKERS[kind](many, mask) for kind in kinds for k, mask in enumerate(masks)}
    outputs |= {f"{kind} of all": MAKERS[kind](many, many.MET.pt >= 0) for kind in kinds}
    answers: list[Any] = [ht.make_local(outputs, engine=engine, chunksize=15) for engine in ("fused", "columnar")]
    assert same(*answers)

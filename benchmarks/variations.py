"""Systematic variations against the same analysis without them, and against loops over variations by hand: P10."""

from __future__ import annotations

from typing import Any

import awkward as ak
from hist import Hist

import hep_tables_coffea as ht
from benchmarks.adl_coffea import Query
from benchmarks.bench import Bench
from benchmarks.measure import ratio
from benchmarks.targets import Row
from benchmarks.variants import ENGINES, TUNED, Variant, hand_written, kept

__all__ = ["run"]

PART, HAND = "variations", "hand-written"
#: How many of the weight, and of the energy of the jets: an up and a down of half as many nuisances.
WEIGHTS, OBJECTS = 100, 20


def run(bench: Bench) -> None:
    """One nominal analysis, with variations of its weight, and with variations of its jets."""
    path = bench.sample(bench.fewer)
    events = ht.nanoaod(path, metadata={"is_mc": True})
    shifted = ht.nanoaod(path, metadata={"is_mc": True})
    shifted.Jet["pt"] = _recorded_pt(shifted.Jet)
    recorded = {
        "nominal": _record(events.Jet, _weight(events)),
        f"{WEIGHTS} weights": _record(events.Jet, _recorded_weight(events)),
        f"{OBJECTS} of jets": _record(shifted.Jet, _weight(shifted)),
    }
    hand: dict[str, Query] = {"nominal": Nominal(), f"{WEIGHTS} weights": Weights(), f"{OBJECTS} of jets": Objects()}
    for what, outputs in recorded.items():
        variants: dict[str, Variant] = {HAND: hand_written(path, hand[what], TUNED)}
        bench.measure(PART, what, variants | {engine: kept(outputs, engine) for engine in ENGINES})
    if bench.quick:
        return
    measured = bench.timings.get(PART, {})
    for what, target in ((f"{WEIGHTS} weights", 3), (f"{OBJECTS} of jets", 8)):
        pairs = {engine: (measured[what].get(engine), measured["nominal"].get(engine)) for engine in ENGINES}
        numbers = [a.of("cpu") / b.of("cpu") if a and b else None for a, b in pairs.values()]
        bench.rows.append(Row("P10", f"variations, {what} / nominal", target, *numbers))
        bench.rows.append(
            Row("P10", f"variations, {what} / {HAND}", None, *(ratio(measured[what], e, HAND) for e in ENGINES))
        )


# -- the analysis, recorded --------------------------------------------------------------------------------------------


def _weight(events: Any) -> Any:
    return 1 + 0.001 * events.MET.pt


def _reweighted(events: Any, number: int) -> Any:
    return _weight(events) * (1 + 0.0001 * number * events.MET.pt)


def _scaled(jets: Any, number: int, sign: int) -> Any:
    return jets.pt * (1 + sign * (0.01 + 0.002 * number) * abs(jets.eta))


def _recorded_weight(events: ht.Array) -> ht.Array:
    points = {f"pdf_{number}": _reweighted(events, number) for number in range(WEIGHTS)}
    return ht.vary(_weight(events), "pdf", variations=points)


def _recorded_pt(jets: ht.Array) -> ht.Array:
    pt = jets.pt
    for number in range(OBJECTS // 2):
        pt = ht.vary(pt, f"jes_{number}", up=_scaled(jets, number, 1), down=_scaled(jets, number, -1))
    return pt


def _record(jets: ht.Array, weight: ht.Array) -> dict[str, Any]:
    """Four jets or more: their summed momenta, and the mass of the three with the largest momentum together."""
    good = jets[(jets.pt > 30) & (abs(jets.eta) < 2.4)]
    good = good[good.Count() >= 4]
    triples = ht.combinations(good, 3)
    total = triples.a + triples.b + triples.c
    return {
        "ht": ht.Hist.new.Reg(50, 0, 1000, name="ht").Double().fill(good.pt.Sum(), weight=weight),
        "mass": ht.Hist.new.Reg(50, 0, 500, name="mass").Double().fill(total.MaxBy(total.pt).mass, weight=weight),
    }


# -- the same by hand --------------------------------------------------------------------------------------------------


def _select(events: Any, jets: Any) -> tuple[Any, Any, Any]:
    """Which events have enough jets, and the two observables of those."""
    good = jets[(jets.pt > 30) & (abs(jets.eta) < 2.4)]
    enough = ak.num(good) >= 4
    good = good[enough]
    triples = ak.combinations(good, 3, fields=["a", "b", "c"])
    total = triples.a + triples.b + triples.c
    best = ak.flatten(total[ak.argmax(total.pt, axis=1, keepdims=True)].mass)
    return enough, ak.sum(good.pt, axis=1), best


class _Varied(Query):
    """Histograms with an axis for variations, or without one."""

    labels: tuple[str, ...] = ()

    def _histograms(self) -> dict[str, Any]:
        axes = Hist.new.StrCat(self.labels, name="variation", growth=True) if self.labels else Hist.new
        made = {"ht": axes.Reg(50, 0, 1000, name="ht"), "mass": axes.Reg(50, 0, 500, name="mass")}
        return {name: axis.Double() for name, axis in made.items()}

    def _fill(self, made: dict[str, Any], label: str, selected: tuple[Any, Any, Any], weight: Any) -> None:
        enough, total, mass = selected
        named = {"variation": label} if self.labels else {}
        made["ht"].fill(**named, ht=total, weight=weight[enough])
        made["mass"].fill(**named, mass=mass, weight=weight[enough])


class Nominal(_Varied):
    """Without variations."""

    def process(self, events: Any) -> dict[str, Any]:
        made = self._histograms()
        self._fill(made, "", _select(events, events.Jet), _weight(events))
        return made


class Weights(_Varied):
    """The selection once, and a fill for each weight."""

    labels = ("nominal", *(f"pdf_{number}" for number in range(WEIGHTS)))

    def process(self, events: Any) -> dict[str, Any]:
        made, selected = self._histograms(), _select(events, events.Jet)
        self._fill(made, "nominal", selected, _weight(events))
        for number in range(WEIGHTS):
            self._fill(made, f"pdf_{number}", selected, _reweighted(events, number))
        return made


class Objects(_Varied):
    """The selection again for each scale of the jets."""

    labels = ("nominal", *(f"jes_{k}_{way}" for k in range(OBJECTS // 2) for way in ("up", "down")))

    def process(self, events: Any) -> dict[str, Any]:
        made, weight, jets = self._histograms(), _weight(events), events.Jet
        self._fill(made, "nominal", _select(events, jets), weight)
        for number in range(OBJECTS // 2):
            for way, sign in (("up", 1), ("down", -1)):
                scaled = ak.with_field(jets, _scaled(jets, number, sign), "pt")
                self._fill(made, f"jes_{number}_{way}", _select(events, scaled), weight)
        return made

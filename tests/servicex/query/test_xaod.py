"""Queries of the dialect for ATLAS: what the generated C++ gives is what our own engine gives for the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import XAOD, as_func_adl, supports, write_query
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.testing.comparing import difference
from hep_tables_coffea.types.dataset import Dataset, Sample

pytest.importorskip("func_adl_servicex_xaodr22")

from hep_tables_coffea.backends.servicex.query import needs
from hep_tables_coffea.schemas.xaod import pack

Columns = Callable[[Any], dict[str, Any]]


def recorded(**rules: Any) -> ht.Array:
    """Recorded ATLAS events."""
    sample = Sample("zee", (("rucio://mc20:zee", None),))
    return wrap(build.source(Dataset("zee", (sample,), pack.build({}, **rules))))


def query(columns: dict[str, Any], keep: Any = None) -> str:
    nodes = {name: column._node for name, column in columns.items()}
    return write_query(nodes, None if keep is None else keep._node, XAOD, None)


@dataclass
class Twin:
    """Events of a flat file, under the names of ATLAS."""

    events: Any

    def __getattr__(self, name: str) -> Any:
        return EventInfo(self.events) if name == "EventInfo" else getattr(self.events, name)

    def __getitem__(self, mask: Any) -> Twin:
        return Twin(self.events[mask])


@dataclass
class EventInfo:
    """The columns of a flat file that are of the event."""

    events: Any

    def __getattr__(self, name: str) -> Any:
        return self.events[f"EventInfo_{name}"]


@pytest.fixture(scope="module")
def numbers() -> list[dict[str, Any]]:
    """What is in the banks of eighty events; some have no electron or no jet."""
    rng = np.random.default_rng(5)

    def particles(mean: float) -> list[dict[str, float]]:
        return [
            {
                "pt": float(rng.exponential(40_000)),
                "eta": float(rng.normal(0, 1.5)),
                "phi": float(rng.uniform(-3.1, 3.1)),
                "m": 0.5,
                "charge": float(rng.choice([-1, 1])),
                "OQ": int(rng.integers(0, 5)),
            }
            for _ in range(rng.poisson(mean))
        ]

    def info(k: int) -> dict[str, Any]:
        weights = [float(w) for w in rng.choice([0.5, 1.5, -1.0], size=k % 4)]
        return {"runNumber": 3, "eventNumber": k, "averageInteractionsPerCrossing": k / 4, "mcEventWeights": weights}

    made = [{"AnalysisElectrons": particles(2), "AnalysisJets": particles(3), "EventInfo": info(k)} for k in range(80)]
    for event in made:
        for jet in event["AnalysisJets"]:
            jet["numbers"] = [float(x) for x in rng.integers(0, 9, size=2)]
    return made


@pytest.fixture(scope="module")
def twin(numbers: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """The same numbers in a file that our own engine reads: `twin.Electrons.pt`."""
    events = ak.Array(numbers)
    columns = {}
    for bank, name in {"AnalysisElectrons": "Electrons", "AnalysisJets": "Jets"}.items():
        for field in ("pt", "eta", "phi", "m", "charge", "OQ"):
            single = {"charge": np.float32, "OQ": np.uint32}.get(field)
            values = events[bank][field]
            columns[f"{name}_{field}"] = values if single is None else ak.values_astype(values, single)
    columns["EventInfo_runNumber"] = ak.values_astype(events.EventInfo.runNumber, np.uint32)
    columns["EventInfo_eventNumber"] = ak.values_astype(events.EventInfo.eventNumber, np.uint64)
    columns["EventInfo_averageInteractionsPerCrossing"] = ak.values_astype(
        events.EventInfo.averageInteractionsPerCrossing, np.float32
    )
    path = tmp_path_factory.mktemp("twin") / "events.parquet"
    ak.to_parquet(ak.zip(columns, depth_limit=1), path)
    return Twin(ht.flat(path))


def selection(e: Any) -> dict[str, Any]:
    good = e.Electrons[(e.Electrons.pt > 30_000) & (abs(e.Electrons.eta) < 1.5)]
    best = good[good.pt > 60_000]
    return {"pt": good.pt / 1000, "eta": good.eta, "n": good.Count(), "best": best.pt, "any": (good.charge > 0).Any()}


def arithmetic(e: Any) -> dict[str, Any]:
    el = e.Electrons
    return {
        "a": np.sqrt(el.pt) * 2 + abs(el.eta),
        "b": el.pt**2 - el.eta * el.phi,
        "c": -el.eta / (el.pt + 1),
        "d": np.cosh(el.eta) * el.pt,
        "e": np.hypot(el.eta, el.phi),
        "f": el.Count() / 2,
        "g": el.pt * el.charge,
        "h": ht.where(el.pt > 30_000, el.pt, -1.0),
        "i": np.arctan2(el.eta, 1.5),
    }


def functions_of_numpy(e: Any) -> dict[str, Any]:
    el, info = e.Electrons, e.EventInfo
    x, y = el.eta * 2, np.sin(el.phi)
    return {
        "floor": np.floor(x) + np.ceil(x) * 10 + np.trunc(x) * 100 + np.rint(x) * 1000,
        "compared": np.floor(x) > -2,
        "rounded": np.rint(x) == 1.0,
        "remainder": x % y - (x % 1.5) * 3,
        "times": x // y + x // -0.7,
        "rest": np.fmod(x, y),
        "root": np.cbrt(x),
        "wrapped": (el.phi * 3 + np.pi) % (2 * np.pi) - np.pi,
        "least": np.minimum(x, y) + np.clip(x, -0.5, 0.7),
        "greatest": np.maximum(0, x),
        "square": np.square(x) + np.fabs(y),
        "nan": np.isnan(np.sqrt(x)) ^ np.isfinite(np.log(y)),
        "one": np.isin(el.OQ, [1, 3, 7]),
        "some": el.OQ.Any(),
        "every": el.eta.All() & el.OQ.All(),
        "truths": ht.where(info.averageInteractionsPerCrossing > 9, x > 0, y > 0),
    }


def conditions(e: Any) -> dict[str, Any]:
    el = e.Electrons
    return {
        "a": (el.pt > 30_000) | ~(abs(el.eta) < 1.1) & (el.charge == -1),
        "b": el.OQ >= 2,
        "c": (el.eta > 0) == (el.phi > 0),
        "d": el.Count() + e.Jets.Count() >= 4,
        "e": e.EventInfo.averageInteractionsPerCrossing > 2.1,
        "f": el.pt > 10_000 * np.pi,
    }


def reducers(e: Any) -> dict[str, Any]:
    el = e.Electrons
    return {
        "n": el.Count(),
        "sum": el.pt.Sum(),
        "any": (el.pt > 60_000).Any(),
        "all": (el.pt > 20_000).All(),
        "some": ak.count_nonzero(el.OQ, axis=-1),
        "chosen": el[el.eta > 0].pt.Sum(),
        "run": e.EventInfo.runNumber,
        "event": e.EventInfo.eventNumber,
        "each": el.map(lambda one: e.EventInfo.averageInteractionsPerCrossing),
    }


def nested(e: Any) -> dict[str, Any]:
    el, jets = e.Electrons, e.Jets
    clean = jets[lambda j: ~(el.map(lambda one: one.delta_r(j)) < 1.0).Any()]
    return {
        "dr": el.map(lambda one: jets.map(lambda j: one.delta_r(j))),
        "near": el.map(lambda one: jets[lambda j: one.delta_r(j) < 1.0].Count()),
        "harder": el.map(lambda one: jets[lambda j: j.pt > one.pt].pt.Sum()),
        "twice": el.map(lambda a: el.map(lambda b: a.pt - b.pt)),
        "clean": clean.pt,
        "n": clean[clean.pt > 30_000].Count(),
        "third": el.map(lambda a: jets.map(lambda b: el[lambda c: c.pt > a.pt + b.pt].Count())),
    }


def missing(e: Any) -> dict[str, Any]:
    el, jets = e.Electrons, e.Jets
    both = jets.pt.Max() / 2 > el.pt.Min()
    return {
        "greatest": ht.fill_missing(jets.pt.Max(), 0),
        "least": ht.fill_missing(-jets.eta.Max() + el.pt.Min() / 1000, -1.0),
        "single": ht.fill_missing(el.charge.Min(), 7.0),
        "as_single": ht.fill_missing(el.charge.Min(), np.float32(0)),
        "whole": ht.fill_missing(el.OQ.Max(), 0),
        "none": ht.is_missing(jets.pt.Max()),
        "some": (jets.pt.First() - el.pt.First()).exists,
        "first": ht.fill_missing(jets[jets.eta > 0].First().pt, -1),
        "last": ht.fill_missing(jets[-1].pt, -1.0),
        "last_word": ht.fill_missing(el[-1].OQ, 0),
        "size": ht.fill_missing(abs(el.OQ) >= el.OQ.Max(), False),
        "best": ht.fill_missing(jets.MinBy(lambda j: abs(j.eta)).phi, -9.0),
        "difference": ht.fill_missing(jets.MaxBy(lambda j: j.pt).eta - el.First().eta, -9.0),
        "chosen": ht.fill_missing(ht.where(e.EventInfo.averageInteractionsPerCrossing > 9, jets.pt.Max(), 5.0), 1.0),
        "masked": ht.fill_missing(ak.mask(jets.pt.Max(), jets.pt.Sum() > 60_000), 1.0),
        "compared": ht.fill_missing(jets.pt.Max(), 40_000) > 30_000,
        "small": ht.fill_missing(jets.pt.Max(), 0) > 30_000,
        "large": ht.fill_missing(el.charge.Min(), 5) >= -0.3,
        "condition": ht.fill_missing(both & (el.charge.Max() > 0), False),
        "order": ht.where(ht.fill_missing(both, True), 1, 0),
    }


def missing_in_lists(e: Any) -> dict[str, Any]:
    el, jets = e.Electrons, e.Jets
    apart = el.map(lambda a: jets.map(lambda b: a.delta_r(b)))
    near = el.map(lambda a: jets[lambda b: a.delta_r(b) < 1.5].First())
    return {
        "least": ht.fill_missing(apart.Min(), 99.0),
        "clean": el[ht.fill_missing(apart.Min(), 99.0) > 0.8].pt,
        "isolated": el[apart.Min() > 0.8].pt,
        "close": el[apart.Min() <= 0.8].eta,
        "not": el[~(apart.Min() <= 0.8)].eta,
        "first": ht.fill_missing(near.pt, -1.0),
        "matched": el[near.exists].pt,
        "harder": el[near.pt > el.pt].pt,
        "either": el[(near.pt > 50_000) | (apart.Min() > 1)].pt,
        "nearest": ht.fill_missing(el.nearest(jets).pt, -1.0),
        "at_most": ht.fill_missing(el.nearest(jets, max_dr=0.8).eta - el.eta, -9.0),
        "closest": ht.fill_missing(
            el.map(lambda a: jets[lambda b: a.delta_r(b) < 1.5].MinBy(lambda b: a.delta_r(b)).pt), -1.0
        ),
        "all": ht.fill_missing(near.pt.Max(), -1.0),
        "sum": near.pt.Sum(),
        "number": ak.count(near.pt, axis=-1),
        "any": (near.pt > 50_000).Any(),
        "every": (near.pt > 50_000).All(),
        "of_event": ht.fill_missing(el.map(lambda a: jets.pt.Max() - a.pt), 0.0),
        "best": ht.fill_missing(el.MaxBy(near.pt).pt, -1.0),
    }


CASES: dict[str, Columns] = {
    "selection": selection,
    "missing": missing,
    "missing in lists": missing_in_lists,
    "arithmetic": arithmetic,
    "functions of numpy": functions_of_numpy,
    "conditions": conditions,
    "reducers": reducers,
    "nested": nested,
}


def same(found: dict[str, Any], columns: dict[str, Any], keep: Any = None) -> None:
    """Up to the last digits of functions of the mathematical library; types as they are cast when they are read."""
    expected = ht.make_local(columns)
    for name, column in columns.items():
        kind = np.dtype(column._node.type.dtype)
        made = ak.Array(found[name])
        typed = ak.values_astype(made, kind) if len(made) else made
        assert not difference(typed, expected[name], (1e-12, 1e-9)), name


@pytest.mark.parametrize("columns", CASES.values(), ids=CASES)
def test_columns_are_those_of_our_engine(
    columns: Columns, run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin
) -> None:
    same(run_xaod(query(columns(recorded())), numbers), columns(twin))


def test_events_are_filtered(run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin) -> None:
    def filtered(e: Any) -> tuple[Any, dict[str, Any]]:
        some = e[e.Electrons.Count() >= 1]
        keep = some.Jets[some.Jets.pt > 30_000].Count() >= 1
        kept = some[keep]
        return keep, {"pt": kept.Jets[kept.Jets.eta > 0].pt, "n": kept.Electrons.Count()}

    keep, columns = filtered(recorded())
    text = query(columns, keep)
    assert text.count("call Where") == 2
    same(run_xaod(text, numbers), filtered(twin)[1])


KEPT: dict[str, Callable[[Any], Any]] = {
    "greatest": lambda e: e.Jets.pt.Max() > e.Electrons.pt.Sum(),
    "and": lambda e: (e.Electrons.pt.Min() > 30_000) & (e.Jets.eta.Max() >= 0.5),
    "or": lambda e: (e.Electrons.pt.Min() > 30_000) | ~(e.Jets.eta.Max() <= 0.5),
    "first": lambda e: e.Electrons.First().pt > e.Jets.First().pt,
}


@pytest.mark.parametrize("condition", KEPT.values(), ids=KEPT)
def test_a_missing_condition_selects_no_events(
    condition: Callable[[Any], Any], run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin
) -> None:
    def columns(e: Any) -> dict[str, Any]:
        some = e[condition(e)]
        return {"pt": some.Jets.pt, "first": ht.fill_missing(some.Electrons.pt.First(), -1.0)}

    events = recorded()
    same(run_xaod(query(columns(events), condition(events)), numbers), columns(twin))


def test_lists_of_numbers(run_xaod: Callable[..., Any], numbers: list[dict[str, Any]]) -> None:
    events = recorded(attributes={"Jets": {"numbers": "vector<float>"}})
    weights, inner = events.EventInfo.mcEventWeights, events.Jets.numbers
    columns = {"w": weights, "positive": weights[weights > 0], "n": weights.Count(), "inner": inner, "no": inner > 3}
    found = run_xaod(query({**columns, "many": inner[inner > 3].Count()}), numbers)
    info = [event["EventInfo"]["mcEventWeights"] for event in numbers]
    lists = [[jet["numbers"] for jet in event["AnalysisJets"]] for event in numbers]
    assert found["w"] == info
    assert found["positive"] == [[w for w in one if w > 0] for one in info]
    assert found["n"] == list(map(len, info))
    assert found["inner"] == lists
    assert found["no"] == [[[x > 3 for x in jet] for jet in event] for event in lists]
    assert found["many"] == [[sum(x > 3 for x in jet) for jet in event] for event in lists]


def test_function_in_cpp(run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin) -> None:
    ht.backend_function(
        "transverse",
        cpp="if (pt < 0) return 0.0; return std::sqrt(pt * 2);",
        numpy=lambda pt: np.sqrt(np.asarray(pt) * 2),
    )

    @ht.user_func
    def transverse(pt: float) -> float: ...

    columns: Columns = lambda e: {"mt": transverse(e.Electrons.pt) + 1, "n": e.Electrons.Count()}
    same(run_xaod(query(columns(recorded())), numbers), columns(twin))


def test_distance_by_its_function(run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin) -> None:
    @ht.user_func
    def DeltaR(eta1: float, phi1: float, eta2: float, phi2: float) -> float: ...

    def columns(e: Any) -> dict[str, Any]:
        return {"dr": e.Electrons.map(lambda a: e.Jets.map(lambda b: DeltaR(a.eta, a.phi, b.eta, b.phi) * 2))}

    same(run_xaod(query(columns(recorded())), numbers), columns(twin))


# -- generated columns -------------------------------------------------------------------------------------------------


class Columnist:
    """Random columns as text, from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def column(self) -> str:
        """A number or condition of the event, of each row, or of each pair of rows."""
        rows, others = self.random.sample(["e.Electrons", "e.Jets"], 2)
        return self.random.choice(
            [
                f"{rows}.map(lambda r: {self.number('r', others)})",
                f"{rows}[lambda r: {self.mask('r', others)}].pt",
                f"{rows}[lambda r: {self.mask('r', others)}].map(lambda r: {self.number('r', others)}).Sum()",
                f"{rows}[lambda r: {self.mask('r', others)}].map(lambda r: {self.mask('r', others)}).Any()",
                f"{rows}.map(lambda r: {others}[lambda s: {self.pair()}].map(lambda s: s.pt * r.eta))",
                f"{rows}.map(lambda r: {rows}.map(lambda s: {self.pair()}))",
            ]
        )

    def number(self, row: str, others: str, depth: int = 2) -> str:
        fields = [f"{row}.{name}" for name in ("pt", "eta", "phi", "charge", "OQ")]
        if depth == 0 or not self.random.randrange(4):
            return self.random.choice([*fields, *fields, "e.EventInfo.averageInteractionsPerCrossing", "2.5", "3"])
        one, other = (self.number(row, others, depth - 1) for _ in "ab")
        sign = self.random.choice("+-*/")
        texts = [f"({one} {sign} {other})"] * 3
        texts += [f"np.sqrt(abs({one}))", f"abs({one})", f"(-{one})", f"({one}) ** 2", f"np.sinh({row}.eta)"]
        texts += [f"ht.where({self.mask(row, others, 0)}, {one}, {other})"]
        texts += [f"{others}[lambda s: s.pt > {row}.pt].Count()", f"{others}[lambda s: s.eta > {row}.eta].pt.Sum()"]
        near = self.random.choice([others, f"{others}[lambda s: s.delta_r({row}) < 1]"])
        taken = self.random.choice(
            ["First().pt", "pt.Max()", "eta.Min()", "MinBy(lambda s: abs(s.eta)).phi", "Last().OQ"]
        )
        texts += [f"ht.fill_missing({near}.{taken}, 1.5)", f"ht.fill_missing({near}.{taken} - {one}, 0)"]
        return self.random.choice(texts)

    def mask(self, row: str, others: str, depth: int = 1) -> str:
        one, other = (self.number(row, others, depth) for _ in "ab")
        sign = self.random.choice([">", "<=", "==", "!="])
        texts = [f"({one} {sign} {other})", f"({row}.pt > 30_000)", f"({row}.charge {sign} 1)"]
        near = self.random.choice([others, f"{others}[lambda s: s.pt < {row}.pt]"])
        texts += [f"({near}.eta.Max() {sign} {one})", f"({near}.First().pt {sign} {row}.pt)", f"{near}.pt.Min().exists"]
        if depth:
            first, second = (self.mask(row, others, depth - 1) for _ in "ab")
            texts += [f"({first} {self.random.choice('&|')} {second})", f"(~{first})"]
        return self.random.choice(texts)

    def pair(self) -> str:
        return self.random.choice(["(r.delta_r(s) < 1)", "(s.pt > r.pt)", "((s.eta * r.eta > 0) & (s.OQ < 3))"])


@pytest.mark.parametrize("seed", range(1))
def test_whatever_is_supported_compiles_and_is_right(
    seed: int, run_xaod: Callable[..., Any], numbers: list[dict[str, Any]], twin: Twin
) -> None:
    draw, events, texts = Columnist(seed), recorded(), dict[str, str]()
    while len(texts) < 25:
        text = draw.column()
        try:
            node = eval(text, {"e": events, "np": np, "ht": ht})._node  # the text is our own
        except ht.HepTablesError:
            continue
        if all(supports(one, XAOD) for one in walk([node], lambda one: needs(one, XAOD))):
            texts[f"c{len(texts)}"] = text
    made, expected = (
        {name: eval(text, {"e": e, "np": np, "ht": ht}) for name, text in texts.items()} for e in (events, twin)
    )
    same(run_xaod(query(made), numbers), expected)


# -- texts -----------------------------------------------------------------------------------------------------------


def shown(columns: dict[str, Any], keep: Any = None) -> str:
    head, told, *steps = as_func_adl(query(columns, keep)).splitlines()
    assert (head, told.partition(":")[0]) == ("FuncADL_ATLASr22()", "    # .MetaData(...)")
    return "\n".join(step.removeprefix("    ") for step in steps)


def first_listing(e: Any) -> dict[str, Any]:
    return {"pt": e.Electrons[(e.Electrons.pt > 50_000) & (abs(e.Electrons.eta) < 1.5)].pt / 1000}


def shared(e: Any) -> dict[str, Any]:
    good = e.Electrons[e.Electrons.pt > 50_000]
    return {"pt": good.pt, "eta": good.eta, "jets": e.Jets.pt, "run": e.EventInfo.runNumber}


TEXTS: dict[str, tuple[Columns, str]] = {
    "first listing of the paper": (
        first_listing,
        (
            ".Select(lambda e: {\n"
            "    'pt': e.Electrons('AnalysisElectrons').Where(lambda electron: electron.pt() > 50000 and"
            " abs(electron.eta()) < 1.5).Select(lambda electron: electron.pt() / 1000),\n"
            "})"
        ),
    ),
    "greatest": (
        lambda e: {"pt": ht.fill_missing(e.Jets.pt.Max(), 0), "none": ht.is_missing(e.Jets.pt.Max())},
        (
            ".Select(lambda e: {\n"
            "    'pt': e.Jets('AnalysisJets').Select(lambda jet: jet.pt()).Aggregate(-1 / 0.0, lambda found, value: value"
            " if value > found else found) if e.Jets('AnalysisJets').Count() > 0 else 0,\n"
            "    'none': not e.Jets('AnalysisJets').Count() > 0,\n"
            "})"
        ),
    ),
    "a list used twice": (
        shared,
        (
            ".Select(lambda e: {\n"
            "    'good': e.Electrons('AnalysisElectrons').Where(lambda electron: electron.pt() > 50000),\n"
            "    'Jets': e.Jets('AnalysisJets'),\n"
            "    'EventInfo': e.EventInfo('EventInfo'),\n"
            "})\n"
            ".Select(lambda e: {\n"
            "    'pt': e.good.Select(lambda electron: electron.pt()),\n"
            "    'eta': e.good.Select(lambda electron: electron.eta()),\n"
            "    'jets': e.Jets.Select(lambda jet: jet.pt()),\n"
            "    'run': e.EventInfo.runNumber(),\n"
            "})"
        ),
    ),
    "two collections": (
        lambda e: {"n": e.Electrons.map(lambda a: e.Jets[lambda b: a.delta_r(b) < 0.4].Count())},
        (
            ".Select(lambda e: {\n"
            "    'n': e.Electrons('AnalysisElectrons').Select(lambda electron: e.Jets('AnalysisJets').Where(lambda jet:"
            " DeltaR(electron.eta(), electron.phi(), jet.eta(), jet.phi()) < 0.4).Count()),\n"
            "})"
        ),
    ),
}


def nearest(e: Any) -> dict[str, Any]:
    electrons, truth = e.Electrons("Electrons"), e.TruthParticles("TruthParticles")
    near = electrons.map(lambda a: truth[lambda t: t.delta_r(a) < 0.1].MinBy(lambda t: t.delta_r(a)).pt)
    return {"pt": electrons[near > 20_000].pt}


TEXTS["nearest"] = (
    nearest,
    (
        ".Select(lambda e: {\n"
        "    'pt': e.Electrons('Electrons').Where(lambda electron: e.TruthParticles('TruthParticles').Where("
        "lambda truth_particle: DeltaR(truth_particle.eta(), truth_particle.phi(), electron.eta(), electron.phi()) < 0.1)"
        ".Count() > 0 and e.TruthParticles('TruthParticles').Where("
        "lambda truth_particle: DeltaR(truth_particle.eta(), truth_particle.phi(), electron.eta(), electron.phi()) < 0.1)"
        ".Where(lambda truth_particle: DeltaR(truth_particle.eta(), truth_particle.phi(), electron.eta(), electron.phi())"
        " <= e.TruthParticles('TruthParticles').Where(lambda truth_particle_2: DeltaR(truth_particle_2.eta(),"
        " truth_particle_2.phi(), electron.eta(), electron.phi()) < 0.1).Select(lambda truth_particle_2:"
        " DeltaR(truth_particle_2.eta(), truth_particle_2.phi(), electron.eta(), electron.phi()))"
        ".Aggregate(1 / 0.0, lambda found, value: value if value < found or value != value else found))"
        ".Select(lambda truth_particle: truth_particle.pt()).First() > 20000).Select(lambda electron: electron.pt()),\n"
        "})"
    ),
)


@pytest.mark.parametrize(("columns", "expected"), TEXTS.values(), ids=TEXTS)
def test_query_reads_well(columns: Columns, expected: str) -> None:
    assert shown(columns(recorded())) == expected


# -- refusals --------------------------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "first row": (lambda e: e.Jets.pt.First(), "delivers no values that may be missing"),
    "greatest": (lambda e: e.Jets.pt.Max(), "delivers no values that may be missing"),
    "third row": (lambda e: ht.fill_missing(e.Jets[2].pt, 0.0), "delivers no values that may be missing"),
    "mean": (lambda e: ht.fill_missing(e.Jets.pt.Mean(), 0.0), "delivers no values that may be missing"),
    "spread": (lambda e: e[e.Jets.pt.Std() > 1].Jets.pt, "delivers no values that may be missing"),
    "order": (lambda e: e.Jets.OrderBy(lambda j: j.pt).pt, "sorts no lists"),
    "slice": (lambda e: e.Jets[:2].pt, "has no slices of lists"),
    "pairs": (lambda e: ht.pairs(e.Jets).a.pt, "has no combinations"),
    "concatenation": (lambda e: ht.concat(e.Electrons, e.Jets).pt, "joins no collections"),
    "flattened": (
        lambda e: ak.flatten(e.Jets.map(lambda a: e.Jets.map(lambda b: a.pt - b.pt)), axis=-1),
        "delivers lists in lists as they are",
    ),
    "single precision": (lambda e: e.Electrons.charge * 2, "computes in double precision, and this is float32"),
    "whole numbers": (lambda e: e.TruthParticles.pdgId * 2, "computes in double precision, and this is int32"),
    "quotient": (lambda e: e.TruthParticles.pdgId / e.TruthParticles.barcode, "divides whole numbers as C\\+\\+ does"),
    "signs": (lambda e: e.Electrons["OQ"] > np.int64(-1), "compares unsigned numbers as C\\+\\+ does"),
    "mixed signs": (
        lambda e: e.Electrons.Count() < e.Electrons.OQ,
        "compares signed with unsigned numbers as C\\+\\+ does",
    ),
    "long numbers": (lambda e: e.EventInfo.eventNumber > 2.5, "compares uint64 with others inexactly"),
    "precision": (
        lambda e: e.EventInfo.averageInteractionsPerCrossing / e.Jets.Count(),
        "computes in single precision there",
    ),
    "compared precision": (
        lambda e: e.EventInfo.averageInteractionsPerCrossing > e.EventInfo.runNumber,
        "compares whole numbers in single precision there",
    ),
    "other widths": (lambda e: e.Electrons.OQ / 2.5, "cannot compute with uint32 in double precision"),
    "neighbour": (lambda e: np.nextafter(e.Electrons.pt, 0.0), "has no np.nextafter"),
    "floor in single precision": (lambda e: np.floor(e.Electrons.charge), "computes floor in double precision alone"),
    "mass": (lambda e: (e.Jets + e.Jets).mass, "has no mass"),
    "sum of single precision": (lambda e: e.Electrons.charge.Sum(), "sums in double precision, and this is float32"),
    "sine of single precision": (lambda e: np.sin(e.Electrons.charge), "computes sin in double precision alone"),
    "order of truths": (lambda e: (e.Electrons.pt > 1) > (e.Electrons.eta > 1), "has no order of truth values"),
    "bits": (lambda e: e.Electrons.OQ & 1, "has bitwise_and of truth values alone"),
    "choice of whole numbers": (
        lambda e: ht.where(e.Electrons.pt > 1, 2**54, 0),
        "chooses in double precision, which does not hold",
    ),
    "choice of long numbers": (
        lambda e: ht.where(e.Jets.pt.Sum() > 1, e.EventInfo.eventNumber, 0),
        "chooses in double",
    ),
    "name": (lambda e: e.MissingET.name, "has no strings"),
    "not a number": (lambda e: e.Jets.pt * float("inf"), "cannot write inf"),
}


def growing(e: Any) -> Any:
    value = e.Jets.pt
    for _ in range(12):
        value = value * value
    return value


REFUSED["growing"] = (growing, "would compute one expression many times over")


@pytest.mark.parametrize(("column", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_reason(column: Callable[[Any], Any], reason: str) -> None:
    value = column(recorded())
    with pytest.raises(ht.HepTablesError, match=f"the xAOD dialect of func_adl .*({reason})"):
        query({"x": value})
    assert not all(supports(node, XAOD) for node in walk([value._node], lambda node: needs(node, XAOD)))


def test_function_that_no_one_has_in_cpp_is_refused() -> None:
    @ht.user_func
    def unknown(x: float) -> float: ...

    with pytest.raises(ht.HepTablesError, match=r"has no function unknown: ht\.backend_function"):
        query({"x": unknown(recorded().Jets.pt)})

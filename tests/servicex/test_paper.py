"""The programs of the paper that this library follows, with ServiceX below: the answer is the same as without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea import config
from hep_tables_coffea.plan.stages import make_plan
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.record.outputs import named
from hep_tables_coffea.testing.comparing import difference

Agree = Callable[..., Any]


@pytest.fixture(autouse=True)
def ptgev() -> Iterator[None]:
    ht.define_alias("", "ptgev", lambda o: o.pt / 1000.0)
    yield
    ht.clear_aliases()


@ht.user_func
def DeltaR(p1_eta: float, p1_phi: float, p2_eta: float, p2_phi: float) -> float: ...


def associate_particles(source: Any, pick_from: Any) -> Any:
    """As it is printed in the paper."""

    def dr(p1: Any, p2: Any) -> Any:
        return DeltaR(p1.eta(), p1.phi(), p2.eta(), p2.phi())

    def very_near(picks: Any, p: Any) -> Any:
        return picks[lambda ps: dr(ps, p) < 0.1]

    source["all"] = lambda source_p: very_near(pick_from, source_p)
    source["has_match"] = lambda e: e.all.Count() > 0
    with_assoc = source[source.has_match]
    with_assoc["mc"] = lambda e: e.all.First()
    return with_assoc


def truth_matching(electrons: Any, particles: Any, scale: float = 1.0) -> dict[str, Any]:
    def good(e: Any) -> Any:
        return (e.ptgev > 20 / scale) & (abs(e.eta) < 1.4)

    true_electrons = particles[(particles.pdgId == 11) | (particles.pdgId == -11)]
    matched = associate_particles(electrons[good], true_electrons[good])
    return {"mc": matched.mc.ptgev, "reco": matched.ptgev}


def first_listing(electrons: Any) -> Any:
    good = electrons[(electrons.pt > 50000.0) & (abs(electrons.eta) < 1.5)]
    return good.pt / 1000.0


# -- files on this machine, in func_adl for uproot ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def cms(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("cms") / "zee.root", events=300, process="zee")


@pytest.fixture(scope="module", params=["generated", "real"])
def atlas(request: pytest.FixtureRequest, data: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "real":
        return data("PHYSLITE_example.root")
    return ht.samples.physlite(tmp_path_factory.mktemp("atlas") / "zee.root", events=300, process="zee")


def test_first_listing_over_nanoaod(agree: Agree, cms: str) -> None:
    electrons = ht.nanoaod(cms).Electron
    found = agree(electrons[(electrons.pt > 50) & (abs(electrons.eta) < 1.5)].pt)
    assert ak.count(found.value) > 20


def test_first_listing_over_physlite(agree: Agree, atlas: str) -> None:
    found = agree(first_listing(ht.xaod_table(atlas).Electrons("Electrons")))
    assert ak.count(found.value) > 0


def test_truth_matching_over_nanoaod(agree: Agree, cms: str) -> None:
    events = ht.nanoaod(cms)
    found = agree(truth_matching(events.Electron, events.GenPart, scale=1000))
    assert ak.count(found.value["mc"]) > 100


def test_truth_matching_over_physlite(agree: Agree, atlas: str) -> None:
    events = ht.xaod_table(atlas)
    found = agree(truth_matching(events.Electrons("Electrons"), events.TruthElectrons("TruthElectrons")))
    assert ak.count(found.value["reco"]) > 0


def test_what_cannot_run_there_is_left_and_the_reason_is_told(cms: str) -> None:
    events = ht.nanoaod(cms)
    (stage,) = make_plan(
        named(truth_matching(events.Electron, events.GenPart)), config.merged({"backend": "servicex"})
    ).stages
    assert any("has no function DeltaR" in reason for reason in stage.refusals)


# -- events of ATLAS, in func_adl for xAOD -----------------------------------------------------------------------------

Banks = Sequence[Mapping[str, Any]]


@pytest.fixture(scope="module")
def banks() -> list[dict[str, Any]]:
    """Events with electrons, and true particles near some of them. Momenta are in MeV."""
    rng = np.random.default_rng(7)
    made = []
    for _ in range(100):
        electrons = [
            {"pt": float(pt), "eta": float(rng.normal(0, 1)), "phi": float(rng.uniform(-3.14, 3.14))}
            for pt in rng.exponential(50_000, rng.poisson(2))
        ]
        true = [
            {
                "pt": one["pt"] * float(rng.normal(1, 0.02)),
                "eta": one["eta"] + float(rng.normal(0, 0.05)),
                "phi": one["phi"] + float(rng.normal(0, 0.05)),
                "pdgId": int(rng.choice([11, -11, 11, -11, 22])),
            }
            for one in electrons
        ]
        made.append({"Electrons": electrons, "TruthParticles": true[::-1]})
    return made


def with_identity(banks: Banks) -> list[dict[str, Any]]:
    """The events with what tells them apart, which every query asks for."""
    about = {"runNumber": 1, "lumiBlock": 2}
    return [{**event, "EventInfo": {**about, "eventNumber": number}} for number, event in enumerate(banks)]


@pytest.fixture
def run_atlas(run_xaod: Callable[..., Any], banks: Banks, tmp_path: Path) -> Callable[[Any], Any]:
    """`run_atlas(outputs)`: the query as compiled C++, what it delivers as a file, and the rest of the program over that."""
    pytest.importorskip("func_adl_servicex_xaodr22")

    def run(outputs: Any) -> dict[str, Any]:
        options = config.merged({})
        (stage,) = make_plan(named(outputs), options).stages
        assert stage.cut is not None
        upstream: Any = registry.upstream("servicex")
        (query,) = upstream.compile(stage.cut.columns, stage.cut.events, stage.dataset).queries.values()
        delivered = run_xaod(query, with_identity(banks))
        columns = {name: _typed(delivered[name], node.type.dtype) for name, node in stage.cut.columns.items()}
        path = tmp_path / "delivered.parquet"
        ak.to_parquet(ak.zip(columns, depth_limit=1), path)
        (sample,) = stage.dataset.samples
        dataset = replace(stage.cut.dataset, samples=(replace(sample, files=((str(path), None),)),))
        coffea: Any = registry.backend("coffea")
        program = coffea.compile(stage.cut.outputs, {}, "the rest of it", "columnar")
        return dict(coffea.execute(program, dataset, options).answers)

    return run


def _typed(values: list[Any], dtype: np.dtype[Any]) -> ak.Array:
    return ak.values_astype(ak.Array(values), dtype)


def expected_matches(banks: Banks) -> tuple[list[list[float]], list[list[float]]]:
    """Event by event in plain Python."""
    reco, true = [], []
    for event in banks:
        good = [[x for x in rows if x["pt"] > 20_000 and abs(x["eta"]) < 1.4] for rows in event.values()]
        near = {
            k: [t for t in good[1] if abs(t["pdgId"]) == 11 and distance(t, e) < 0.1] for k, e in enumerate(good[0])
        }
        reco.append([e["pt"] / 1000 for k, e in enumerate(good[0]) if near[k]])
        true.append([near[k][0]["pt"] / 1000 for k in near if near[k]])
    return reco, true


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    phi = (one["phi"] - other["phi"] + np.pi) % (2 * np.pi) - np.pi
    return float(np.hypot(one["eta"] - other["eta"], phi))


def test_first_listing_over_xaod(run_atlas: Callable[[Any], Any], banks: Banks) -> None:
    found = run_atlas({"pt": first_listing(ht.xaod_table("rucio://mc20:zee").Electrons("Electrons"))})["pt"]
    expected = [
        [x["pt"] / 1000 for x in event["Electrons"] if x["pt"] > 50_000 and abs(x["eta"]) < 1.5] for event in banks
    ]
    assert sum(map(len, expected)) > 50
    assert not difference(found, ak.Array(expected))


def test_truth_matching_over_xaod(run_atlas: Callable[[Any], Any], banks: Banks) -> None:
    events = ht.xaod_table("rucio://mc20:zee")
    found = run_atlas(truth_matching(events.Electrons("Electrons"), events.TruthParticles("TruthParticles")))
    reco, true = expected_matches(banks)
    assert sum(map(len, reco)) > 30
    assert not difference(found["reco"], ak.Array(reco))
    assert not difference(found["mc"], ak.Array(true))


def test_match_that_atlas_can_compute_is_computed_there(run_atlas: Callable[[Any], Any], banks: Banks) -> None:
    events = ht.xaod_table("rucio://mc20:zee")
    electrons, true = events.Electrons("Electrons"), events.TruthParticles("TruthParticles")
    near = electrons.map(lambda e: true[lambda t: DeltaR(t.eta, t.phi, e.eta, e.phi) < 0.1].Count())
    text = str(ht.explain({"near": near}))
    assert "DeltaR(" in text[: text.index("Stage 2")]
    expected = [[sum(distance(t, e) < 0.1 for t in ev["TruthParticles"]) for e in ev["Electrons"]] for ev in banks]
    assert run_atlas({"near": near})["near"].to_list() == expected

"""Four leptons, overlap removal, matching to generated particles, trigger efficiency: against loops written by hand."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import awkward as ak
import hist
import numpy as np
import pytest
import uproot
from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner

import hep_tables_coffea as ht
from hep_tables_coffea.processors import gen_matching, hzz4l, overlap, trigger_efficiency

REAL = ["nano_tt_v12.root", "nano_tt_v15.root", "nano_dy.root", "nano_dimuon.root"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("tt") / "ttbar.root", events=2000, process="ttbar")


@pytest.fixture(params=["sample", *REAL])
def path(request: pytest.FixtureRequest, data: Any, sample: str) -> str:
    return sample if request.param == "sample" else data(request.param)


@pytest.fixture
def rows() -> Any:
    """`rows(path)`: for each event and collection a list of records, from the branches as they are."""

    def read(path: str, **fields: list[str]) -> list[dict[str, list[dict[str, Any]]]]:
        with uproot.open(path) as file:
            tree = file["Events"]
            columns = {n: {key: tree[f"{n}_{key}"].array().tolist() for key in keys} for n, keys in fields.items()}
            number = tree.num_entries
        return [
            {
                name: [
                    dict(zip(keys, values, strict=True))
                    for values in zip(*(lists[key][n] for key in keys), strict=True)
                ]
                for name, (keys, lists) in ((name, (fields[name], columns[name])) for name in fields)
            }
            for n in range(number)
        ]

    return read


DIRECTION = ["pt", "eta", "phi"]
LEPTON = ["pt", "eta", "phi", "mass", "charge"]


def mass(*vectors: dict[str, float]) -> float:
    px = math.fsum(v["pt"] * math.cos(v["phi"]) for v in vectors)
    py = math.fsum(v["pt"] * math.sin(v["phi"]) for v in vectors)
    pz = math.fsum(v["pt"] * math.sinh(v["eta"]) for v in vectors)
    energy = math.fsum(math.sqrt((v["pt"] * math.cosh(v["eta"])) ** 2 + v["mass"] ** 2) for v in vectors)
    return math.sqrt(max(energy**2 - px**2 - py**2 - pz**2, 0))


def distance(one: dict[str, float], other: dict[str, float]) -> float:
    return math.hypot(one["eta"] - other["eta"], (one["phi"] - other["phi"] + math.pi) % (2 * math.pi) - math.pi)


# -- four leptons --


def best(leptons: list[dict[str, Any]]) -> tuple[dict[str, Any], ...] | None:
    pairs = [p for p in combinations(leptons, 2) if p[0]["kind"] == p[1]["kind"] and p[0]["charge"] != p[1]["charge"]]
    return min(pairs, key=lambda p: abs(mass(*p) - 91.19), default=None)


def four_lepton_mass(event: dict[str, list[dict[str, Any]]]) -> float | None:
    leptons = [
        {**one, "kind": kind}
        for kind, pt, eta in (("Electron", 7, 2.5), ("Muon", 5, 2.4))
        for one in event[kind]
        if one["pt"] > pt and abs(one["eta"]) < eta
    ]
    first = best(leptons)
    second = best([one for one in leptons if not any(one is used for used in first)]) if first else None
    return mass(*first, *second) if first and second else None


@pytest.fixture(scope="module")
def many_leptons(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Events with up to six leptons of any flavor and charge."""
    random = np.random.default_rng(1)
    columns: dict[str, Any] = {}
    for name in ("Electron", "Muon"):
        counts = random.integers(0, 5, 400)
        values = {
            "pt": random.exponential(25, counts.sum()) + 3,
            "eta": random.normal(0, 1.5, counts.sum()),
            "phi": random.uniform(-math.pi, math.pi, counts.sum()),
            "mass": np.full(counts.sum(), 0.1),
        }
        lists = {key: ak.unflatten(one.astype(np.float32), counts) for key, one in values.items()}
        lists["charge"] = ak.unflatten(random.choice(np.array([-1, 1], np.int32), counts.sum()), counts)
        columns[name] = ak.zip(lists)
    path = str(tmp_path_factory.mktemp("many") / "many.root")
    with uproot.recreate(path) as file:
        file.mktree("Events", {name: array.type for name, array in columns.items()})
        file["Events"].extend(columns)
    return path


def test_four_leptons_are_those_of_a_loop(many_leptons: str, rows: Any) -> None:
    found = ht.make_local(hzz4l.mass(ht.nanoaod(many_leptons))).tolist()
    expected = [four_lepton_mass(event) for event in rows(many_leptons, Electron=LEPTON, Muon=LEPTON)]
    masses = [one for one in expected if one is not None]
    assert len(masses) > 50
    assert [one for one in found if one is not None] == pytest.approx(masses, rel=1e-4)


def test_four_leptons_of_files(path: str, rows: Any) -> None:
    found = ht.make_local(hzz4l.mass(ht.nanoaod(path)), chunksize=700).tolist()
    expected = [four_lepton_mass(event) for event in rows(path, Electron=LEPTON, Muon=LEPTON)]
    assert [x for x in found if x is not None] == pytest.approx([x for x in expected if x is not None], rel=1e-3)


# -- overlap removal --


def test_overlap_removal_is_that_of_a_loop(path: str, rows: Any) -> None:
    kept = overlap.cleaned(ht.nanoaod(path))
    found = ht.make_local({name: objects.pt for name, objects in kept.items()}, chunksize=700)
    for n, event in enumerate(rows(path, Electron=DIRECTION, Muon=DIRECTION, Jet=DIRECTION)):
        electrons, muons, jets = (
            [one for one in event[name] if one["pt"] > 20] for name in ("Electron", "Muon", "Jet")
        )
        jets = [jet for jet in jets if all(distance(jet, e) >= 0.2 for e in electrons)]
        expected = {
            "electrons": [e["pt"] for e in electrons if all(distance(e, jet) >= 0.4 for jet in jets)],
            "muons": [m["pt"] for m in muons if all(distance(m, jet) >= 0.4 for jet in jets)],
            "jets": [jet["pt"] for jet in jets],
        }
        assert {name: values[n].tolist() for name, values in found.items()} == expected


# -- generated particles --


@pytest.mark.parametrize("collection", ["Electron", "Muon"])
@pytest.mark.parametrize("name", ["sample", *REAL[:3]])
def test_prompt_leptons_are_those_of_a_walk(name: str, collection: str, data: Any, sample: str, rows: Any) -> None:
    path = sample if name == "sample" else data(name)
    leptons = gen_matching.prompt(ht.nanoaod(path)[collection])
    pt, response = ht.make_local(leptons.pt, gen_matching.response(leptons))
    particles = {"GenPart": ["pt", "pdgId", "genPartIdxMother"], collection: ["pt", "genPartIdx"]}
    for n, event in enumerate(rows(path, **particles)):
        truth = event["GenPart"]
        expected = []
        for one in event[collection]:
            place, bosons = one["genPartIdx"], False
            while place >= 0:
                place = truth[place]["genPartIdxMother"]
                bosons = bosons or (place >= 0 and abs(truth[place]["pdgId"]) in (23, 24))
            if bosons:
                expected.append((one["pt"], one["pt"] / truth[one["genPartIdx"]]["pt"]))
        assert pt[n].tolist() == [value for value, _ in expected]
        assert response[n].tolist() == pytest.approx([ratio for _, ratio in expected])


# -- triggers --


@pytest.mark.parametrize("name", ["sample", "nano_tt_v15.root", "nano_dy.root", "nano_dimuon.root"])
def test_trigger_counts_are_those_of_a_loop(name: str, data: Any, sample: str) -> None:
    path = sample if name == "sample" else data(name)
    filled = ht.make_local(trigger_efficiency.histograms(ht.nanoaod(path)))
    with uproot.open(path) as file:
        pts, accepted = (file["Events"][name].array().tolist() for name in ("Muon_pt", "HLT_IsoMu24"))
    all_pt = [(max(pt), ok) for pt, ok in zip(pts, accepted, strict=True) if pt]
    edges = filled["all"].axes[0].edges
    assert filled["all"].values().tolist() == np.histogram([pt for pt, _ in all_pt], edges)[0].tolist()
    assert filled["passed"].values().tolist() == np.histogram([pt for pt, ok in all_pt if ok], edges)[0].tolist()


def test_efficiency_is_between_zero_and_one(sample: str) -> None:
    efficiency, below, above = trigger_efficiency.ratio(
        ht.make_local(trigger_efficiency.histograms(ht.nanoaod(sample)))
    )
    known = ~np.isnan(efficiency)
    assert known.any()
    assert (efficiency[known] - below[known] >= -1e-12).all()
    assert (efficiency[known] + above[known] <= 1 + 1e-12).all()


def test_efficiency_of_half_of_a_hundred() -> None:
    filled = {name: hist.Hist.new.Reg(1, 0, 1).Weight().fill([0.5] * n) for name, n in (("all", 100), ("passed", 50))}
    assert [float(one[0]) for one in trigger_efficiency.ratio(filled)] == pytest.approx(
        [0.5, 0.04975, 0.04975], abs=1e-5
    )


@pytest.mark.parametrize("module", [hzz4l, overlap, gen_matching, trigger_efficiency])
def test_processors_run_in_a_stock_runner(module: Any, sample: str) -> None:
    runner = Runner(IterativeExecutor(status=False), schema=BaseSchema, chunksize=700)
    out = runner({"tt": {"files": {sample: "Events"}}}, processor_instance=module.processor(sample))
    assert out == ht.make_local(module.histograms(ht.nanoaod(sample)))

"""The same expressions, recorded here and eager with coffea's NanoEvents: the same answers on real files."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht


def opposite(leptons):
    first, second = ak.unzip(ak.combinations(leptons, 2))
    return (first + second).mass[first.charge != second.charge]


def trijets(ev):
    triple = ak.combinations(ev.Jet[ev.Jet.pt > 30], 3, fields=["a", "b", "c"])
    return (triple.a + triple.b + triple.c).mass


def isolated(ev):
    jet, lepton = ak.unzip(ak.cartesian([ev.Jet, ev.Muon[ev.Muon.pt > 5]], nested=True))
    return ev.Jet[ak.all(jet.delta_r(lepton) > 0.4, axis=2)].pt


def leading_two(ev):
    ordered = ev.Jet[ak.argsort(ev.Jet.eta, ascending=False)]
    padded = ak.pad_none(ordered.pt, 2)
    return padded[:, 0] - padded[:, 1]


CMS = {
    "jet columns": lambda ev: ev.Jet.pt * np.cosh(ev.Jet.eta),
    "jet selection": lambda ev: ev.Jet[(ev.Jet.pt > 30) & (abs(ev.Jet.eta) < 2.4)].phi,
    "two selections": lambda ev: ev.Jet[ev.Jet.pt > 20].eta[ev.Jet[ev.Jet.pt > 20].phi > 0],
    "event selection": lambda ev: ev[ak.num(ev.Jet) >= 4].Jet.pt,
    "selection by trigger": lambda ev: ev[ev.HLT.IsoMu24].Muon.pt,
    "integers": lambda ev: ev.Electron.charge * ev.Electron.cutBased,
    "bits": lambda ev: (ev.GenPart.statusFlags >> 13) & 1,
    "mass of muon pairs": lambda ev: opposite(ev.Muon),
    "mass of electron pairs": lambda ev: opposite(ev.Electron),
    "mass of trijets": trijets,
    "isolated jets": isolated,
    "leading jets": leading_two,
    "sum of momenta": lambda ev: ak.sum(ev.Jet.pt, axis=1),
    "largest": lambda ev: ak.max(ev.Jet.pt, axis=-1),
    "index of the largest": lambda ev: ak.argmax(ev.Jet.pt, axis=1),
    "any": lambda ev: ak.any(ev.Muon.pt > 20, axis=1),
    "first muon": lambda ev: ak.firsts(ev.Muon).pt,
    "first muon's charge filled": lambda ev: ak.fill_none(ak.firsts(ev.Muon).charge, 0),
    "matched generator particle of electrons": lambda ev: ev.Electron.matched_gen.pt,
    "matched generator particle of muons": lambda ev: ev.Muon.matched_gen.pdgId,
    "generator jet": lambda ev: ev.Jet.matched_gen.pt,
    "parent": lambda ev: ev.GenPart.parent.pdgId,
    "grandparent": lambda ev: ev.GenPart.parent.parent.pdgId,
    "jet of the muon": lambda ev: ev.Muon.matched_jet.pt,
    "transverse components": lambda ev: ev.Muon.px + ev.Muon.py,
    "energy": lambda ev: ev.Jet.energy,
    "rapidity": lambda ev: ev.Jet.rapidity,
    "distance to the nearest jet": lambda ev: ev.Muon.delta_r(ev.Muon.nearest(ev.Jet)),
    "nearest jet": lambda ev: ev.Electron.nearest(ev.Jet).pt,
    "nearest jet within": lambda ev: ev.Electron.nearest(ev.Jet, threshold=0.2).eta,
    "metric table": lambda ev: ev.Muon.metric_table(ev.Jet),
    "sum of vectors": lambda ev: ev.Jet.sum(axis=1).pt,
    "event and object": lambda ev: ev.Jet.pt / ev.MET.pt,
    "missing energy": lambda ev: ev.MET.pt * np.cos(ev.MET.phi),
    "where": lambda ev: ak.where(ev.Jet.eta > 0, ev.Jet.pt, -ev.Jet.pt),
    "sorted": lambda ev: ak.sort(ev.Jet.eta, axis=1),
    "concatenated": lambda ev: ak.concatenate([ev.Muon.pt, ev.Electron.pt], axis=1),
    "flat": lambda ev: ak.flatten(ev.Jet.pt),
    "combinations of values": lambda ev: ak.num(ak.combinations(ev.Jet.pt, 3), axis=1),
    "cross product": lambda ev: ak.cartesian({"m": ev.Muon, "j": ev.Jet}).j.pt,
    "masked": lambda ev: ak.mask(ev.Jet.pt, ev.Jet.eta > 0),
    "ratio of sums": lambda ev: ak.sum(ev.Jet.pt * ev.Jet.mass, axis=1) / ak.sum(ev.Jet.pt, axis=1),
    "standard deviation": lambda ev: ak.std(ev.Jet.pt, axis=1, mask_identity=True),
    "zip": lambda ev: ak.zip({"a": ev.Jet.pt, "b": ev.Jet.eta})[ev.Jet.pt > 25].b,
    "vertices": lambda ev: ev.PV.npvs,
    "secondary vertices": lambda ev: ev.SV.pt,
    "subjets": lambda ev: ev.FatJet.subjets.pt,
    "tau columns": lambda ev: ev.Tau.pt[ev.Tau.charge > 0],
    "weights": lambda ev: ev.genWeight * 2,
    "identifiers": lambda ev: ev.event,
}
FILES = ["nano_dy.root", "nano_tt_v12.root", "nano_tt_v15.root", "nano_dy.parquet", "nano_dy_rntuple.root"]


@pytest.fixture(scope="module")
def eager_events(data):
    """NanoEvents of a file, eager."""
    from coffea.nanoevents import NanoAODSchema, NanoEventsFactory

    opened = {}

    class Quiet(NanoAODSchema):
        warn_missing_crossrefs = False

    def open_file(name):
        if name not in opened:
            if name.endswith(".parquet"):
                factory = NanoEventsFactory.from_parquet(data(name), schemaclass=Quiet, mode="virtual")
            else:
                factory = NanoEventsFactory.from_root({data(name): "Events"}, schemaclass=Quiet, mode="virtual")
            opened[name] = factory.events()
        return opened[name]

    return open_file


def plain(value):
    """Values without records' names, for comparison."""
    return ak.to_list(value)


def same(mine, theirs):
    if isinstance(theirs, list):
        assert isinstance(mine, list)
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs):
            same(a, b)
    elif isinstance(theirs, float):
        assert mine == pytest.approx(theirs, rel=2e-5, abs=1e-6, nan_ok=True)
    else:
        assert mine == theirs


#: What the file does not hold: the trigger, the collections, or MET, which is PuppiMET there.
ABSENT = {
    "nano_tt_v12.root": {"selection by trigger", "tau columns", "secondary vertices", "subjets"},
    "nano_tt_v15.root": {"event and object", "missing energy"},
}
CASES = [(file, name) for file in FILES for name in CMS if name not in ABSENT.get(file, ())]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("file", "name"), CASES)
def test_recorded_equals_eager(data, eager_events, file, name):
    events = eager_events(file)
    expression = CMS[name]
    expected = plain(expression(events))
    answer = ht.make_local(expression(ht.nanoaod(data(file))), chunksize=17)
    same(plain(answer), expected)


@pytest.mark.parametrize("file", ["nano_dy.root", "nano_tt_v12.root"])
def test_children_are_all_whose_mother_is_the_particle(data, file):
    """coffea leaves out children that stand before their mother in the list; they are children all the same."""
    events = ht.nanoaod(data(file))
    mothers, children = ht.make_local(events.GenPart.genPartIdxMother, ak.num(events.GenPart.children, axis=2))
    expected = [[list(row).count(k) for k in range(len(row))] for row in mothers.to_list()]
    assert children.to_list() == expected

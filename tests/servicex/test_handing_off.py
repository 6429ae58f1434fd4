"""Delivered files for coffea: its Runner with the generated processor, and with one that somebody wrote."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import awkward as ak
import pytest
from coffea import processor
from coffea.nanoevents import BaseSchema, NanoAODSchema, NanoEventsFactory

import hep_tables_coffea as ht

pytest.importorskip("servicex", reason="the extra servicex is not installed")


def program(files: Any) -> dict[str, Any]:
    events = ht.nanoaod(files)
    muons = events.Muon[(events.Muon.pt > 10) & (abs(events.Muon.eta) < 2.4)]
    pairs = ht.pairs(muons)
    return {
        "mass": ht.Hist.new.Reg(30, 60, 120, name="mass").Weight().fill((pairs.a + pairs.b).mass),
        "pt": muons.pt,
        "n": muons.Count(axis=None),
    }


def selected(files: Any) -> dict[str, Any]:
    """Columns of selected objects, as one writes them for a processor of one's own."""
    events = ht.nanoaod(files)
    muons = events.Muon[events.Muon.pt > 10]
    jets = events.Jet[events.Jet.pt > 20]
    columns = {name: muons[name] for name in ("pt", "eta", "phi", "mass", "charge")}
    return {**columns, "jet_pt": jets.pt, "jet_eta": jets.eta, "jet_phi": jets.phi, "jet_mass": jets.mass}


def runner(schema: Any) -> processor.Runner:
    return processor.Runner(processor.IterativeExecutor(status=False), schema=schema, format="parquet")


def test_generated_processor_in_a_runner(nano_files: list[str]) -> None:
    outputs = program(nano_files)
    made = ht.to_processor(outputs, backend="servicex")
    found = runner(BaseSchema)(ht.servicex.fileset(outputs), processor_instance=made)
    expected = ht.make_local(outputs)
    assert found["mass"] == expected["mass"]
    assert found["pt"].to_list() == expected["pt"].to_list()
    assert found["n"] == expected["n"]


def test_generated_processor_in_our_executor(nano_files: list[str]) -> None:
    outputs = program(nano_files)
    run = processor.Runner(ht.Executor(status=False), schema=BaseSchema, format="parquet")
    made = ht.to_processor(outputs, backend="servicex")
    found = run(ht.servicex.fileset(outputs), processor_instance=made)
    assert found["mass"] == ht.make_local(outputs["mass"])


class Dimuon(processor.ProcessorABC):  # type: ignore[misc]
    """As anybody writes it over NanoAOD."""

    def process(self, events: Any) -> Any:
        pairs = ak.combinations(events.Muon, 2, fields=["a", "b"])
        near = events.Muon.nearest(events.Jet)
        return {
            "mass": ak.flatten((pairs.a + pairs.b).mass).to_list(),
            "dr": ak.flatten(ak.drop_none(events.Muon.delta_r(near))).to_list(),
        }

    def postprocess(self, accumulator: Any) -> Any:
        return accumulator


def test_processor_of_ones_own_in_a_runner(nano_files: list[str]) -> None:
    found = runner(NanoAODSchema)(ht.servicex.fileset(selected(nano_files)), processor_instance=Dimuon())
    events = ht.nanoaod(nano_files)
    muons, jets = events.Muon[events.Muon.pt > 10], events.Jet[events.Jet.pt > 20]
    pairs = ht.pairs(muons)
    mass, dr = ht.make_local((pairs.a + pairs.b).mass, muons.delta_r(muons.nearest(jets)))
    assert sorted(found["mass"]) == pytest.approx(sorted(ak.flatten(mass)), rel=1e-5)
    assert sorted(found["dr"]) == pytest.approx(sorted(ak.flatten(ak.drop_none(dr))), rel=1e-5)


@pytest.mark.parametrize("mode", ["eager", "virtual"])
def test_delivered_file_is_nanoaod_of_its_own(nano_files: list[str], mode: str) -> None:
    (fileset,) = ht.servicex.fileset(selected(nano_files[0])).values()
    (path,) = fileset["files"]
    events = NanoEventsFactory.from_parquet(path, schemaclass=NanoAODSchema, mode=mode).events()
    expected = ht.make_local(ht.nanoaod(nano_files[0]).event, selected(nano_files[0])["pt"])
    assert events.event.to_list() == expected[0].to_list()
    assert events.Muon.pt.to_list() == expected[1].to_list()
    assert ak.num(events.Muon.metric_table(events.Jet)).to_list() == ak.num(events.Muon).to_list()


def test_counters_are_those_after_the_filter(nano_files: list[str]) -> None:
    (fileset,) = ht.servicex.fileset(selected(nano_files[0])).values()
    (path,) = fileset["files"]
    table = ak.from_parquet(path)
    assert table.nMuon.to_list() == ak.num(table.Muon_pt).to_list()
    assert ak.all(table.Muon_pt > 10)


def test_fileset_has_the_samples_their_metadata_and_their_order(nano_files: list[str]) -> None:
    a, b, c = nano_files
    given = {"zll": {"files": [c, a], "metadata": {"xsec": 2.0}}, "ttbar": {"files": [b]}}
    events = ht.dataset(given, schema="nanoaod")
    found = ht.servicex.fileset({"met": events.MET.pt})
    assert {name: len(sample["files"]) for name, sample in found.items()} == {"zll": 2, "ttbar": 1}
    assert found["zll"]["metadata"] == {"xsec": 2.0, "is_mc": True}
    sizes = [len(ak.from_parquet(path)) for sample in found.values() for path in sample["files"]]
    assert sizes == [60, 20, 40]


def test_fileset_of_a_named_dataset(nano_files: list[str], tmp_path: Path) -> None:
    form = ht.save_form(ht.nanoaod(nano_files[0]), tmp_path / "form.json")
    with ht.servicex.local({"rucio://user.me:zll": nano_files}, workers=1):
        outputs = {"n": ht.nanoaod("rucio://user.me:zll", form=form).Muon.pt.Sum(axis=None)}
        fileset = ht.servicex.fileset(outputs)
    found = runner(BaseSchema)(fileset, processor_instance=ht.to_processor(outputs))
    assert found["n"] == pytest.approx(ht.make_local(ht.nanoaod(nano_files).Muon.pt.Sum(axis=None)))


def test_fileset_of_two_datasets_is_refused(nano_files: list[str]) -> None:
    a, b, _ = nano_files
    with pytest.raises(ht.HepTablesError, match="a fileset is of one dataset, and these outputs are of 2"):
        ht.servicex.fileset({"one": ht.nanoaod(a).MET.pt, "other": ht.nanoaod(b).MET.pt})


def test_written_processor_runs_over_what_is_delivered(nano_files: list[str], tmp_path: Path) -> None:
    outputs = program(nano_files)
    path = ht.write_processor(outputs, tmp_path / "dimuon.py", backend="servicex")
    spec = importlib.util.spec_from_file_location("dimuon", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = runner(BaseSchema)(ht.servicex.fileset(outputs), processor_instance=module.DimuonProcessor())
    assert found["mass"] == ht.make_local(outputs["mass"])

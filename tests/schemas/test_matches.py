"""Every kind of file is recognised as what it is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hep_tables_coffea.plugins.protocol import SchemaPack
from hep_tables_coffea.schemas import delphes, edm4hep, flat, nanoaod, physlite, treemaker
from hep_tables_coffea.types.schema import Leaf

PACKS: list[SchemaPack] = [module.pack for module in (delphes, edm4hep, flat, nanoaod, physlite, treemaker)]

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]


def best(columns: dict[str, Leaf]) -> str:
    scores = {pack.name: pack.matches(columns) for pack in PACKS}
    name = max(scores, key=lambda name: scores[name])
    assert list(scores.values()).count(scores[name]) == 1, scores
    return name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("PHYSLITE_example.root", "physlite"),
        ("Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root", "nanoaod"),
        ("Run2012B_SingleMu-1000.parquet", "nanoaod"),
        ("edm4hep.root", "edm4hep"),
        ("missing_luminosityBlock.root", "nanoaod"),
        ("nano_dimuon.parquet", "nanoaod"),
        ("nano_dimuon.root", "nanoaod"),
        ("nano_dy.parquet", "nanoaod"),
        ("nano_dy.root", "nanoaod"),
        ("nano_dy_empty.root", "nanoaod"),
        ("nano_dy_rntuple.root", "nanoaod"),
        ("nano_tt_v12.root", "nanoaod"),
        ("nano_tt_v15.root", "nanoaod"),
        ("treemaker.root", "treemaker"),
        ("uproot-HZZ.root", "flat"),
    ],
)
def test_real_file_is_recognised(described: Described, file: str, name: str) -> None:
    assert best(described(file)) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("met njets:int32 jets_pt:[]:njets nElectrons:int32 Electrons_pt:[]:nElectrons", "flat"),
        ("x y", "flat"),
        ("", "flat"),
        ("run:int32 luminosityBlock:int32 event:int64 HLT_IsoMu24:bool", "nanoaod"),
        ("Muon_pt:[] Muon_eta:[]", "nanoaod"),
        ("Muon.pt:[] Muon.eta:[]", "nanoaod"),
        ("Muon_pt", "flat"),
        ("Jet_size:int32 Jet.PT:[]", "delphes"),
    ],
)
def test_columns_are_recognised(listed: Listed, text: str, name: str) -> None:
    assert best(listed(text)) == name


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_pack_keeps_its_contract(pack: SchemaPack) -> None:
    assert isinstance(pack, SchemaPack)
    assert pack.build({}).root.leaves() == []
    assert pack.build({}).pack == pack.name


def test_colon_of_newer_xaod_files_is_known() -> None:
    name = "AnalysisElectronsAuxDyn:pt"
    assert best({name: Leaf(name, "float32", 1)}) == "physlite"

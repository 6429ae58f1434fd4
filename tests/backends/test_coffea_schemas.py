"""Schema classes of coffea as they are: types from their forms, columns from their events, answers of eager NanoEvents."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore:Skipping:UserWarning")

SCRIPT = """
import sys
import hep_tables_coffea as ht
from coffea.nanoevents import NanoAODSchema

class Mine(NanoAODSchema):
    mixins = {**NanoAODSchema.mixins, "Jet": "Electron"}

if __name__ == "__main__":
    events = ht.dataset(sys.argv[1], schema=Mine)
    pairs = ht.pairs(events.Muon)
    mass = (pairs.a + pairs.b).mass
    print(events.Jet.type, ht.make_local(mass.Count(axis=0), executor=sys.argv[2], workers=1, progress=False))
"""


@pytest.fixture(scope="module")
def eager(zll: str) -> Any:
    from coffea.nanoevents import NanoAODSchema, NanoEventsFactory

    return NanoEventsFactory.from_root({zll: "Events"}, schemaclass=NanoAODSchema, mode="eager").events()


@pytest.fixture
def events(zll: str) -> Any:
    from coffea.nanoevents import NanoAODSchema

    return ht.dataset(zll, schema=NanoAODSchema)


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
def test_columns_are_those_of_coffea(events: Any, eager: Any, executor: str) -> None:
    found = ht.make_local(events.Jet.pt[events.Jet.pt > 30], executor=executor, workers=2, chunksize=15)
    assert found.to_list() == eager.Jet.pt[eager.Jet.pt > 30].to_list()
    assert found.layout.parameters == {}


def test_vectors_of_the_schema_are_added(events: Any, eager: Any) -> None:
    pairs, theirs = ht.pairs(events.Muon), ak.combinations(eager.Muon, 2)
    assert ht.make_local((pairs.a + pairs.b).mass).to_list() == (theirs["0"] + theirs["1"]).mass.to_list()


def test_references_of_nanoaod_are_followed_by_their_indices(events: Any, eager: Any) -> None:
    assert ht.make_local(events.Muon.matched_gen.pt).to_list() == eager.Muon.matched_gen.pt.to_list()


def test_rows_of_a_chunk_are_no_columns(events: Any) -> None:
    with pytest.raises(AttributeError, match=r"Muon has no 'genPartIdxG'(.*\n)+Hint: did you mean genPartIdx\?"):
        _ = events.Muon.genPartIdxG


def test_methods_that_need_the_whole_event_are_refused_with_the_schema_pack(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=r"distinctParent cannot be used here(.*\n)+Hint: .*schema=\"nanoaod\""):
        _ = events.GenPart.distinctParent


def test_stock_runner_with_the_schema_gives_the_same(
    zll: str, events: Any, run: Callable[..., Any], same: Callable[..., bool]
) -> None:
    from coffea.nanoevents import NanoAODSchema

    recorded = {"pt": events.Jet.pt, "mass": (events.Muon.First() + events.Muon[1:2].First()).mass}
    found = run(ht.to_processor(recorded), {"d": {"files": {zll: "Events"}}}, schema=NanoAODSchema, chunksize=15)
    assert same(found, ht.make_local(recorded))


def test_base_schema_has_branches_and_no_collections(zll: str) -> None:
    from coffea.nanoevents import BaseSchema

    events = ht.dataset(zll, schema=BaseSchema)
    assert "Jet_pt" in events.fields
    assert "Jet" not in events.fields
    assert ht.make_local(events["Jet_pt"]).to_list() == ht.make_local(ht.nanoaod(zll).Jet.pt).to_list()


def test_parquet_is_laid_out_too(data: Callable[[str], str]) -> None:
    from coffea.nanoevents import NanoAODSchema

    events = ht.dataset(data("nano_dy.parquet"), schema=NanoAODSchema)
    assert ht.make_local(events.Jet.pt).to_list() == ht.make_local(ht.nanoaod(data("nano_dy.root")).Jet.pt).to_list()


@pytest.mark.parametrize(
    ("name", "schema", "collection", "pack"),
    [
        ("PHYSLITE_example.root", "PHYSLITESchema", "Electrons", "physlite"),
        ("treemaker.root", "TreeMakerSchema", "Jets", "treemaker"),
    ],
)
def test_other_schemas_give_what_their_packs_give(
    data: Callable[[str], str], name: str, schema: str, collection: str, pack: str
) -> None:
    import coffea.nanoevents

    theirs = ht.dataset(data(name), schema=getattr(coffea.nanoevents, schema))
    ours = ht.dataset(data(name), schema=pack)
    assert ht.make_local(theirs[collection].pt).to_list() == ht.make_local(ours[collection].pt).to_list()


def test_column_that_one_file_lacks_is_missing_there(write: Callable[..., str]) -> None:
    from coffea.nanoevents import BaseSchema

    events = ht.dataset([write("a.root", x=[1.0], y=[2.0]), write("b.root", x=[3.0])], schema=BaseSchema)
    assert str(events.y) == "<Array event * ?float64>"
    assert ht.make_local(events.y).to_list() == [2.0, None]


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_column_with_two_types_has_that_of_the_first_file(write: Callable[..., str], engine: str) -> None:
    from coffea.nanoevents import BaseSchema

    paths = [write("a.root", x=np.array([1.5], np.float32)), write("b.root", x=[2.5])]
    events = ht.dataset(paths, schema=BaseSchema)
    found = ht.make_local(ht.fill_missing(events.x, 0.5), engine=engine)
    assert (str(found.type), found.tolist()) == ("2 * float32", [1.5, 2.5])


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_number_that_the_type_of_the_first_file_cannot_hold_is_an_error(write: Callable[..., str], engine: str) -> None:
    from coffea.nanoevents import BaseSchema

    paths = [write("a.root", x=np.array([1], np.int32)), write("b.root", x=[2.5])]
    events = ht.dataset(paths, schema=BaseSchema)
    message = r"the column x is float64 in this file, with numbers that int32, its type in others, cannot hold"
    with pytest.raises(ht.HepTablesError, match=message):
        ht.make_local(events.x, engine=engine)


@pytest.mark.parametrize("executor", ["iterative", "futures"])
def test_class_of_a_script_travels_to_workers(tmp_path: Path, zll: str, executor: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-W", "ignore", str(script), zll, executor]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    pairs = ht.pairs(ht.nanoaod(zll).Muon)
    assert done.stdout.split()[-1] == str(ht.make_local(pairs.a.pt.Count(axis=0)))
    assert "Electron{" in done.stdout


def test_class_that_is_no_schema_is_refused(zll: str) -> None:
    with pytest.raises(ht.HepTablesError, match=r"int is no schema class of coffea\n(.*\n)*Hint: a subclass of"):
        ht.dataset(zll, schema=int)


def test_schema_that_does_not_fit_names_the_file(write: Callable[..., str]) -> None:
    from coffea.nanoevents import NanoAODSchema

    path = write("a.root", x=[1.0])
    with pytest.raises(ht.HepTablesError, match=rf"NanoAODSchema cannot lay out {path}: "):
        ht.dataset(path, schema=NanoAODSchema)

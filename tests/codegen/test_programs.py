"""What `process` does for representative programs: readable, with the user's names, and no column more than is needed."""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.processor import write
from hep_tables_coffea.record.outputs import named

if TYPE_CHECKING:
    from pathlib import Path

    from hep_tables_coffea.codegen.processor import ProcessorSource

#: name -> the user's program, the statements of `process`, and the answers that it returns.
PROGRAMS = {
    "counts of a collection come from its counter": (
        """\
result = {'n': events.Jet.Count()}
""",
        """\
nJet = column["nJet"]
result = ak.values_astype(nJet, "int64")""",
        ['"n": {key: [plain(result)]},'],
    ),
    "filter is written once and named as the user did": (
        """\
good = events.Jet[events.Jet.pt > 30]
result = {'pt': good.pt, 'n': good.Count()}
""",
        """\
Jet_pt = column["Jet_pt"]
good = Jet_pt > 30
result = Jet_pt[good]""",
        ['"pt": {key: [plain(result)]},', '"n": {key: [plain(ak.sum(good, axis=-1))]},'],
    ),
    "behavior reads only what it needs": (
        """\
result = {'m': (events.Muon[0] + events.Muon[1]).mass}
""",
        """\
Muon_pt = column["Muon_pt"]
Muon_eta = column["Muon_eta"]
Muon_phi = column["Muon_phi"]
Muon_mass = column["Muon_mass"]
Muon_charge = column["Muon_charge"]
Muon = ak.zip({"pt": Muon_pt, "eta": Muon_eta, "phi": Muon_phi, "mass": Muon_mass, "charge": Muon_charge}, with_name="Muon", behavior=nanoaod.behavior)
result = (ak.firsts(Muon, axis=1) + row_at(Muon, 1, 1)).mass""",
        ['"m": {key: [plain(result)]},'],
    ),
    "pairs move only the columns that are used": (
        """\
a, b = ak.unzip(ht.pairs(events.Muon))
mass = (a + b).mass
result = {'mass': mass[a.charge != b.charge]}
""",
        """\
Muon_charge = column["Muon_charge"]
Muon_2_index = ak.argcombinations(Muon_charge, 2, axis=1)
Muon_pt = column["Muon_pt"]
Muon_eta = column["Muon_eta"]
Muon_phi = column["Muon_phi"]
Muon_mass = column["Muon_mass"]
Muon = ak.zip({"pt": Muon_pt, "eta": Muon_eta, "phi": Muon_phi, "mass": Muon_mass, "charge": Muon_charge}, with_name="Muon", behavior=nanoaod.behavior)
a = Muon[Muon_2_index["0"]]
b = Muon[Muon_2_index["1"]]
mass = (a + b).mass
result = mass[a["charge"] != b["charge"]]""",
        ['"mass": {key: [plain(result)]},'],
    ),
    "histogram is made and filled": (
        """\
result = {'h': ht.Hist.new.Reg(10, 0, 100, name='pt').Weight().fill(events.Jet.pt, weight=events.genWeight)}
""",
        """\
Jet_pt = column["Jet_pt"]
genWeight = column["genWeight"]
h = hist.Hist.new.Reg(10, 0, 100, name='pt').Weight()
fill(h, Jet_pt, weight=genWeight)""",
        ['"h": h,'],
    ),
    "nearest computes distances and gathers rows": (
        """\
close = events.Jet.nearest(events.Muon, 0.4)
result = {'dr': close.pt}
""",
        """\
Muon_pt = column["Muon_pt"]
Jet_eta = column["Jet_eta"]
Jet_phi = column["Jet_phi"]
Muon_eta = column["Muon_eta"]
Muon_phi = column["Muon_phi"]
delta_r_2 = delta_r(Jet_eta, Jet_phi, every(Muon_eta, Jet_eta, 1), every(Muon_phi, Jet_eta, 1))
close = ak.mask(ak.argmin(delta_r_2, axis=-1), ak.min(delta_r_2, axis=-1) <= 0.4)
result = rows_by(Muon_pt, close)""",
        ['"dr": {key: [plain(result)]},'],
    ),
    "event filter is applied to what is used": (
        """\
ev = events[events.MET.pt > 20]
result = {'ht': ev.Jet[ev.Jet.pt > 20].pt.Sum()}
""",
        """\
Jet_pt = column["Jet_pt"]
MET_pt = column["MET_pt"]
ev = MET_pt > 20
ev_pt = Jet_pt[ev]
result = ak.sum(ev_pt[ev_pt > 20], axis=-1)""",
        ['"ht": {key: [plain(result)]},'],
    ),
    "dataset totals count without any column": (
        """\
result = {'mean': events.MET.pt.Mean(), 'n': events.Count()}
""",
        """\
MET_pt = column["MET_pt"]""",
        ['"mean": {key: [moments(MET_pt)]},', '"n": {key: [count_rows(ak.Array(np.arange(len(events))))]},'],
    ),
    "order moves one column": (
        """\
lead = events.Jet.OrderByDescending(events.Jet.pt)[0]
result = {'eta': lead.eta}
""",
        """\
Jet_eta = column["Jet_eta"]
Jet_pt = column["Jet_pt"]
lead = ak.argsort(Jet_pt, axis=-1, ascending=False)
result = ak.firsts(Jet_eta[lead], axis=1)""",
        ['"eta": {key: [plain(result)]},'],
    ),
    "reference is a gather by its index column": (
        """\
result = {'id': events.Muon.matched_gen.pdgId}
""",
        """\
GenPart_pdgId = column["GenPart_pdgId"]
Muon_genPartIdx = column["Muon_genPartIdx"]
result = rows_by(GenPart_pdgId, ak.mask(Muon_genPartIdx, Muon_genPartIdx >= 0))""",
        ['"id": {key: [plain(result)]},'],
    ),
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "zll.root", events=50, seed=3)


def compiled(program: str, path: Path, file: str) -> ProcessorSource:
    linecache.cache[file] = (len(program), None, program.splitlines(keepends=True), file)
    space: dict[str, Any] = {"ht": ht, "ak": ak, "np": np, "events": ht.nanoaod(path), "__name__": "__main__"}
    exec(compile(program, file, "exec"), space)  # noqa: S102 (a user's program)
    return write(named(space["result"]))


@pytest.mark.parametrize("name", PROGRAMS)
def test_process_reads_as_a_user_would_write_it(name: str, path: Path) -> None:
    program, statements, answers = PROGRAMS[name]
    made = compiled(program, path, f"<{name}>")
    returned = made.text.partition("            return {\n")[2].partition("            }\n")[0]
    assert made.process == statements
    assert [line.strip() for line in returned.splitlines()] == answers


@pytest.mark.parametrize("name", PROGRAMS)
def test_only_the_columns_of_the_statements_are_read(name: str, path: Path) -> None:
    program, statements, _ = PROGRAMS[name]
    made = compiled(program, path, f"<{name}>")
    assert [column for column in made.columns if f'column["{column}"]' not in statements] == []


@pytest.mark.parametrize("name", PROGRAMS)
def test_written_file_is_valid_and_explains_itself(name: str, path: Path) -> None:
    made = compiled(PROGRAMS[name][0], path, f"<{name}>")
    compile(made.text, "written.py", "exec")
    assert made.text.startswith('"""A processor generated by hep_tables_coffea."""\n')
    assert "hep_tables_coffea" not in made.text.partition("\n")[2]

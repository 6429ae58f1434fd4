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
result = ak.sum(good, axis=-1)""",
        ['"pt": {key: [plain(rows_where(Jet_pt, good))]},', '"n": {key: [plain(result)]},'],
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
Muon_xyzt = ak.zip({"x": Muon.x, "y": Muon.y, "z": Muon.z, "t": Muon.t, "charge": Muon_charge}, with_name="Candidate", behavior=nanoaod.behavior)
a = Muon_xyzt[Muon_2_index["0"]]
b = Muon_xyzt[Muon_2_index["1"]]
mass = (a + b).mass
result = rows_where(mass, a["charge"] != b["charge"])""",
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
result = ak.sum(rows_where(ev_pt, ev_pt > 20), axis=-1)""",
        ['"ht": {key: [plain(result)]},'],
    ),
    "one of many pairs is found by its place": (
        """\
pairs = ht.pairs(events.Jet)
best = pairs.MinBy(abs(pairs.a.eta - pairs.b.eta))
result = {'a': best.a.pt, 'b': best.b.pt}
""",
        """\
Jet_pt = column["Jet_pt"]
Jet_eta = column["Jet_eta"]
Jet_2_index = ak.argcombinations(Jet_eta, 2, axis=1)
best = abs(Jet_eta[Jet_2_index["0"]] - Jet_eta[Jet_2_index["1"]])
Jet_eta_argmin = ak.argmin(best, axis=-1, mask_identity=False)
picked_Jet_2_index = row_by(Jet_2_index, Jet_eta_argmin)
result = row_by(Jet_pt, picked_Jet_2_index["1"])""",
        ['"a": {key: [plain(row_by(Jet_pt, picked_Jet_2_index["0"]))]},', '"b": {key: [plain(result)]},'],
    ),
    "the sum of picked vectors is picked from the sums": (
        """\
pairs = ht.pairs(events.Jet)
total = pairs.a + pairs.b
best = pairs.MinBy(total.mass)
result = {'pt': (best.a + best.b).pt}
""",
        """\
Jet_pt = column["Jet_pt"]
Jet_charge = ak.full_like(Jet_pt, 0.0)
Jet_2_index = ak.argcombinations(Jet_charge, 2, axis=1)
Jet_eta = column["Jet_eta"]
Jet_phi = column["Jet_phi"]
Jet_mass = column["Jet_mass"]
Jet = ak.zip({"pt": Jet_pt, "eta": Jet_eta, "phi": Jet_phi, "mass": Jet_mass, "charge": Jet_charge}, with_name="Jet", behavior=nanoaod.behavior)
Jet_xyzt = ak.zip({"x": Jet.x, "y": Jet.y, "z": Jet.z, "t": Jet.t, "charge": Jet_charge}, with_name="Candidate", behavior=nanoaod.behavior)
pairs = Jet_xyzt[Jet_2_index["1"]]
total_2 = Jet_xyzt[Jet_2_index["0"]] + pairs
best = total_2.mass
result = row_by(total_2, ak.argmin(best, axis=-1, mask_identity=False)).pt""",
        ['"pt": {key: [plain(result)]},'],
    ),
    "names of joined collections are compared as numbers": (
        """\
leptons = ht.concat(electron=events.Electron, muon=events.Muon)
result = {'pt': leptons.pt[leptons.origin == 'muon']}
""",
        """\
Electron_pt = column["Electron_pt"]
Muon_pt = column["Muon_pt"]
electron_muon_rows = joined_rows(Electron_pt, Muon_pt)
leptons = joined(electron_muon_rows, Electron_pt, Muon_pt)
value = joined(electron_muon_rows, ak.full_like(Electron_pt, 0, dtype='int64'), ak.full_like(Muon_pt, 1, dtype='int64'))
result = rows_where(leptons, value == 1)""",
        ['"pt": {key: [plain(result)]},'],
    ),
    "rows that were selected are not selected again in some events": (
        """\
good = events.Jet[events.Jet.pt > 30]
result = {'pt': good.pt, 'some': good.pt[events.MET.pt > 20]}
""",
        """\
Jet_pt = column["Jet_pt"]
good = Jet_pt > 30
good_pt = rows_where(Jet_pt, good)
MET_pt = column["MET_pt"]
result = good_pt[MET_pt > 20]""",
        ['"pt": {key: [plain(good_pt)]},', '"some": {key: [plain(result)]},'],
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

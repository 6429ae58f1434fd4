"""The dimuon spectrum on recorded and simulated events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import awkward as ak
import pytest
from coffea.nanoevents import BaseSchema, NanoAODSchema, NanoEventsFactory
from coffea.processor import IterativeExecutor, Runner
from matplotlib.figure import Figure

import hep_tables_coffea as ht
from hep_tables_coffea.processors import dimuon

if TYPE_CHECKING:
    from collections.abc import Callable

RNTUPLE = "Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("dimuon") / "zmumu.root", events=5000, process="zmumu")


def test_pairs_are_those_of_a_loop_written_by_hand(data: Callable[[str], str]) -> None:
    path = data("nano_dimuon.root")
    muons = NanoEventsFactory.from_root({path: "Events"}, schemaclass=NanoAODSchema, mode="eager").events().Muon
    muons = muons[(ak.num(muons) == 2) & (ak.sum(muons.charge, axis=1) == 0)]
    expected = (muons[:, 0] + muons[:, 1]).mass
    pairs = dimuon.pairs(ht.nanoaod(path))
    found = ht.make_local((pairs.a + pairs.b).mass)
    assert ak.flatten(found).to_list() == pytest.approx(expected.to_list(), rel=1e-5)


@pytest.mark.parametrize(("name", "number"), [("nano_dimuon.root", 14), ("nano_dimuon.parquet", 14), (RNTUPLE, 411)])
def test_every_format_is_read(data: Callable[[str], str], name: str, number: int) -> None:
    assert ht.make_local(dimuon.spectrum(ht.nanoaod(data(name)))).sum() == number


@pytest.mark.parametrize(("low", "high", "mass"), [(2, 5, 3.097), (60, 120, 91.19)])
def test_resonances_are_where_they_should_be(data: Callable[[str], str], low: float, high: float, mass: float) -> None:
    histogram = ht.make_local(dimuon.spectrum(ht.nanoaod(data(RNTUPLE)), bins=200))
    assert dimuon.peak(histogram, low, high) == pytest.approx(mass, rel=0.04)


@pytest.mark.parametrize("chunksize", [777, None])
def test_spectrum_does_not_depend_on_chunks(sample: str, chunksize: int | None) -> None:
    histogram = ht.make_local(dimuon.spectrum(ht.nanoaod(sample)), chunksize=chunksize)
    assert dimuon.peak(histogram, 60, 120) == pytest.approx(91.19, abs=1)
    assert histogram.sum(flow=True) > 2000


def test_processor_runs_in_a_stock_runner(sample: str) -> None:
    runner = Runner(IterativeExecutor(status=False), schema=BaseSchema, chunksize=2000)
    out = runner({"zmumu": {"files": {sample: "Events"}}}, processor_instance=dimuon.processor(sample))
    assert out["spectrum"] == ht.make_local(dimuon.spectrum(ht.nanoaod(sample)))


def test_picture_names_every_resonance(sample: str) -> None:
    axes = Figure().subplots()
    dimuon.draw(ht.make_local(dimuon.spectrum(ht.nanoaod(sample))), axes)
    assert [text.get_text() for text in axes.texts] == list(dimuon.RESONANCES)
    assert axes.get_xlabel().endswith("[GeV]")

"""Good electrons and the Z peak, in both formats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner

import hep_tables_coffea as ht
from hep_tables_coffea.processors import zee

if TYPE_CHECKING:
    from collections.abc import Callable

MAKERS = {"nanoaod": ht.samples.nanoaod, "physlite": ht.samples.physlite}
TREES = {"nanoaod": "Events", "physlite": "CollectionTree"}


@pytest.fixture(scope="module", params=MAKERS)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The tree and the path of a sample, the same events in either format."""
    path = tmp_path_factory.mktemp("zee") / f"{request.param}.root"
    return TREES[request.param], MAKERS[request.param](path, events=5000, process="zee")


@pytest.mark.parametrize("chunksize", [7, None])
def test_counts_of_the_real_file(data: Callable[[str], str], chunksize: int | None) -> None:
    histograms: Any = zee.histograms(ht.physlite(data("PHYSLITE_example.root")))
    found = ht.make_local(histograms, chunksize=chunksize)
    counts = {name: h.sum(flow=flow).value for name, h, flow in
              [("good", found["pt"], True), ("pairs", found["mass"], True), ("window", found["mass"], False)]}  # fmt: skip
    assert counts == {"good": 24, "pairs": 42, "window": 37}


def test_peak_is_at_the_mass_of_the_z(sample: tuple[str, str]) -> None:
    mass = ht.make_local(zee.pair_mass(ht.dataset(sample[1])))
    assert mass.axes[0].centers[mass.values().argmax()] == pytest.approx(91.19, abs=1.5)


def test_good_electrons_are_those_of_the_paper(sample: tuple[str, str]) -> None:
    events = ht.dataset(sample[1])
    good = zee.good_electrons(events)
    pt, eta = ht.make_local(good.pt.Min(axis=None), abs(good.eta).Max(axis=None))
    assert pt / zee.unit(events) > 50
    assert eta < 1.5


def test_both_formats_give_the_same_electrons(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("same")
    paths = [make(folder / f"{name}.root", events=3000, process="zee") for name, make in MAKERS.items()]
    first, second = (ht.make_local(zee.electron_pt(ht.dataset(path))) for path in paths)
    assert first.sum(flow=True).value > 100
    assert first.sum(flow=True).value == second.sum(flow=True).value


def test_processor_runs_in_a_stock_runner(sample: tuple[str, str]) -> None:
    tree, path = sample
    runner = Runner(IterativeExecutor(status=False), schema=BaseSchema, chunksize=2000)
    out = runner({"zee": {"files": {path: tree}}}, processor_instance=zee.processor(path))
    assert out == ht.make_local(zee.histograms(ht.dataset(path)))

"""The eight queries of the benchmark on its first thousand events, against the published answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet
import pytest
from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner

import hep_tables_coffea as ht
from hep_tables_coffea.processors import adl

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["q1", "q2", "q3", "q4", "q5", "q6_pt", "q6_btag", "q7", "q8"]


@pytest.fixture(scope="module")
def path(data: Callable[[str], str]) -> str:
    return data("Run2012B_SingleMu-1000.parquet")


@pytest.fixture(scope="module")
def reference(data: Callable[[str], str]) -> dict[str, Any]:
    """Bins, range and contents; where the projects that publish them have them."""
    parts = [json.loads(Path(data(name)).read_text()) for name in ("adl_1000.json", "adl_1000_more.json")]
    return parts[0] | parts[1]


@pytest.fixture(scope="module")
def answers(path: str) -> dict[str, Any]:
    return ht.make_local(adl.queries(ht.nanoaod(path)))


def filled(histogram: Any) -> dict[str, float]:
    """The bins that are not empty; -1 is the underflow."""
    return {str(k - 1): value for k, value in enumerate(histogram.values(flow=True)) if value}


def few(path: str, events: int, folder: Path) -> ht.Array:
    """The first events alone."""
    short = folder / "few.parquet"
    pyarrow.parquet.write_table(pyarrow.parquet.read_table(path).slice(0, events), short)
    return ht.nanoaod(short)


def test_every_query_has_a_reference(reference: dict[str, Any], answers: dict[str, Any]) -> None:
    assert list(answers) == NAMES
    assert set(reference) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_query_gives_the_published_histogram(name: str, reference: dict[str, Any], answers: dict[str, Any]) -> None:
    assert filled(answers[name]) == reference[name]["counts"]


@pytest.mark.parametrize("name", NAMES)
def test_binning_is_that_of_the_reference(name: str, reference: dict[str, Any], answers: dict[str, Any]) -> None:
    (axis,) = answers[name].axes
    expected = reference[name]
    assert (axis.size, axis.edges[0], axis.edges[-1]) == (expected["bins"], expected["low"], expected["high"])


@pytest.mark.parametrize("name", NAMES)
def test_axis_says_what_it_shows(name: str, answers: dict[str, Any]) -> None:
    (axis,) = answers[name].axes
    assert axis.name
    assert axis.label.endswith("]") or name == "q6_btag"


def test_answer_does_not_depend_on_small_chunks(path: str, reference: dict[str, Any]) -> None:
    histogram = ht.make_local(adl.q5(ht.nanoaod(path)), chunksize=7)
    assert filled(histogram) == reference["q5"]["counts"]


@pytest.mark.parametrize(("events", "chunksize"), [(15, 1), (60, 7)])
def test_all_queries_together_do_not_depend_on_chunks(path: str, tmp_path: Path, events: int, chunksize: int) -> None:
    queries = adl.queries(few(path, events, tmp_path))
    assert ht.make_local(queries, chunksize=chunksize) == ht.make_local(queries)


def test_processor_runs_in_a_stock_runner(path: str, reference: dict[str, Any]) -> None:
    fileset = {"data": {"files": {path: "Events"}, "metadata": {}}}
    runner = Runner(IterativeExecutor(status=False), schema=BaseSchema, format="parquet")
    out = runner(fileset, processor_instance=adl.processor(path))
    assert {name: filled(out[name]) for name in NAMES} == {name: reference[name]["counts"] for name in NAMES}


def test_processor_can_be_made_of_events(tmp_path: Path) -> None:
    events = ht.nanoaod(ht.samples.nanoaod(tmp_path / "ttbar.root", events=10, process="ttbar"))
    assert "Jet_btagDeepFlavB" in adl.processor(events).columns

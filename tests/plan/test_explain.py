"""What `ht.explain` tells, and how outputs become stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "zll.root", events=50, seed=3)


@pytest.fixture
def events(path: Path) -> ht.Array:
    return ht.nanoaod(path)


def test_explanation_begins_with_the_stage_its_outputs_and_its_columns(events: ht.Array) -> None:
    text = str(ht.explain({"lead": events.Jet.pt.Max(), "n": events.Count()}))
    assert text.splitlines()[:4] == [
        "Stage 1: coffea over zll (1 file, nanoaod)",
        "  lead: event * ?float32",
        "  n: int64, one of the whole dataset",
        "  reads 1 column: Jet_pt",
    ]


def test_columns_are_those_of_all_outputs(events: ht.Array) -> None:
    explanation = ht.explain(events.Jet.pt, events.Muon.eta, events.MET.pt.Mean())
    assert explanation.columns == ("Jet_pt", "MET_pt", "Muon_eta")


def test_source_is_the_generated_class(events: ht.Array) -> None:
    assert 'Jet_pt = column["Jet_pt"]' in ht.explain(events.Jet.pt * 2, engine="columnar").source


def test_pass_before_names_the_line_that_needs_it(events: ht.Array) -> None:
    text = str(ht.explain(events.MET.pt - events.MET.pt.Mean()))
    assert "in a pass before: " in text
    assert "test_explain.py" in text


def test_outputs_of_two_datasets_are_two_stages(events: ht.Array, path: Path) -> None:
    text = str(ht.explain(events.MET.pt, ht.nanoaod(path, name="again").MET.pt))
    assert [line.split(" (")[0] for line in text.splitlines() if line.startswith("Stage")] == [
        "Stage 1: coffea over zll",
        "Stage 2: coffea over again",
    ]


def test_processor_of_two_datasets_is_refused(events: ht.Array, path: Path) -> None:
    with pytest.raises(TypeError, match=r"computes outputs of one dataset, and these are of 2"):
        ht.to_processor({"a": events.MET.pt, "b": ht.nanoaod(path).MET.pt})


def test_nothing_recorded_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^there is nothing recorded to compute"):
        ht.explain(1.0)


def test_explanation_is_shown_escaped_in_a_notebook(events: ht.Array) -> None:
    html = ht.explain(events.Jet[events.Jet.pt > 30].pt, engine="columnar")._repr_html_()
    assert "Jet_pt &gt; 30" in html
    assert "Jet_pt > 30" not in html

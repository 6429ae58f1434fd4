"""What a recorded value shows of itself: text, HTML, and the names that may follow the dot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    path: Path = ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "zll.root", events=50, seed=3)
    return ht.nanoaod(path)


def test_text_of_a_column_is_its_type(events: ht.Array) -> None:
    assert repr(events.Jet.pt) == "<Array event * Jet * float32>"


def test_text_of_a_record_shows_its_first_columns(events: ht.Array) -> None:
    assert repr(events.Jet[["pt", "eta"]]) == "<Array event * Jet * {pt, eta}>"


def test_html_of_a_column_is_its_type(events: ht.Array) -> None:
    assert events.Jet.pt._repr_html_() == "<code>event * Jet * float32</code>"


def test_html_of_a_record_is_a_table_of_its_columns_with_the_doc_of_each_branch(events: ht.Array) -> None:
    html = events.Jet._repr_html_()
    assert html.count("<tr>") == len(events.Jet.fields) + 1
    assert "<td>pt</td><td>event * Jet * float32</td>" in html


def test_html_is_escaped(events: ht.Array) -> None:
    record = events.Jet[["pt"]]
    import awkward as ak

    html = ak.with_field(record, record.pt, "<b>")._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;" in html


@pytest.mark.parametrize("name", ["pt", "mass", "delta_r", "matched_gen", "nearest", "Sum", "OrderBy", "px"])
def test_names_after_the_dot_have_columns_references_behaviors_and_methods(name: str, events: ht.Array) -> None:
    assert name in dir(events.Muon)


@pytest.mark.parametrize("name", ["layout", "to_numpy", "behavior", "_node", "numba_type", "MomentumClass"])
def test_names_after_the_dot_have_no_plumbing(name: str, events: ht.Array) -> None:
    assert name not in dir(events.Muon)


def test_every_name_after_the_dot_can_be_asked_for(events: ht.Array) -> None:
    failed = []
    for name in dir(events.Muon):
        try:
            getattr(events.Muon, name)
        except ht.HepTablesError:
            failed.append(name)
    assert len(failed) < len(dir(events.Muon)) / 4


def test_brackets_complete_columns(events: ht.Array) -> None:
    assert events.Muon._ipython_key_completions_() == events.Muon.fields


def test_plain_value_has_no_fields(events: ht.Array) -> None:
    assert events.Muon.pt.fields == []

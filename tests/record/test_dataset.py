"""Opening datasets: what a source can be, what is known without reading events, and saved forms."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht
from hep_tables_coffea.graph import build
from hep_tables_coffea.types.schema import Group, Leaf


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write("a.root", x=[1.0])`: a file with one tree."""

    def make(name: str, tree: str = "Events", **columns: Any) -> str:
        path = tmp_path / name
        arrays = {key: np.asarray(values) for key, values in columns.items()}
        with uproot.recreate(path) as file:
            file.mktree(tree, {key: array.dtype for key, array in arrays.items()}).extend(arrays)
        return str(path)

    return make


def opened(events: Any) -> Any:
    return build.source_of(events._node).dataset


def described(member: Any) -> Any:
    """A schema as plain values, to compare."""
    if isinstance(member, Leaf):
        return member
    inside = {name: described(inner) for name, inner in member.fields.items()}
    return member.name, member.is_list, member.behavior, member.counter, dict(member.references), member.doc, inside


# -- sources ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", [str, Path, lambda path: [path], lambda path: (Path(path),), lambda path: {path: "Events"}]
)
def test_one_file_can_be_given_in_many_ways(write: Callable[..., str], kind: Any) -> None:
    assert ht.make_local(ht.dataset(kind(write("a.root", x=[1.0, 2.0]))).x).to_list() == [1.0, 2.0]


def test_pattern_names_its_files_in_order(write: Callable[..., str], tmp_path: Path) -> None:
    for k in (2, 1, 3):
        write(f"part{k}.root", x=[float(k)])
    assert ht.make_local(ht.dataset(tmp_path / "part*.root").x).to_list() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    "part",
    [
        lambda path: [path],
        lambda path: {"files": [path], "treename": "t"},
        lambda path: {"files": {path: "t"}},
        lambda path: {"files": {path: {"object_path": "t"}}, "metadata": None},
        lambda path: {"files": path, "treename": "t"},
    ],
)
def test_sample_of_a_fileset_can_be_given_in_many_ways(write: Callable[..., str], part: Any) -> None:
    events = ht.dataset({"ttbar": part(write("a.root", tree="t", x=[1.0]))})
    assert ht.make_local(events.x, ht.metadata(events, "dataset"))[1].to_list() == ["ttbar"]


def test_sample_without_files_is_refused() -> None:
    with pytest.raises(ht.HepTablesError, match="the sample 'ttbar' of the fileset has no files"):
        ht.dataset({"ttbar": {"metadata": {"xsec": 1.0}}})


def test_tree_of_the_fileset_comes_before_that_of_the_call(write: Callable[..., str]) -> None:
    path = write("a.root", tree="mine", x=[1.0])
    assert ht.make_local(ht.dataset({"a": {"files": {path: "mine"}}}, tree="other").x).to_list() == [1.0]


def test_sample_is_named_after_its_file(write: Callable[..., str]) -> None:
    events = ht.dataset(write("zmumu.root", x=[1.0]))
    assert ht.make_local(ht.metadata(events, "dataset")).to_list() == ["zmumu"]


def test_metadata_of_a_sample_come_before_those_of_the_call(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    events = ht.dataset({"a": {"files": [path], "metadata": {"xsec": 2.0}}}, metadata={"xsec": 1.0, "lumi": 3.0})
    assert ht.make_local(ht.metadata(events, "xsec") * ht.metadata(events, "lumi")).to_list() == [6.0]


def test_unknown_metadata_name_the_closest_first(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0]), metadata={"xsec": 2.0})
    with pytest.raises(KeyError, match=r"no sample has the metadata 'xsc'\n(.*\n)*Hint: did you mean xsec\?"):
        ht.metadata(events, "xsc")


def test_each_opening_is_a_dataset_of_its_own(write: Callable[..., str]) -> None:
    path = write("a.root", x=[1.0])
    with pytest.raises(ht.HepTablesError, match="a"):
        ht.dataset(path).x + ht.dataset(path).x


def test_opening_reads_no_events(write: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> None:
        raise AssertionError

    monkeypatch.setattr("hep_tables_coffea.files.read", refuse)
    assert str((ht.dataset(write("a.root", x=[1.0])).x + 1) > 2) == "<Array event * bool>"


# -- several datasets ------------------------------------------------------------------------------------------------


def test_root_of_the_paper_puts_datasets_one_after_the_other(tmp_path: Path) -> None:
    one = ht.samples.physlite(tmp_path / "one.root", events=5)
    two = ht.samples.physlite(tmp_path / "two.root", events=7, seed=2)
    found = ht.make_local(ht.xaod_table(one, [two, Path(one)]).Electrons.pt)
    first, second = (ht.make_local(ht.physlite(path).Electrons.pt).to_list() for path in (one, two))
    assert found.to_list() == first + second + first


def test_root_of_the_paper_without_a_dataset_is_refused() -> None:
    with pytest.raises(ht.HepTablesError, match="xaod_table needs a dataset"):
        ht.xaod_table()


@pytest.mark.parametrize("wrong", [42, None, [], [1]])
def test_root_of_the_paper_takes_files_only(wrong: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="is no dataset"):
        ht.xaod_table(wrong)


# -- saved forms -----------------------------------------------------------------------------------------------------


@pytest.fixture
def form(tmp_path: Path) -> Callable[[Any], Any]:
    """`form(events)`: events of the same types, of a file that is not there."""

    def through(events: Any, **options: Any) -> Any:
        path = ht.save_form(events, tmp_path / "form.json")
        return ht.dataset("/nowhere/data.root", form=path, **options)

    return through


@pytest.mark.parametrize("pack", ["nanoaod", "physlite", "flat"])
def test_form_holds_all_that_the_schema_says(tmp_path: Path, form: Any, pack: str) -> None:
    make = ht.samples.physlite if pack == "physlite" else ht.samples.nanoaod
    events = ht.dataset(make(tmp_path / "a.root", events=5), schema=pack)
    one, other = opened(events).schema, opened(form(events)).schema
    assert described(other.root) == described(one.root)
    assert (other.pack, other.behaviors, other.notes) == (one.pack, one.behaviors, one.notes)


@pytest.mark.parametrize(("name", "pack"), [("edm4hep.root", "edm4hep"), ("treemaker.root", "treemaker")])
def test_form_of_a_real_file_holds_all(data: Callable[[str], str], form: Any, name: str, pack: str) -> None:
    events = ht.dataset(data(name), schema=pack)
    assert described(opened(form(events)).schema.root) == described(opened(events).schema.root)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_form_of_a_schema_class_of_coffea_holds_all(tmp_path: Path, form: Any) -> None:
    from coffea.nanoevents import NanoAODSchema

    path = ht.samples.nanoaod(tmp_path / "a.root", events=5)
    events = ht.dataset(path, schema=NanoAODSchema)
    assert described(opened(form(events)).schema.root) == described(opened(events).schema.root)
    again = ht.dataset(path, schema=NanoAODSchema, form=tmp_path / "form.json")
    assert ht.make_local(again.Jet.pt).to_list() == ht.make_local(events.Jet.pt).to_list()


def test_program_is_recorded_with_a_form_and_run_with_the_files(write: Callable[..., str], tmp_path: Path) -> None:
    path = write("a.root", tree="mine", x=[1.0, 2.0])
    form = ht.save_form(ht.dataset(path), tmp_path / "form.json")
    other = write("b.root", tree="mine", x=[3.0])
    assert ht.make_local(ht.dataset(other, form=form).x).to_list() == [3.0]


def test_form_with_another_schema_is_refused(write: Callable[..., str], form: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="has the schema 'flat' with its options, and they cannot be changed"):
        form(ht.dataset(write("a.root", x=[1.0]), schema="flat"), schema="nanoaod")


def test_missing_form_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ht.HepTablesError, match=r"there is no form .*none.json\n(.*\n)*Hint: ht.save_form"):
        ht.dataset("a.root", form=tmp_path / "none.json")


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", json.dumps({"version": 0}), json.dumps({"version": 1, "schema": 3})]
)
def test_file_that_is_no_form_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "form.json"
    path.write_text(content)
    with pytest.raises(ht.HepTablesError, match=r"form.json is no form\n(.*\n)*Hint: ht.save_form"):
        ht.dataset("a.root", form=path)


def test_groups_of_a_form_are_groups_again(tmp_path: Path, form: Any) -> None:
    events = form(ht.nanoaod(ht.samples.nanoaod(tmp_path / "a.root", events=5)))
    jets = opened(events).schema.root.fields["Jet"]
    assert isinstance(jets, Group)
    assert str(events.Muon.matched_gen.pt) == "<Array event * Muon * ?float32>"

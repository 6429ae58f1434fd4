"""Datasets that a catalogue knows by name: what is recorded with a saved form is asked of the server that has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hep_tables_coffea as ht

pytest.importorskip("servicex", reason="the extra servicex is not installed")


@pytest.fixture(scope="module")
def running(nano_files: list[str]) -> Iterator[Any]:
    folder = str(Path(nano_files[0]).parent)
    catalog = {
        "rucio://user.me:zll": f"{folder}/*.root",
        "rucio://user.me:backwards": nano_files[::-1],
        "rucio://user.me:none": f"{folder}/*.nothing",
        "cernopendata://12345": [nano_files[1]],
        "root://eos.example.org//store/": folder,
    }
    with ht.servicex.local(catalog, workers=1) as endpoint:
        yield endpoint


@pytest.fixture
def endpoint(running: Any) -> Iterator[Any]:
    running.faults.set()
    yield running
    running.faults.set()


@pytest.fixture(scope="module")
def form(nano_files: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ht.save_form(ht.nanoaod(nano_files[0]), tmp_path_factory.mktemp("form") / "nanoaod.json")


@pytest.fixture
def opened(endpoint: Any, form: Path) -> Callable[..., ht.Array]:
    """Events of a named dataset."""
    return lambda source, **more: ht.nanoaod(source, form=form, **more)


def pt_of(files: list[str]) -> Any:
    return ht.make_local(ht.nanoaod(files).Jet.pt).to_list()


@pytest.mark.parametrize(
    ("source", "numbers"),
    [
        ("rucio://user.me:zll", [0, 1, 2]),
        ("rucio://user.me:zll?files=1", [0]),
        ("rucio://user.me:zll?files=2", [0, 1]),
        ("rucio://user.me:backwards", [0, 1, 2]),
        ("cernopendata://12345", [1]),
        ("xrootd://root://eos.example.org//store/[ab].root", [0, 1]),
    ],
)
def test_named_dataset(opened: Callable[..., ht.Array], nano_files: list[str], source: str, numbers: list[int]) -> None:
    found = ht.make_local(opened(source).Jet.pt)
    assert found.to_list() == pt_of([nano_files[k] for k in numbers])


def test_answer_has_the_order_of_names_whatever_comes_first(
    opened: Callable[..., ht.Array], nano_files: list[str]
) -> None:
    for _ in range(3):
        found = ht.make_local(opened("rucio://user.me:zll").Jet.eta, cache=False)
        assert found.to_list() == ht.make_local(ht.nanoaod(nano_files).Jet.eta).to_list()


def test_objects_of_the_client(opened: Callable[..., ht.Array], nano_files: list[str]) -> None:
    from servicex import dataset

    of_two = ht.make_local(opened(dataset.Rucio("user.me:zll", num_files=2)).Jet.pt)
    assert of_two.to_list() == pt_of(nano_files[:2])
    listed = dataset.FileList(["root://eos.example.org//store/c.root", "root://eos.example.org//store/a.root"])
    found = ht.make_local(opened(listed).Jet.pt, backend="servicex")
    assert found.to_list() == pt_of([nano_files[2], nano_files[0]])


def test_named_samples_of_a_fileset(opened: Callable[..., ht.Array], nano_files: list[str]) -> None:
    fileset = {
        "zll": {"files": ["rucio://user.me:zll?files=1"], "metadata": {"xsec": 2.0}},
        "data": {"files": ["cernopendata://12345"], "metadata": {"xsec": 1.0}},
    }
    events = opened(fileset)
    assert ht.make_local(ht.metadata(events, "xsec")).to_list() == [2.0] * 20 + [1.0] * 40
    assert ht.make_local(events.Jet.pt).to_list() == pt_of(nano_files[:2])


def test_several_names_in_one_sample(opened: Callable[..., ht.Array], nano_files: list[str]) -> None:
    events = opened(["cernopendata://12345", "rucio://user.me:zll?files=1"])
    assert ht.make_local(events.Jet.pt).to_list() == pt_of([nano_files[1], nano_files[0]])


def test_names_need_no_backend_to_be_chosen(opened: Callable[..., ht.Array]) -> None:
    plan = ht.run(opened("rucio://user.me:zll").Count()).plan
    assert plan.stages[0].cut is not None


def test_values_of_two_passes(opened: Callable[..., ht.Array], nano_files: list[str]) -> None:
    def relative(events: Any) -> Any:
        return events.MET.pt / events.MET.pt.Max(axis=None)

    found = ht.make_local(relative(opened("rucio://user.me:zll")))
    assert found.to_list() == ht.make_local(relative(ht.nanoaod(nano_files))).to_list()


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_unknown_name_is_said(opened: Callable[..., ht.Array]) -> None:
    with pytest.raises(
        ht.HepTablesError, match=r"there is no such data set\n.*no dataset rucio://user\.me:typo"
    ) as told:
        ht.make_local(opened("rucio://user.me:typo").Count())
    assert "is its name right" in str(told.value)


def test_name_that_stands_for_no_files_is_said(opened: Callable[..., ht.Array]) -> None:
    with pytest.raises(ht.HepTablesError, match=r"the dataset rucio://user\.me:none has no files"):
        ht.make_local(opened("rucio://user.me:none").Count())


@pytest.mark.parametrize(("fault", "told"), [("bad-dataset", "cannot be had"), ("empty", "has no files")])
def test_lookup_that_fails_is_said(endpoint: Any, opened: Callable[..., ht.Array], fault: str, told: str) -> None:
    endpoint.faults.set(fault)
    with pytest.raises(ht.HepTablesError, match=f"the data set of 'zll' {told}"):
        ht.make_local(opened("rucio://user.me:zll").Count(), cache=False)


def test_other_back_end_cannot_open_a_name(opened: Callable[..., ht.Array]) -> None:
    with pytest.raises(
        ht.HepTablesError, match=r"'coffea' cannot open rucio://user\.me:zll: a catalogue knows the files"
    ):
        ht.make_local(opened("rucio://user.me:zll").Count(), backend="coffea")


def test_unknown_name_is_said_when_its_types_are_asked_for(endpoint: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=r"the columns of rucio://user\.me:typo are not known(.*\n)*.*form="):
        ht.nanoaod("rucio://user.me:typo")


def test_name_without_a_server_is_refused_with_what_to_write(
    form: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hep_tables_coffea.backends.servicex.services._started", [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"no ServiceX is configured(.*\n)*.*api_endpoints:"):
        ht.make_local(ht.nanoaod("rucio://user.me:zll", form=form).Count())


def test_server_of_the_configuration_is_asked(
    form: Path, endpoint: Any, nano_files: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("hep_tables_coffea.backends.servicex.services._started", [])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "servicex.yaml").write_text(f"api_endpoints:\n  - name: mine\n    endpoint: {endpoint.url}\n")
    found = ht.make_local(ht.nanoaod("rucio://user.me:zll", form=form).Jet.phi)
    assert found.to_list() == ht.make_local(ht.nanoaod(nano_files).Jet.phi).to_list()

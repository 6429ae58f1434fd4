"""Whether a sample is simulation: as its metadata say, or else its columns."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import hep_tables_coffea as ht


def kinds(events: ht.Array) -> dict[str, object]:
    samples = events._node.dataset.samples
    return {sample.name: sample.about.get("is_mc") for sample in samples}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nano_dy.root", True),
        ("nano_dy_empty.root", True),
        ("nano_dimuon.root", False),
        ("Run2012B_SingleMu-1000.parquet", False),
        ("PHYSLITE_example.root", True),
        ("treemaker.root", True),
        ("edm4hep.root", True),
        ("uproot-HZZ.root", None),
    ],
)
def test_columns_of_a_generator_tell_simulation(data: Callable[[str], str], name: str, expected: bool | None) -> None:
    (found,) = kinds(ht.dataset(data(name))).values()
    assert found is expected


def test_each_sample_is_told_by_its_own_columns(data: Callable[[str], str]) -> None:
    events = ht.nanoaod({"dy": {"files": [data("nano_dy.root")]}, "run": {"files": [data("nano_dimuon.root")]}})
    assert kinds(events) == {"dy": True, "run": False}
    assert ht.make_local(events[ht.metadata(events, "is_mc")].Count(), events.Count()) == (40, 80)


@pytest.mark.parametrize("said", [{"is_mc": False}, {"is_data": True}])
def test_metadata_come_before_columns(data: Callable[[str], str], said: dict[str, bool]) -> None:
    events = ht.nanoaod(data("nano_dy.root"), metadata=said)
    assert events._node.dataset.samples[0].about == {**said, "is_mc": False}


def test_what_is_data_is_no_simulation_and_not_missing(data: Callable[[str], str]) -> None:
    path = data("nano_dy.root")
    events = ht.nanoaod({"dy": {"files": [path]}, "run": {"files": [path], "metadata": {"is_data": True}}})
    assert ht.make_local(events[~ht.metadata(events, "is_mc")].Count()) == 40


def test_pack_without_rules_for_generators_tells_nothing(tmp_path: Path) -> None:
    path = ht.samples.nanoaod(tmp_path / "zll.root", events=20)
    assert kinds(ht.flat(path)) == {"zll": None}

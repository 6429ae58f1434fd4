"""Runs with ServiceX below: files, samples, executors and engines do not change the answer."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht

pytest.importorskip("servicex", reason="the extra servicex is not installed")

Agree = Callable[..., Any]


@pytest.fixture
def events(nano_files: list[str]) -> ht.Array:
    return ht.nanoaod(nano_files)


def good(events: Any) -> Any:
    return events.Electron[(events.Electron.pt > 10) & (abs(events.Electron.eta) < 2.0)]


# -- files and samples -------------------------------------------------------------------------------------------------


def test_files_are_in_the_order_in_which_they_are_listed(agree: Agree, nano_files: list[str]) -> None:
    events = ht.nanoaod([nano_files[k] for k in (2, 0, 1)])
    found = agree(good(events).pt)
    assert found.report.events == 120


def test_file_that_is_listed_twice_counts_twice(agree: Agree, nano_files: list[str]) -> None:
    assert agree(ht.nanoaod([nano_files[0]] * 2).Jet.pt).report.events == 40


def test_samples_of_a_fileset_keep_their_metadata(agree: Agree, nano_files: list[str]) -> None:
    a, b, c = nano_files
    fileset = {
        "zll": {"files": {a: "Events", c: "Events"}, "metadata": {"xsec": 2.0}},
        "ttbar": {"files": {b: "Events"}, "metadata": {"xsec": 0.5}},
    }
    events = ht.dataset(fileset, schema="nanoaod")
    weight = events.genWeight * ht.metadata(events, "xsec")
    by_name = ht.Hist.new.StrCat([], growth=True, name="dataset").Reg(5, 0, 100, name="pt").Weight()
    agree(
        {
            "weight": weight,
            "spectrum": ht.Hist.new.Reg(10, 0, 100).Weight().fill(good(events).pt, weight=weight),
            "by_name": by_name.fill(dataset=ht.metadata(events, "dataset"), pt=good(events).pt),
        }
    )


def test_several_datasets_are_delivered_side_by_side(agree: Agree, nano_files: list[str]) -> None:
    one, other = ht.nanoaod(nano_files[:2], name="one"), ht.nanoaod(nano_files[2], name="other")
    found = agree({"one": one.Jet.pt, "other": other.Muon.eta, "n": other.Count()})
    assert [note.partition(":")[0] for note in found.report.notes] == ["one", "other"]


def test_same_file_in_two_samples(agree: Agree, nano_files: list[str]) -> None:
    a, b, _ = nano_files
    agree(good(ht.dataset({"one": {"files": [a, b]}, "two": {"files": [b, a]}}, schema="nanoaod")).pt)


def test_files_with_other_names_of_the_tree(agree: Agree, tmp_path: Path) -> None:
    files = {}
    for tree in ("first", "second"):
        path = str(tmp_path / f"{tree}.root")
        with uproot.recreate(path) as file:
            file.mktree(tree, {"x": "f4"}).extend({"x": np.arange(5, dtype="f4") + len(tree)})
        files[path] = tree
    assert len(agree(ht.dataset(files, schema="flat").x * 2).value) == 10


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_file_without_events(agree: Agree, nano_files: list[str], tmp_path: Path, empty: int) -> None:
    files = nano_files[:2]
    files.insert(empty, ht.samples.nanoaod(tmp_path / "empty.root", events=0))
    events = ht.nanoaod(files)
    agree({"pt": good(events).pt, "n": events.Count(), "jets": events.Jet.Count()})


def test_no_events_at_all(agree: Agree, tmp_path: Path) -> None:
    events = ht.nanoaod(ht.samples.nanoaod(tmp_path / "empty.root", events=0))
    agree({"pt": good(events).pt, "n": events.Count(), "most": events.Jet.pt.Max(axis=None)})


def test_event_filter_that_leaves_nothing(agree: Agree, events: ht.Array) -> None:
    none = events[events.MET.pt > 1e9]
    found = agree({"pt": none.Jet.pt, "n": none.Count(), "met": none.MET.pt})
    assert found.value["n"] == 0


def test_event_filter_that_leaves_nothing_of_some_files(agree: Agree, tmp_path: Path) -> None:
    files = []
    for k in range(3):
        files.append(str(tmp_path / f"{k}.parquet"))
        jets = ak.values_astype(ak.Array([[float(j + k) for j in range(i)] for i in range(4)]), np.float32)
        ak.to_parquet(ak.zip({"x": np.full(4, k), "jet_pt": jets}, depth_limit=1), files[-1])
    events = ht.flat(files)
    some = events[events.x == 1]
    found = agree({"pt": some.jet.pt, "n": some.Count()})
    assert found.value["pt"].to_list() == [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0]]


def test_object_filter_that_leaves_nothing(agree: Agree, events: ht.Array) -> None:
    none = events.Jet[events.Jet.pt > 1e9]
    found = agree({"pt": none.pt, "n": none.Count(), "most": none.pt.Max(), "all": none.pt.Max(axis=None)})
    assert found.value["all"] is None


def test_parquet_file(agree: Agree, tmp_path: Path) -> None:
    agree(good(ht.nanoaod(ht.samples.nanoaod(tmp_path / "events.parquet", events=20))).pt)


def test_rntuple(agree: Agree, tmp_path: Path) -> None:
    path = str(tmp_path / "events.root")
    with uproot.recreate(path) as file:
        file["Events"] = {"jet_pt": ak.Array([[1.0, 2.0], [], [3.0]]), "x": np.arange(3)}
    events = ht.flat(path, tree="Events")
    agree({"pt": events.jet[events.jet.pt > 1].pt, "x": events.x})


# -- programs ----------------------------------------------------------------------------------------------------------


def test_filters_one_after_the_other(agree: Agree, events: ht.Array) -> None:
    some = events[events.Electron.Count() >= 1]
    more = some[some.MET.pt > 5]
    agree({"pt": good(more).pt, "met": more.MET.pt, "jets": more.Jet[more.Jet.pt > 20].Count()})


def test_outputs_with_filters_of_their_own(agree: Agree, events: ht.Array) -> None:
    busy, quiet = events[events.Jet.Count() > 2], events[events.Jet.Count() <= 2]
    agree({"busy": busy.Jet.pt, "quiet": quiet.MET.pt, "all": events.PV.npvs})


def test_pairs_and_their_mass(agree: Agree, events: ht.Array) -> None:
    pairs = ht.pairs(good(events))
    mass = (pairs.a + pairs.b).mass[pairs.a.charge != pairs.b.charge]
    agree({"mass": mass, "n": mass.Count(axis=None), "peak": ht.Hist.new.Reg(20, 60, 120).Weight().fill(mass)})


def test_nearest_of_another_collection(agree: Agree, events: ht.Array) -> None:
    agree(good(events).nearest(events.Jet, max_dr=0.4).pt)


def test_value_of_the_whole_dataset_for_each_event(agree: Agree, events: ht.Array) -> None:
    hardest = events.Jet.pt.Max(axis=None)
    mean = events.MET.pt.Mean(axis=None)
    agree({"relative": events.Jet.pt / hardest, "above": events[events.MET.pt > mean].MET.pt})


def test_numbers_of_events_and_objects(agree: Agree, events: ht.Array) -> None:
    few = events[events.Jet.Count() > 1]
    found = agree({"all": events.Count(), "few": few.Count(), "jets": few.Jet.Count(axis=None)})
    assert found.value["all"] == 120


def test_count_alone(agree: Agree, events: ht.Array) -> None:
    assert agree(events.Count()).value == 120


def test_constant_of_all_events(agree: Agree, events: ht.Array) -> None:
    agree({"one": events.MET.pt * 0 + 1, "n": events.Count()})


def test_references_follow_a_filter_that_ran_upstream(agree: Agree, events: ht.Array) -> None:
    central = events.Electron[abs(events.Electron.eta) < 1]
    agree({"true": central.matched_gen.pt, "jet": central.matched_jet.pt})


def test_references_into_what_is_filtered(agree: Agree, events: ht.Array) -> None:
    leptons = events.GenPart[abs(events.GenPart.pdgId) == 11]
    agree({"parent": leptons.parent.pdgId, "pt": leptons.pt})


def test_rows_that_are_looked_up(agree: Agree, events: ht.Array) -> None:
    central = events.Jet[abs(events.Jet.eta) < 2]
    agree({"first": central.pt.First(), "two": central[:2].eta, "order": central.OrderBy(lambda j: -j.eta).pt})


def test_histograms_of_numpy(agree: Agree, events: ht.Array) -> None:
    counts, edges = agree(np.histogram(good(events).pt, bins=10, range=(0, 100))).value
    assert counts.sum() > 10
    assert edges[-1] == 100


def test_records_are_put_together_here(agree: Agree, events: ht.Array) -> None:
    agree(good(events)[["pt", "eta", "charge"]])


def test_new_columns(agree: Agree, events: ht.Array) -> None:
    events.Jet["ht"] = lambda j: j.pt * 2
    events["scalar"] = events.Jet.ht.Sum()
    agree({"scalar": events.scalar, "hard": events[events.scalar > 100].Jet.ht})


def test_functions_of_the_user(agree: Agree, events: ht.Array) -> None:
    @ht.user_func
    def twice(x: float) -> float:
        return 2 * x

    agree({"pt": twice(good(events).pt), "n": good(events)[lambda e: twice(e.pt) > 50].Count()})


# -- how it is run -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_engines(agree: Agree, events: ht.Array, engine: str) -> None:
    agree({"pt": good(events).pt, "n": good(events).Count(), "ht": events.Jet.pt.Sum()}, engine=engine)


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
def test_executors(agree: Agree, events: ht.Array, executor: str) -> None:
    agree(good(events).pt, executor=executor, workers=2)


def test_dask(agree: Agree, events: ht.Array) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        agree({"pt": good(events).pt, "n": events.Count()}, executor=client)


@pytest.mark.parametrize("delivery", ["parquet", "root", "urls"])
def test_forms_of_delivery(agree: Agree, nano_files: list[str], tmp_path: Path, delivery: str) -> None:
    events = ht.nanoaod([ht.samples.nanoaod(tmp_path / "empty.root", events=0), *nano_files[:2]])
    two = events[events.Jet.Count() > 1]
    found = agree({"pt": good(two).pt, "n": two.Count(), "jets": two.Jet.pt}, delivery=delivery)
    assert found.value["n"] > 10


def test_missing_values_are_delivered(agree: Agree, events: ht.Array) -> None:
    found = agree({"most": good(events).pt.Max(), "n": events.Count()})
    assert None in found.value["most"].to_list()


def test_chunks_of_one_event(agree: Agree, nano_files: list[str]) -> None:
    events = ht.nanoaod(nano_files[0])
    found = agree({"pt": good(events).pt, "n": events.Count()}, chunksize=1)
    assert found.report.chunks == 20


def test_in_an_event_loop(events: ht.Array) -> None:
    import asyncio

    async def main() -> list[Any]:
        asked = [ht.make_local_async(events.Jet.pt * k, backend="servicex", cache=False) for k in (1, 2)]
        return await asyncio.gather(*asked)

    one, two = asyncio.run(main())
    assert (2 * one).to_list() == two.to_list()


def test_report_has_what_was_delivered(agree: Agree, events: ht.Array) -> None:
    report = agree(events.Jet.pt * 3).report
    assert (report.events, report.chunks, report.coverage) == (120, 3, 1.0)
    assert {"servicex, queue", "servicex, transform", "servicex, download"} <= set(report.seconds)
    assert "3 of 3 files (request " in report.notes[0]


def test_what_cannot_be_delivered_is_read_here(tmp_path: Path) -> None:
    path = str(tmp_path / "odd.root")
    with uproot.recreate(path) as file:
        file["Events"] = {"x": np.arange(3, dtype="f4"), "name": ["a", "b", "c"]}
    found = ht.run(ht.flat(path, tree="Events").name, backend="servicex")
    assert found.value.to_list() == ["a", "b", "c"]
    assert found.plan.stages[0].cut is None


def test_run_leaves_no_folder_behind(
    agree: Agree, events: ht.Array, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    agree(events.Jet.pt * 5)
    assert not [name for name in os.listdir(tmp_path) if "servicex" not in name]

"""Forms in which ServiceX delivers: Parquet, ROOT, and addresses of what stays where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("servicex", reason="the extra servicex is not installed")

from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner

import hep_tables_coffea as ht
from hep_tables_coffea.errors import BackendError, OptionError, UsageError


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    folder = tmp_path_factory.mktemp("forms")
    paths = [ht.samples.nanoaod(folder / f"{name}.root", events=30, seed=seed) for seed, name in enumerate("ab")]
    return ht.nanoaod(paths, name="zll")


def outputs(events: ht.Array) -> dict[str, Any]:
    jets = events.Jet[events.Jet.pt > 30]
    return {"pt": jets.pt / 1000, "met": events.MET.pt, "n": jets.Count(axis=None)}


def plain(answers: dict[str, Any]) -> dict[str, Any]:
    return {name: value.tolist() if hasattr(value, "tolist") else value for name, value in answers.items()}


@pytest.mark.parametrize("delivery", ["parquet", "root", "urls"])
def test_answer_is_the_same_in_each_form(events: ht.Array, delivery: str) -> None:
    direct = ht.make_local(outputs(events))
    delivered = ht.make_local(outputs(events), backend="servicex", delivery=delivery)
    assert plain(delivered) == plain(direct)


@pytest.mark.parametrize("delivery", ["parquet", "root"])
def test_delivered_files_are_read_by_a_runner(events: ht.Array, delivery: str) -> None:
    fileset = ht.servicex.fileset(outputs(events), delivery=delivery)
    processor = ht.to_processor(outputs(events), backend="servicex")
    form = {"parquet": "parquet", "root": "root"}[delivery]
    runner = Runner(IterativeExecutor(status=False), schema=BaseSchema, format=form, metadata_cache={})
    assert plain(runner(fileset, processor_instance=processor)) == plain(ht.make_local(outputs(events)))


def test_urls_leave_no_copy(events: ht.Array, tmp_path: Path) -> None:
    ht.make_local(events.MET.pt, backend="servicex", delivery="urls", cache=tmp_path)
    assert [path.name for path in tmp_path.rglob("*.parquet")] == []


def test_unknown_form_is_refused(events: ht.Array) -> None:
    with pytest.raises(OptionError, match="delivery is one of 'parquet', 'root', 'urls'"):
        ht.make_local(events.MET.pt, delivery="csv")


def test_lists_of_lists_and_missing_values_are_refused_for_trees(events: ht.Array) -> None:
    with pytest.raises(UsageError, match=r"(?s)a TTree cannot hold Jet_pt_max.*parquet"):
        ht.make_local({"Jet_pt_max": events.Jet.pt.Max()}, backend="servicex", delivery="root")


def test_peek_of_a_named_dataset_asks_for_its_first_file(events: ht.Array) -> None:
    paths = [path for path, _ in events._node.dataset.files]
    with ht.servicex.local({"rucio://user.me:zll": paths}) as endpoint:
        named = ht.nanoaod("rucio://user.me:zll")
        endpoint.faults.set("fail:*b.root")
        assert named.MET.pt.peek(3).to_list() == ht.make_local(events.MET.pt)[:3].to_list()


def test_atlas_queries_need_a_server() -> None:
    with (
        ht.servicex.local({"rucio://mc20:zee": "none.root"}),
        pytest.raises(BackendError, match=r"(?s)has no atlasr22.*ht\.physlite"),
    ):
        ht.make_local(ht.xaod_table("rucio://mc20:zee").Electrons.pt)

"""Generated processors in coffea's own Runner, on its executors and formats: the answers of `make_local`."""

from __future__ import annotations

import pickle
import random
import subprocess
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from coffea.nanoevents import BaseSchema

import hep_tables_coffea as ht

RUN_WITHOUT_US = """
import sys
import awkward as ak
from coffea import processor
from coffea.nanoevents import BaseSchema
from coffea.util import coffea_console
coffea_console.quiet = True
from written import WrittenProcessor
runner = processor.Runner(processor.IterativeExecutor(), schema=BaseSchema, format=sys.argv[2], chunksize=7)
out = runner({"d": {"files": {sys.argv[1]: "Events"}}}, processor_instance=WrittenProcessor())
ak.to_parquet({"mass": out["mass"]}, sys.argv[3])
print(out["n"], out["h"].sum().value, out["top"])
"""


def outputs(events: Any) -> dict[str, Any]:
    """One output of each kind."""
    jets = events.Jet[events.Jet.pt > 30]
    pairs = ht.pairs(events.Muon)
    return {
        "jets": jets.pt,
        "number": events.Muon.Count(),
        "mass": (pairs.a + pairs.b).mass,
        "run": events.run,
        "sum": ak.sum(events.Jet.pt, axis=None),
        "mean": events.MET.pt.Mean(),
        "most": events.Jet.pt.Max().Max(),
        "first": events.event.First(),
        "h": ht.Hist.new.Reg(20, 0, 200, name="pt").Weight().fill(jets.pt),
    }


@pytest.fixture(scope="module")
def program(zll: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The processor, the fileset, and the answers of `make_local`."""
    recorded = outputs(ht.nanoaod(zll))
    fileset = {"zll": {"files": {zll: "Events"}, "metadata": {"xsec": 3.0}}}
    return ht.to_processor(recorded), fileset, ht.make_local(recorded)


def without_sums(answers: dict[str, Any]) -> dict[str, Any]:
    """Sums of floats and histograms depend on the order of addition in their last bits."""
    return {key: value for key, value in answers.items() if key not in ("sum", "mean", "h")}


@pytest.mark.parametrize("chunksize", [1, 7, 100_000])
def test_answers_are_those_of_make_local_for_any_chunks(
    program: Any, run: Callable[..., Any], same: Callable[..., bool], chunksize: int
) -> None:
    processor, fileset, expected = program
    found = run(processor, fileset, chunksize=chunksize)
    assert same(without_sums(found), without_sums(expected))
    assert found["sum"] == pytest.approx(expected["sum"], rel=1e-12)
    assert found["h"].sum().value == expected["h"].sum().value


@pytest.mark.parametrize("schema", ["BaseSchema", "NanoAODSchema"])
def test_schema_of_the_runner_does_not_matter(
    program: Any, run: Callable[..., Any], same: Callable[..., bool], schema: str
) -> None:
    import coffea.nanoevents

    processor, fileset, expected = program
    assert same(run(processor, fileset, schema=getattr(coffea.nanoevents, schema)), expected)


def test_runner_counts_the_bytes_of_columns(write: Callable[..., str]) -> None:
    from coffea.processor import IterativeExecutor, Runner

    path = write("numbers.root", x=np.arange(10_000.0), y=np.arange(10_000.0))
    events = ht.dataset(path)
    one, both = ({"x": events.x}, {"x": events.x, "y": events.y})
    runner = Runner(IterativeExecutor(), schema=BaseSchema, savemetrics=True)
    files = {"d": {"files": {path: "Events"}}}
    less, more = (runner(files, processor_instance=ht.to_processor(some))[1]["bytesread"] for some in (one, both))
    with uproot.open(path) as file:
        assert more - less == file["Events"]["y"].compressed_bytes


def make_executor(name: str) -> Any:
    from coffea import processor

    if name == "futures":
        return processor.FuturesExecutor(workers=2)
    if name == "threads":
        return processor.FuturesExecutor(pool=ThreadPoolExecutor(2), workers=2)
    if name == "processes":
        return processor.FuturesExecutor(pool=ProcessPoolExecutor(2), workers=2)
    return processor.IterativeExecutor()


@pytest.mark.parametrize("name", ["iterative", "threads", "futures"])
def test_every_local_executor_gives_the_same(
    program: Any, run: Callable[..., Any], same: Callable[..., bool], name: str
) -> None:
    processor, fileset, expected = program
    found = run(processor, fileset, make_executor(name), chunksize=15)
    assert same(without_sums(found), without_sums(expected))


def test_dask_cluster_of_processes_gives_the_same(
    program: Any, run: Callable[..., Any], same: Callable[..., bool]
) -> None:
    distributed = pytest.importorskip("distributed")
    from coffea.processor import DaskExecutor

    processor, fileset, expected = program
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        found = run(processor, fileset, DaskExecutor(client=client), chunksize=15)
    assert same(without_sums(found), without_sums(expected))


def test_parsl_gives_the_same(program: Any, run: Callable[..., Any], same: Callable[..., bool], tmp_path: Path) -> None:
    parsl = pytest.importorskip("parsl")
    from coffea.processor import ParslExecutor
    from parsl.executors.threads import ThreadPoolExecutor as Threads

    processor, fileset, expected = program
    config = parsl.config.Config(executors=[Threads(max_threads=2)], run_dir=str(tmp_path), initialize_logging=False)
    with parsl.load(config):
        found = run(processor, fileset, ParslExecutor(), chunksize=15)
    assert same(without_sums(found), without_sums(expected))


def test_order_in_which_chunks_are_done_does_not_matter(zll: str, program: Any, same: Callable[..., bool]) -> None:
    from coffea.nanoevents import BaseSchema
    from coffea.processor import IterativeExecutor, Runner

    processor, fileset, expected = program
    runner = Runner(IterativeExecutor(), schema=BaseSchema, chunksize=5, metadata_cache={})
    items = list(runner.preprocess(fileset, treename="Events"))
    random.Random(1).shuffle(items)
    assert same(without_sums(runner.run(items, processor)["out"]), without_sums(expected))


def test_two_datasets_come_in_the_order_in_which_they_were_opened(
    write: Callable[..., str], run: Callable[..., Any]
) -> None:
    fileset = {"z": [write("z.root", x=[1.0, 2.0])], "a": [write("a.root", x=[3.0])]}
    processor = ht.to_processor({"x": ht.dataset(fileset).x})
    given = {name: {"files": dict.fromkeys(files, "Events")} for name, files in reversed(fileset.items())}
    assert run(processor, given)["x"].to_list() == [1.0, 2.0, 3.0]


def test_metadata_of_the_fileset_reach_the_program(write: Callable[..., str], run: Callable[..., Any]) -> None:
    path = write("a.root", x=[1.0, 2.0])
    events = ht.dataset({"a": {"files": [path], "metadata": {"xsec": 3.0}}})
    processor = ht.to_processor({"x": events.x * ht.metadata(events, "xsec")})
    fileset = {"a": {"files": {path: "Events"}, "metadata": {"xsec": 5.0}}}
    assert run(processor, fileset)["x"].to_list() == [5.0, 10.0]


def test_column_that_data_lack_is_missing_there(write: Callable[..., str], run: Callable[..., Any]) -> None:
    mc, data = write("mc.root", x=[1.0], w=[2.0]), write("data.root", x=[3.0, 4.0])
    events = ht.dataset({"mc": [mc], "data": [data]})
    processor = ht.to_processor({"w": events.w, "n": events.w.Count(axis=0)})
    found = run(processor, {"mc": {"files": {mc: "Events"}}, "data": {"files": {data: "Events"}}})
    assert (found["w"].to_list(), found["n"]) == ([2.0, None, None], 3)


def test_file_without_events_adds_nothing(write: Callable[..., str], run: Callable[..., Any]) -> None:
    full, none = write("full.root", x=[1.0]), write("none.root", x=[0.0][:0])
    processor = ht.to_processor({"x": ht.dataset([none, full]).x})
    assert run(processor, {"d": {"files": {none: "Events", full: "Events"}}})["x"].to_list() == [1.0]


def test_file_that_is_processed_twice_counts_twice(write: Callable[..., str], run: Callable[..., Any]) -> None:
    path = write("a.root", x=[1.0, 2.0])
    events = ht.dataset(path, tree="Events")
    processor = ht.to_processor({"x": events.x, "least": events.x.Min(axis=0), "n": events.Count()})
    found = run(processor, {"d": {"files": [path, path], "treename": "Events"}})
    assert (found["x"].to_list(), found["least"], found["n"]) == ([1.0, 2.0, 1.0, 2.0], 1.0, 4)


def test_metrics_are_those_of_coffea(program: Any, run: Callable[..., Any], same: Callable[..., bool]) -> None:
    processor, fileset, expected = program
    found, metrics = run(processor, fileset, savemetrics=True)
    assert same(found, expected)
    assert metrics["entries"] == 40


@pytest.mark.filterwarnings("ignore:Performed attempt:UserWarning", "ignore:Skipping bad file:UserWarning")
def test_bad_file_can_be_skipped(write: Callable[..., str], run: Callable[..., Any], tmp_path: Path) -> None:
    good = write("good.root", x=[1.0])
    (tmp_path / "bad.root").write_text("junk")
    processor = ht.to_processor({"x": ht.dataset(good).x})
    fileset = {"d": {"files": {good: "Events", str(tmp_path / "bad.root"): "Events"}}}
    assert run(processor, fileset, skipbadfiles=(Exception,))["x"].to_list() == [1.0]


def test_result_type_of_coffea_can_be_used(program: Any, run: Callable[..., Any], same: Callable[..., bool]) -> None:
    processor, fileset, expected = program
    found = run(processor, fileset, use_result_type=True, skipbadfiles=True)
    assert same(found.unwrap() if hasattr(found, "unwrap") else found.value, expected)


@pytest.mark.parametrize(("name", "format"), [("nano_dy.root", "root"), ("nano_dy.parquet", "parquet")])
def test_real_nanoaod_gives_the_same(
    data: Callable[[str], str], run: Callable[..., Any], same: Callable[..., bool], name: str, format: str
) -> None:
    path = data(name)
    recorded = outputs(ht.nanoaod(path))
    found = run(ht.to_processor(recorded), {"d": {"files": {path: "Events"}}}, format=format, chunksize=25)
    assert same(without_sums(found), without_sums(ht.make_local(recorded)))


def test_rntuple_gives_the_same(data: Callable[[str], str], run: Callable[..., Any], same: Callable[..., bool]) -> None:
    path = data("Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root")
    events = ht.dataset(path)
    recorded = {"pt": events.Muon.pt, "n": events.Muon.Count()}
    found = run(ht.to_processor(recorded), {"d": {"files": {path: "Events"}}}, chunksize=300)
    assert same(found, ht.make_local(recorded))


def test_struct_members_of_parquet_are_found(tmp_path: Path) -> None:
    path = str(tmp_path / "a.parquet")
    jets = ak.Array([[{"pt": 1.0, "q": 1}], [], [{"pt": 2.0, "q": -1}, {"pt": 3.0, "q": 1}]])
    ak.to_parquet(ak.zip({"Jet": jets, "x": [1, 2, 3]}, depth_limit=1), path, row_group_size=2)
    events = ht.dataset(path)
    recorded = {"pt": events.Jet.pt[events.Jet.q > 0], "x": events.x}
    assert ht.make_local(recorded)["pt"].to_list() == [[1.0], [], [3.0]]


def test_struct_members_of_parquet_are_found_by_the_generated_code(tmp_path: Path) -> None:
    import pyarrow.parquet

    from hep_tables_coffea.codegen.reading import read_parquet

    path = str(tmp_path / "a.parquet")
    jets = ak.Array([[{"pt": 1.0, "q": 1}], [], [{"pt": 2.0, "q": -1}, {"pt": 3.0, "q": 1}]])
    ak.to_parquet(ak.zip({"Jet": jets, "x": [1, 2, 3]}, depth_limit=1), path, row_group_size=2)
    found = read_parquet(pyarrow.parquet.ParquetFile(path), ["Jet.pt", "x", "Jet.gone", "gone"], 1, 3)
    assert found["Jet.pt"].to_list() == [[], [2.0, 3.0]]
    assert found["x"].to_list() == [2, 3]
    assert found["Jet.gone"] is None
    assert "gone" not in found


@pytest.mark.filterwarnings("ignore:Skipping:UserWarning")
@pytest.mark.parametrize(
    ("name", "tree", "record"),
    [
        ("PHYSLITE_example.root", "CollectionTree", lambda e: {"pt": e.Electrons.pt}),
        ("treemaker.root", "PreSelection", lambda e: {"pt": e.Jets.pt}),
    ],
)
def test_branches_in_branches_are_found(
    data: Callable[[str], str], run: Callable[..., Any], same: Callable[..., bool], name: str, tree: str, record: Any
) -> None:
    path = data(name)
    recorded = record(ht.dataset(path, tree=tree))
    found = run(ht.to_processor(recorded), {"d": {"files": {path: tree}}})
    assert same(found, ht.make_local(recorded))


def test_answers_survive_the_pickle_of_the_standard_library(program: Any, same: Callable[..., bool]) -> None:
    assert same(pickle.loads(pickle.dumps(program[2])), program[2])


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_written_processor_runs_without_this_library(
    tmp_path: Path, without_us: Callable[..., subprocess.CompletedProcess[str]], suffix: str
) -> None:
    path = ht.samples.nanoaod(tmp_path / f"zll.{suffix}", events=30)
    events = ht.nanoaod(path)
    pairs = ht.pairs(events.Muon)
    recorded = {
        "mass": (pairs.a + pairs.b).mass,
        "n": events.Muon.Count().Sum(),
        "h": ht.Hist.new.Reg(5, 0, 100, name="pt").Weight().fill(events.Jet.pt),
        "top": events.Jet.pt.Max().Max(),
    }
    ht.write_processor(recorded, tmp_path / "written.py")
    done = without_us(RUN_WITHOUT_US, path, suffix, str(tmp_path / "out.parquet"))
    expected = ht.make_local(recorded)
    assert done.stdout.split() == [str(expected["n"]), str(expected["h"].sum().value), str(expected["top"])]
    mass = ak.from_parquet(tmp_path / "out.parquet")["mass"]
    assert ak.to_list(mass) == ak.to_list(expected["mass"])

"""`ht.Executor` in coffea's Runner: what coffea's own executors give, in threads and from files that stay open."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht

pytestmark = pytest.mark.filterwarnings("ignore:Performed attempt:UserWarning")


@ht.user_func(vectorized=True)
def fails_at_five(x: float) -> float:
    if 5.0 in x:
        msg = "five is too much"
        raise ZeroDivisionError(msg)
    return x


class ByHand:
    """What coffea calls a processor, without a base class."""

    def __call__(self, events: Any) -> Any:
        import hist

        h = hist.Hist.new.Reg(10, 0, 40, name="x").Weight().fill(events.x, weight=events.x / 3)
        return {"h": h, "seen": [events.metadata["entrystart"]], "n": {events.metadata["dataset"]: len(events)}}


def by_hand() -> Any:
    from coffea.processor import ProcessorABC

    class Written(ProcessorABC):  # type: ignore[misc]
        process = ByHand.__call__

        def postprocess(self, accumulator: Any) -> Any:
            return {**accumulator, "post": True}

    return Written()


def outputs(events: Any) -> dict[str, Any]:
    jets = events.Jet[events.Jet.pt > 30]
    return {
        "jets": jets.pt,
        "sum": ak.sum(events.Jet.pt, axis=None),
        "h": ht.Hist.new.Reg(20, 0, 200, name="pt").Weight().fill(jets.pt, weight=jets.pt / 3),
    }


@pytest.fixture
def path(write: Callable[..., str]) -> str:
    return write("a.root", x=np.arange(40.0))


@pytest.fixture
def broken(path: str, tmp_path: Path) -> str:
    target = tmp_path / "broken.root"
    target.write_bytes(Path(path).read_bytes()[:150])
    return str(target)


def files(*paths: str, **more: Any) -> dict[str, Any]:
    return {"d": {"files": dict.fromkeys(paths, "Events"), **more}}


# -- the same answers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunksize", [1, 7, 100_000])
@pytest.mark.parametrize("schema", ["BaseSchema", "NanoAODSchema"])
def test_answers_of_a_generated_processor_are_those_of_coffea(
    zll: str, run: Callable[..., Any], same: Callable[..., bool], chunksize: int, schema: str
) -> None:
    import coffea.nanoevents

    processor = ht.to_processor(outputs(ht.nanoaod(zll)))
    options = {"chunksize": chunksize, "schema": getattr(coffea.nanoevents, schema)}
    expected = run(processor, files(zll), **options)
    assert same(run(processor, files(zll), ht.Executor(workers=2), **options), expected)


@pytest.mark.parametrize("make", [ByHand, by_hand])
@pytest.mark.parametrize("chunksize", [1, 7, 100_000])
def test_answers_of_another_processor_are_those_of_coffea(
    path: str, run: Callable[..., Any], same: Callable[..., bool], make: Any, chunksize: int
) -> None:
    expected = run(make(), files(path), chunksize=chunksize)
    assert same(run(make(), files(path), ht.Executor(workers=2), chunksize=chunksize), expected)


def test_chunks_are_added_in_their_order(path: str, run: Callable[..., Any]) -> None:
    found = run(ByHand(), files(path), ht.Executor(workers=3), chunksize=2)
    assert found["seen"] == list(range(0, 40, 2))


@pytest.mark.parametrize("compression", [1, None])
def test_processor_may_be_sent_as_it_is(
    zll: str, run: Callable[..., Any], same: Callable[..., bool], compression: int | None
) -> None:
    processor = ht.to_processor(outputs(ht.nanoaod(zll)))
    options = {"chunksize": 7, "processor_compression": compression}
    expected = run(processor, files(zll), **options)
    assert same(run(processor, files(zll), ht.Executor(workers=2), **options), expected)


def test_program_over_a_schema_class_of_coffea_gives_the_same(
    zll: str, run: Callable[..., Any], same: Callable[..., bool]
) -> None:
    from coffea.nanoevents import NanoAODSchema

    processor = ht.to_processor({"pt": ht.dataset(zll, schema=NanoAODSchema).Jet.pt})
    options = {"chunksize": 7, "schema": NanoAODSchema}
    expected = run(processor, files(zll), **options)
    assert same(run(processor, files(zll), ht.Executor(workers=2), **options), expected)


def test_metadata_of_each_dataset_reach_the_program(write: Callable[..., str], run: Callable[..., Any]) -> None:
    one, two = write("a.root", x=np.arange(10.0)), write("b.root", x=np.arange(5.0))
    samples = {
        "a": {"files": {one: "Events"}, "metadata": {"xsec": 2.0}},
        "b": {"files": {two: "Events"}, "metadata": {"xsec": 10.0}},
    }
    events = ht.dataset(samples)
    processor = ht.to_processor({"weighted": (events.x * 0 + ht.metadata(events, "xsec")).Sum()})
    assert run(processor, samples, ht.Executor(workers=2), chunksize=4) == {"weighted": 70.0}


def test_rntuple_gives_the_same(tmp_path: Path, run: Callable[..., Any]) -> None:
    path = tmp_path / "n.root"
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", {"x": np.arange(30.0)})
    processor = ht.to_processor({"x": ht.dataset(str(path)).x})
    found = run(processor, files(str(path)), ht.Executor(workers=2), chunksize=7)
    assert found["x"].to_list() == list(range(30))


def test_parquet_gives_the_same(tmp_path: Path, run: Callable[..., Any]) -> None:
    path = str(tmp_path / "n.parquet")
    ak.to_parquet(ak.Array({"x": np.arange(30.0)}), path)
    processor = ht.to_processor({"x": ht.dataset(path).x})
    found = run(processor, files(path), ht.Executor(workers=2), chunksize=7, format="parquet")
    assert found["x"].to_list() == list(range(30))


def test_maxchunks_is_kept(path: str, run: Callable[..., Any]) -> None:
    processor = ht.to_processor({"x": ht.dataset(path).x})
    assert len(run(processor, files(path), ht.Executor(workers=2), chunksize=10, maxchunks=2)["x"]) == 20


# -- the account -----------------------------------------------------------------------------------------------------


def test_metrics_of_a_generated_processor(path: str, run: Callable[..., Any]) -> None:
    processor = ht.to_processor({"x": ht.dataset(path).x})
    _, metrics = run(processor, files(path), ht.Executor(workers=2), chunksize=10, savemetrics=True)
    seconds = metrics.pop("processtime")
    assert metrics == {"bytesread": 320, "columns": ["x"], "entries": 40, "chunks": 4}
    assert seconds > 0


def test_metrics_of_another_processor_are_those_of_coffea(path: str, run: Callable[..., Any]) -> None:
    expected, found = (
        run(ByHand(), files(path), executor, chunksize=10, savemetrics=True)[1]
        for executor in (None, ht.Executor(workers=2))
    )
    assert {**found, "processtime": 0} == {**expected, "processtime": 0}


@pytest.fixture
def runner() -> Callable[..., Any]:
    def make(executor: Any, **options: Any) -> Any:
        from coffea.nanoevents import BaseSchema
        from coffea.processor import Runner

        return Runner(executor, **{"schema": BaseSchema, "metadata_cache": {}, **options})

    return make


def test_chunks_that_were_processed_are_told(path: str, runner: Callable[..., Any]) -> None:
    own = runner(ht.Executor(workers=2), chunksize=10)
    done = own.run(files(path), processor_instance=ht.to_processor({"x": ht.dataset(path).x}))
    assert done["processed"] == set(own.preprocess(files(path)))
    assert done["exception"] == 0


def test_work_items_are_those_of_coffea(path: str, zll: str, runner: Callable[..., Any]) -> None:
    from coffea.processor import IterativeExecutor

    expected, found = (
        list(runner(executor, chunksize=7).preprocess(files(path, zll, metadata={"xsec": 2.0})))
        for executor in (IterativeExecutor(), ht.Executor(workers=2))
    )
    assert found == expected
    assert [item.usermeta for item in found] == [item.usermeta for item in expected]


def test_clusters_are_aligned_to_as_by_coffea(zll: str, runner: Callable[..., Any]) -> None:
    items = runner(ht.Executor(workers=2), chunksize=15, align_clusters=True).preprocess(files(zll))
    assert [(item.entrystart, item.entrystop) for item in items] == [(0, 20), (20, 40)]


def test_file_is_not_opened_for_each_chunk(path: str, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    processor = ht.to_processor({"x": ht.dataset(path).x})
    opened, original = [], uproot.open

    def counting(*arguments: Any, **options: Any) -> Any:
        opened.append(arguments)
        return original(*arguments, **options)

    monkeypatch.setattr(uproot, "open", counting)
    run(processor, files(path), ht.Executor(workers=2), chunksize=1)
    assert len(opened) <= 2


def test_checkpoints_are_written_and_used(path: str, run: Callable[..., Any], tmp_path: Path) -> None:
    from coffea.processor import SimpleCheckpointer

    options = {"chunksize": 10, "checkpointer": SimpleCheckpointer(str(tmp_path / "kept"))}
    events = ht.dataset(path)
    first = run(ht.to_processor({"n": events.x.Sum()}), files(path), ht.Executor(workers=2), **options)
    assert len(list((tmp_path / "kept").rglob("*.coffea"))) == 4
    again = run(ht.to_processor({"n": (events.x * 2).Sum()}), files(path), ht.Executor(workers=2), **options)
    assert first == again == {"n": 780.0}


# -- failures --------------------------------------------------------------------------------------------------------


def test_failure_of_a_chunk_is_raised_with_its_cause(path: str, run: Callable[..., Any]) -> None:
    processor = ht.to_processor({"x": fails_at_five(ht.dataset(path).x)})
    text = r"Failed processing file: WorkItem\(.*entrystart=0, .*The error was: ZeroDivisionError\('five is too much'\)"
    with pytest.raises(Exception, match=text) as raised:
        run(processor, files(path), ht.Executor(workers=2, retries=0), chunksize=10)
    cause = raised.value.__cause__
    assert isinstance(cause, ZeroDivisionError)
    frames = [frame.name for frame in pytest.ExceptionInfo.from_exception(cause).traceback]
    assert frames[-1] == "fails_at_five"


def test_first_chunk_that_fails_is_the_one_that_is_raised(path: str, run: Callable[..., Any]) -> None:
    def failing(events: Any) -> Any:
        if events.metadata["entrystart"] == 4:
            threading.Event().wait(0.2)
        if events.metadata["entrystart"] >= 4:
            raise ValueError(events.metadata["entrystart"])
        return {}

    for _ in range(3):
        with pytest.raises(Exception, match=r"ValueError\(4\)"):
            run(failing, files(path), ht.Executor(workers=3, retries=0), chunksize=2)


def test_chunk_that_fails_is_tried_again(path: str, run: Callable[..., Any]) -> None:
    seen: list[int] = []

    def failing(events: Any) -> Any:
        seen.append(len(events))
        msg = "no"
        raise ValueError(msg)

    with pytest.raises(Exception, match="ValueError"):
        run(failing, files(path), ht.Executor(workers=2, retries=2), processor_compression=None)
    assert seen == [40, 40, 40]


@pytest.mark.parametrize("generated", [True, False])
def test_bad_file_is_skipped(path: str, broken: str, run: Callable[..., Any], generated: bool) -> None:
    processor = ht.to_processor({"n": ht.dataset(path).x.Count()}) if generated else (lambda events: {"n": len(events)})
    with pytest.warns(UserWarning, match="Skipping bad file after 1 attempts"):
        found = run(processor, files(broken, path), ht.Executor(workers=2, retries=0), chunksize=10, skipbadfiles=True)
    assert found["n"] == 40


def test_bad_file_is_raised_as_by_coffea(path: str, broken: str, run: Callable[..., Any]) -> None:
    from coffea.processor import IterativeExecutor

    raised = []
    for executor in (IterativeExecutor(retries=0), ht.Executor(workers=2, retries=0)):
        with pytest.raises(Exception, match=r"broken\.root") as error:
            run(lambda events: {}, files(broken, path), executor)
        raised.append((type(error.value), str(error.value)))
    assert raised[0] == raised[1]


def test_tree_that_is_not_there_is_raised_as_by_coffea(path: str, run: Callable[..., Any]) -> None:
    with pytest.raises(KeyError, match="not found: 'Nothing'"):
        run(ByHand(), {"d": {"files": {path: "Nothing"}}}, ht.Executor(workers=2, retries=0))


def test_chunks_of_a_file_that_broke_are_skipped(
    write: Callable[..., str], path: str, broken: str, runner: Callable[..., Any]
) -> None:
    other = write("b.root", x=np.arange(10.0))
    processor = ht.to_processor({"n": ht.dataset(path).x.Count()})
    own = runner(ht.Executor(workers=2, retries=0), chunksize=10, skipbadfiles=True)
    items = list(own.preprocess(files(other, path)))
    Path(other).write_bytes(Path(broken).read_bytes())
    with pytest.warns(UserWarning, match="Skipping bad file"):
        done = own.run(items, processor_instance=processor)
    assert done["out"] == {"n": 40}
    assert done["processed"] == {item for item in items if item.filename == path}


@pytest.mark.parametrize("workers", [1, 2])
def test_result_types_are_given(path: str, run: Callable[..., Any], workers: int) -> None:
    options = {"chunksize": 10, "use_result_type": True, "skipbadfiles": (ZeroDivisionError,)}
    executor = ht.Executor(workers=workers, retries=0)
    good, bad = ht.dataset(path).x, fails_at_five(ht.dataset(path).x)
    assert run(ht.to_processor({"n": good.Count()}), files(path), executor, **options).unwrap() == {"n": 40}
    failed = run(ht.to_processor({"n": bad.Count()}), files(path), executor, **options)
    assert isinstance(failed.exception.__cause__, ZeroDivisionError)


# -- threads ---------------------------------------------------------------------------------------------------------


def names_of_threads(_: Any) -> set[str]:
    return {threading.current_thread().name.split("_")[0]}


@pytest.mark.parametrize(("workers", "items"), [(1, 5), (4, 1)])
def test_no_thread_is_started_for_one(workers: int, items: int) -> None:
    found, problem = ht.Executor(workers=workers, status=False)(range(items), names_of_threads, None)
    assert (found, problem) == ({threading.current_thread().name}, 0)


def test_several_items_go_to_threads() -> None:
    found, _ = ht.Executor(workers=2, status=False)(range(5), names_of_threads, None)
    assert found == {"hep"}


def test_nothing_to_do_gives_the_accumulator() -> None:
    assert ht.Executor(workers=2)([], names_of_threads, {"n": 1}) == ({"n": 1}, 0)


def test_run_within_a_chunk_does_not_wait_for_itself(path: str) -> None:
    events = ht.dataset(path)

    def inner(_: Any) -> int:
        return int(ht.make_local(events.x.Count(), executor="threads", workers=2, chunksize=10))

    assert ht.Executor(workers=2, status=False)(range(6), inner, None) == (240, 0)


def test_nothing_is_at_work_after_a_failure() -> None:
    at_work: list[int] = []

    def failing(item: int) -> int:
        if item == 0:
            msg = "no"
            raise ValueError(msg)
        at_work.append(item)
        threading.Event().wait(0.1)
        at_work.remove(item)
        return item

    with pytest.raises(ValueError, match="no"):
        ht.Executor(workers=3, status=False)(range(50), failing, None)
    assert at_work == []


@pytest.mark.parametrize("workers", [0, -1])
def test_workers_are_a_positive_number(workers: int) -> None:
    with pytest.raises(ht.HepTablesError, match=re.escape(f"workers={workers} is not possible")):
        ht.Executor(workers=workers)


def test_executor_is_the_one_that_is_meant_by_threads() -> None:
    from hep_tables_coffea import config
    from hep_tables_coffea.backends.coffea.executors import executor_for

    assert type(executor_for(config.Options(executor="threads"), progress=False)) is ht.Executor


def test_small_file_needs_no_thread(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from hep_tables_coffea.backends.coffea import threads

    monkeypatch.delattr(threads, "pool_of")
    assert ht.make_local(ht.dataset(path).x.Sum(), workers=8) == 780.0


def test_executor_can_be_given_to_a_run(path: str) -> None:
    found = ht.make_local(ht.dataset(path).x, executor=ht.Executor(workers=2), chunksize=7)
    assert found.to_list() == list(range(40))


@pytest.mark.parametrize("as_class", [True, False])
def test_executor_can_be_given_to_an_old_script(path: str, as_class: bool) -> None:
    executor = ht.Executor if as_class else ht.Executor(status=False)
    processor = ht.to_processor({"n": ht.dataset(path).x.Count()})
    arguments = {"workers": 2, "status": False}
    assert ht.run_uproot_job({"d": [path]}, "Events", processor, executor, arguments, chunksize=7) == {"n": 40}


def test_wrong_argument_has_a_hint(path: str) -> None:
    with pytest.raises(ht.HepTablesError, match="neither Executor nor Runner takes 'worker'"):
        ht.run_uproot_job({"d": [path]}, "Events", ByHand(), ht.Executor, {"worker": 2})


@pytest.mark.parametrize(("status", "expected"), [(True, "Counting 100%"), (False, "")])
def test_bar_is_that_of_coffea(status: bool, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    from coffea.util import coffea_console

    shown = io.StringIO()
    monkeypatch.setattr(coffea_console, "quiet", False)
    monkeypatch.setattr(coffea_console, "file", shown)
    ht.Executor(workers=2, status=status, desc="Counting", unit="chunk")(range(5), names_of_threads, None)
    assert shown.getvalue()[: len("Counting 100%")] == expected

"""Executors by name and as instances: which they are, what is kept of them, and what they leave behind."""

from __future__ import annotations

import asyncio
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, _base, wait
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea import config
from hep_tables_coffea.backends.coffea import executors
from hep_tables_coffea.backends.coffea.chunks import ChunkRunner
from hep_tables_coffea.backends.coffea.threads import cores, pool_of
from hep_tables_coffea.codegen.load import load_class

RUNS_TWICE = """
import sys
import hep_tables_coffea as ht

def main():
    events = ht.dataset(sys.argv[1])
    for _ in range(2):
        print(ht.make_local(events.x.Sum(), executor=sys.argv[2], workers=2, chunksize=3, progress=False))

if __name__ == "__main__":
    main()
"""
RUNS_FOR_LONG = """
import sys
import hep_tables_coffea as ht

def main():
    events = ht.dataset(sys.argv[1])
    print("started", flush=True)
    ht.make_local(events.x, executor=sys.argv[2], workers=2, chunksize=1, progress=False)

if __name__ == "__main__":
    main()
"""


def script(tmp_path: Path, text: str) -> str:
    path = tmp_path / "script.py"
    path.write_text(text)
    return str(path)


def made(executor: Any, **options: Any) -> Any:
    return executors.executor_for(config.merged({"executor": executor, **options}), progress=False)


@pytest.mark.parametrize("name", ["auto", "iterative", "threads", "futures"])
def test_every_local_executor_gives_the_same_columns(write: Callable[..., str], name: str) -> None:
    events = ht.dataset([write("a.root", x=np.arange(50.0)), write("b.root", x=np.arange(50.0) + 50)])
    found = ht.make_local(events.x[events.x > 10], executor=name, workers=2, chunksize=7)
    assert found.to_list() == [float(x) for x in range(11, 100)]


@pytest.mark.parametrize("name", ["iterative", "threads", "futures"])
def test_every_local_executor_gives_the_same_histogram(write: Callable[..., str], name: str) -> None:
    events = ht.dataset(write("a.root", x=np.arange(100.0), w=np.linspace(0.1, 0.9, 100)))
    h = ht.Hist.new.Reg(4, 0, 100, name="x").Weight().fill(events.x, weight=events.w)
    found = ht.make_local(h, executor=name, workers=2, chunksize=9)
    sums = np.linspace(0.1, 0.9, 100).reshape(4, 25).sum(axis=1)
    assert found.values() == pytest.approx(sums, rel=1e-14)


def test_dask_client_is_used_as_it_is(write: Callable[..., str]) -> None:
    distributed = pytest.importorskip("distributed")
    events = ht.dataset(write("a.root", x=np.arange(10.0)))
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        assert made(client).client is client
        assert ht.make_local(events.x, executor=client, chunksize=4).to_list() == [float(x) for x in range(10)]
        assert made("dask").client is client


def test_settings_of_an_executor_of_coffea_are_kept() -> None:
    from coffea.processor import FuturesExecutor

    mine = FuturesExecutor(workers=3, retries=7, compression=None, merging=(5, 4, 100))
    found = made(mine)
    assert (found.workers, found.retries, found.compression, found.merging) == (3, 7, None, (5, 4, 100))


def test_pool_of_threads_is_kept_between_runs() -> None:
    assert pool_of(2) is pool_of(2)


def test_pool_of_processes_is_kept_between_runs(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=np.arange(10.0)))
    started = []
    for _ in range(2):
        ht.make_local(events.x, executor="futures", workers=2, chunksize=5)
        started.append(set(made("futures", workers=2).pool._processes))
    assert started[0] == started[1]


def test_histograms_of_several_threads_are_those_of_one_to_the_last_bit(write: Callable[..., str]) -> None:
    weights = np.random.default_rng(1).normal(size=2000) * 10.0 ** np.arange(2000 % 7, 2000 % 7 + 2000) ** 0.1
    events = ht.dataset(write("a.root", x=np.arange(2000.0), w=weights))
    h = ht.Hist.new.Reg(4, 0, 2000, name="x").Weight().fill(events.x, weight=events.w)
    one = ht.make_local(h, executor="iterative", chunksize=13)
    for workers in (2, 3):
        assert ht.make_local(h, executor="threads", workers=workers, chunksize=13) == one


def test_executor_of_a_run_is_threads_on_all_cores() -> None:
    chosen = made(ht.options().now.executor)
    assert (type(chosen).__name__, chosen._threads(2)) == ("AutoExecutor", cores())


@ht.user_func(vectorized=True)
def in_a_thread(x: float) -> float:
    return x * 0 + threading.current_thread().name.startswith("hep_tables")


@pytest.mark.parametrize(("executor", "expected"), [("auto", 0.0), ("threads", 1.0)])
def test_function_of_the_user_runs_in_threads_only_where_they_are_asked_for(
    write: Callable[..., str], executor: str, expected: float
) -> None:
    events = ht.dataset(write("a.root", x=np.arange(10.0)))
    found = ht.make_local(in_a_thread(events.x), executor=executor, workers=2, chunksize=3)
    assert set(found.to_list()) == {expected}


class Doubling:
    """A function that is an object."""

    def __call__(self, x: float) -> float:
        return 2 * x


def calls_users_functions(text: str, **functions: Any) -> bool:
    made = load_class(f"{text}\nclass Made:\n    def process(self):\n        return value\n", "Made", functions)
    return ChunkRunner(made(), "run", True).calls_users_functions()


@pytest.mark.parametrize(
    ("value", "expected"), [(lambda x: x, True), (Doubling(), True), (np.hypot, False), (math.hypot, False)]
)
def test_function_in_a_generated_module_may_be_the_users(value: Any, expected: bool) -> None:
    assert calls_users_functions("", value=value) is expected


@pytest.mark.parametrize("text", ["from numba import njit as value", "import numba\nvalue = numba.njit(lambda x: x)"])
def test_what_numba_compiles_is_not_the_users(text: str) -> None:
    pytest.importorskip("numba")
    assert not calls_users_functions(text)


def test_two_runs_in_threads_do_not_disturb_each_other(write: Callable[..., str]) -> None:
    one, two = ht.dataset(write("a.root", x=np.arange(50.0))), ht.dataset(write("b.root", x=np.arange(80.0)))
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda e: ht.make_local(e.x, executor="threads", workers=2, chunksize=7), [one, two]))
    assert [len(column) for column in found] == [50, 80]


@pytest.mark.parametrize("name", ["iterative", "threads", "futures"])
def test_runs_can_be_awaited_together(write: Callable[..., str], name: str) -> None:
    one, two = ht.dataset(write("a.root", x=np.arange(50.0))), ht.dataset(write("b.root", x=np.arange(80.0)))

    async def both() -> list[Any]:
        options = {"executor": name, "workers": 2, "chunksize": 20}
        return await asyncio.gather(*(ht.make_local_async(events.x, **options) for events in (one, two)))

    assert [len(column) for column in asyncio.run(both())] == [50, 80]


def test_options_of_the_awaiting_task_are_those_of_the_run(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=np.arange(5.0)))

    async def one() -> Any:
        with ht.options(executor="nobody"):
            return await ht.make_local_async(events.x)

    with pytest.raises(ht.HepTablesError, match="there is no executor 'nobody'"):
        asyncio.run(one())


def test_bar_of_dask_finds_its_client(write: Callable[..., str]) -> None:
    pytest.importorskip("distributed")
    events = ht.flat(write("a.root", x=np.arange(6.0)))
    assert ht.make_local(events.x.Sum(axis=None), executor="dask", workers=1, chunksize=2, progress=True) == 15.0


@pytest.mark.parametrize("name", ["threads", "futures", "dask"])
def test_end_of_the_program_is_silent(tmp_path: Path, write: Callable[..., str], name: str) -> None:
    if name == "dask":
        pytest.importorskip("distributed")
    path = write("a.root", x=np.arange(10.0))
    command = [
        sys.executable,
        "-W",
        "error",
        "-W",
        "ignore::DeprecationWarning",
        script(tmp_path, RUNS_TWICE),
        path,
        name,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "45.0\n45.0\n", "")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name", ["iterative", "threads", "futures"])
def test_interrupt_ends_the_program_and_its_workers(tmp_path: Path, write: Callable[..., str], name: str) -> None:
    path = write("a.root", x=np.arange(20_000.0))
    command = [sys.executable, script(tmp_path, RUNS_FOR_LONG), path, name]
    options: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, **options) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(8)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    time.sleep(0.5)
    assert not running_in_group(process.pid)


def test_futures_that_an_interrupt_left_locked_can_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Any) -> None:
        for future in self.futures:
            future._condition.acquire()
        raise KeyboardInterrupt

    monkeypatch.setattr(_base._AcquireFutures, "__enter__", interrupted)
    future: Future[int] = Future()
    try:
        wait([future])
    except KeyboardInterrupt:
        executors.abandon()
    worker = threading.Thread(target=future.set_result, args=(1,), daemon=True)
    worker.start()
    worker.join(timeout=10)
    assert not worker.is_alive()


def running_in_group(group: int) -> list[str]:
    """Processes of a session that are still at work."""
    listed = subprocess.run(["ps", "-o", "stat=,args=", "-g", str(group)], capture_output=True, text=True, check=False)
    return [line for line in listed.stdout.splitlines() if not line.startswith("Z")]


def test_file_that_failed_in_a_worker_is_named(write: Callable[..., str], tmp_path: Path) -> None:
    path = write("a.root", x=np.arange(10.0))
    events = ht.dataset(path)
    wrong = ht.zip_rows(a=events.x, b=events.x[events.x > 0])
    with pytest.raises(
        ht.HepTablesError, match=r"aligned(.*\n)+.*a.root\n.*entries: 0 to 5\n.*test_coffea_executors.py"
    ):
        ht.make_local(wrong, executor="futures", workers=2, chunksize=5)


def test_answers_have_no_behavior_and_no_hidden_arrays(write: Callable[..., str]) -> None:
    found = ht.make_local(ht.dataset(write("a.root", x=[1.0])).x)
    assert isinstance(found, ak.Array)
    assert not found.behavior
    assert ak.to_layout(found).is_numpy

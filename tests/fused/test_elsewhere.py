"""Kernels in threads, processes, a cluster, coffea's own Runner, and processes that come later."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_bars() -> Iterator[None]:
    from coffea.util import coffea_console

    before, coffea_console.quiet = coffea_console.quiet, True
    yield
    coffea_console.quiet = before


@pytest.fixture(scope="module")
def columnar(outputs: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(outputs, engine="columnar")


def test_all_of_them_are_fused(outputs: dict[str, Any]) -> None:
    assert ht.explain(outputs, engine="fused").accounts[0].engine == ("fused",)


# -- executors of this library ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures", "dask"])
def test_executor_gives_the_same(
    executor: str, outputs: dict[str, Any], columnar: dict[str, Any], same: Callable[..., bool]
) -> None:
    if executor == "dask":
        pytest.importorskip("distributed")
    answers = ht.make_local(outputs, engine="fused", executor=executor, workers=2, chunksize=7)
    assert same(answers, columnar)


def test_threads_share_one_kernel(
    outputs: dict[str, Any], columnar: dict[str, Any], keeper: dict[str, Any], same: Callable[..., bool]
) -> None:
    answers = ht.make_local(outputs, engine="fused", executor="threads", workers=4, chunksize=1)
    assert same(answers, columnar)
    assert len(keeper) == 1


# -- coffea's Runner -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["fused", "auto"])
def processor(request: pytest.FixtureRequest, outputs: dict[str, Any]) -> Any:
    with ht.options(engine=request.param):
        return ht.to_processor(outputs)


@pytest.fixture(scope="module")
def path(many: ht.Array) -> str:
    ((file, _),) = many._node.dataset.files
    return str(file)


def executor(name: str) -> Any:
    from coffea import processor

    if name == "ours":
        return ht.Executor(workers=2, status=False)
    if name == "futures":
        return processor.FuturesExecutor(workers=2, status=False)
    return processor.IterativeExecutor(status=False)


@pytest.mark.parametrize("name", ["iterative", "futures", "ours"])
def test_runner_gives_the_same(
    name: str, processor: Any, path: str, columnar: dict[str, Any], same: Callable[..., bool]
) -> None:
    from coffea.nanoevents import BaseSchema
    from coffea.processor import Runner

    runner = Runner(executor(name), schema=BaseSchema, chunksize=7)
    answers = runner({"zll": {"files": {path: "Events"}}}, processor_instance=processor)
    assert same(dict(answers), columnar)


def test_processor_of_the_fused_engine_waits_for_its_kernel(outputs: dict[str, Any]) -> None:
    with ht.options(engine="fused"):
        assert ht.to_processor(outputs).waits is True


def test_processor_of_the_automatic_engine_does_not_wait(outputs: dict[str, Any]) -> None:
    with ht.options(engine="auto"):
        assert ht.to_processor(outputs).waits is False


def test_processor_of_the_columnar_engine_has_no_kernel(outputs: dict[str, Any]) -> None:
    with ht.options(engine="columnar"):
        assert not hasattr(ht.to_processor(outputs), "meanwhile")


def test_written_processor_has_no_kernel(outputs: dict[str, Any], tmp_path: Path) -> None:
    with ht.options(engine="fused"):
        text = ht.write_processor(outputs, tmp_path / "analysis.py").read_text()
    assert "KERNEL" not in text
    assert "numba" not in text


# -- other processes -------------------------------------------------------------------------------------------------

SCRIPT = """\
import sys
import hep_tables_coffea as ht

events = ht.nanoaod(sys.argv[1])
jets = events.Jet[events.Jet.pt > 25]
n, total = ht.make_local(jets.Count(axis=None), jets.pt.Count(axis=None), engine=sys.argv[2], progress=False)
print(n, total)
"""


def process(path: str, cache: Path, engine: str = "fused", *flags: str, script: str = SCRIPT) -> Any:
    """A Python of its own that runs the script."""
    command = [sys.executable, "-W", "error::UserWarning:hep_tables_coffea", *flags, "-c", script, path, engine]
    environment = {**os.environ, "HEP_TABLES_COFFEA_CACHE": str(cache)}
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(started: Any) -> str:
    out, errors = started.communicate(timeout=120)
    assert (started.returncode, errors) == (0, "")
    return str(out).strip()


def compiled_files(cache: Path) -> dict[str, int]:
    """What is kept of compiled kernels, and when it was written."""
    return {file.name: file.stat().st_mtime_ns for file in (cache / "kernels" / "__pycache__").iterdir()}


#: What there is of a kernel: machine code, or what numba writes.
KEPT = ["machine"] if sys.platform == "linux" else ["nbc", "nbi"]


@pytest.fixture(scope="module")
def expected(many: ht.Array) -> str:
    number = ht.make_local(many.Jet[many.Jet.pt > 25].Count(axis=None), engine="columnar")
    return f"{number} {number}"


def test_second_process_compiles_nothing(path: str, tmp_path: Path, expected: str) -> None:
    assert answer(process(path, tmp_path)) == expected
    first = compiled_files(tmp_path)
    assert sorted(name.rpartition(".")[2] for name in first) == KEPT
    assert answer(process(path, tmp_path)) == expected
    assert compiled_files(tmp_path) == first


#: Says after the answers which of the modules are imported that numba and vector load before the first kernel.
IMPORTED = (
    SCRIPT + 'print(sorted({"numba.np.arraymath", "scipy.linalg", "vector.backends._numba"} & set(sys.modules)))\n'
)


@pytest.mark.skipif(sys.platform != "linux", reason="machine code is kept on Linux alone")
def test_no_process_asks_numba(path: str, tmp_path: Path, expected: str) -> None:
    for _ in range(2):
        assert answer(process(path, tmp_path, script=IMPORTED)) == f"{expected}\n[]"


@pytest.mark.skipif(sys.platform != "linux", reason="machine code is kept on Linux alone")
def test_machine_code_that_was_cut_short(path: str, tmp_path: Path, expected: str) -> None:
    assert answer(process(path, tmp_path)) == expected
    (file,) = (tmp_path / "kernels" / "__pycache__").glob("*.machine")
    content = file.read_bytes()
    file.write_bytes(content[:-100])
    assert answer(process(path, tmp_path)) == expected
    assert file.read_bytes() == content


def test_two_processes_at_once_with_an_empty_cache(path: str, tmp_path: Path, expected: str) -> None:
    both = [process(path, tmp_path) for _ in range(2)]
    assert [answer(one) for one in both] == [expected, expected]
    assert [file.suffix for file in (tmp_path / "kernels").iterdir() if file.is_file()] == [".py"]
    assert sorted(name.rpartition(".")[2] for name in compiled_files(tmp_path)) == KEPT


def test_cache_folder_that_is_a_file(path: str, tmp_path: Path, expected: str) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert answer(process(path, tmp_path / "cache")) == expected


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_cache_folder_that_cannot_be_written(path: str, tmp_path: Path, expected: str) -> None:
    tmp_path.chmod(0o555)
    try:
        assert answer(process(path, tmp_path)) == expected
    finally:
        tmp_path.chmod(0o755)


#: All kernels are left to numba, as where this library is not installed.
OF_NUMBA = "from hep_tables_coffea.codegen.native import compile\ncompile.compiled = None\n" + SCRIPT


def test_file_of_numba_that_was_cut_short(path: str, tmp_path: Path, expected: str) -> None:
    assert answer(process(path, tmp_path, script=OF_NUMBA)) == expected
    (file,) = (tmp_path / "kernels" / "__pycache__").glob("*.nbi")
    file.write_bytes(file.read_bytes()[:100])
    started = process(path, tmp_path, script=OF_NUMBA)
    out, _ = started.communicate(timeout=120)
    assert (started.returncode, out.strip()) == (0, expected)


#: The kernel is still compiled when everything else is done.
ENDS = """\
import sys
from importlib import import_module
import hep_tables_coffea as ht

import_module("hep_tables_coffea.backends.coffea.backend").chosen = lambda program, chunks: (program, False)
events = ht.nanoaod(sys.argv[1])
jets = events.Jet[events.Jet.pt > 25]
print(*ht.make_local(jets.Count(axis=None), jets.pt.Count(axis=None), engine=sys.argv[2], progress=False))
"""


def test_process_may_end_while_a_kernel_is_compiled(path: str, tmp_path: Path, expected: str) -> None:
    assert answer(process(path, tmp_path, "auto", script=ENDS)) == expected

"""When a kernel is compiled, who waits for it, and what happens where it cannot be."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused import helpers
from hep_tables_coffea.codegen.fused.ready import NUMBA, is_ready, seconds_to_compile
from hep_tables_coffea.codegen.native import compile as native

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

coffea_backend: Any = import_module("hep_tables_coffea.backends.coffea.backend")
#: Chunks of a run over forty events.
CHUNKS = 8


@pytest.fixture(scope="module")
def columnar(outputs: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(outputs, engine="columnar", chunksize=5)


@pytest.fixture
def nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kernel is on disk."""
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path))


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every input is large enough for a kernel, which is compiled while awkward works."""
    monkeypatch.setattr(coffea_backend, "chosen", lambda program, chunks: (program, False))


@pytest.fixture
def of_numba(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kernel is left to numba."""
    monkeypatch.setattr(native, "compiled", None)


class Ready(Future):  # type: ignore[type-arg]
    """A kernel that is ready when it has been asked for so many times; counts how often it is called."""

    def __init__(self, kernel: Any, after: int) -> None:
        super().__init__()
        self.kernel, self.after, self.asked, self.calls = kernel, after, 0, 0

    def done(self) -> bool:
        self.asked += 1
        return self.asked > self.after

    def result(self, timeout: float | None = None) -> Any:
        return self._call

    def _call(self, *arguments: Any) -> None:
        self.calls += 1
        self.kernel(*arguments)


# -- the answer does not depend on it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("after", "calls"),
    [
        pytest.param(0, CHUNKS, id="from the first chunk on"),
        pytest.param(CHUNKS // 2, CHUNKS // 2, id="from the middle on"),
        pytest.param(CHUNKS - 1, 1, id="in the last chunk"),
        pytest.param(CHUNKS, 0, id="never"),
    ],
)
@pytest.mark.usefixtures("large")
def test_answer_does_not_depend_on_when_the_kernel_is_ready(
    after: int,
    calls: int,
    outputs: dict[str, Any],
    columnar: dict[str, Any],
    keeper: dict[str, Any],
    fused: Callable[..., Any],
    compiled: Callable[..., Any],
    same: Callable[..., bool],
) -> None:
    source = fused(outputs)
    job = keeper[source.digest] = Ready(compiled(source), after)
    answers = ht.make_local(outputs, engine="auto", executor="iterative", chunksize=5)
    assert job.calls == calls
    assert same(answers, columnar)


@pytest.mark.usefixtures("large")
def test_answer_in_threads_while_the_kernel_becomes_ready(
    outputs: dict[str, Any],
    columnar: dict[str, Any],
    keeper: dict[str, Any],
    fused: Callable[..., Any],
    compiled: Callable[..., Any],
    same: Callable[..., bool],
) -> None:
    source = fused(outputs)
    job = keeper[source.digest] = Ready(compiled(source), 4)
    answers = ht.make_local(outputs, engine="auto", executor="threads", workers=2, chunksize=5)
    assert 0 < job.calls < CHUNKS
    assert same(answers, columnar)


@pytest.mark.usefixtures("large", "nothing_kept", "of_numba")
def test_columnar_program_runs_while_the_kernel_is_compiled(
    outputs: dict[str, Any],
    columnar: dict[str, Any],
    keeper: dict[str, Any],
    same: Callable[..., bool],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import numba

    released, njit = threading.Event(), numba.njit

    def slow(*arguments: Any, **options: Any) -> Any:
        assert released.wait(60)
        return njit(*arguments, **options)

    monkeypatch.setattr(numba, "njit", slow)
    answers = ht.make_local(outputs, engine="auto", executor="iterative", chunksize=5)
    (job,) = keeper.values()
    assert not job.done()
    released.set()
    assert job.result(60) is not None
    assert same(answers, columnar)


# -- who waits -------------------------------------------------------------------------------------------------------


def test_fused_engine_waits_for_the_kernel(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any]
) -> None:
    ht.make_local(outputs, engine="fused", chunksize=5)
    assert is_ready(fused(outputs).kernel, fused(outputs).digest)
    assert list(keeper) == [fused(outputs).digest]


def test_kernel_of_a_run_before_is_used_again(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    ht.make_local(outputs, engine="fused")
    (job,) = keeper.values()
    ht.make_local(outputs, engine="fused")
    assert list(keeper.values()) == [job]


@pytest.mark.usefixtures("nothing_kept")
def test_small_input_has_no_kernel_compiled(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    ht.make_local(outputs, engine="auto", chunksize=40, executor="iterative")
    assert keeper == {}


def test_small_input_uses_a_kernel_that_is_there(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any], compiled: Callable[..., Any]
) -> None:
    source = fused(outputs)
    job = keeper[source.digest] = Ready(compiled(source), 0)
    ht.make_local(outputs, engine="auto", executor="iterative", chunksize=5)
    assert job.calls == CHUNKS


def test_columnar_engine_compiles_nothing(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    ht.make_local(outputs, engine="columnar")
    assert keeper == {}


def test_explain_compiles_nothing(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    str(ht.explain(outputs, engine="fused"))
    assert keeper == {}


def test_look_at_the_first_rows_compiles_nothing(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    with ht.options(engine="fused"):
        assert len(outputs["lead"].peek(3)) == 3
    assert keeper == {}


@pytest.mark.parametrize(
    ("events", "needed", "expected"),
    [
        pytest.param(1_000_000, 0.17, (False, False), id="it takes longer than the work"),
        pytest.param(1_000_000, 0.15, (True, True), id="the work takes longer"),
        pytest.param(9_000_000, 1.5, (False, False), id="numba takes longer than the work"),
        pytest.param(11_000_000, 1.5, (True, False), id="the work takes longer than numba"),
        pytest.param(10, 0.02, (False, False), id="a few events"),
        pytest.param(10, 0.009, (True, True), id="a few events in many steps"),
        pytest.param(1, 0.0, (True, True), id="it is ready"),
    ],
)
def test_auto_compares_the_work_with_the_time_to_compile(
    events: int, needed: float, expected: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(events, f"{events} {needed}", needed, monkeypatch) == expected


def test_auto_takes_a_kernel_that_another_process_has_compiled(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any]
) -> None:
    ht.make_local(outputs, engine="fused")
    keeper.clear()  # as in another process
    ht.make_local(outputs, engine="auto")
    assert list(keeper) == [fused(outputs).digest]


def test_auto_counts_the_runs_before(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [asked(200_000, "again", 0.1, monkeypatch)[0] for _ in range(3)] == [False, False, True]


def asked(events: int, digest: str, needed: float, monkeypatch: pytest.MonkeyPatch) -> tuple[bool, bool]:
    """Whether ten statements over so many events, in two chunks, are worth a kernel, and whether they wait for it."""
    from types import SimpleNamespace

    monkeypatch.setattr(coffea_backend, "seconds_to_compile", lambda text, digest: needed)
    meanwhile = SimpleNamespace(process="\n".join(["x = 1"] * 10))
    source: Any = SimpleNamespace(meanwhile=meanwhile, kernels=("",), digests=(digest,))
    half = -(-events // 2)
    chunks: Any = [SimpleNamespace(start=0, stop=half), SimpleNamespace(start=half, stop=events)]
    program, waits = coffea_backend.chosen(source, chunks)
    return program is source, waits


def test_time_to_compile_grows_with_what_is_to_be_compiled(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any]
) -> None:
    some, all_ = fused({"n": outputs["n"]}), fused(outputs)
    assert 0 < seconds_to_compile(some.kernel, "unknown") < seconds_to_compile(all_.kernel, "unknown") < NUMBA


def test_what_is_left_to_numba_takes_long(keeper: dict[str, Any]) -> None:
    assert seconds_to_compile("x = 1", "unknown") == NUMBA


def test_kernel_that_is_ready_takes_no_time(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any], compiled: Callable[..., Any]
) -> None:
    source = fused(outputs)
    compiled(source)
    assert seconds_to_compile(source.kernel, source.digest) == 0


# -- a kernel that cannot be compiled --------------------------------------------------------------------------------

FAILED = r"^a program could not be compiled, so that the columnar engine runs it: "


def settled(answer: Any) -> Any:
    """The answer, when nothing is compiled any more: a warning comes after the result."""
    for thread in threading.enumerate():
        if getattr(getattr(thread, "_target", None), "__name__", "") == "compile_kernel":
            thread.join(60)
    return answer


@pytest.fixture
def broken(nothing_kept: None, of_numba: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kernel can be compiled: numba finds a type that it does not know."""
    import numba

    def refuse(*arguments: Any, **options: Any) -> Any:
        msg = "no registers left\nand more about it"
        raise RuntimeError(msg)

    monkeypatch.setattr(numba, "njit", refuse)


@pytest.mark.usefixtures("broken")
def test_failure_costs_one_warning_and_the_columnar_engine_runs(
    outputs: dict[str, Any], columnar: dict[str, Any], keeper: dict[str, Any], same: Callable[..., bool]
) -> None:
    with pytest.warns(UserWarning, match=FAILED + "no registers left$") as caught:
        answers = settled(ht.make_local(outputs, engine="fused", chunksize=5))
    assert len(caught) == 1
    assert same(answers, columnar)
    assert [job.result() for job in keeper.values()] == [None]


@pytest.mark.usefixtures("broken")
def test_failure_is_not_repeated(outputs: dict[str, Any], keeper: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match=FAILED):
        settled(ht.make_local(outputs, engine="fused"))
    jobs = list(keeper.values())
    ht.make_local(outputs, engine="fused")  # a warning would be an error
    assert list(keeper.values()) == jobs


@pytest.mark.usefixtures("broken", "large")
def test_failure_in_the_background_costs_nothing_else(
    outputs: dict[str, Any], columnar: dict[str, Any], keeper: dict[str, Any], same: Callable[..., bool]
) -> None:
    def run() -> Any:
        found = ht.make_local(outputs, engine="auto", executor="iterative", chunksize=5)
        (job,) = keeper.values()
        assert job.result(60) is None
        return settled(found)

    with pytest.warns(UserWarning, match=FAILED) as caught:
        answers = run()
    assert len(caught) == 1
    assert same(answers, columnar)


@pytest.mark.usefixtures("broken")
def test_failed_kernel_is_not_compiled(
    outputs: dict[str, Any], keeper: dict[str, Any], fused: Callable[..., Any]
) -> None:
    with pytest.warns(UserWarning, match=FAILED):
        settled(ht.make_local(outputs, engine="fused"))
    assert not is_ready(fused(outputs).kernel, fused(outputs).digest)


def test_text_that_is_no_python_is_a_failure(keeper: dict[str, Any]) -> None:
    with pytest.warns(UserWarning, match=FAILED + "invalid syntax"):
        assert settled(helpers.ready_kernel("def kernel(:", "wrong", True)) is None
    assert list(keeper) == ["wrong"]


# -- where kernels are kept ------------------------------------------------------------------------------------------

ADD = """\
from numba import njit, types


@njit(types.int64(types.int64), cache=True)
def kernel(x):
    return x + {}
"""


def test_kernel_is_kept_below_the_cache_folder(
    keeper: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path))
    assert helpers.ready_kernel(ADD.format(1), "kept", True)(2) == 3
    found = sorted(path.name.split(".")[0] for path in (tmp_path / "kernels" / "__pycache__").glob("*.nb?"))
    assert (tmp_path / "kernels" / "kernel_kept.py").read_text() == ADD.format(1)
    assert found == ["kernel_kept", "kernel_kept"]  # an index, and the machine code


def test_user_cache_folder_is_the_usual_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEP_TABLES_COFFEA_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = helpers.kernel_file("x = 1", "usual")
    assert path == str(tmp_path / "hep_tables_coffea" / "kernels" / "kernel_usual.py")


@pytest.mark.parametrize("place", ["", "kernels", "kernels/__pycache__"])
def test_file_in_place_of_the_folder_does_not_matter(
    place: str, keeper: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "cache" / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("here is no room")
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert helpers.ready_kernel(ADD.format(2), "elsewhere", True)(2) == 4
    assert file.read_text() == "here is no room"


def test_kernel_of_another_text_does_not_take_its_place(
    keeper: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path))
    assert [helpers.ready_kernel(ADD.format(k), f"add_{k}", True)(1) for k in range(3)] == [1, 2, 3]

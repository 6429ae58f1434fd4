"""Kernels as machine code on disk: what is kept, when it is used, and that numba does all that it is not for."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hep_tables_coffea.codegen.fused import helpers, machine
from hep_tables_coffea.codegen.native import compile as native

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="machine code is kept on Linux alone")

HEAD = """\
import numpy as np
from numba import njit, types


def column(dtype):
    return types.Array(dtype, 1, "C", readonly=True)


@njit(types.{}, nogil=True, error_model="numpy", cache=True)
def kernel({}):
"""
SINES = (
    HEAD.format("void(types.int64, column(types.float32), types.float64, types.float64[::1])", "n, x, shift, out")
    + """\
    for i in range(n):
        out[i] = np.sin(x[i] + shift)
"""
)


class Kept:
    """A kernel by numba, and the same as machine code."""

    def __init__(self, text: str, digest: str) -> None:
        self.text, self.digest = text, digest
        self.path = helpers.kernel_file(text, digest)
        self.numba = helpers.numba_kernel(self.path, digest)
        machine.write_machine_code(self.path, text)
        self.file: Path = machine.machine_file(self.path, text)[0]
        self.asked = 0

    def again(self) -> Any:
        """The kernel as another process finds it."""
        return machine.kept_kernel(self.path, self.text, self.compiled)

    def compiled(self) -> Any:
        self.asked += 1
        return self.numba


@pytest.fixture(scope="module")
def sines() -> Kept:
    return Kept(SINES, "sines")


@pytest.fixture
def whole(sines: Kept) -> Kept:
    """The same, with its file as it was written."""
    machine.write_machine_code(sines.path, sines.text)
    sines.asked = 0
    return sines


X = np.array([0.1, 0.2, 3.0], np.float32)
#: The first number that the kernel gives of these.
FIRST = math.sin(float(X[0]) + 0.5)


def test_kept_kernel_gives_the_bits_of_numbas(whole: Kept) -> None:
    one, other = np.zeros(3), np.zeros(3)
    whole.numba(3, X, 0.5, one)
    whole.again()(3, X, 0.5, other)
    assert one.tolist() == other.tolist()
    assert whole.asked == 0


def test_kept_kernel_is_there_without_waiting(whole: Kept, keeper: dict[str, Any]) -> None:
    kernel, out = helpers.ready_kernel(whole.text, whole.digest, False), np.zeros(3)
    kernel(3, X, 0.5, out)
    assert out[0] == FIRST
    assert list(keeper) == [whole.digest]


def test_nobody_waits_for_a_kernel_whose_reading_was_interrupted(
    whole: Kept, keeper: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: Any) -> Any:
        msg = "by hand"
        raise KeyboardInterrupt(msg)

    with monkeypatch.context() as patch:
        patch.setattr(helpers, "kept_kernel", interrupted)
        with pytest.raises(KeyboardInterrupt, match="by hand"):
            helpers.ready_kernel(whole.text, whole.digest, True)
    assert keeper == {}
    assert helpers.ready_kernel(whole.text, whole.digest, True) is not None


def test_what_is_not_to_be_written_may_be_read_only(whole: Kept) -> None:
    x, out = X.copy(), np.zeros(3)
    x.flags.writeable = False
    whole.again()(np.int64(3), x, np.float64(0.5), out)
    assert (whole.asked, out[0]) == (0, FIRST)


def test_empty_arrays_are_taken(whole: Kept) -> None:
    whole.again()(0, X[:0], 0.5, np.zeros(0))
    assert whole.asked == 0


def read_only() -> Any:
    out = np.zeros(3)
    out.flags.writeable = False
    return out


def unaligned() -> Any:
    return np.zeros(25, np.uint8)[1:].view(np.float64)


OTHERS: dict[str, tuple[Any, ...]] = {
    "another type": (3, X.astype(np.float64), 0.5, np.zeros(3)),
    "the other byte order": (3, X.astype(">f4"), 0.5, np.zeros(3)),
    "gaps": (3, np.zeros(6, np.float32)[::2], 0.5, np.zeros(3)),
    "two dimensions": (3, X.reshape(3, 1), 0.5, np.zeros(3)),
    "a list": (3, [0.1, 0.2, 0.3], 0.5, np.zeros(3)),
    "nothing": (3, None, 0.5, np.zeros(3)),
    "read only where it is written": (3, X, 0.5, read_only()),
    "at an odd address": (3, X, 0.5, unaligned()),
    "too few": (3, X, 0.5),
    "too many": (3, X, 0.5, np.zeros(3), 1),
    "a fraction as number of rows": (3.5, X, 0.5, np.zeros(3)),
    "too large a number": (2**70, X, 0.5, np.zeros(3)),
    "a single precision number": (3, X, np.float32(0.5), np.zeros(3)),
    "a text": (3, X, "0.5", np.zeros(3)),
}


@pytest.mark.parametrize("arguments", OTHERS.values(), ids=OTHERS)
def test_arguments_of_other_types_are_left_to_numba(arguments: tuple[Any, ...], whole: Kept) -> None:
    kernel = machine.kept_kernel(whole.path, whole.text, lambda: lambda *values: left.append(values))
    left: list[Any] = []
    kernel(*arguments)
    assert len(left) == 1
    assert all(one is other for one, other in zip(left[0], arguments, strict=True))


def test_threads_call_one_kernel_at_the_same_time(whole: Kept) -> None:
    kernel, barrier = whole.again(), threading.Barrier(4)

    def call(shift: int) -> list[float]:
        out = np.zeros(3)
        barrier.wait()
        for _ in range(100):
            kernel(3, X, float(shift), out)
        return list(out)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(call, range(4)))
    expected = np.zeros((4, 3))
    for shift in range(4):
        whole.numba(3, X, float(shift), expected[shift])
    assert found == expected.tolist()


NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()


@pytest.fixture(scope="module")
def every() -> Kept:
    """A kernel of numbers and arrays of every type."""
    names = [*NUMBERS, "boolean"]
    takes = [f"types.{name}" for name in names] + [f"types.{name}[::1]" for name in names]
    lines = [f"    b{k}[0], b{k}[1] = b{k}[1], a{k}\n" for k in range(len(names))]
    arguments = [f"{kind}{k}" for kind in "ab" for k in range(len(names))]
    return Kept(HEAD.format(f"void({', '.join(takes)})", ", ".join(arguments)) + "".join(lines), "every")


def test_numbers_of_every_type(every: Kept) -> None:
    dtypes = [np.dtype(name) for name in [*NUMBERS, "bool"]]
    numbers = [np.dtype(name).type(-7.5 if name[0] == "f" else np.iinfo(name).min + 1) for name in NUMBERS] + [True]
    arrays = [np.array([2, 1], dtype) for dtype in dtypes]
    every.again()(*numbers, *arrays)
    assert every.asked == 0
    assert [array.tolist() for array in arrays] == [[1, number] for number in numbers]


# -- what is not kept ------------------------------------------------------------------------------------------------

ADDED = HEAD.format("int64(types.int64)", "n") + "    return n + 1\n"
#: Beyond what is translated.
MADE = HEAD.format("void(types.int64, types.float64[::1])", "n, out") + "    out[0] = np.ones(n).sum()\n"


@pytest.mark.parametrize("text", [ADDED, MADE], ids=["a value that is returned", "an array that is made"])
def test_kernel_that_is_left_to_numba_is_not_kept(text: str) -> None:
    assert not Kept(text, hashlib.sha256(text.encode()).hexdigest()[:20]).file.exists()


def test_kernel_that_is_left_to_numba_is_compiled_by_it(keeper: dict[str, Any]) -> None:
    out = np.zeros(1)
    kernel = helpers.ready_kernel(MADE, "left_to_numba", True)
    kernel(3, out)
    assert (out[0], type(kernel).__name__) == (3.0, "CPUDispatcher")


@pytest.mark.parametrize("setting", ["DISABLE_JIT", "BOUNDSCHECK"])
def test_who_looks_for_a_mistake_has_no_machine_code(
    setting: str, whole: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"NUMBA_{setting}", "1")
    assert whole.again() is None
    monkeypatch.setenv(f"NUMBA_{setting}", "0")
    assert whole.again() is not None


def test_process_without_this_library_leaves_it_to_numba(
    tmp_path: Path, sines: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "__pycache__").mkdir()
    monkeypatch.setitem(sys.modules, "hep_tables_coffea.codegen.native.compile", None)
    machine.write_machine_code(str(tmp_path / "kernel_x.py"), sines.text)
    assert list((tmp_path / "__pycache__").iterdir()) == []


def test_folder_that_is_not_there_does_not_matter(sines: Kept, tmp_path: Path) -> None:
    machine.write_machine_code(str(tmp_path / "kernel_x.py"), sines.text)
    assert list(tmp_path.iterdir()) == []
    assert machine.kept_kernel(str(tmp_path / "kernel_x.py"), sines.text, sines.compiled) is None


def test_symbols_are_read_of_files_of_linux_alone() -> None:
    with pytest.raises(ValueError, match=r"^not an ELF file of 64 bits$"):
        machine.needed_symbols(b"\xcf\xfa\xed\xfe" + bytes(100))


# -- what is there and does not fit ----------------------------------------------------------------------------------


def changed(content: bytes, **items: Any) -> bytes:
    """The file with another note, as if it had been written so."""
    head, _, code = content.partition(b"\n")[2].partition(b"\n")
    rest = json.dumps({**json.loads(head), **items}).encode() + b"\n" + code
    return hashlib.sha256(rest).hexdigest().encode() + b"\n" + rest


def of_another_processor(content: bytes) -> bytes:
    about = json.loads(content.split(b"\n")[1])["about"]
    return changed(content, about=[*about[:4], about[4] + ",+none", *about[5:]])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing in it": lambda content: b"",
    "cut short": lambda content: content[:-100],
    "cut short in the note": lambda content: content[:100],
    "one bit": lambda content: content[:-50] + bytes([content[-50] ^ 1]) + content[-49:],
    "another processor": of_another_processor,
    "a symbol that nobody has": lambda content: changed(content.replace(b"\0sin\0", b"\0s_n\0")),
    "no object file": lambda content: changed(content[: content.index(b"\n", 65) + 1]),
    "no arguments": lambda content: changed(content, arguments=None),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_file_that_does_not_fit_is_not_used(damage: Callable[[bytes], bytes], whole: Kept) -> None:
    content = whole.file.read_bytes()
    assert changed(content) == content
    damaged = damage(content)
    assert damaged != content
    whole.file.write_bytes(damaged)
    assert whole.again() is None


def test_file_that_does_not_fit_is_written_anew(whole: Kept, keeper: dict[str, Any]) -> None:
    content, out = whole.file.read_bytes(), np.zeros(3)
    whole.file.write_bytes(content[:-1])
    helpers.ready_kernel(whole.text, whole.digest, True)(3, X, 0.5, out)
    assert out[0] == FIRST
    assert whole.file.read_bytes() == content


def test_another_text_has_a_file_of_its_own(whole: Kept) -> None:
    assert machine.machine_file(whole.path, whole.text + "    # 2\n")[0] != whole.file


def test_process_without_llvmlite_leaves_it_to_numba(whole: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    assert whole.again() is None


def test_child_of_a_process_calls_the_kernel_of_its_parent(whole: Kept) -> None:
    kernel = whole.again()

    def first() -> bool:
        out = np.zeros(3)
        kernel(3, X, 0.5, out)
        return bool(out[0] == FIRST)

    assert status_of_child(first) == 1


def test_child_that_is_made_while_a_thread_compiles_compiles_its_own(whole: Kept) -> None:
    whole.again()
    stop, begun = threading.Event(), threading.Event()

    def compile_on() -> None:
        while not stop.is_set():
            native.compiled(whole.text)
            begun.set()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(compile_on)
        begun.wait()
        codes = [status_of_child(lambda: native.compiled(whole.text)[1] != b"") for _ in range(5)]
        stop.set()
    assert codes == [1] * 5


def status_of_child(act: Callable[[], bool]) -> int:
    """What a child of this process finds, as a number; the signal that ended it, below zero, where it took too long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there are threads
        child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(int(act()))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

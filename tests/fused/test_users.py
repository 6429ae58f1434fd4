"""Functions of the user in kernels: those of plain numbers are known, others numba tries once, which is then read from disk."""

from __future__ import annotations

import enum
import functools
import linecache
import math
import os
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hep_tables_coffea.codegen.fused import users
from hep_tables_coffea.codegen.fused.calls import OF_KERNELS
from hep_tables_coffea.codegen.fused.helpers import forget_kernels
from hep_tables_coffea.codegen.fused.ir import Unfusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DOUBLE = (np.dtype("float64"),)


def rooted(x: float) -> float:
    both = (x, 1.0)  # what only numba knows
    return math.sqrt(both[0]) + both[1]


def halved(x: float) -> float:
    return math.sqrt(x) / 2


def spelled(x: float) -> float:
    return float(str(int(x)))


def middle(x: float) -> float:
    return statistics.median([x])


class Colour(enum.IntEnum):
    RED = 1


RED = Colour.RED


def coloured(x: float) -> float:
    return x * RED


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of kernels with nothing in it."""
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    users._problem.cache_clear()
    yield tmp_path / "kernels"
    users._problem.cache_clear()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """As in another process, in which numba compiles nothing."""
    import numba

    def refuse(*arguments: Any, **options: Any) -> Any:
        msg = "asked again"
        raise RuntimeError(msg)

    def begin() -> None:
        users._problem.cache_clear()
        monkeypatch.setattr(numba, "njit", refuse)

    return begin


def outcomes(folder: Path) -> list[Path]:
    return list((folder / "__pycache__").glob("kernel_of_*.outcome"))


def test_function_of_plain_numbers_is_not_tried(later: Callable[[], None], folder: Path) -> None:
    later()
    assert "def halved" in users.compiled_text("halved", halved, DOUBLE, "float64")
    assert not folder.exists()


def test_function_of_plain_numbers_that_gives_another_type_is_not_compiled(later: Callable[[], None]) -> None:
    later()
    with pytest.raises(Unfusable, match=r"^halved cannot be compiled: it gives float64 where int64 is declared$"):
        users.compiled_text("halved", halved, DOUBLE, "int64")


def test_function_that_could_be_compiled_is_not_tried_again(later: Callable[[], None]) -> None:
    text = users.compiled_text("rooted", rooted, DOUBLE, "float64")
    later()
    assert users.compiled_text("rooted", rooted, DOUBLE, "float64") == text


def test_reason_why_a_function_cannot_be_compiled_is_kept(later: Callable[[], None]) -> None:
    with pytest.raises(Unfusable, match=r"^spelled cannot be compiled: ") as first:
        users.compiled_text("spelled", spelled, (np.dtype("complex64"),), "float64")
    later()
    with pytest.raises(Unfusable) as second:
        users.compiled_text("spelled", spelled, (np.dtype("complex64"),), "float64")
    assert str(second.value) == str(first.value)


def test_function_of_other_types_is_tried(later: Callable[[], None]) -> None:
    users.compiled_text("rooted", rooted, DOUBLE, "float64")
    later()
    with pytest.raises(Unfusable, match=r"asked again$"):
        users.compiled_text("rooted", rooted, (np.dtype("float32"),), "float64")


def test_functions_that_mean_different_things_by_one_name_clash() -> None:
    one, other = "SCALE = 2.0\n\ndef f(x):\n    return SCALE * x", "SCALE = 3.0\n\ndef g(x):\n    return SCALE * x"
    assert users.clash(other, [one], ()) == "SCALE"
    assert users.clash(other, [other], ()) == ""


def test_name_of_the_kernel_clashes() -> None:
    assert users.clash("types = 4.0\n\ndef f(x):\n    return types * x", [], ["types"]) == "types"
    assert users.clash("import numpy as np\n\ndef f(x):\n    return np.sqrt(x)", [], ["types"]) == ""


def test_function_that_uses_another_module_is_tried_each_time(folder: Path) -> None:
    with pytest.raises(Unfusable, match=r"^middle cannot be compiled: "):
        users.compiled_text("middle", middle, DOUBLE, "float64")
    assert not folder.exists()


@pytest.mark.parametrize("content", ["", '{"problem"', "[]", "{}"])
def test_damaged_file_is_written_anew(content: str, folder: Path) -> None:
    users.compiled_text("rooted", rooted, DOUBLE, "float64")
    (file,) = outcomes(folder)
    whole = file.read_text()
    file.write_text(content)
    users._problem.cache_clear()
    users.compiled_text("rooted", rooted, DOUBLE, "float64")
    assert file.read_text() == whole


def test_folder_that_is_a_file_does_not_matter(folder: Path) -> None:
    folder.write_text("no folder")
    assert "def rooted" in users.compiled_text("rooted", rooted, DOUBLE, "float64")


def test_outcome_is_deleted_with_the_text_it_is_about(folder: Path) -> None:
    users.compiled_text("rooted", rooted, DOUBLE, "float64")
    (folder / "kernel_new.py").write_text("x = 1")
    assert len(outcomes(folder)) == 1
    for old in folder.glob("kernel_of_*.py"):
        os.utime(old, (1, 1))
    forget_kernels(folder, 1)
    assert outcomes(folder) == []


def tenfold(function: Any) -> Any:
    @functools.wraps(function)
    def wrapper(x: float) -> float:
        return 10.0 * function(x)  # type: ignore[no-any-return]

    return wrapper


@tenfold
def itself(x: float) -> float:
    return x


def of_itself(x: float) -> float:
    return itself(x) + 1.0  # type: ignore[no-any-return]


@pytest.mark.parametrize("function", [itself, of_itself])
def test_text_of_a_wrapped_function_is_not_what_it_does(function: Callable[..., Any]) -> None:
    with pytest.raises(Unfusable, match=r"^the text of the function (itself|f) is not to be had"):
        users.compiled_text("f", function, DOUBLE, np.dtype("float64"))


def test_text_of_very_many_terms_is_not_copied() -> None:
    text, space, file = f"def summed(x):\n    return {' + '.join('x' * 1000)}\n", dict[str, Any](), "<a cell>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    exec(compile(text, file, "exec"), space)  # noqa: S102 (the text is our own)
    with pytest.raises(Unfusable, match=r"^the text of the function f is not to be had"):
        users.compiled_text("f", space["summed"], DOUBLE, np.dtype("float64"))


def test_function_that_takes_a_name_of_kernels_clashes() -> None:
    assert users.clash("def abs(x):\n    return x", [], OF_KERNELS) == "abs"
    assert users.clash("max = 3.0", [], OF_KERNELS) == "max"


def test_constant_that_has_no_text_is_left_to_numba() -> None:
    with pytest.raises(Unfusable, match=r"^coloured cannot be compiled: invalid syntax"):
        users.compiled_text("f", coloured, DOUBLE, np.dtype("float64"))

"""`ht.explain` says which outputs are fused, and why others are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable


def engine(outputs: Any) -> tuple[str, ...]:
    """The lines about the engine."""
    return ht.explain(outputs, engine="fused").accounts[0].engine


def two_bins() -> Any:
    return ht.Hist.new.Reg(2, 0, 80)


def test_all_outputs_fused(d: ht.Array) -> None:
    assert engine({"a": d.met, "b": d.jets.pt.Sum()}) == ("fused",)


def test_no_output_fused(d: ht.Array) -> None:
    assert engine({"a": d.name}) == ("columnar", "a is not fused: strings")


def test_some_outputs_fused(d: ht.Array) -> None:
    outputs = {"a": d.met, "b": d.name, "c": d.jets.pt, "e": d.jets}
    assert engine(outputs) == (
        "fused for a, c",
        "columnar for b: strings",
        "columnar for e: records with lists in them",
    )


def test_columnar_engine_gives_no_reasons(d: ht.Array) -> None:
    assert ht.explain(d.name, engine="columnar").accounts[0].engine == ("columnar",)


#: What is not fused: how it is recorded, and the reason.
REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "strings": (lambda d: d.name, "strings"),
    "comparison of stored strings": (lambda d: d.name == "a", "stored strings"),
    "choice between strings": (lambda d: ht.where(d.flag, "a", "b"), "strings"),
    "records with lists in them": (lambda d: d.jets, "records with lists in them"),
    "stored categories": (lambda d: ht.Hist.new.StrCat(["a"]).Double().fill(d.name), "stored strings"),
    "means": (lambda d: two_bins().Mean().fill(d.met, sample=d.met), "the storage Mean"),
    "growing axis": (
        lambda d: ht.Hist.new.IntCat([], growth=True).Double().fill(d.small),
        "an axis IntCategory that is circular or grows",
    ),
    "circular axis": (
        lambda d: ht.Hist.new.Reg(2, 0, 80, circular=True).Double().fill(d.met),
        "an axis Regular that is circular or grows",
    ),
    "weights in integers": (
        lambda d: two_bins().Int64().fill(d.met, weight=d.small),
        "weights in a storage of integers",
    ),
    "complex numbers": (lambda d: d.met * 1j, "numbers of the type complex128"),
    "long list": (lambda d: np.isin(d.small, list(range(1000))), "np.isin with a long list"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_reason_is_given(what: str, d: ht.Array) -> None:
    record, reason = REFUSED[what]
    assert engine({"x": record(d)}) == ("columnar", f"x is not fused: {reason}")


def test_function_of_arrays_is_named(d: ht.Array) -> None:
    @ht.user_func(vectorized=True)
    def twice(x: float) -> float:
        return x * 2

    assert engine({"x": twice(d.met)}) == ("columnar", "x is not fused: twice is a function of arrays")


def test_printed_plan_shows_engine_and_kernel(d: ht.Array) -> None:
    text = str(ht.explain({"a": d.met * 2, "b": d.name}, engine="fused"))
    assert "  engine: fused for a\n    columnar for b: strings\n" in text
    assert "column_2[n_column_2] = " in text or "column[n_column] = " in text
    assert "def list_starts" not in text


def test_source_can_be_read_whole(d: ht.Array) -> None:
    source = ht.explain({"n": d.jets.pt.Sum()}, engine="fused").source
    compile(source, "written.py", "exec")
    assert "\nKERNEL = r'''\n" in source


def test_auto_explains_what_it_may_fuse(d: ht.Array) -> None:
    assert ht.explain({"a": d.met}, engine="auto").accounts[0].engine == ("fused",)

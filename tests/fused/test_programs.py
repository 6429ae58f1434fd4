"""A program that is recorded again is not written again; one over other columns is another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen import programs
from hep_tables_coffea.codegen.programs import program
from hep_tables_coffea.record.outputs import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hep_tables_coffea.codegen.processor import ProcessorSource


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., ht.Array]:
    """`table("a", x=...)`: the events of a file `a.parquet` with these columns."""

    def make(name: str, **columns: Any) -> ht.Array:
        ak.to_parquet(ak.zip(columns, depth_limit=1), tmp_path / f"{name}.parquet")
        return ht.flat(tmp_path / f"{name}.parquet")

    return make


def record(events: ht.Array) -> dict[str, Any]:
    """The same lines for any events with a column x."""
    return {"twice": events.x * 2, "h": ht.Hist.new.Reg(2, 0, 4).Double().fill(events.x)}


def source(outputs: Any, engine: str = "fused") -> ProcessorSource:
    return program(named(outputs), {}, "", engine)


SINGLE, DOUBLE = np.array([1, 3], "float32"), np.array([1, 3], "float64")


def test_program_that_is_recorded_again_is_not_written_again(table: Callable[..., ht.Array]) -> None:
    events = table("a", x=DOUBLE)
    assert source(record(events)) is source(record(events))


def test_engines_that_fuse_share_a_program(table: Callable[..., ht.Array]) -> None:
    events = table("a", x=DOUBLE)
    assert source(record(events), "auto") is source(record(events), "fused")


def test_columnar_program_is_another_one(table: Callable[..., ht.Array], fused: Callable[..., Any]) -> None:
    events = table("a", x=DOUBLE)
    assert fused(source(record(events), "columnar")).kernel == ""
    assert fused(source(record(events), "fused")).kernel != ""


def test_column_of_another_type_gives_another_kernel(table: Callable[..., ht.Array], fused: Callable[..., Any]) -> None:
    single, double = (fused(source(record(table(name, x=x)))) for name, x in [("a", SINGLE), ("b", DOUBLE)])
    assert "column(types.float32)" in single.kernel
    assert "column(types.float64)" in double.kernel
    assert single.digest != double.digest


def test_file_that_is_written_again_with_another_type_gives_another_kernel(table: Callable[..., ht.Array]) -> None:
    answers = [ht.make_local(record(table("same", x=x)), engine="fused")["twice"] for x in (SINGLE, DOUBLE)]
    assert [str(answer.type) for answer in answers] == ["2 * float32", "2 * float64"]
    assert [answer.tolist() for answer in answers] == [[2.0, 6.0], [2.0, 6.0]]


def test_column_that_may_be_missing_gives_another_kernel(
    table: Callable[..., ht.Array], fused: Callable[..., Any]
) -> None:
    events = [table("a", x=DOUBLE), table("b", x=ak.Array([1.0, None]))]
    assert [fused(source(record(one))).kernel.count("_known") > 0 for one in events] == [False, True]
    answers = [ht.make_local(record(one), engine="fused")["twice"].tolist() for one in events]
    assert answers == [[2.0, 6.0], [2.0, None]]


def test_column_that_one_file_lacks_is_refused(table: Callable[..., ht.Array]) -> None:
    table("a", x=DOUBLE)
    with pytest.raises(AttributeError, match="x"):
        record(table("b", y=DOUBLE))


def test_lists_in_place_of_numbers_give_another_kernel(
    table: Callable[..., ht.Array], fused: Callable[..., Any]
) -> None:
    events = table("a", x=ak.Array([[1.0], [3.0, 5.0]]))
    one, other = (fused(source(record(made))) for made in (events, table("b", x=DOUBLE)))
    assert one.digest != other.digest
    assert ht.make_local(record(events), engine="fused")["twice"].tolist() == [[2.0], [6.0, 10.0]]


def test_program_with_a_function_of_the_user_is_written_each_time(
    table: Callable[..., ht.Array], fused: Callable[..., Any]
) -> None:
    @ht.user_func
    def shifted(x: float) -> float:
        return x + 1

    events = table("a", x=DOUBLE)
    one, other = (source({"y": shifted(events.x)}) for _ in range(2))
    assert one is not other
    assert fused(one).kernel == fused(other).kernel


def test_program_of_other_lines_is_another_one_with_the_same_kernel(
    table: Callable[..., ht.Array], fused: Callable[..., Any]
) -> None:
    events = table("a", x=DOUBLE)
    one = source({"y": events.x + 17})
    other = source({"y": table("b", x=DOUBLE).x + 17})
    assert one is not other
    assert fused(one).digest == fused(other).digest


def test_so_many_programs_are_remembered(table: Callable[..., ht.Array]) -> None:
    events = table("a", x=DOUBLE)
    first = source({"y": events.x + 1000})
    for k in range(programs.KEPT):
        source({"y": events.x + k})
    assert source({"y": events.x + 1000}) is not first
    assert len(programs._known) == programs.KEPT

"""Laws that hold for every program over every table: few examples by default, many with HT_HYPOTHESIS=thorough."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea.record.outputs import named
from hep_tables_coffea.testing.comparing import difference, tolerance_of, type_problem
from hep_tables_coffea.testing.known import known, unstable
from hep_tables_coffea.testing.lines import KINDS
from hep_tables_coffea.testing.strategies import Program, Table, programs, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXAMPLES = int(os.environ.get("HT_EXAMPLES", "5000" if os.environ.get("HT_HYPOTHESIS") == "thorough" else "60"))
checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
law = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=checks)
rare = settings(law, max_examples=max(EXAMPLES // 5, 1))


# -- laws ------------------------------------------------------------------------------------------------------------


def draw_program(
    data: st.DataObject,
    path: str | list[str],
    leave_out: Callable[[Any], bool] = known,
    kinds: Sequence[str] = tuple(KINDS),
) -> Program:
    program: Program = data.draw(programs(path, kinds, leave_out=leave_out), label="program")
    note(str(program))
    return program


@law
@given(data=st.data(), table=tables())
def test_columnar_gives_what_the_reference_gives(
    data: st.DataObject, table: Table, write: Callable[[Table], str]
) -> None:
    recorded = draw_program(data, write(table)).record()
    expected = ht.make_local(recorded, backend="reference")
    for size in (1, 3, None):
        answers = ht.make_local(recorded, chunksize=size)
        for name, value in recorded.items():
            found = difference(answers[name], expected[name], tolerance_of(value._node))
            assert not found, f"{name} ({value!r}), chunks of {size}: {found}"


#: What the second file lacks: columns of events and of collections, but nothing of a vector. Until columns have one type in
#: all files, both files have the same types.
LACKING = ("met", "weight", "run", "flag", "maybe", "jets_number", "jets_tag", "hits_any", "hits_n", "marks_size")


@rare
@given(data=st.data(), table=tables(), size=st.integers(0, 4), lacking=st.sets(st.sampled_from(LACKING)))
def test_several_files_give_what_the_reference_gives(
    data: st.DataObject, table: Table, size: int, lacking: set[str], write: Callable[[Table], str]
) -> None:
    paths = [write(table.events(0, size)), write(table.events(size).without(sorted(lacking)))]
    recorded = draw_program(data, paths).record()
    expected = ht.make_local(recorded, backend="reference")
    answers = ht.make_local(recorded)
    for name, value in recorded.items():
        found = difference(answers[name], expected[name], tolerance_of(value._node))
        assert not found, f"{name} ({value!r}): {found}"


@law
@given(data=st.data(), table=tables())
def test_answers_have_the_types_that_were_declared(
    data: st.DataObject, table: Table, write: Callable[[Table], str]
) -> None:
    recorded = draw_program(data, write(table)).record()
    for backend in ("coffea", "reference"):
        answers = ht.make_local(recorded, backend=backend)
        problems = [type_problem(answers[name], node) for name, node in named(recorded).items()]
        assert not any(problems), (backend, problems)


@law
@given(data=st.data(), table=tables())
def test_pickled_expression_is_the_same_expression(
    data: st.DataObject, table: Table, write: Callable[[Table], str]
) -> None:
    recorded = draw_program(data, write(table)).record()
    loaded = pickle.loads(pickle.dumps(recorded))
    for name, value in recorded.items():
        assert loaded[name]._node is value._node


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[ProcessPoolExecutor]:
    """Another process, with other addresses and hashes."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@rare
@given(data=st.data(), table=tables())
def test_expression_is_the_same_in_another_process(
    data: st.DataObject, table: Table, write: Callable[[Table], str], elsewhere: ProcessPoolExecutor
) -> None:
    program = draw_program(data, write(table), unstable)
    recorded = program.record()
    digests = {name: value._node.digest for name, value in recorded.items()}
    assert digests == program.digests()
    again, loaded, answers = elsewhere.submit(program.elsewhere, pickle.dumps(recorded)).result()
    assert again == digests
    assert loaded == digests
    expected = ht.make_local(recorded)
    for name, value in recorded.items():
        assert not difference(answers[name], expected[name], tolerance_of(value._node))

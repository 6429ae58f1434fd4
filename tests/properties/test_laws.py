"""Laws that hold for every program over every table: few examples by default, many with HT_HYPOTHESIS=thorough."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea.testing.comparing import difference, tolerance_of, type_problem
from hep_tables_coffea.testing.strategies import Table, programs, tables

if TYPE_CHECKING:
    from collections.abc import Callable

THOROUGH = os.environ.get("HT_HYPOTHESIS") == "thorough"
law = settings(
    max_examples=int(os.environ.get("HT_EXAMPLES", "5000" if THOROUGH else "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@law
@given(data=st.data(), table=tables())
def test_columnar_gives_what_the_reference_gives(
    data: st.DataObject, table: Table, write: Callable[[Table], str]
) -> None:
    program = data.draw(programs(write(table)))
    note(str(program))
    recorded = program.record()
    expected = ht.make_local(recorded, backend="reference")
    for size in (1, 3, None):
        answers = ht.make_local(recorded, backend="coffea", chunksize=size)
        for name, value in recorded.items():
            found = difference(answers[name], expected[name], tolerance_of(value._node))
            assert not found, f"{name} ({value!r}), chunks of {size}: {found}"


@law
@given(data=st.data(), table=tables())
def test_answers_have_the_types_that_were_declared(
    data: st.DataObject, table: Table, write: Callable[[Table], str]
) -> None:
    program = data.draw(programs(write(table)))
    note(str(program))
    recorded = program.record()
    answers = ht.make_local(recorded)
    problems = [type_problem(answers[name], value._node) for name, value in recorded.items()]
    assert not any(problems), problems

"""Generated programs: whatever is said to be possible is written, runs, and gives what our own engine gives."""

from __future__ import annotations

import os
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import UPROOT, needs, supports
from hep_tables_coffea.graph.nodes import Node, Parameter
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.testing.strategies import programs
from hep_tables_coffea.types.elements import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

EXAMPLES = int(os.environ.get("HT_EXAMPLES", "3000" if os.environ.get("HT_HYPOTHESIS") == "thorough" else "25"))


def possible(nodes: Iterable[Node]) -> list[Node]:
    """The columns in a program that can be had with all that they need."""
    found = []
    for node in walk(nodes):
        inside = any(axis.kind == "current" for axis in node.path) or any(
            isinstance(n, Parameter) for n in walk([node])
        )
        if node.path and not inside and all(supports(one, UPROOT) for one in walk([node], needs)):
            found.append(node)
    return found


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_what_is_supported_is_written_and_right(
    data: st.DataObject, toys: list[str], compare: Callable[..., str]
) -> None:
    path = data.draw(st.sampled_from(toys))
    program: Any = data.draw(programs(path, leave_out=known), label="program")
    note(str(program))
    recorded = [value._node for value in program.record().values() if isinstance(value, ht.Array)]
    by_events: dict[Any, list[Node]] = defaultdict(list)
    for node in possible(recorded):
        by_events[node.path[0]].append(node)
    for events, nodes in by_events.items():
        assert not any(isinstance(node.type, Record) for node in nodes)
        keep = wrap(events.node) if events.parent is not None else None
        text = compare({f"c{k}": wrap(node) for k, node in enumerate(nodes)}, path, "events", keep)
        assert len(text) < 300 * len(list(walk(nodes, needs)))


def test_names_that_arrays_of_events_have_are_known() -> None:
    from hep_tables_coffea.backends.servicex.query.arrays import OWN_NAMES

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dask_awkward = pytest.importorskip("dask_awkward")
    assert {name for name in dir(dask_awkward.Array) if not name.startswith("_")} <= OWN_NAMES

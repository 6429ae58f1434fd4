"""Where a program is cut: what a back end near the data delivers, and the rest over what it delivers.

The columns of the cut are the furthest that the back end can compute. They become a table with a schema of its own, and
the outputs are made again over that table: everything after the cut is a program like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path
from hep_tables_coffea.plan.again import Again, Lacking
from hep_tables_coffea.plan.capability import Capability
from hep_tables_coffea.plan.frontier import Frontier
from hep_tables_coffea.plan.needs import chunk_nodes, readable
from hep_tables_coffea.plan.table import Clash, make_table
from hep_tables_coffea.plugins.protocol import Upstream
from hep_tables_coffea.types.dataset import Dataset
from hep_tables_coffea.types.elements import Record

__all__ = ["Cut", "make_cut"]


@dataclass(frozen=True, slots=True)
class Cut:
    """What is delivered, and the outputs over that.

    `columns` are the delivered columns by name, `events` the axis of the events that are: all of them, or what a filter
    leaves. `dataset` has the schema of the delivered table, and the samples of the original one. `moved` are dataset-wide
    values that stand in for those of the original program.
    """

    upstream: str
    columns: Mapping[str, g.Node]
    events: Axis
    dataset: Dataset
    outputs: Mapping[str, g.Node]
    refusals: tuple[tuple[g.Node, str], ...] = ()
    moved: Mapping[g.Node, g.Node] = field(default_factory=dict)


def make_cut(outputs: Mapping[str, g.Node], upstream: Upstream, dataset: Dataset) -> Cut:
    """The cut of a program that leaves to the upstream back end all that it can do.

    Raises `BackendError` where a stored column that is needed cannot be delivered, with the reason.
    """
    can = Capability(upstream)
    names = _names(outputs)
    for node, name in list(names.items()):
        names |= dict(zip(can.halves(node), (name, f"{name}_exists")))
    refused: set[Path] = set()
    needed: set[g.Node] = set()
    while True:
        frontier = Frontier(outputs, can, refused, needed)
        try:
            table = make_table(dataset, frontier.columns(), frontier.tables, frontier.collections(), names)
            again = Again(table, frontier.demand, can.halves)
            moved = again.program(outputs)
        except Clash as clash:
            _add(clash.rows, refused, clash)
        except Lacking as lacking:
            _add(lacking.node, needed, lacking)
        else:
            refusals = tuple(frontier.refusals())
            return Cut(upstream.name, table.columns, frontier.events, table.dataset, moved, refusals, again.constants)


T = TypeVar("T")


def _add(found: T, known: set[T], why: Clash | Lacking) -> None:
    """To be cut elsewhere the next time; an error where this was known already."""
    if found in known:
        raise BackendError(str(why), where=why.node.where if isinstance(why, Lacking) else None) from None
    known.add(found)


def _names(outputs: Mapping[str, g.Node]) -> dict[g.Node, str]:
    """A name for each column of an output."""
    found: dict[g.Node, str] = {}
    for name, node in outputs.items():
        if isinstance(node, g.Fill):
            for members in node.fills:
                for axis, place in members:
                    found.setdefault(node.args[place], f"{name}_{axis}")
        elif node.path and isinstance(node.type, Record):
            for field_name in readable(node) if not isinstance(node, g.Behave) else ():
                found.setdefault(build.field(node, field_name), f"{name}_{field_name}")
        else:
            for one in chunk_nodes({name: node}):
                found.setdefault(one, name)
    return found

"""Plans: which back end computes which outputs, in how many passes. Frozen and printable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import BackendError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.types.dataset import Dataset

__all__ = ["Plan", "Stage", "make_plan"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over one dataset by one back end.

    `first` are dataset-wide values that other outputs use for each event: they are found in a pass before.
    """

    dataset: Dataset
    backend: str
    outputs: Mapping[str, g.Node]
    first: Mapping[str, g.Node]
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages that give all outputs."""

    stages: tuple[Stage, ...]

    @property
    def outputs(self) -> dict[str, g.Node]:
        return {name: node for stage in self.stages for name, node in stage.outputs.items()}


def make_plan(outputs: Mapping[str, g.Node], options: Options) -> Plan:
    """Group the outputs by dataset, and give each group to the back end that can run it."""
    groups: dict[Dataset, dict[str, g.Node]] = {}
    for name, node in outputs.items():
        groups.setdefault(build.source_of(node).dataset, {})[name] = node
    return Plan(tuple(_stage(dataset, group, options) for dataset, group in groups.items()))


def _stage(dataset: Dataset, outputs: dict[str, g.Node], options: Options) -> Stage:
    name = options.backend or "coffea"
    chosen = registry.backend(name)
    for node in walk(outputs.values()):
        support = chosen.supports(node)
        if not support:
            msg = f"the back end {name!r} cannot run this: {support.reason}"
            raise BackendError(msg, values=[("value", node.text)], where=node.where)
    return Stage(dataset, name, outputs, _first(outputs))


def _first(outputs: Mapping[str, g.Node]) -> dict[str, g.Node]:
    """Dataset-wide values that are used for each event."""
    found: dict[g.Node, None] = {}
    for node in walk(outputs.values()):
        needs: Sequence[g.Node] = node.needs
        if node.path or isinstance(node, (g.Aggregate, g.Fill)):
            found.update({need: None for need in needs if not need.path and not isinstance(need, g.Literal)})
    return {f"first_{number}": node for number, node in enumerate(found)}

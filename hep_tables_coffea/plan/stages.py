"""Plans: which back end computes which outputs, in how many passes. Frozen and printable."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import BackendError, UsageError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.cut import Cut, make_cut
from hep_tables_coffea.plan.variations import Varied, expand, parts_of
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import Upstream
from hep_tables_coffea.types.dataset import Dataset

__all__ = ["Plan", "Stage", "make_plan"]


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over one dataset by one back end.

    `first` are dataset-wide values that other outputs use for each event: they are found in a pass before. With a `cut`
    columns are delivered first by another back end, and the pass is over these.
    """

    dataset: Dataset
    backend: str
    outputs: Mapping[str, g.Node]
    first: Mapping[str, g.Node]
    refusals: tuple[str, ...] = ()
    cut: Cut | None = None
    #: Which outputs are one in several variations.
    varied: Mapping[str, Varied] = field(default_factory=dict)

    @property
    def asked(self) -> dict[str, g.Node]:
        """The outputs that were asked for, without variations."""
        parts = parts_of(self.varied)
        return {name: node for name, node in self.outputs.items() if name not in parts}

    @property
    def program(self) -> Mapping[str, g.Node]:
        """The outputs as the back end computes them: over the events, or over what is delivered."""
        return self.outputs if self.cut is None else self.cut.outputs


@dataclass(frozen=True, slots=True)
class Plan:
    """The stages that give all outputs."""

    stages: tuple[Stage, ...]

    @property
    def outputs(self) -> dict[str, g.Node]:
        return {name: node for stage in self.stages for name, node in stage.asked.items()}

    @property
    def runs(self) -> dict[g.Node, str]:
        """Who runs each node."""
        found: dict[g.Node, str] = {}
        for stage in self.stages:
            found |= dict.fromkeys(walk(stage.outputs.values()), stage.backend)
            if stage.cut is not None:
                found |= dict.fromkeys(walk(stage.cut.columns.values()), stage.cut.upstream)
        return found


def make_plan(outputs: Mapping[str, g.Node], options: Options, anywhere: bool = False) -> Plan:
    """Group the outputs by dataset, and give each group, in all variations, to the back end that can run it.

    With `anywhere` the program may run over other datasets than that with which it was recorded.
    """
    groups: dict[Dataset, dict[str, g.Node]] = {}
    for name, node in outputs.items():
        groups.setdefault(_dataset(name, node), {})[name] = node
    stages = []
    for dataset, group in groups.items():
        expanded, varied = expand(group, dataset, anywhere)
        stages.append(replace(_stage(dataset, expanded, options), varied=varied))
    return Plan(tuple(stages))


def _dataset(name: str, node: g.Node) -> Dataset:
    try:
        dataset: Dataset = build.source_of(node).dataset
    except ValueError:
        msg = f"the output {name} is made of constants alone, and of no dataset"
        raise UsageError(msg, where=node.where, hint="weight a histogram by it, or combine it with values") from None
    return dataset


#: What computes near the data where no file can be opened here, and what runs everything else.
NEAR, HERE = "servicex", "coffea"


def _stage(dataset: Dataset, outputs: dict[str, g.Node], options: Options) -> Stage:
    name = options.backend or (NEAR if dataset.is_named else HERE)
    upstream = registry.upstream(name)
    if upstream is not None:
        return _cut_stage(dataset, outputs, upstream)
    if dataset.is_named:
        msg = f"the back end {name!r} cannot open {dataset.files[0][0]}: a catalogue knows the files"
        raise BackendError(msg, hint=f"leave backend= out, or say backend={NEAR!r}")
    return Stage(dataset, name, outputs, _first(_accepted(name, outputs)))


def _cut_stage(dataset: Dataset, outputs: dict[str, g.Node], upstream: Upstream) -> Stage:
    """Columns from upstream, and the rest here. Files that can be opened here are, where a column cannot be delivered."""
    try:
        found = make_cut(outputs, upstream, dataset)
    except BackendError as error:
        if dataset.is_named:
            raise
        reason = f"{upstream.name} delivers nothing: {error.summary}"
        return Stage(dataset, HERE, outputs, _first(_accepted(HERE, outputs)), (reason,))
    _accepted(HERE, found.outputs)
    refusals = tuple(dict.fromkeys(f"{reason}, at {node.where}" for node, reason in found.refusals))
    return Stage(dataset, HERE, outputs, _first(walk(outputs.values())), refusals, found)


def _accepted(name: str, outputs: Mapping[str, g.Node]) -> list[g.Node]:
    """Every node. An error where the back end cannot run one."""
    chosen = registry.backend(name)
    nodes = list(walk(outputs.values()))
    for node in nodes:
        support = chosen.supports(node)
        if not support:
            msg = f"the back end {name!r} cannot run this: {support.reason}"
            raise BackendError(msg, values=[("value", node.text)], where=node.where)
    return nodes


def _first(nodes: Iterable[g.Node]) -> dict[str, g.Node]:
    """Dataset-wide values that are used for each event."""
    found: dict[g.Node, None] = {}
    for node in nodes:
        needs: Sequence[g.Node] = node.needs
        if node.path or isinstance(node, (g.Aggregate, g.Fill)):
            found.update({need: None for need in needs if not need.path and not isinstance(need, g.Literal)})
    return {f"first_{number}": node for number, node in enumerate(found)}

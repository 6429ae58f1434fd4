"""Which outputs kernels compute, and in which kernel each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hep_tables_coffea.codegen.fused.around import Around, FusedStage
from hep_tables_coffea.codegen.fused.ir import reason_of
from hep_tables_coffea.codegen.fused.kernel import Kernel, fuse
from hep_tables_coffea.codegen.source import Names
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types.elements import Record

__all__ = ["fused_stage"]


def fused_stage(
    outputs: Mapping[str, g.Node], hints: Mapping[g.Node, str], constants: Mapping[g.Node, Any], names: Names
) -> FusedStage:
    """The part of some outputs that kernels compute; without lines where it is nothing."""
    stage = FusedStage(names)
    written: list[Around] = []
    try:
        for group, kernel in _kernels(outputs, hints, constants):
            stage.refused |= kernel.refused
            if kernel.slabs or kernel.columns:
                stage.kernels.append(kernel)
                written.append(Around(stage, kernel, group))
                written[-1].write()
        for around in written:
            around.totals()
    except Exception as error:  # of all together, as lists that need each other
        return FusedStage(names, refused=dict.fromkeys(outputs, reason_of(error)))
    return stage


#: So many fills and columns are in one kernel: to compile more of them at once takes more than its share of time.
MOST = 200


def _groups(outputs: Mapping[str, g.Node]) -> Iterator[dict[str, g.Node]]:
    """The outputs in parts, each for a kernel of bounded size."""
    group: dict[str, g.Node] = {}
    size = 0
    for name, node in outputs.items():
        more = len(node.fills) if isinstance(node, g.Fill) else 1
        if group and size + more > MOST:
            yield group
            group, size = {}, 0
        group[name] = node
        size += more
    yield group


def _kernels(
    outputs: Mapping[str, g.Node], hints: Mapping[g.Node, str], constants: Mapping[g.Node, Any]
) -> list[tuple[dict[str, g.Node], Kernel]]:
    """The kernel of each group of outputs."""
    made = [(group, fuse(group, hints, constants, {})) for group in _groups(outputs)]
    refused = {name: reason for _, kernel in made for name, reason in kernel.refused.items()}
    needed = _needed_records(outputs, refused)
    for number, (group, kernel) in enumerate(made):
        mine = {name: needed[name] for name in group if name in needed}
        if mine:
            made[number] = group, fuse(group, hints, constants, kernel.refused | mine)
    return made


def _needed_records(outputs: Mapping[str, g.Node], refused: Mapping[str, str]) -> dict[str, str]:
    """The outputs whose records others need with their methods, which a kernel does not give them."""
    others = set(walk([outputs[name] for name in refused]))
    return {
        name: "its records are needed elsewhere"
        for name, node in outputs.items()
        if name not in refused and isinstance(node.type, Record) and node in others
    }

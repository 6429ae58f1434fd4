"""What a generated processor returns for each chunk, and what it makes of the merged answers at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hep_tables_coffea.codegen.columnar import Emitter
from hep_tables_coffea.codegen.fused.around import FusedStage
from hep_tables_coffea.codegen.fused.fills import builder, template
from hep_tables_coffea.codegen.scalars import ScalarWriter
from hep_tables_coffea.codegen.source import atom, quoted
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.needs import scalar_walk
from hep_tables_coffea.plan.variations import Varied, free_name, parts_of

__all__ = ["Answer", "write_answers"]

#: Aggregate -> the helper that gives its part for a chunk.
_PARTS = {
    "num": "count_rows",
    "count": "count_values",
    "count_nonzero": "count_nonzero",
    "sum": "total",
    "min": "least",
    "max": "greatest",
    "any": "any_true",
    "all": "all_true",
    "mean": "moments",
    "std": "moments",
    "var": "moments",
    "first": "first_row",
    "last": "last_row",
}
#: Aggregate -> the helper that merges the parts, `merged_...`, where its name is another.
_MERGED = {"num": "sum", "count": "sum", "count_nonzero": "sum", "min": "least", "max": "greatest"}

#: The name of an answer of a chunk, its text, and the node that it is of.
Answer = tuple[str, str, g.Node]


def write_answers(
    outputs: Mapping[str, g.Node],
    emitter: Emitter,
    scalars: ScalarWriter,
    stage: FusedStage,
    varied: Mapping[str, Varied],
) -> tuple[list[Answer], list[str]]:
    """Entries of the dict that `process` returns, and lines of the final dict, for which `scalars` has statements."""
    answers: dict[str, Answer] = {}
    finals: dict[str, str] = {}
    for name, node in outputs.items():
        if isinstance(node, g.Fill) and node in stage.bins:
            bins, slab = stage.bins[node]
            key = free_name(
                bins, outputs
            )  # all bins of a kernel are one answer; histograms are made of it when all is done
            answers.setdefault(key, (key, bins, node))
            emitter.helpers.add("with_bins")
            places = f"{slab.parts!r}" + (f", {slab.variances!r}" if slab.squares else "")
            text = f"with_bins({builder(node)}, out.get({quoted(name)}), out.get({quoted(key)}), {places})"
            finals[name] = _viewed(node, text)
        elif isinstance(node, g.Fill):
            answers[name] = (name, _write_fill(name, node, emitter, stage.fills.get(node)), node)
            finals[name] = _viewed(node, _final_histogram(name, node, emitter))
        elif node.path:
            emitter.helpers |= {"plain", "in_order", "concatenated"}
            answers[name] = (name, f"{{key: [plain({emitter.value(node).text})]}}", node)
            finals[name] = f"concatenated(in_order(out[{quoted(name)}], self.order))"
        else:
            for aggregate in (n for n in scalar_walk(node) if isinstance(n, g.Aggregate)):
                values = stage.flat.get(aggregate.args[0]) or emitter.value(aggregate.args[0]).text
                _write_aggregate(aggregate, name, values, emitter, scalars, answers, set(outputs) - {name})
            finals[name] = scalars.value(node)
    emitter.helpers |= scalars.helpers
    if any(one.is_histogram for one in varied.values()):
        emitter.helpers.add("by_variation")
    return list(answers.values()), _final_lines(finals, varied)


def _final_lines(finals: Mapping[str, str], varied: Mapping[str, Varied]) -> list[str]:
    """The lines of the final dict: of what is varied, all variations under the name of the output."""
    parts = parts_of(varied)
    lines = []
    for name, text in finals.items():
        if name in varied:
            call = "by_variation(" if varied[name].is_histogram else ""
            lines.append(f"{quoted(name)}: {call}{{")
            for label, part in varied[name].outputs.items():
                lines.append(f"    {quoted(label)}: {finals[part] if part is not None else None},")
            lines.append("})," if call else "},")
        elif name not in parts:
            lines.append(f"{quoted(name)}: {text},")
    return lines


def _write_aggregate(
    node: g.Aggregate,
    output: str,
    values: str,
    emitter: Emitter,
    scalars: ScalarWriter,
    answers: dict[str, Answer],
    others: set[str],
) -> None:
    if scalars.knows(node):
        return
    part = _PARTS[node.function]
    emitter.helpers |= {part, "in_order", "merged_" + _MERGED.get(node.function, node.function)}
    wish = output if output not in answers else f"{output}_{node.function}"
    while wish in answers or wish in others:
        wish += "_"
    answers[wish] = (wish, f"{{key: [{part}({values})]}}", node)
    scalars.add_aggregate(node, wish, "merged_" + _MERGED.get(node.function, node.function))


def _write_fill(name: str, node: g.Fill, emitter: Emitter, counted: str | None) -> str:
    """The statements that make and fill a histogram; its variable."""
    made = emitter.assign(name, atom(builder(node)), node)
    if counted is not None:
        emitter.lines.append(f"add_bins({made.text}, {counted})")
        return made.text
    emitter.helpers.add("fill")
    for members in node.fills:
        if any(emitter.constants.get(node.args[position], 0) is None for _, position in members):
            continue  # a value of the whole dataset is missing, so nothing is filled
        inside = [made.text]
        for axis, position in members:
            text = emitter.value(node.args[position]).text
            inside.append(f"{axis}={text}" if axis in ("weight", "sample") else text)
        emitter.origins[len(emitter.lines)] = node
        emitter.lines.append(f"fill({', '.join(inside)})")
    return made.text


def _final_histogram(name: str, node: g.Fill, emitter: Emitter) -> str:
    known = _known_categories(node)
    text = f"out[{quoted(name)}]"
    if known:
        emitter.helpers.add("ordered_categories")
        text = f"ordered_categories({text}, {known!r})"
    return text


def _viewed(node: g.Fill, text: str) -> str:
    """The histogram, or what it counts alone."""
    if node.view == "counts":
        return f"{text}.values().astype(np.int64)"
    return f"{text}.values()" if node.view == "sums" else text


def _known_categories(node: g.Fill) -> dict[int, list[Any]]:
    """For each growing axis, the categories that the program names, in the order in which it names them."""
    known: dict[int, list[Any]] = {}
    axes = [text for method, text in node.maker]
    for position, text in enumerate(axes):
        if not re.search(r"growth=True", text):
            continue
        listed: list[Any] = list(template(node).axes[position])
        for members in node.fills:
            if position < len(members):
                value = node.args[members[position][1]]
                listed += [v for v in _category_values(value) if v not in listed]
        known[position] = listed
    return known


def _category_values(node: g.Node) -> list[Any]:
    while isinstance(node, (g.Restrict,)) or (isinstance(node, g.Call) and node.function == "ht.broadcast"):
        node = node.args[0]
    if isinstance(node, g.Literal):
        return [node.value]
    if isinstance(node, g.Metadata):
        return [value for value in node.values if value is not None]
    return []

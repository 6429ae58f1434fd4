"""The text of a generated processor: columns, `process`, `postprocess`, and the helpers that it carries with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hep_tables_coffea.codegen.columnar import Emitter
from hep_tables_coffea.codegen.embed import embedded
from hep_tables_coffea.codegen.fused.fills import builder, template
from hep_tables_coffea.codegen.fused.stage import FusedStage, fused_stage, kernel_name
from hep_tables_coffea.codegen.hints import name_hints
from hep_tables_coffea.codegen.scalars import ScalarWriter
from hep_tables_coffea.codegen.source import Names, atom, helper_names, helper_source, in_docstring, quoted
from hep_tables_coffea.errors import Where
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.lower import lower_counts
from hep_tables_coffea.plan.needs import chunk_nodes, scalar_walk

__all__ = ["ProcessorSource", "write", "write_fused"]

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
_OF_KERNELS = {name for k in range(100) for name in (kernel_name(k), kernel_name(k, "KERNEL"))}
_TAKEN = {"ak", "np", "hist", "math", "processor", "events", "self", "column", "key", "about", "out", "Any", "parts"}


@dataclass(frozen=True, slots=True)
class ProcessorSource:
    """Generated source: the text, the class in it, the columns that it reads, and where each line comes from."""

    text: str
    class_name: str
    columns: Mapping[str, tuple[str, int, str]]
    origins: Mapping[int, Where]
    process: str
    functions: Mapping[str, Callable[..., Any]]
    #: The texts of the kernels, where there are any, and why outputs are not in them.
    kernels: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    #: What is computed for kernels without them, and why.
    given: Mapping[g.Node, str] = field(default_factory=dict)
    #: The same without a kernel: what runs while it is compiled.
    meanwhile: ProcessorSource | None = None


def write(
    outputs: Mapping[str, g.Node],
    class_name: str = "Analysis",
    title: str = "",
    constants: Mapping[g.Node, Any] | None = None,
    embed: bool = False,
) -> ProcessorSource:
    """The processor that computes the outputs. With `embed` the user's functions are in the text."""
    return _write(outputs, class_name, title, constants or {}, embed, None)


def write_fused(
    outputs: Mapping[str, g.Node], title: str = "", constants: Mapping[g.Node, Any] | None = None
) -> ProcessorSource:
    """The processor that computes what it can in one compiled loop, and the rest with awkward."""
    columnar = write(outputs, title=title, constants=constants)
    hints = name_hints(lower_counts(node) for node in walk(list(outputs.values())))
    stage = fused_stage(outputs, hints, constants or {}, Names(_TAKEN | helper_names() | _OF_KERNELS))
    if not stage.lines:
        return replace(columnar, refused=stage.refused)
    return replace(_write(outputs, "Analysis", title, constants or {}, False, stage), meanwhile=columnar)


def _write(
    outputs: Mapping[str, g.Node],
    class_name: str,
    title: str,
    constants: Mapping[g.Node, Any],
    embed: bool,
    stage: FusedStage | None,
) -> ProcessorSource:
    left = {name: node for name, node in outputs.items() if stage is None or name in stage.refused}
    demand = Demand([*chunk_nodes(left), *(stage.before if stage is not None else ())])
    hints = name_hints(demand.recorded())
    names = Names(_TAKEN | helper_names()) if stage is None else stage.names
    emitter = Emitter(demand, names, hints, constants)
    if stage is not None:
        _call_kernel(stage, emitter)
    for node in demand.in_order():
        emitter.value(node)
    answers, finals, post = _write_outputs(outputs, emitter, stage or FusedStage(names))
    extra = embedded(emitter.functions) if embed else ""
    text, start = _assemble(class_name, title, emitter, answers, finals, post, outputs, extra, stage)
    origins = {start + number: demand.where(node) for number, node in emitter.origins.items()}
    first = start + len(emitter.lines) + 1  # after the line `return {`
    origins.update({first + number: demand.where(node) for number, (_, _, node) in enumerate(answers)})
    return ProcessorSource(
        text,
        class_name,
        dict(emitter.columns),
        origins,
        "\n".join(emitter.lines),
        dict(emitter.functions),
        tuple(kernel.text for kernel in stage.kernels) if stage is not None else (),
        tuple(kernel.digest for kernel in stage.kernels) if stage is not None else (),
        stage.refused if stage is not None else {},
        stage.given if stage is not None else {},
    )


def _call_kernel(stage: FusedStage, emitter: Emitter) -> None:
    """The call of a kernel, with what is computed for it before, and what it has computed as values of their nodes."""
    before = {}
    for node in stage.before:
        piece = emitter.value(node)
        before[node] = piece.text if piece.text.isidentifier() else emitter.assign(emitter.wish(node), piece, node).text
    emitter.lines += stage.lines_with(before)
    emitter.columns.update(stage.columns)
    emitter.helpers |= {*stage.helpers, "ready_kernel"}
    for node, variable in stage.pieces.items():
        emitter.take(node, variable)


#: The name of an answer of a chunk, its text, and the node that it is of.
Answer = tuple[str, str, g.Node]


def _write_outputs(
    outputs: Mapping[str, g.Node], emitter: Emitter, stage: FusedStage
) -> tuple[list[Answer], list[str], list[str]]:
    """Entries of the dict that `process` returns, entries of the final dict, and statements before it."""
    answers: dict[str, Answer] = {}
    finals: list[str] = []
    scalars = ScalarWriter(Names(_TAKEN | helper_names() | set(outputs)))
    for name, node in outputs.items():
        if isinstance(node, g.Fill) and node in stage.bins:
            bins, slab = stage.bins[node]
            answers.setdefault(key := _free(bins, outputs), (key, bins, node))
            emitter.helpers.add("with_bins")
            places = f"{slab.shape!r}, {slab.parts!r}" + (f", {slab.variances!r}" if slab.squares else "")
            text = f"with_bins({builder(node)}, out.get({quoted(name)}), out.get({quoted(key)}), {places})"
            finals.append(f"{quoted(name)}: {_viewed(node, text)}")
        elif isinstance(node, g.Fill):
            answers[name] = (name, _write_fill(name, node, emitter, stage.fills.get(node)), node)
            finals.append(f"{quoted(name)}: {_viewed(node, _final_histogram(name, node, emitter))}")
        elif node.path:
            emitter.helpers |= {"plain", "in_order", "concatenated"}
            answers[name] = (name, f"{{key: [plain({emitter.value(node).text})]}}", node)
            finals.append(f"{quoted(name)}: concatenated(in_order(out[{quoted(name)}], self.order))")
        else:
            for aggregate in (n for n in scalar_walk(node) if isinstance(n, g.Aggregate)):
                _write_aggregate(aggregate, name, emitter, scalars, answers, set(outputs) - {name})
            finals.append(f"{quoted(name)}: {scalars.value(node)}")
    emitter.helpers |= scalars.helpers
    return list(answers.values()), finals, scalars.lines


def _free(wish: str, taken: Collection[str]) -> str:
    """A key that no output has: all bins of a kernel are one answer, and histograms are made of it when all is done."""
    while wish in taken:
        wish += "_"
    return wish


def _write_aggregate(
    node: g.Aggregate,
    output: str,
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
    answers[wish] = (wish, f"{{key: [{part}({emitter.value(node.args[0]).text})]}}", node)
    scalars.add_aggregate(node, wish, "merged_" + _MERGED.get(node.function, node.function))


_MERGED = {"num": "sum", "count": "sum", "count_nonzero": "sum", "min": "least", "max": "greatest"}


def _write_fill(name: str, node: g.Fill, emitter: Emitter, counted: str | None) -> str:
    """The statements that make and fill a histogram; its variable."""
    made = emitter.assign(name, atom(builder(node)), node)
    if counted is not None:
        emitter.lines.append(f"add_bins({made.text}, {counted})")
        return made.text
    emitter.helpers.add("fill")
    for members in node.fills:
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


def _assemble(
    class_name: str,
    title: str,
    emitter: Emitter,
    answers: list[Answer],
    finals: list[str],
    post: list[str],
    outputs: Mapping[str, g.Node],
    extra: str,
    stage: FusedStage | None,
) -> tuple[str, int]:
    schema = build.source_of(next(iter(outputs.values()))).dataset.schema
    read = "read_fields" if schema.coffea_schema else "read_columns"
    if emitter.columns:
        emitter.helpers.add(read)
    helpers = helper_source(emitter.helpers)
    about = "\n".join(f"    {name}: {node.text if node.path else _scalar_text(node)}" for name, node in outputs.items())
    columns = "".join(f"\n        {name!r}: {spec!r}," for name, spec in emitter.columns.items())
    head = [
        f'"""{in_docstring(title) or "A processor generated by hep_tables_coffea."}"""',
        "",
        "from __future__ import annotations",
        "",
        *_imports(emitter, helpers, finals),
        "",
        "",
        *(helpers.rstrip().splitlines() + ["", ""] if helpers else []),
        *(extra.splitlines() + ["", ""] if extra else []),
        *(_kernel_text(stage) if stage is not None else []),
        f"class {class_name}(processor.ProcessorABC):",
        f'    """Outputs:\n\n{in_docstring(about)}\n    """',
        "",
        f"    columns = {{{columns}\n    }}" if columns else "    columns: dict = {}",
        "",
        *(["    meanwhile = None  # the same without the kernel", "    waits = True", ""] if stage is not None else []),
        "    def __init__(self, order=None):",
        '        """`order`: (sample, file) -> number, the order in which answers are put together."""',
        "        self.order = order or {}",
        "",
        "    def process(self, events):",
        *(_ready_text(stage) if stage is not None else []),
        "        about = events.metadata",
        '        key = (about["dataset"], about["filename"], about["entrystart"])',
        *([f"        column = {read}(events, self.columns)"] if emitter.columns else []),
        '        with np.errstate(all="ignore"):',
    ]
    text = "\n".join(head)
    start = text.count("\n") + 2
    body = [f"            {line}" for line in emitter.lines]
    body += [
        "            return {",
        *(f"                {quoted(name)}: {part}," for name, part, _ in answers),
        "            }",
        "",
    ]
    body += ["    def postprocess(self, out):", *(f"        {line}" for line in post)]
    body += ["        return {", *(f"            {final}," for final in finals), "        }", ""]
    return text + "\n" + "\n".join(body), start


def _kernel_text(stage: FusedStage) -> list[str]:
    lines: list[str] = []
    for number, kernel in enumerate(stage.kernels):
        lines += [f"{kernel_name(number, 'KERNEL')} = r'''", *kernel.text.rstrip().splitlines(), "'''", "", ""]
    return lines


def _ready_text(stage: FusedStage) -> list[str]:
    names = [kernel_name(number) for number in range(len(stage.kernels))]
    return [
        *(
            f"        {name} = ready_kernel({name.upper()}, {quoted(kernel.digest)}, self.waits)"
            for name, kernel in zip(names, stage.kernels)
        ),
        f"        if {' or '.join(f'{name} is None' for name in names)}:",
        "            return self.meanwhile.process(events)",
    ]


def _scalar_text(node: g.Node) -> str:
    return "histogram" if isinstance(node, g.Fill) and node.view == "hist" else str(node.type)


def _imports(emitter: Emitter, helpers: str, finals: list[str]) -> list[str]:
    code = helpers + "\n".join(emitter.lines)
    plain = ["import math"] if "math." in code else []
    typing = ["from typing import Any", ""] if helpers else []
    third = ["import awkward as ak", "import hist", "import numpy as np", "from coffea import processor"]
    if "hist." not in code + "\n".join(finals):
        third.remove("import hist")
    for module in sorted(emitter.imports):
        package, _, name = module.rpartition(".")
        third.append(f"from {package} import {name}" if package else f"import {name}")
    return [*plain, *typing, *third]

"""The text of a generated processor: columns, `process`, `postprocess`, and the helpers that it carries with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hep_tables_coffea.codegen.answers import Answer, write_answers
from hep_tables_coffea.codegen.columnar import Emitter
from hep_tables_coffea.codegen.embed import embedded
from hep_tables_coffea.codegen.fused.around import FusedStage, kernel_name
from hep_tables_coffea.codegen.fused.stage import fused_stage
from hep_tables_coffea.codegen.hints import name_hints
from hep_tables_coffea.codegen.scalars import ScalarWriter
from hep_tables_coffea.codegen.source import Names, helper_names, helper_source, in_docstring, quoted
from hep_tables_coffea.errors import Where
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.lower import lower_counts
from hep_tables_coffea.plan.needs import chunk_nodes
from hep_tables_coffea.plan.variations import Varied, parts_of

__all__ = ["ProcessorSource", "write", "write_fused"]

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
    varied: Mapping[str, Varied] | None = None,
) -> ProcessorSource:
    """The processor that computes the outputs. With `embed` the user's functions are in the text.

    What is `varied` is one answer of several outputs.
    """
    return _write(outputs, class_name, title, constants or {}, embed, None, varied or {})


def write_fused(
    outputs: Mapping[str, g.Node],
    title: str = "",
    constants: Mapping[g.Node, Any] | None = None,
    varied: Mapping[str, Varied] | None = None,
) -> ProcessorSource:
    """The processor that computes what it can in one compiled loop, and the rest with awkward."""
    columnar = write(outputs, title=title, constants=constants, varied=varied)
    hints = name_hints(lower_counts(node) for node in walk(list(outputs.values())))
    stage = fused_stage(outputs, hints, constants or {}, Names(_TAKEN | helper_names() | _OF_KERNELS))
    if not stage.lines:
        return replace(columnar, refused=stage.refused)
    fused = _write(outputs, "Analysis", title, constants or {}, False, stage, varied or {})
    return replace(fused, meanwhile=columnar)


def _write(
    outputs: Mapping[str, g.Node],
    class_name: str,
    title: str,
    constants: Mapping[g.Node, Any],
    embed: bool,
    stage: FusedStage | None,
    varied: Mapping[str, Varied],
) -> ProcessorSource:
    left = {name: node for name, node in outputs.items() if stage is None or name in stage.refused}
    demand = Demand([*chunk_nodes(left), *(stage.before if stage is not None else ())])
    hints = name_hints(demand.recorded())
    names = Names(_TAKEN | helper_names()) if stage is None else stage.names
    emitter = Emitter(demand, names, hints, constants, embed)
    if stage is not None:
        _call_kernel(stage, emitter)
    for node in demand.in_order():
        emitter.value(node)
    scalars = ScalarWriter(Names(_TAKEN | helper_names() | set(outputs)))
    answers, finals = write_answers(outputs, emitter, scalars, stage or FusedStage(names), varied)
    extra = embedded(emitter.functions) if embed else ""
    text, start = _assemble(class_name, title, emitter, answers, finals, scalars.lines, outputs, extra, stage, varied)
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
    varied: Mapping[str, Varied],
) -> tuple[str, int]:
    schema = build.source_of(next(iter(outputs.values()))).dataset.schema
    read = "read_fields" if schema.coffea_schema else "read_columns"
    if emitter.columns:
        emitter.helpers.add(read)
    helpers = helper_source(emitter.helpers)
    about = _about(outputs, varied)
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
        *_kernel_text(stage, emitter.texts),
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
    body += ["        return {", *(f"            {line}" for line in finals), "        }", ""]
    return text + "\n" + "\n".join(body), start


def _kernel_text(stage: FusedStage | None, others: Mapping[str, str]) -> list[str]:
    kernels = stage.kernels if stage is not None else []
    texts = {kernel_name(number, "KERNEL"): kernel.text for number, kernel in enumerate(kernels)} | dict(others)
    lines: list[str] = []
    for name, text in texts.items():
        lines += [f"{name} = r'''", *text.rstrip().splitlines(), "'''", "", ""]
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


def _about(outputs: Mapping[str, g.Node], varied: Mapping[str, Varied]) -> str:
    """The outputs with their types, a line for each; one for all variations of an output."""
    parts = parts_of(varied)
    return "\n".join(
        f"    {name}: {node.text if node.path else _scalar_text(node)}"
        + (f", in variations: {', '.join(varied[name].outputs)}" if name in varied else "")
        for name, node in outputs.items()
        if name not in parts
    )


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

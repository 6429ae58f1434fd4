"""Explaining a plan: stages, columns, and the code that will run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from hep_tables_coffea.graph.nodes import Fill, Node
from hep_tables_coffea.plan.simulation import left_alone
from hep_tables_coffea.plan.stages import Plan, Stage

__all__ = ["Explanation", "StageAccount"]


@dataclass(frozen=True, slots=True)
class StageAccount:
    """What a stage will do: the stage, the columns that it reads, the code that it runs.

    `question` is what is asked of the back end that delivers the columns, where there is one.
    """

    stage: Stage
    columns: tuple[str, ...]
    source: str
    engine: tuple[str, ...] = ("columnar",)
    question: str = ""

    @property
    def program(self) -> str:
        """The class in the code with its kernel, without the helpers that they carry."""
        kernel = self.source.find("\n@njit(\n")
        return self.source[(kernel if kernel >= 0 else self.source.find("\nclass ")) + 1 :]


def _whole(node: Node) -> str:
    return "a histogram" if isinstance(node, Fill) else f"{node.type}, one of the whole dataset"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `ht.explain` gives: text when printed, HTML in a notebook."""

    plan: Plan
    accounts: Sequence[StageAccount]

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that will be read."""
        return tuple(sorted({column for account in self.accounts for column in account.columns}))

    @property
    def source(self) -> str:
        """The generated code, with all that it needs to run by itself."""
        return "\n\n".join(account.source for account in self.accounts)

    def __str__(self) -> str:
        parts, number = [], 0
        for account in self.accounts:
            if account.stage.cut is not None:
                number += 1
                parts.append(f"Stage {number}: " + _delivered(account))
            number += 1
            parts.append(f"Stage {number}: " + _processed(account))
        return "\n\n".join(parts)

    __repr__ = __str__

    def picture(self, path: str | Path | None = None) -> str:
        """The recorded program as an SVG picture: each step with who runs it; written to a file where a path is given."""
        from hep_tables_coffea.show.picture import graph_svg

        svg = graph_svg(self.plan.outputs, self.plan.runs)
        if path is not None:
            Path(path).write_text(svg, encoding="utf-8")
        return svg

    def _repr_html_(self) -> str:
        text = f"<details><summary>plan and code</summary><pre>{escape(str(self))}</pre></details>"
        return f'<div style="overflow:auto">{self.picture()}</div>{text}'


def _delivered(account: StageAccount) -> str:
    """The stage that delivers columns, and why it does no more."""
    stage = account.stage
    assert stage.cut is not None
    lines = [f"{stage.cut.upstream} near {_subject(stage)}"]
    lines += [f"  delivers {name}: {node.text}" for name, node in stage.cut.columns.items()]
    lines += [f"  left to {stage.backend}: {reason}" for reason in stage.refusals]
    return "\n".join(lines) + "\n\n" + account.question


def _processed(account: StageAccount) -> str:
    """The stage that gives the answers."""
    stage = account.stage
    lines = [f"{stage.backend} over " + (_subject(stage) if stage.cut is None else "what is delivered")]
    lines += [
        f"  {name}: {node.text if node.path else _whole(node)}{_variations(stage, name)}"
        for name, node in stage.asked.items()
    ]
    if stage.first:
        lines.append(f"  in a pass before: {', '.join(str(n.where) for n in stage.first.values())}")
    many = "" if len(account.columns) == 1 else "s"
    lines.append(f"  reads {len(account.columns)} column{many}: {', '.join(account.columns)}")
    lines += [f"  engine: {account.engine[0]}", *(f"    {reason}" for reason in account.engine[1:])]
    if stage.varied:
        lines += [f"  note: {name} is data, and not varied" for name in left_alone(stage.dataset)]
    lines += [f"  note: {note}" for note in stage.dataset.schema.notes]
    if stage.cut is None:
        lines += [f"  note: {reason}" for reason in stage.refusals]
    return "\n".join(lines) + "\n\n" + account.program


def _variations(stage: Stage, name: str) -> str:
    """In which variations an output is computed."""
    labels = [label for label, part in stage.varied[name].outputs.items() if part] if name in stage.varied else []
    return f", in {len(labels)} variations: {', '.join(labels)}" if len(labels) > 1 else ""


def _subject(stage: Stage) -> str:
    number = len(stage.dataset.files)
    return f"{stage.dataset.name} ({number} file{'s' if number > 1 else ''}, {stage.dataset.schema.pack})"

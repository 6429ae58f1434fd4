"""The table: what is to be reached, what was measured, and whether that will do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.table import Table

__all__ = ["Row", "table"]


@dataclass(frozen=True, slots=True)
class Row:
    """One target. Most are ratios of ours to a reference: smaller is better unless `at_least`.

    The columnar engine's number stands beside that of the fused one, which is held against the target.
    """

    number: str
    what: str
    target: float | None
    measured: float | None
    columnar: float | None = None
    unit: str = ""
    at_least: bool = False

    @property
    def ok(self) -> bool | None:
        """None where there is no target, or nothing was measured."""
        if self.target is None or self.measured is None:
            return None
        return self.measured >= self.target if self.at_least else self.measured <= self.target

    def summary(self) -> dict[str, Any]:
        names = ("number", "what", "target", "measured", "columnar", "unit", "at_least", "ok")
        return {name: getattr(self, name) for name in names}


def table(rows: Iterable[Row]) -> Table:
    """All rows, to be printed."""
    made = Table(title="Targets: ours / reference, medians", title_justify="left")
    made.add_column("")
    made.add_column("what")
    for name in ("target", "measured", "columnar engine", "ok"):
        made.add_column(name, justify="right")
    words = {True: "[green]ok[/]", False: "[red]not yet[/]", None: "-"}
    for row in rows:
        target = _number(row.target, row.unit)
        if row.at_least and row.target is not None:
            target = f"≥ {target}"
        measured, columnar = _number(row.measured, row.unit), _number(row.columnar, row.unit)
        made.add_row(row.number, row.what, target, measured, columnar, words[row.ok])
    return made


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return "-"
    return f"{value:.3g}{' ' + unit if unit else ''}"

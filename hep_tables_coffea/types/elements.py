"""Element types: what one row holds. Numbers, text, and records; how many rows there are is the axis path's business."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from hep_tables_coffea.graph.axes import Axis
    from hep_tables_coffea.types.schema import Group

__all__ = ["Element", "Number", "Record", "Text", "number", "optional", "required"]


@dataclass(frozen=True, slots=True)
class Number:
    """A number or truth value: `float32`, `int64`, `bool`; `?float32` may be missing."""

    dtype: np.dtype[Any]
    option: bool = False

    def __str__(self) -> str:
        return f"{'?' if self.option else ''}{self.dtype.name}"


@dataclass(frozen=True, slots=True)
class Text:
    """A string."""

    option: bool = False

    def __str__(self) -> str:
        return "?string" if self.option else "string"


@dataclass(frozen=True, slots=True)
class Record:
    """Named fields. `rows` is the collection whose rows these are, so that they can be found again in it.

    `group` is the stored collection's description; `behavior` names the awkward record whose methods apply.
    """

    fields: tuple[str, ...]
    behavior: str = ""
    rows: Axis | None = None
    group: Group | None = None
    option: bool = False

    def __str__(self) -> str:
        shown = ", ".join(self.fields[:4]) + (", ..." if len(self.fields) > 4 else "")
        return ("?" if self.option else "") + f"{self.behavior}{{{shown}}}"


Element = Number | Text | Record


def number(dtype: Any, option: bool = False) -> Number:
    """The type of a number: `number("float32")`."""
    return Number(np.dtype(dtype), option)


def optional(element: Element) -> Element:
    """The same type, but a value may be missing."""
    return element if element.option else replace(element, option=True)


def required(element: Element) -> Element:
    """The same type, and no value is missing."""
    return replace(element, option=False) if element.option else element

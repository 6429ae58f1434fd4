"""Every error of the library: one tree, one form of message, and the user's line that it belongs to.

A message has, in this order and each at most a line: what failed in the user's words, the values concerned with their
types, the line that recorded it, and a hint that says what to type instead.
"""

from __future__ import annotations

import difflib
import linecache
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "AxisError",
    "BackendError",
    "ColumnNotFoundError",
    "ControlFlowError",
    "DataError",
    "FieldNotFoundError",
    "FileMissingError",
    "FilterError",
    "HepTablesError",
    "MergeError",
    "OptionError",
    "PluginError",
    "RecordingError",
    "RunError",
    "SchemaError",
    "SourceError",
    "TreeMissingError",
    "UsageError",
    "Where",
    "closest",
    "here",
    "hint_names",
    "translate",
]

#: Packages between the user's line and ours: the dispatch of numpy and awkward, and the standard library's helpers.
_BETWEEN = frozenset(("hep_tables_coffea", "awkward", "numpy", "functools", "copy"))
#: Modules of generated code.
_GENERATED = "hep_tables_coffea_generated"


@dataclass(frozen=True, slots=True)
class Where:
    """A line of the user's program."""

    file: str
    line: int

    @property
    def source(self) -> str:
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        name = "notebook cell" if self.file.startswith(("<ipython", "/tmp/ipykernel")) else self.file
        return f"{name}:{self.line}: {self.source}"


def here() -> Where:
    """The innermost line of the running program that is neither ours nor awkward's or numpy's."""
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_between(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return Where(frame.f_code.co_filename, frame.f_lineno)


def _is_between(module: str) -> bool:
    return module.partition(".")[0] in _BETWEEN or module.startswith(_GENERATED)


def closest(name: str, names: Iterable[str], n: int = 5) -> list[str]:
    """The names that exist, those most like `name` first."""
    names = sorted(set(names))
    folded = {candidate.lower(): candidate for candidate in names}
    begin = [candidate for candidate in names if len(name) > 2 and candidate.lower().startswith(name.lower())]
    alike = [folded[match] for match in difflib.get_close_matches(name.lower(), folded, n=n, cutoff=0.5)]
    near = list(dict.fromkeys([*begin, *alike]))[:n]
    return near + [candidate for candidate in names if candidate not in near][: max(0, n - len(near))]


def hint_names(name: str, names: Iterable[str]) -> str:
    """`did you mean 'pt'? ...`, or what exists."""
    names = list(names)
    near = closest(name, names)
    if not near:
        return "there are none"
    listed = ", ".join(near)
    more = f", ... ({len(names)} in all)" if len(names) > len(near) else ""
    return f"did you mean {near[0]}? The names nearest to it: {listed}{more}"


class HepTablesError(Exception):
    """The base of every error of the library: `except ht.HepTablesError` catches them all."""

    def __init__(
        self,
        summary: str,
        *,
        values: Sequence[tuple[str, str]] = (),
        hint: str = "",
        where: Where | None = None,
        located: bool = True,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.values = tuple(values)
        self.hint = hint
        self.where = where or (here() if located else None)

    def __str__(self) -> str:
        lines = [self.summary]
        lines += [f"  {name}: {value}" for name, value in self.values]
        if self.where is not None:
            lines.append(f"  recorded at {self.where}")
        if self.hint:
            lines.append(f"Hint: {self.hint}")
        return "\n".join(lines)

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.summary, self.values, self.hint, self.where)


def _rebuild(
    kind: type[HepTablesError],
    summary: str,
    values: tuple[tuple[str, str], ...],
    hint: str,
    where: Where | None,
) -> HepTablesError:
    return kind(summary, values=values, hint=hint, where=where, located=False)


class FieldNotFoundError(HepTablesError, AttributeError):
    """`jets.ptt`: the collection has no such column, reference, or method."""


class ColumnNotFoundError(HepTablesError, KeyError):
    """`jets["ptt"]`: the collection has no such column."""

    __str__ = HepTablesError.__str__


class AxisError(HepTablesError, TypeError, ValueError):
    """`jets.pt + electrons.pt`: the values have no rows in common."""


class FilterError(HepTablesError, TypeError, IndexError):
    """`jets[0.5]`: what stands between the brackets is no filter, position or column."""


class ControlFlowError(HepTablesError, TypeError):
    """`if jets.pt > 30:`: Python asks for a value now, and there is none before the data are read."""


class RecordingError(HepTablesError, TypeError):
    """`ak.to_list(jets.pt)`: the function cannot be recorded."""


class UsageError(HepTablesError, TypeError, ValueError):
    """A call with arguments that cannot work."""


class MergeError(HepTablesError, TypeError, ValueError):
    """`np.median(met)`: the answers of two chunks cannot be merged into the answer of both."""


class OptionError(HepTablesError, TypeError, ValueError):
    """`ht.options(chunksze=7)`: no such option, or no such value of it."""


class SchemaError(HepTablesError, KeyError, ValueError):
    """`schema="nanoadd"`: no such schema, or one that does not fit the columns."""

    __str__ = HepTablesError.__str__


class PluginError(HepTablesError, TypeError, ValueError):
    """A plug-in does not keep its contract."""


class SourceError(HepTablesError, TypeError, ValueError):
    """`ht.dataset(42)`: what cannot be a dataset."""


class FileMissingError(HepTablesError, FileNotFoundError):
    """A file that does not exist, or a pattern that matches none."""

    __str__ = HepTablesError.__str__


class TreeMissingError(HepTablesError, KeyError, ValueError):
    """The file has no tree of that name."""

    __str__ = HepTablesError.__str__


class DataError(HepTablesError, OSError, ValueError):
    """A file that cannot be read: not ROOT or Parquet, truncated, or a column that cannot be interpreted."""

    __str__ = HepTablesError.__str__


class BackendError(HepTablesError, NotImplementedError):
    """No back end can run what was recorded: the message says which value, and why."""


class RunError(HepTablesError, RuntimeError):
    """The program failed in a worker: the message names the user's line, the file and the entry range."""


def translate(error: Exception, where: Where | None = None) -> HepTablesError:
    """An error of reading files as one of ours; `where` is the user's line, if another thread than the user's read."""
    if isinstance(error, HepTablesError):
        return error
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    kind: type[HepTablesError] = DataError
    if isinstance(error, FileNotFoundError):
        kind = FileMissingError
    elif isinstance(error, KeyError):
        kind = TreeMissingError
    summary, _, hint = text.partition("\n")
    return kind(summary, hint=hint.strip(), where=where)

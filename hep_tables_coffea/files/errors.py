"""Errors of files: builtin exceptions with one sentence that names the file.

Workers may lack this library, and results travel by the pickle of the standard library: there a class of our own
could not be sent, so there is one such class and it travels as its builtin base.
"""

from __future__ import annotations

import difflib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["TreeNotFoundError", "closest", "failing_as_oserror", "listed", "missing_file", "missing_tree", "reason"]


class TreeNotFoundError(KeyError):
    """A file has no such tree, or several and none was named. Unlike a `KeyError` it prints as a sentence.

    >>> print(TreeNotFoundError("a.root has no tree 'Evens': it has 'Events'"))
    a.root has no tree 'Evens': it has 'Events'
    """

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[KeyError], tuple[object, ...]]:
        return KeyError, self.args


def closest(name: str, known: Iterable[str]) -> list[str]:
    """The known names, those most like `name` first.

    >>> closest("evens", ["Runs", "Events"])
    ['Events', 'Runs']
    """

    def unlikeness(other: str) -> float:
        return -difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio()

    return sorted(known, key=unlikeness)


def listed(names: Iterable[str], most: int = 8) -> str:
    """Names for the end of a sentence, at most so many.

    >>> listed(["a", "b", "c"], most=2)
    "'a', 'b' and 1 more"
    """
    names = list(names)
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def missing_file(path: str) -> FileNotFoundError:
    """There is no such file: names what its folder has instead."""
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        return FileNotFoundError(f"{path} does not exist, nor does its folder {folder}")
    near = difflib.get_close_matches(os.path.basename(path), os.listdir(folder), n=3, cutoff=0.5)
    return FileNotFoundError(f"{path} does not exist" + (f": its folder has {listed(near)}" if near else ""))


def missing_tree(path: str, tree: str, known: Iterable[str]) -> TreeNotFoundError:
    """The file has no such tree: names those it has, closest first."""
    near = closest(tree, known)
    has = f"it has {listed(near)}" if near else "it holds no TTree or RNTuple"
    return TreeNotFoundError(f"{path} has no tree {tree!r}: {has}")


def reason(error: Exception) -> str:
    """What an exception says, as one line: uproot's take many, and begin with how it came there."""
    text = getattr(error, "because", None) or getattr(error, "message", None) or str(error)
    lines = [line.strip() for line in str(text).splitlines()]
    return " ".join(line for line in lines if line and not line.startswith("in file"))[:300]


@contextmanager
def failing_as_oserror(doing: str) -> Iterator[None]:
    """Broken files raise anything (struct, zlib, assertions, key errors): make it an `OSError` that says what was done.

    A missing package or a full memory is no fault of the file, and a missing file keeps its class.
    """
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) else OSError
        msg = f"{doing}: {type(error).__name__}: {reason(error)}"
        raise kind(msg) from error

"""What can go wrong with a delivery: each an exception that says so, in the tree of the library's errors."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.errors import HepTablesError, RunError

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.delivery.request import FailedFile

__all__ = [
    "AccessError",
    "DeliveryError",
    "IncompleteError",
    "OverdueError",
    "UnreachableError",
    "UnwritableError",
    "in_words",
    "of_files",
]


class DeliveryError(RunError):
    """ServiceX did not deliver: the message says what it answered."""

    #: Whether the request may still be answered: then it is remembered, and the next run goes on with it.
    goes_on = False

    def __init__(self, summary: str, *, values: Sequence[tuple[str, str]] = (), hint: str = "", **more: Any) -> None:
        super().__init__(summary, values=values, hint=hint, **{"located": False, **more})


class UnreachableError(DeliveryError, ConnectionError):
    """The server, or the store of its results, does not answer."""

    goes_on = True
    __str__ = HepTablesError.__str__


class AccessError(DeliveryError, PermissionError):
    """The server does not accept who asks."""

    __str__ = HepTablesError.__str__


class UnwritableError(DeliveryError, OSError):
    """There is no room for the files."""

    goes_on = True
    __str__ = HepTablesError.__str__


class OverdueError(DeliveryError, TimeoutError):
    """The request took longer than was allowed."""

    goes_on = True
    __str__ = HepTablesError.__str__


class IncompleteError(DeliveryError):
    """Some input files have no result. `failures` says which."""

    failures: tuple[FailedFile, ...] = ()


#: So much of a server's text is shown.
LONGEST = 2000
_WRAPPED = re.compile(r"Something went wrong \((?:Failed to generate translation code: )?(.*)\)", re.DOTALL)


def in_words(text: str) -> str:
    """What matters of the text that a server sends with an error.

    >>> in_words('{"message": "Something went wrong (Failed to generate translation code: Unknown id: sqrt)"}')
    'Unknown id: sqrt'
    >>> in_words("<html><head><title>503 Service Unavailable</title></head></html>")
    '503 Service Unavailable'
    """
    try:
        found = json.loads(text)
        text = str(found.get("message", text)) if isinstance(found, dict) else text
    except ValueError:
        title = re.search(r"<title>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
        text = title[1] if title else text
    if wrapped := _WRAPPED.search(text):
        text = wrapped[1]
    text = text.strip()
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def of_files(failures: Sequence[FailedFile], most: int = 5) -> list[tuple[str, str]]:
    """Failed files as values of a message."""
    listed = [(failed.source, failed.reason) for failed in failures[:most]]
    return listed + ([("...", f"{len(failures) - most} more")] if len(failures) > most else [])

"""How much is kept on disk: the limit, and what is dropped to stay below it.

Every file has the time when it was last used as its time. What was used least recently is dropped first, but nothing of
the last hour for something new: of more columns than there is room for, read again and again in the same order, each
would else be written and dropped before it is read once more.

A process looks through the folder when it writes for the first time, and again after each twentieth of the limit.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from hep_tables_coffea.files.notes import NOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FORMAT", "Room", "Usage", "clear", "usage"]

#: The folder of what this version of the library can read.
FORMAT = "v1"

GIGABYTE = 10**9
MOST = 20 * GIGABYTE
PART_OF_FREE = 0.1
RECENT = 3600
OLD = 90 * 24 * 3600


class Kept(NamedTuple):
    """One file that is kept."""

    used: float
    nbytes: int
    path: str


def _kept(folder: str) -> Iterator[Kept]:
    """Every file of ours; what another process drops meanwhile is left out."""
    top = os.path.join(folder, FORMAT)
    with suppress(OSError):
        for table in os.listdir(top):
            with suppress(OSError), os.scandir(os.path.join(top, table)) as entries:
                for entry in entries:
                    with suppress(OSError):
                        about = entry.stat()
                        yield Kept(about.st_mtime, about.st_size, entry.path)


def _drop(one: Kept) -> bool:
    with suppress(OSError):
        os.unlink(one.path)
        with suppress(OSError):  # it is not empty
            os.rmdir(os.path.dirname(one.path))
        return True
    return False


@dataclass
class Room:
    """What a process knows of the room in a folder."""

    folder: str
    total: int = 0
    _added: int | None = None
    _full_until: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_full(self) -> bool:
        """Whether there was no room a moment ago."""
        return time.monotonic() < self._full_until

    def take(self, nbytes: int, limit: int | None) -> bool:
        """Whether so many bytes may be written; then they count as written."""
        with self._lock:
            if limit is None:
                limit = self._default_limit()
            if nbytes > limit or self.is_full():
                return False
            if self._added is None or self._added > limit // 20 or self.total + nbytes > limit:
                self.total, self._added = _clean(self.folder, limit, nbytes), 0
            if self.total + nbytes > limit:
                self._full_until = time.monotonic() + 60
                return False
            self.total += nbytes
            self._added += nbytes
            return True

    def _default_limit(self) -> int:
        """What is kept already counts as free: else the limit would shrink while it is reached."""
        try:
            free = shutil.disk_usage(self.folder).free
        except OSError:
            return MOST
        return min(MOST, int((free + self.total) * PART_OF_FREE))


def _clean(folder: str, limit: int, needed: int) -> int:
    """Drop what is old, what is above the limit, and for so many bytes more what was not used recently. The rest."""
    now = time.time()
    kept = sorted(_kept(folder))
    total = sum(one.nbytes for one in kept)
    for one in kept:
        is_left_over = one.path.endswith(".tmp") and one.used < now - RECENT
        is_old = one.used < now - OLD
        is_needed = total + needed > limit and one.used < now - RECENT
        if (is_left_over or is_old or is_needed or total > limit) and _drop(one):
            total -= one.nbytes
    return total


class Usage(NamedTuple):
    """What is kept in a folder."""

    folder: str
    nbytes: int
    #: Files with columns of events.
    files: int
    #: Event files that they are of.
    tables: int


def usage(folder: str) -> Usage:
    """What is kept in a folder."""
    kept = [one for one in _kept(folder) if os.path.basename(one.path) != NOTES]
    tables = {os.path.dirname(one.path) for one in kept}
    return Usage(folder, sum(one.nbytes for one in kept), len(kept), len(tables))


def clear(folder: str) -> Usage:
    """Drop all that is kept in a folder, and nothing that is not ours. What it was."""
    before = usage(folder)
    for one in _kept(folder):
        _drop(one)
    for place in (os.path.join(folder, FORMAT), folder):
        with suppress(OSError):  # something else is in it
            os.rmdir(place)
    return before

"""What a process keeps of the files it has read.

For each of the last files: the open file; of each tree that was asked for where its branches are, with those parsed and
interpreted that were read; and, once asked for, the description of all. Of a tree with 1500 branches that is 2 MB.
Opening it and reading twenty of them takes 12 ms, and 4 ms from then on; describing all takes 40 ms. No arrays are kept.

A local file that has changed (times, size or inode) is opened afresh. What is dropped is not closed but released, since
another thread may be reading from it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections import OrderedDict
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from hep_tables_coffea.files.parquet import ParquetFile
from hep_tables_coffea.files.paths import fingerprint, is_parquet, is_settled, is_url, local
from hep_tables_coffea.files.root import RootFile

if TYPE_CHECKING:
    from hep_tables_coffea.files.source import Source

__all__ = ["File", "Slot", "acquire", "forget", "slot_of"]

#: A worker gets this library by value, and then anew for each task: what it keeps has to live outside of the library.
KEEPER = "_hep_tables_coffea_worker"

#: So many files stay open.
KEPT = 16


class File(Protocol):
    """An open file."""

    def trees(self) -> list[str]: ...

    def source(self, tree: str | None) -> Source: ...


class Slot:
    """One file of one state, opened by the first thread that needs it while others wait."""

    def __init__(self, mark: tuple[int, ...]) -> None:
        self.mark = mark
        #: Whether no write after it was opened can have left the mark as it is.
        self.is_settled = is_settled(mark)
        self._lock = threading.Lock()
        self._file: File | None = None

    def file(self, path: str) -> File:
        with self._lock:
            if self._file is None:
                self._file = ParquetFile(path) if is_parquet(path) else RootFile(path)
            return self._file


def acquire(path: str) -> File:
    """The open file at a path, kept from the last time if it has not changed since.

    Raises `FileNotFoundError`, `IsADirectoryError` or another `OSError` that says what is wrong with it.
    """
    return slot_of(path).file(path)


def slot_of(path: str, settled: bool = False) -> Slot:
    """The slot of a file. If it is to be `settled`, one that was opened just after it was written is opened again."""
    key, mark = _key(path), fingerprint(path)
    lock, slots = _kept()
    with lock:
        slot = slots.get(key)
        is_early = settled and slot is not None and not slot.is_settled and is_settled(mark)
        if slot is None or slot.mark != mark or is_early:
            slot = slots[key] = Slot(mark)
        slots.move_to_end(key)
        while len(slots) > KEPT:
            slots.popitem(last=False)
    return slot


def forget(path: str | None = None) -> None:
    """Drop what is kept of a file, or of all."""
    lock, slots = _kept()
    with lock:
        if path is None:
            slots.clear()
        else:
            slots.pop(_key(path), None)


def _key(path: str) -> str:
    return path if is_url(path) else local(path)


def _kept() -> tuple[threading.Lock, OrderedDict[str, Slot]]:
    """The slots of this process: after a fork the parent's lock may be held for ever, remote files share a position."""
    keeper = sys.modules.setdefault(KEEPER, ModuleType(KEEPER))
    fresh: tuple[threading.Lock, OrderedDict[str, Slot]] = (threading.Lock(), OrderedDict())
    return cast("tuple[threading.Lock, OrderedDict[str, Slot]]", vars(keeper).setdefault(f"files_{os.getpid()}", fresh))

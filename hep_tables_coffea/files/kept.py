"""Columns that were decoded once are kept on disk, and read from there: some ten times faster.

Each piece is one column of an entry range as it was read (see `pieces`). A range is read from the piece that has all of
it, or from several that have it together; what no pieces have is read from the event file. A piece that has all of
others takes their place.

Nothing stale is read. The name of a folder is made of all that tells one state of an event file from another: place,
size, inode, times and UUID, with the name of the tree and the versions of all that reads it. A local file that was
written just now is not kept: it could be written again within the resolution of its time.

Writing takes about as long as reading, so a column is written when it is read for the second time, which a note beside
the pieces tells from run to run; or at once, if the user asks for that. Whatever fails in writing fails in silence, but
for one line of log.

The package diskcache does not map files into memory: it would copy what it reads, so it is not used.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import uproot

from hep_tables_coffea._version import __version__
from hep_tables_coffea.files.layouts import plain
from hep_tables_coffea.files.notes import NOTES, Notes
from hep_tables_coffea.files.paths import is_url, local
from hep_tables_coffea.files.pieces import SUFFIX, Piece, load, save
from hep_tables_coffea.files.room import FORMAT, Room, Usage, clear, usage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hep_tables_coffea.files.source import Source, Wanted

__all__ = ["Keep", "Shelf", "clear_cache", "default_folder", "keeping", "shelf_of"]

#: See `handles`.
KEEPER = "_hep_tables_coffea_worker"
PIECE = re.compile(rf"([0-9a-f]+)-(\d+)-(\d+){re.escape(SUFFIX)}")

#: Unless the user asks, ranges of fewer entries are not worth a file.
LEAST = 10_000


@dataclass(frozen=True, slots=True)
class Keep:
    """Where decoded columns are kept. It is sent to workers.

    >>> Keep("/tmp/columns", at_once=True).place()
    '/tmp/columns'
    """

    #: "" is the folder of the user, there where the columns are read.
    folder: str = ""
    #: Whether a column is written when it is read for the first time, not for the second.
    at_once: bool = False
    #: Bytes; None is 20 GB, or a tenth of the free disk if that is less.
    limit: int | None = None

    def place(self) -> str:
        return self.folder or default_folder()


def keeping(cache: bool | str | os.PathLike[str] | None, limit: int | None = None) -> Keep | None:
    """What the option `cache` means. None, which nobody asked for, keeps what is read again.

    >>> keeping(True).at_once, keeping(None).at_once, keeping(False)
    (True, False, None)
    """
    if cache is False:
        return None
    folder = "" if cache is None or cache is True else os.path.abspath(os.path.expanduser(os.fspath(cache)))
    return Keep(folder, cache is not None, limit)


def default_folder() -> str:
    """In the folder that HEP_TABLES_COFFEA_CACHE names, else in the user's folder for caches."""
    base = os.environ.get("HEP_TABLES_COFFEA_CACHE")
    if not base:
        try:
            import platformdirs

            base = platformdirs.user_cache_dir("hep_tables_coffea", appauthor=False)
        except ImportError:  # a worker that has coffea and not this library
            base = os.path.join(os.path.expanduser("~"), ".cache", "hep_tables_coffea")
    return os.path.join(base, "columns")


def delivered_folder(folder: str | os.PathLike[str] | None = None) -> str:
    """Where what was delivered is kept: beside the decoded columns of the user, or inside of the folder of `cache=`."""
    if folder is None:
        return os.path.join(os.path.dirname(default_folder()), "servicex")
    return os.path.join(os.path.abspath(os.path.expanduser(os.fspath(folder))), "servicex")


def clear_cache(folder: str | os.PathLike[str] | None = None) -> Usage:
    """Drop the decoded columns and the deliveries that are kept on disk, and say what they were.

    Args:
        folder: as `cache=` was given; the folder of the user if it was not.

    Example:
        >>> import hep_tables_coffea as ht
        >>> ht.clear_cache("/tmp/no_such_folder").nbytes
        0
    """
    return _both(clear, folder)


def kept_on_disk(folder: str | os.PathLike[str] | None = None) -> Usage:
    """How much of decoded columns and of deliveries is kept on disk."""
    return _both(usage, folder)


def _both(ask: Callable[[str], Usage], folder: str | os.PathLike[str] | None) -> Usage:
    delivered = ask(delivered_folder(folder))
    columns = ask(default_folder() if folder is None else os.path.abspath(os.path.expanduser(os.fspath(folder))))
    return Usage(columns.folder, *(one + other for one, other in zip(columns[1:], delivered[1:])))


class Range(NamedTuple):
    """A piece that is on disk."""

    start: int
    stop: int
    name: str


class Shelf:
    """What is kept of one table of one state of a file."""

    def __init__(self, keep: Keep, identity: tuple[Any, ...]) -> None:
        self._keep, self._base = keep, keep.place()
        versions = (FORMAT, __version__, uproot.__version__, ak.__version__)
        digest = blake2b(repr((versions, identity)).encode(), digest_size=16).hexdigest()
        self.folder = os.path.join(self._base, FORMAT, digest)
        self._notes = Notes(os.path.join(self.folder, NOTES))

    def take(self, wanted: Mapping[str, Wanted], start: int, stop: int) -> dict[str, Any]:
        """Those columns that are kept for all these entries."""
        lists: dict[str, Any] = {}
        found: dict[str, Any] = {}
        others: dict[str, list[Range]] | None = None
        for name, (_, leaf) in wanted.items():
            key = _key(name, leaf)
            with suppress(OSError, ValueError):
                found[name] = ak.Array(load(self.folder, _name(key, start, stop), lists))
                continue
            if others is None:
                others = self._ranges({_key(name, leaf) for name, (_, leaf) in wanted.items()})
            with suppress(OSError, ValueError):
                parts = [
                    load(self.folder, piece.name, lists)[low - piece.start : high - piece.start]
                    for piece, low, high in _covering(others.get(key, []), start, stop)
                ]
                whole = parts[0] if len(parts) == 1 else ak.concatenate(parts, highlevel=False)
                found[name] = plain(ak.Array(whole), options=leaf.optional)
        return found

    def _ranges(self, keys: set[str]) -> dict[str, list[Range]]:
        """The pieces of each of these columns."""
        found: dict[str, list[Range]] = {}
        with suppress(OSError):
            for name in os.listdir(self.folder):
                if name.partition("-")[0] in keys and (match := PIECE.fullmatch(name)):
                    found.setdefault(match[1], []).append(Range(int(match[2]), int(match[3]), name))
        return found

    def is_due(self, wanted: Mapping[str, Wanted], start: int, stop: int) -> set[str]:
        """Those columns that are to be kept when they have been read; of the others it is noted that they were."""
        if self._keep.at_once:
            return set(wanted)
        if stop - start < LEAST or _problem(self._base):
            return set()
        try:
            return self._notes.seen(wanted, start, stop)
        except (OSError, ValueError) as error:
            _give_up(self._keep, self._base, error)
            return set()

    def put(self, wanted: Mapping[str, Wanted], arrays: Mapping[str, Any], start: int, stop: int) -> None:
        """Keep columns. Where that fails they are not kept, nor does this process try again."""
        if _problem(self._base) or _room(self._base).is_full() or not arrays:
            return
        try:
            os.makedirs(self.folder, exist_ok=True)
            for name, array in arrays.items():
                self._put(_key(name, wanted[name][1]), array, start, stop)
            self._drop_parts({_key(name, wanted[name][1]) for name in arrays}, start, stop)
        except Exception as error:
            _give_up(self._keep, self._base, error)

    def _put(self, key: str, array: Any, start: int, stop: int) -> None:
        piece = Piece(_name(key, start, stop), array)
        if _room(self._base).take(piece.nbytes(), self._keep.limit):
            try:
                save(self.folder, piece)
            except FileNotFoundError:  # the folder was empty and is dropped by another process
                os.makedirs(self.folder, exist_ok=True)
                save(self.folder, piece)

    def _drop_parts(self, keys: set[str], start: int, stop: int) -> None:
        """Pieces of which there is a longer one now."""
        ranges = self._ranges(keys)
        for key in keys:
            pieces = ranges.get(key, [])
            if any((piece.start, piece.stop) == (start, stop) for piece in pieces):
                for piece in pieces:
                    if start <= piece.start and piece.stop <= stop and (piece.start, piece.stop) != (start, stop):
                        with suppress(OSError):
                            os.unlink(os.path.join(self.folder, piece.name))


def _key(name: str, leaf: Any) -> str:
    """A column and its type."""
    about = (name, leaf.dtype, leaf.depth, leaf.fixed, leaf.optional)
    return blake2b(repr(about).encode(), digest_size=12).hexdigest()


def _name(key: str, start: int, stop: int) -> str:
    return f"{key}-{start}-{stop}{SUFFIX}"


def _covering(pieces: Sequence[Range], start: int, stop: int) -> list[tuple[Range, int, int]]:
    """Pieces with all these entries, and which of them to take from each. Raises `ValueError` if some are missing."""
    chosen = []
    at = start
    while at < stop:
        best = max((piece for piece in pieces if piece.start <= at), key=lambda piece: piece.stop, default=None)
        if best is None or best.stop <= at:
            msg = f"entry {at} is not kept"
            raise ValueError(msg)
        chosen.append((best, at, min(best.stop, stop)))
        at = best.stop
    return chosen


# -- what a process knows of each folder -----------------------------------------------------------------------------


def _known(kind: str) -> dict[str, Any]:
    keeper = sys.modules.setdefault(KEEPER, ModuleType(KEEPER))
    known: dict[str, Any] = vars(keeper).setdefault(f"{kind}_{os.getpid()}", {})
    return known


def _room(folder: str) -> Room:
    room: Room = _known("room").setdefault(folder, Room(folder))
    return room


#: So long a folder that could not be written is left alone [s].
PAUSE = 600


def _problem(folder: str) -> bool:
    """Whether it could not be written a moment ago."""
    return time.monotonic() < float(_known("unwritable").get(folder, 0.0))


def _give_up(keep: Keep, folder: str, error: Exception) -> None:
    is_first = folder not in _known("unwritable")
    _known("unwritable")[folder] = time.monotonic() + PAUSE
    if is_first:
        level = logging.WARNING if keep.at_once else logging.INFO
        logging.getLogger("hep_tables_coffea").log(level, "decoded columns are not kept in %s: %s", folder, error)


def shelf_of(keep: Keep, source: Source, mark: tuple[int, ...]) -> Shelf:
    """The shelf of an open table, kept with it. A remote file has no mark: its UUID, size and URL tell its state."""
    key = (keep, keep.place())
    if key not in source.shelves:
        about = source.table(())
        identity = (_place(about.path), mark, about.uuid, source.nbytes, about.kind, about.tree, about.num_entries)
        source.shelves[key] = Shelf(keep, identity)
    shelf: Shelf = source.shelves[key]
    return shelf


def _place(path: str) -> str:
    """Where a file is, without the token that a URL may have behind its question mark."""
    return path.partition("?")[0] if is_url(path) else local(path)

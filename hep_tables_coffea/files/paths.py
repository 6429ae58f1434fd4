"""Paths: which files a source names, and what tells that a file has changed."""

from __future__ import annotations

import glob
import os
import time

from hep_tables_coffea.files.errors import missing_file

__all__ = ["expand", "fingerprint", "is_parquet", "is_settled", "is_url", "local"]

#: How much older than now a time has to be so that it is surely not now [ns].
FINE, COARSE = 100_000_000, 2_500_000_000


def is_url(path: str) -> bool:
    """Whether a path is remote. `file://` is not."""
    return "://" in path and not path.startswith("file://")


def local(path: str) -> str:
    """The absolute path of a local file, so that a change of folder does not change which file is meant."""
    return os.path.abspath(os.path.expanduser(path.removeprefix("file://")))


def expand(source: str) -> list[str]:
    """The files that a glob pattern names, sorted. A URL and the path of one file are themselves.

    Raises `FileNotFoundError` if a pattern matches nothing.

    >>> expand("root://eos.cern.ch//data/*.root")
    ['root://eos.cern.ch//data/*.root']
    """
    if is_url(source) or not glob.has_magic(source) or os.path.exists(source):
        return [source]
    found = sorted(glob.glob(os.path.expanduser(source.removeprefix("file://")), recursive=True))
    if not found:
        msg = f"no file matches {source}"
        raise FileNotFoundError(msg)
    return found


def fingerprint(path: str) -> tuple[int, ...]:
    """Changes when the file at a path does. A remote file has none: asking for it costs a round trip each time."""
    if is_url(path):
        return ()
    try:
        status = os.stat(local(path))
    except FileNotFoundError:
        raise missing_file(path) from None
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_ctime_ns)


def is_settled(mark: tuple[int, ...]) -> bool:
    """Whether a file with this fingerprint would have another if it were written now.

    Times are as fine as the clock of the system ticks, some milliseconds, or as coarse as two seconds. Nothing can be
    said of a remote file: it is taken to stay as it is.
    """
    if not mark:
        return True
    modified, _, _, changed = mark
    margin = COARSE if modified % 10**7 == changed % 10**7 == 0 else FINE
    return time.time_ns() - max(modified, changed) > margin


def is_parquet(path: str) -> bool:
    """Whether a file is Parquet rather than ROOT: by its first bytes, and by its suffix if it is remote.

    Raises `OSError` if it is neither.
    """
    if is_url(path):
        # what follows the question mark is a token or a redirection
        return path.partition("?")[0].endswith((".parquet", ".pq"))
    if os.path.isdir(local(path)):
        msg = f"{path} is a directory: give its files, for example {os.path.join(path, '*.root')}"
        raise IsADirectoryError(msg)
    with open(local(path), "rb") as file:
        head = file.read(4)
    if head in (b"root", b"PAR1"):
        return head == b"PAR1"
    msg = f"{path} is not a ROOT or Parquet file: it {f'starts with {head!r}' if head else 'is empty (0 bytes)'}"
    raise OSError(msg)

"""A note beside the pieces of a table: what of it was read."""

from __future__ import annotations

import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOTES", "Notes"]

#: The name of the file. Each line has an entry range and columns.
NOTES = "read.jsonl"
#: Longer notes begin anew.
LONGEST = 1_000_000


class Notes:
    """Which columns of a table were read, for which entries: by this process and by others, now and in former runs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._size = -1
        self._ranges: dict[str, set[tuple[int, int]]] = {}
        self._lock = threading.Lock()

    def seen(self, names: Mapping[str, Any], start: int, stop: int) -> set[str]:
        """Those columns of which some of these entries were read before. That they all are now is noted."""
        with self._lock:
            self._load()
            seen = {name for name in names if self._is_seen(name, start, stop)}
            fresh = [name for name in names if (start, stop) not in self._ranges.get(name, ())]
            if fresh:
                self._append([start, stop, fresh])
            return seen

    def _is_seen(self, name: str, start: int, stop: int) -> bool:
        return any(low < stop and start < high for low, high in self._ranges.get(name, ()))

    def _load(self) -> None:
        """What others have noted, if they have."""
        try:
            size = os.stat(self._path).st_size
        except OSError:
            self._size, self._ranges = -1, {}
            return
        if size == self._size:
            return
        self._size, self._ranges = size, {}
        with open(self._path, encoding="utf-8") as file:
            for line in file:
                with suppress(ValueError, TypeError):  # half a line, of a process that was killed
                    start, stop, names = json.loads(line)
                    for name in names:
                        self._ranges.setdefault(name, set()).add((start, stop))

    def _append(self, note: list[Any]) -> None:
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        mode = "wb" if self._size > LONGEST else "ab"
        with open(self._path, mode, buffering=0) as file:
            file.write((json.dumps(note) + "\n").encode())

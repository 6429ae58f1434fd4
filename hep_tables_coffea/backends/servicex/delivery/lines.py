"""Progress of deliveries: a line for each, drawn while there is something to wait for.

On a terminal they are in one picture. In a notebook each is a text that is replaced: rich draws widgets there, which ask
something of the client, and one that runs a notebook with nobody at it may wait for ever then.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from hep_tables_coffea.config import in_notebook

__all__ = ["Line"]

#: Unless the user asks, what takes less is not worth a line [s].
WORTHWHILE = 1.5
#: Time between two texts in a notebook: files may be quicker than a browser [s].
PAUSE = 0.1

_lock = threading.Lock()
#: The picture that is drawn, and the lines in it: several deliveries may be under way in several threads.
_picture: Any = None
_drawn: set[Line] = set()


class Line:
    """The line of one delivery. `progress` is as of the options: None draws where somebody can see it.

    Example:
        >>> with Line("zee", progress=False) as line:
        ...     line.show(ready=1, total=3, failed=0, nbytes=2_000_000, word="Running")
        ...     line.text
        'Running, 1/3 files, 2.0 MB'
    """

    def __init__(self, title: str, progress: bool | None) -> None:
        self.title, self.text = title, ""
        self._in_cell = in_notebook()
        interactive = sys.stderr.isatty() or self._in_cell
        self._wanted = interactive if progress is None else progress
        self._from = time.monotonic() + (WORTHWHILE if progress is None else 0.0)
        self._task: Any = None
        self._display: Any = None

    def __enter__(self) -> Line:
        return self

    def show(self, *, ready: int, total: int, failed: int, nbytes: int, word: str) -> None:
        """Say how far it is."""
        parts = [word, f"{ready}/{total or '?'} files", f"{nbytes / 1e6:.1f} MB"]
        self.text = ", ".join(parts + ([f"{failed} failed"] if failed else []))
        if not self._wanted or time.monotonic() < self._from:
            return
        if self._in_cell:
            self._show_in_cell()
            self._from = time.monotonic() + PAUSE
            return
        with _lock:
            if self._task is None:
                self._task = _picture_now().add_task(self.title, total=None, text="")
                _drawn.add(self)
            _picture_now().update(self._task, completed=ready, total=total or None, text=self.text)

    def _show_in_cell(self) -> None:
        from IPython.display import display

        text = {"text/plain": f"{self.title}: {self.text}"}
        if self._display is None:
            self._display = display(text, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(text, raw=True)

    def __exit__(self, *_: object) -> None:
        """The picture is left as it is when its last line ends."""
        global _picture
        if self._display is not None:
            self._show_in_cell()
        with _lock:
            if self._task is None:
                return
            _drawn.discard(self)
            if not _drawn:
                _picture.stop()
                _picture = None


def _picture_now() -> Any:
    global _picture
    if _picture is None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        title, text = (TextColumn(what, markup=False) for what in ("{task.description}", "{task.fields[text]}"))
        console = Console(file=sys.stderr, force_jupyter=False)
        _picture = Progress(title, BarColumn(), text, TimeElapsedColumn(), console=console, refresh_per_second=4)
        _picture.start()
    return _picture

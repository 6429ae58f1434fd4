"""The bars of coffea: none where none is wanted, and in a notebook a text that is replaced.

In a notebook, rich draws a bar as an output widget. A client that runs the notebook with nobody at it, as nbconvert,
papermill and builders of documentation do, sends every change of such a widget back to the kernel, through the socket on
which it waits for the end of the cell. If the answer arrives just then, the client does not see it and waits for ever
(jupyter/nbclient#312). A display that is updated asks nothing of the client.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from threading import Lock
from typing import Any

from coffea import util
from rich.console import Console
from rich.progress import Progress

__all__ = ["drawing"]

#: Seconds between two pictures: chunks may be quicker than a browser.
PAUSE = 0.1

#: Bars that are drawn instead of coffea's: of runs that are under way at once, those of the last to begin.
_instead: list[tuple[object, type[Progress]]] = []
_changing = Lock()


@contextmanager
def drawing(wanted: bool) -> Iterator[None]:
    """Within the block, the bars of coffea's executors can be seen if they are wanted, else are not drawn."""
    if wanted and not util.coffea_console.is_jupyter:
        yield
        return
    mine = object(), InCell if wanted else Undrawn
    with _changing:
        _instead.append(mine)
        util.Progress = mine[1]
    try:
        yield
    finally:
        with _changing:
            _instead.remove(mine)
            util.Progress = _instead[-1][1] if _instead else Progress


class Undrawn(Progress):
    """A bar that nobody sees. rich's own would leave an empty widget in a notebook, and an empty line in a file."""

    def start(self) -> None:
        """Nothing is drawn."""

    def stop(self) -> None:
        """Nothing was drawn."""

    def refresh(self) -> None:
        """Nothing is drawn."""


class InCell(Progress):
    """Bars as text in the output of the cell, in the place of those before."""

    _display: Any = None
    _at = 0.0

    def start(self) -> None:
        """Shown with the first task."""

    def stop(self) -> None:
        """The bars as they are in the end stay."""
        self._show()

    def refresh(self) -> None:
        """The bars as they are now, if the last picture is some time ago."""
        if time.monotonic() - self._at > PAUSE:
            self._show()

    def _show(self) -> None:
        from IPython.display import display

        self._at = time.monotonic()
        picture = {"text/plain": self._text()}
        if self._display is None:
            self._display = display(picture, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._display.update(picture, raw=True)

    def _text(self) -> str:
        text = StringIO()
        kind: dict[str, Any] = {"force_terminal": False, "force_jupyter": False, "legacy_windows": False}
        Console(file=text, width=100, color_system=None, **kind).print(self.get_renderable())
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

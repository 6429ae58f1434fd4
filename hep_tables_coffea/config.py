"""The options of a run: one frozen record, set for good or for a block by `ht.options(...)`."""

from __future__ import annotations

import re
import sys
from contextvars import ContextVar, Token
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from hep_tables_coffea.errors import OptionError, hint_names

__all__ = ["Options", "current", "in_notebook", "merged", "options"]

ENGINES = ("auto", "columnar", "fused")
ON_ERROR = ("raise", "report")
DELIVERIES = ("parquet", "root", "urls")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. Every field can be given to `make_local`, `run` and `options`.

    Decoded columns are kept on disk (`cache`) with True or a folder when they are first read, with None from the second
    time on, with False never; in all no more than `cache_size`, in bytes or as "5 GB".

    What ServiceX delivers are Parquet files, with `delivery="root"` ROOT files; with "urls" nothing is copied, and what
    it delivers is read where it is.
    """

    executor: Any = "auto"
    workers: int | None = None
    chunksize: int | None = None
    cache: bool | str | Path | None = None
    cache_size: int | str | None = None
    on_error: str = "raise"
    engine: str = "auto"
    progress: bool | None = None
    backend: str | None = None
    delivery: str = "parquet"


_current: ContextVar[Options] = ContextVar("hep_tables_coffea_options", default=Options())  # noqa: B039 (frozen)


def current() -> Options:
    """The options in force."""
    return _current.get()


def merged(given: dict[str, Any]) -> Options:
    """The options in force with those of one call."""
    names = [field.name for field in fields(Options)]
    for name in given:
        if name not in names:
            msg = f"there is no option {name!r}"
            raise OptionError(msg, hint=hint_names(name, names))
    chosen = replace(current(), **given)
    _check(chosen)
    return chosen


def _check(chosen: Options) -> None:
    for name, allowed in (("engine", ENGINES), ("on_error", ON_ERROR), ("delivery", DELIVERIES)):
        value = getattr(chosen, name)
        if value not in allowed:
            msg = f"{name}={value!r} is not possible"
            raise OptionError(msg, hint=f"{name} is one of {', '.join(map(repr, allowed))}")
    check_cache(chosen.cache)
    size_in_bytes(chosen.cache_size)
    for name in ("chunksize", "workers"):
        number: Any = getattr(chosen, name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            msg = f"{name}={number!r} is not possible"
            raise OptionError(msg, hint=f"{name} is a positive number, or None to let the library choose")


def check_cache(cache: Any) -> None:
    """Refuse what is neither a switch nor a folder."""
    if cache == "" or not (cache is None or isinstance(cache, (bool, str, Path))):
        msg = f"cache={cache!r} is not possible"
        raise OptionError(msg, hint="cache is True, False or a folder; None keeps what is read for the second time")


def in_notebook() -> bool:
    """Whether cells of a notebook are run here: a kernel is more than its package, which tests may load."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}


def size_in_bytes(size: Any) -> int | None:
    """A size as a number of bytes.

    >>> size_in_bytes("1.5 GB")
    1500000000
    """
    if size is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(b?)", str(size).strip().lower())
    if isinstance(size, bool) or not isinstance(size, (int, str)) or not found or bool(found[2]) > bool(found[3]):
        msg = f"cache_size={size!r} is not possible"
        raise OptionError(msg, hint='cache_size is a number of bytes, or a text like "5 GB"')
    return int(float(found[1]) * UNITS[found[2] + "b" * bool(found[2])])


class options:
    """Set options for good, or for a `with` block.

    Example:
        >>> import hep_tables_coffea as ht
        >>> with ht.options(executor="threads", workers=2):
        ...     ht.options().now.workers
        2
    """

    def __init__(self, **given: Any) -> None:
        self.now = merged(given)
        self._token: Token[Options] | None = _current.set(self.now)

    def __enter__(self) -> Options:
        return self.now

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _current.reset(self._token)
            self._token = None

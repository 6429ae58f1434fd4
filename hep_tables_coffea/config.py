"""The options of a run: one frozen record, set for good or for a block by `ht.options(...)`."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from hep_tables_coffea.errors import OptionError, hint_names

__all__ = ["Options", "current", "merged", "options"]

ENGINES = ("auto", "columnar", "fused")
ON_ERROR = ("raise", "report")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run. Every field can be given to `make_local`, `run` and `options`."""

    executor: Any = "auto"
    workers: int | None = None
    chunksize: int | None = None
    cache: bool | str | Path = False
    on_error: str = "raise"
    engine: str = "auto"
    progress: bool | None = None
    backend: str | None = None


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
    for name, value, allowed in (("engine", chosen.engine, ENGINES), ("on_error", chosen.on_error, ON_ERROR)):
        if value not in allowed:
            msg = f"{name}={value!r} is not possible"
            raise OptionError(msg, hint=f"{name} is one of {', '.join(map(repr, allowed))}")
    if chosen.cache is not False:
        msg = f"cache={chosen.cache!r} is not possible: answers are not kept yet"
        raise OptionError(msg, hint="cache=False computes every answer anew")
    for name in ("chunksize", "workers"):
        number: Any = getattr(chosen, name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
            msg = f"{name}={number!r} is not possible"
            raise OptionError(msg, hint=f"{name} is a positive number, or None to let the library choose")


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

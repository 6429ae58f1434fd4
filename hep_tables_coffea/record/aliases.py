"""Aliases: names that belong to patterns of paths, the most specific one first."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.record.columns import base_record
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.elements import Record

__all__ = ["clear_aliases", "define_alias", "expand_alias"]


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for what a function makes of the values on certain paths."""

    pattern: str
    name: str
    function: Callable[..., Any]
    dataset: str

    def fits(self, path: str, dataset: str) -> int:
        """How specific the alias is for a path: 0 if it does not apply."""
        if self.dataset not in ("", dataset):
            return 0
        if self.pattern == "":
            return 1
        if self.pattern.startswith("."):
            return 1000 if self.pattern == path else 0
        return 1 + len(self.pattern) if path.endswith("." + self.pattern) else 0


_aliases: list[Alias] = []
#: Aliases whose functions are being traced: inside, their names mean the data.
_expanding: ContextVar[tuple[Alias, ...]] = ContextVar("hep_tables_coffea_expanding", default=())


def define_alias(pattern: str, name: str, function: Callable[..., Any], on: Any = None) -> None:
    """A name for what a function makes of a value.

    Args:
        pattern: where it applies: `""` everywhere, `"."` on the events, `".jets"` on exactly this path, `"jets"` on
            every path that ends so; through filters, calls, positions and lambda parameters. The most specific wins.
        name: the name after the dot.
        function: of the events, or of one row of the collection.
        on: one dataset for which it applies; all if None.

    Example:
        >>> import hep_tables_coffea as ht
        >>> ht.define_alias("Electrons", "ptgev", lambda e: e.pt / 1000)
        >>> ht.clear_aliases()
    """
    given: tuple[Any, Any] = (pattern, name)
    if not all(isinstance(one, str) for one in given) or not name.isidentifier() or not callable(function):
        msg = f"define_alias takes a pattern, a name and a function, and not {shown(pattern)}, {shown(name)}, ..."
        raise UsageError(msg, hint='ht.define_alias("Electrons", "ptgev", lambda e: e.pt / 1000)')
    dataset = build.source_of(on._node).dataset.uid if on is not None else ""
    _aliases.append(Alias(pattern, name, function, dataset))


def clear_aliases() -> None:
    """Forget every alias."""
    _aliases.clear()


def path_of(node: g.Node) -> str:
    """The names from the events to a record: `"."`, `".jets"`, `".jets.constituents"`."""
    names: list[str] = []
    node = base_record(node)
    while isinstance(node, g.Field):
        names.append(node.name)
        node = base_record(node.args[0])
    return "." + ".".join(reversed(names))


def expand_alias(node: g.Node, name: str) -> g.Node | None:
    """What the most specific alias of that name makes of a value."""
    if not any(alias.name == name for alias in _aliases) or not isinstance(node.type, Record):
        return None
    from hep_tables_coffea.record.lambdas import map_rows

    path, dataset = path_of(node), build.source_of(node).dataset.uid
    busy = _expanding.get()
    fitting = [a for a in _aliases if a.name == name and a not in busy and a.fits(path, dataset)]
    if not fitting:
        return None
    best = max(alias.fits(path, dataset) for alias in fitting)
    latest = [alias for alias in fitting if alias.fits(path, dataset) == best][-1]
    token = _expanding.set((*busy, latest))
    try:
        return map_rows(node, latest.function)
    finally:
        _expanding.reset(token)

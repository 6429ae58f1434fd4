"""The user's own rules for flat trees: which columns make a collection, and which belong to none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import nearest

if TYPE_CHECKING:
    from hep_tables_coffea.types.schema import Leaf

__all__ = ["Rules"]


class Rules:
    """Rules applied to columns: `collections`, and `taken`, the names that the rules have decided on.

    Raises `ValueError` for a rule that matches no column, a column that two rules claim, or an unknown rule.
    """

    def __init__(
        self, columns: Mapping[str, Leaf], *, collections: Any = None, events: Any = (), **unknown: Any
    ) -> None:
        if unknown:
            msg = f"there is no rule {next(iter(unknown))!r}, but collections={{name: columns}} and events=[columns]"
            raise ValueError(msg)
        self._columns = columns
        self._claims: dict[str, str] = {}
        for pattern in [events] if isinstance(events, str) else events:
            for name in self._matching(pattern, f"events={pattern!r}"):
                self._claim(name, "events")
        self.collections = {str(name): self._fields(str(name), rule) for name, rule in dict(collections or {}).items()}

    @property
    def taken(self) -> set[str]:
        return set(self._claims)

    def _claim(self, name: str, who: str) -> None:
        other = self._claims.setdefault(name, who)
        if other != who:
            msg = f"the column {name!r} is claimed by two rules, {other} and {who}"
            raise ValueError(msg)

    def _matching(self, pattern: str, rule: str) -> list[str]:
        found = [name for name in self._columns if name == pattern or fnmatchcase(name, pattern)]
        if not found:
            msg = f"the rule {rule} matches no column; {nearest(pattern, self._columns)}"
            raise ValueError(msg)
        return found

    def _fields(self, collection: str, rule: Any) -> dict[str, Leaf]:
        """Field -> column of one collection."""
        named = self._named(collection, rule)
        for name in named.values():
            self._claim(name, f"collection {collection!r}")
        self._check_rows(collection, named)
        return {field: self._columns[name] for field, name in named.items()}

    def _named(self, collection: str, rule: Any) -> dict[str, str]:
        if isinstance(rule, Mapping):
            text = f"collections={{{collection!r}: ...}}"
            return {str(field): self._matching(name, text)[0] for field, name in rule.items()}
        if isinstance(rule, str):
            return self._by_pattern(collection, rule)
        found: dict[str, str] = {}
        exact = [name for name in rule if name in self._columns]
        for pattern in rule:
            found |= _without_prefix([pattern], exact) if pattern in exact else self._by_pattern(collection, pattern)
        return found

    def _by_pattern(self, collection: str, pattern: str) -> dict[str, str]:
        rule = f"collections={{{collection!r}: {pattern!r}}}"
        if not set("*?[") & set(pattern):
            if pattern in self._columns:
                return {pattern: pattern}
            pattern = pattern if pattern[-1:] in ("_", ".") else self._with_separator(pattern)
            return {name[len(pattern) :]: name for name in self._lists(self._matching(pattern + "?*", rule))}
        before = min(pattern.find(mark) for mark in "*?[" if mark in pattern)
        after = len(pattern) - 1 - max(pattern.rfind(mark) for mark in "*?]")
        names = self._lists(self._matching(pattern, rule))
        return {name[before : len(name) - after] or name: name for name in names}

    def _with_separator(self, prefix: str) -> str:
        found = [prefix + mark for mark in "_." if any(name.startswith(prefix + mark) for name in self._columns)]
        return found[0] if found else prefix

    def _lists(self, names: list[str]) -> list[str]:
        """What a pattern means: not what `events` names, and lists, if there are any: `jet_*` without `jet_n`."""
        names = [name for name in names if self._claims.get(name) != "events"]
        return [name for name in names if self._columns[name].depth > 0] or names

    def _check_rows(self, collection: str, named: Mapping[str, str]) -> None:
        depths = {name: min(self._columns[name].depth, 1) for name in named.values()}
        single = [name for name, depth in depths.items() if depth == 0]
        if single and len(single) < len(depths):
            msg = f"the column {single[0]!r} cannot be in the collection {collection!r}: it has one value in each event"
            raise ValueError(msg)


def _without_prefix(names: Iterable[str], family: list[str]) -> dict[str, str]:
    """Names listed one by one, without the prefix that all of the family share."""
    cut = 0
    for k, letter in enumerate(family[0]):
        if letter in "_." and all(other.startswith(family[0][: k + 1]) and len(other) > k + 1 for other in family):
            cut = k + 1
    return {name[cut:] if len(family) > 1 else name: name for name in names}

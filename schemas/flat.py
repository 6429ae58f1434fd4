"""Any tree of plain columns: `jets_pt` with a counter `njets`, `Jet_Px` with `NJet`, lists that share a prefix.

Lists with one counter are the columns of one collection. Without counters, lists are grouped by the longest prefix that
has a counting column (`nX`, `X_n`, `X_size`, ...), then by what stands before the first `_` or `.`. Columns with one
value in each event keep their names. The user's own rules come before all that.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, place
from hep_tables_coffea.schemas._rules import Rules
from hep_tables_coffea.schemas._vectors import BEHAVIORS, coordinates, lorentz
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Flat", "pack"]

_SEPARATORS = "_."
#: How counting columns are named after their collection, whatever the case.
_COUNTERS = ("n{}", "n_{}", "num{}", "num_{}", "{}_n", "{}_size", "{}n", "n{}s")
#: A lone list is a collection if its last word is one of these: nobody means a list of weights.
_KINEMATIC = frozenset(["pt", "eta", "phi", "m", "mass", "e", "energy", "et", "px", "py", "pz", "charge"])

_Members = dict[str, dict[str, Leaf]]
#: Name in lower case -> name.
_Numbers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Flat:
    """The schema pack for flat trees."""

    name: str = "flat"
    description: str = "a flat tree: lists with one counter or one prefix are a collection"
    trees: tuple[str, ...] = ("events", "Events", "tree", "ntuple", "analysis")

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """Anything is a flat tree, if nothing better is known of it."""
        return 10

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        """The schema of a flat tree.

        Parameters:
            columns: the table's columns.
            collections: collection -> its columns: a prefix (`"jet_"`), a pattern (`"jet_*_NOSYS"`, where the field is
                what the star stands for), several of them, or a mapping field -> column.
            events: patterns of columns that belong to no collection.

        Raises:
            ValueError: for a rule that matches nothing, or a column that two rules claim.
        """
        chosen = Rules(columns, **rules)
        rest = {name: leaf for name, leaf in columns.items() if name not in chosen.taken}
        numbers = _numbers(columns)
        members = {**_collections(rest, numbers), **chosen.collections}
        root: Fields = {name: _group(name, fields, columns, numbers) for name, fields in members.items()}
        placed = {leaf.column for fields in members.values() for leaf in fields.values()}
        for name, leaf in columns.items():
            if name not in placed:
                place(root, name, leaf)
        return Schema(self.name, Group("events", root), BEHAVIORS)


pack = Flat()


def _group(name: str, fields: dict[str, Leaf], columns: Mapping[str, Leaf], numbers: _Numbers) -> Group:
    listed = min((leaf.depth for leaf in fields.values() if not leaf.problem), default=0) > 0
    counters = {leaf.counter for leaf in fields.values()}
    counter = counters.pop() if len(counters) == 1 else ""
    if counter not in columns:
        counter = _counting(name, numbers)
    return Group(name, dict(fields), listed, lorentz(coordinates(fields, int(listed))), counter if listed else "")


def _numbers(columns: Mapping[str, Leaf]) -> _Numbers:
    """Columns that may count: an integer in each event."""
    whole = (name for name, leaf in columns.items() if leaf.depth == 0 and leaf.dtype.lstrip("u").startswith("int"))
    return {name.lower(): name for name in whole}


def _collections(rest: Mapping[str, Leaf], numbers: _Numbers) -> _Members:
    """Lists by collection."""
    found: _Members = defaultdict(dict)
    lists = {name: leaf for name, leaf in rest.items() if leaf.depth > 0 and not leaf.problem}
    counted: dict[str, list[str]] = defaultdict(list)
    for name, leaf in lists.items():
        counted[leaf.counter if leaf.counter != f"n{name}" else ""].append(name)
    loose = counted.pop("", [])
    for counter, names in counted.items():
        for collection, fields in _with_counter(counter, names).items():
            found[collection] |= {field: lists[name] for field, name in fields.items()}
    for collection, fields in _by_prefix(loose, numbers).items():
        for field, name in fields.items():
            found[collection].setdefault(field, lists[name])
    return {collection: fields for collection, fields in found.items() if fields}


def _with_counter(counter: str, names: list[str]) -> dict[str, dict[str, str]]:
    """Collection and fields of the lists that one column counts."""
    shared = _shared_prefix(names)
    known = [prefix for prefix in _prefixes(names[0]) if all(prefix in _prefixes(name) for name in names)]
    named = next((prefix for prefix in known if _counts(counter, prefix)), "")
    if named or shared:
        prefix = named or shared
        return {prefix: {name[len(prefix) + 1 :]: name for name in names}}
    base = _base(counter)
    return {base: {name: name for name in names}} if base else {}


def _by_prefix(names: list[str], numbers: _Numbers) -> dict[str, dict[str, str]]:
    """Collections and fields of lists without a counter of their own."""
    # what is a column itself is no collection: its counter counts that column
    firsts = {name: [prefix for prefix in _prefixes(name) if prefix not in names] for name in names}
    alike = Counter(prefixes[-1] for prefixes in firsts.values() if prefixes)
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for name, prefixes in firsts.items():
        counted = next((prefix for prefix in prefixes if _counting(prefix, numbers)), "")
        prefix = counted or (prefixes[-1] if prefixes else "")
        field = name[len(prefix) + 1 :]
        if counted or (prefix and (alike[prefix] > 1 or field.lower() in _KINEMATIC)):
            found[prefix][field] = name
    return found


def _prefixes(name: str) -> list[str]:
    """What stands before each separator, the longest first."""
    cuts = [k for k, letter in enumerate(name) if letter in _SEPARATORS and 0 < k < len(name) - 1]
    return [name[:k] for k in reversed(cuts)]


def _shared_prefix(names: list[str]) -> str:
    """The longest prefix of all names, "" for one name with several: nothing says which of them is meant."""
    common = [prefix for prefix in _prefixes(names[0]) if all(prefix in _prefixes(name) for name in names)]
    return (common[0] if len(names) > 1 else common[-1]) if common else ""


def _counts(counter: str, prefix: str) -> bool:
    """Whether a counter belongs to a prefix. A split collection is its own counter."""
    return counter.lower() in {prefix.lower(), *(pattern.format(prefix.lower()) for pattern in _COUNTERS)}


def _counting(prefix: str, numbers: _Numbers) -> str:
    """The column that counts a collection, by its name."""
    names = (pattern.format(prefix.lower()) for pattern in _COUNTERS)
    return next((numbers[name] for name in names if name in numbers), "")


def _base(counter: str) -> str:
    """The collection that a counter is named after: `mu` of `nmu` and `mu_n`."""
    for pattern in _COUNTERS:
        before, _, after = pattern.partition("{}")
        base = counter[len(before) : len(counter) - len(after)]
        if pattern.format(base.lower()) == counter.lower() and base.isidentifier():
            return base
    return ""

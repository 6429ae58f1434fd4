"""The ordinary branches of a tree, described from its stream.

Ordinary is a TBranch with one leaf of a simple class and nothing below it: all of NanoAOD and most flat files. uproot
makes some twenty Python objects of each, which takes half a second where there are 1500; the numbers that describe it
are at known places. A branch in which anything is not as expected is left out, for uproot to describe.
"""

from __future__ import annotations

import re
from contextlib import suppress
from struct import calcsize, unpack_from
from typing import TYPE_CHECKING, NamedTuple

from hep_tables_coffea.files.stream import (
    CLASS_REFERENCE,
    HAS_SIZE,
    NEW_CLASS,
    after_object,
    class_at,
    place_of,
    sized,
    string,
)

if TYPE_CHECKING:
    from hep_tables_coffea.files.lazytree import LazyTree, Span

__all__ = ["RawBranch", "RawBranches"]

#: The versions of TBranch, and whether they have features between their numbers.
FEATURES = {12: False, 13: True}

#: The first numbers of a branch: among them which basket is being filled. The others: the room for baskets, entries,
#: bytes.
FIRST = ">12xi8x"
OTHERS = ">4xI4xq8xq8x"

#: The versions of a leaf of a simple class and of the TLeaf in it, and what is behind its names.
LEAF = ">4xH4xH"
LEAF_VERSIONS = (1, 2)
SIZE_AND_SIGN = ">i9x?I"

#: The types of the classes of leaves, signed and unsigned.
TYPES = {
    "TLeafO": ("bool", "bool"),
    "TLeafB": ("int8", "uint8"),
    "TLeafS": ("int16", "uint16"),
    "TLeafI": ("int32", "uint32"),
    "TLeafL": ("int64", "uint64"),
    "TLeafG": ("int64", "uint64"),
    "TLeafF": ("float32", "float32"),
    "TLeafD": ("float64", "float64"),
}

#: The sizes in the title of a leaf: names of counters, or numbers.
SIZES = re.compile(r"[^\[\]]*(\[[^\[\]]+\])+")
FIXED = re.compile(r"\[[1-9][0-9]*\]")


class RawBranch(NamedTuple):
    """What is said of an ordinary branch."""

    name: str
    title: str
    dtype: str
    #: Of the leaf that counts it; "" for one value in each entry.
    counter: str
    #: Where in the stream its own leaf and the other one are.
    leaf: int
    counting: int
    nbytes: int
    #: As they are stored: the first entry of each basket and the number of entries; bytes of the baskets; their places.
    edges: bytes
    sizes: bytes
    places: bytes


class Leaf(NamedTuple):
    """A leaf up to its names, and where these end."""

    start: int
    classname: str
    name: str
    title: str
    stop: int


class RawBranches:
    """The ordinary ones among the top-level branches that have as many entries as their tree.

    Of branches of the same name it is the first, as in `LazyTree`.
    """

    def __init__(self, tree: LazyTree, entries: int) -> None:
        self._tree, self._entries = tree, entries
        self._found: dict[str, RawBranch | None] = {}
        stream = tree.stream()
        self._stream = Stream(*stream, entries) if stream else None

    def all(self) -> dict[str, RawBranch]:
        """All of them, which are not kept."""
        return {name: branch for name in self._tree.names() if (branch := self._parse(name))}

    def get(self, name: str) -> RawBranch | None:
        """One of them, which is kept."""
        if name not in self._found:
            self._found[name] = self._parse(name)
        return self._found[name]

    def _parse(self, name: str) -> RawBranch | None:
        """Whatever is unusual or broken there is left to uproot."""
        if self._stream and name in self._tree and self._tree.span(name).classname == "TBranch":
            with suppress(Exception):
                return self._stream.branch(self._tree.span(name))
        return None


class Unusual(Exception):
    """Left to uproot."""


class Stream:
    """The stream of a tree."""

    def __init__(self, raw: memoryview, origin: int, entries: int) -> None:
        self._raw, self._origin, self._entries = raw, origin, entries
        self._classes: dict[int, str] = {}
        self._leaves: dict[int, Leaf] = {}

    def branch(self, span: Span) -> RawBranch:
        raw, at = self._raw, span.body
        (version,) = unpack_from(">H", raw, at)
        name, title_at = string(raw, after_object(raw, at + 8))
        title, _ = string(raw, title_at)
        at = sized(raw, sized(raw, at + 2))
        (writing,) = unpack_from(FIRST, raw, at)
        at += calcsize(FIRST)
        if FEATURES[version]:
            at = sized(raw, at)
        room, entries, nbytes = unpack_from(OTHERS, raw, at)
        below = at + calcsize(OTHERS)
        leaves = sized(raw, below)
        baskets = sized(raw, leaves)
        tables = self._tables(sized(raw, baskets), room, writing, span.stop)
        if entries != self._entries or self._number(below)[0]:
            raise Unusual
        return RawBranch(name, title, *self._leaf(leaves), nbytes, *tables)

    def _tables(self, at: int, room: int, writing: int, stop: int) -> tuple[bytes, bytes, bytes]:
        """The first entries, the sizes and the places of the baskets, which are all that is left but the name of a file.

        In the stream the sizes come first, and a byte before each table.
        """
        raw = self._raw
        first = at + 2 + 4 * room
        seeks = first + 8 * room + 1
        most = min(room, writing) if writing >= 0 else room
        places = unpack_from(f">{most}q", raw, seeks)
        number = places.index(0) if 0 in places else most
        edges = bytes(raw[first : first + 8 * (number + 1)])
        last = int.from_bytes(edges[-8:], "big")
        is_complete = number < room and last == self._entries and (number or not last)
        if not is_complete or string(raw, seeks + 8 * room)[1] != stop:
            raise Unusual
        return edges, bytes(raw[at + 1 : at + 1 + 4 * number]), bytes(raw[seeks : seeks + 8 * number])

    def _number(self, at: int) -> tuple[int, int]:
        """How many objects are in an array, and where they begin."""
        _, at = string(self._raw, after_object(self._raw, at + 6))
        return unpack_from(">i", self._raw, at)[0], at + 8

    def _leaf(self, at: int) -> tuple[str, str, int, int]:
        """The type of the only leaf in an array of leaves, the name of the leaf that counts it, and where both are."""
        number, at = self._number(at)
        if number != 1:
            raise Unusual
        leaf = self._head(at)
        length, is_unsigned, reference = unpack_from(SIZE_AND_SIGN, self._raw, leaf.stop)
        has_sizes = SIZES.match(leaf.title) is not None
        if has_sizes and (length > 1 or FIXED.search(leaf.title)):
            raise Unusual
        dtype, counter = TYPES[leaf.classname][is_unsigned], self._counter(reference) if reference else None
        return dtype, counter.name if counter else "", leaf.start, counter.start if counter else 0

    def _counter(self, reference: int) -> Leaf:
        """One that is written here, in place of a reference, is not found: that is unusual."""
        if reference not in self._leaves:
            self._leaves[reference] = self._head(place_of(reference, self._origin))
        return self._leaves[reference]

    def _head(self, start: int) -> Leaf:
        raw = self._raw
        size, tag = unpack_from(">II", raw, start)
        if not size & HAS_SIZE or not tag & CLASS_REFERENCE:
            raise Unusual
        is_new = tag == NEW_CLASS
        classname, at = class_at(raw, start + 4) if is_new else (self._class(tag & ~CLASS_REFERENCE), start + 8)
        if classname not in TYPES or unpack_from(LEAF, raw, at) != LEAF_VERSIONS:
            raise Unusual
        at += calcsize(LEAF)
        name, title_at = string(raw, after_object(raw, at + 6))
        return Leaf(start, classname, name, string(raw, title_at)[0], sized(raw, at))

    def _class(self, reference: int) -> str:
        if reference not in self._classes:
            self._classes[reference], _ = class_at(self._raw, place_of(reference, self._origin))
        return self._classes[reference]

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
    from hep_tables_coffea.files.lazytree import LazyTree

__all__ = ["RawBranch", "raw_branches"]

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
    nbytes: int
    #: The first entry of each basket, and the number of entries, as they are stored.
    edges: bytes


class LeafHead(NamedTuple):
    """A leaf up to its names, and where these end."""

    classname: str
    name: str
    title: str
    stop: int


def raw_branches(tree: LazyTree, entries: int) -> dict[str, RawBranch]:
    """The ordinary ones among the top-level branches that have as many entries as their tree.

    Of branches of the same name it is the first, as in `LazyTree`.
    """
    raw, origin, spans = tree.stream()
    stream = Stream(raw, origin, entries)
    found = {}
    for span in spans:
        if span.classname == "TBranch" and span.is_leaf:
            # whatever is unusual or broken there is left to uproot
            with suppress(Exception):
                found[span.name] = stream.branch(span.body, span.stop)
    return found


class Unusual(Exception):
    """Left to uproot."""


class Stream:
    """The stream of a tree."""

    def __init__(self, raw: memoryview, origin: int, entries: int) -> None:
        self._raw, self._origin, self._entries = raw, origin, entries
        self._classes: dict[int, str] = {}
        self._leaves: dict[int, str] = {}

    def branch(self, at: int, stop: int) -> RawBranch:
        """The branch whose version is at a place, and that should end at another."""
        raw = self._raw
        (version,) = unpack_from(">H", raw, at)
        name, title_at = string(raw, after_object(raw, at + 8))
        title, _ = string(raw, title_at)
        at = sized(raw, sized(raw, at + 2))
        (writing,) = unpack_from(FIRST, raw, at)
        at += calcsize(FIRST)
        if FEATURES[version]:
            at = sized(raw, at)
        room, entries, nbytes = unpack_from(OTHERS, raw, at)
        leaves = sized(raw, at + calcsize(OTHERS))
        baskets = sized(raw, leaves)
        edges = self._edges(sized(raw, baskets), room, writing, stop)
        if entries != self._entries:
            raise Unusual
        return RawBranch(name, title, *self._leaf(leaves), nbytes, edges)

    def _edges(self, at: int, room: int, writing: int, stop: int) -> bytes:
        """Behind the sizes of the baskets, and before their places, and the name of a file. A byte before each."""
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
        return edges

    def _leaf(self, at: int) -> tuple[str, str]:
        """The type of the only leaf in an array of leaves, and the name of the leaf that counts it."""
        raw = self._raw
        _, at = string(raw, after_object(raw, at + 6))
        (number,) = unpack_from(">i", raw, at)
        if number != 1:
            raise Unusual
        leaf = self._head(at + 8)
        length, is_unsigned, counter = unpack_from(SIZE_AND_SIGN, raw, leaf.stop)
        has_sizes = SIZES.match(leaf.title) is not None
        if has_sizes and (length > 1 or FIXED.search(leaf.title)):
            raise Unusual
        return TYPES[leaf.classname][is_unsigned], self._counter(counter) if counter else ""

    def _counter(self, reference: int) -> str:
        if reference not in self._leaves:
            # one that is written here, in place of a reference, is not there
            self._leaves[reference] = self._head(place_of(reference, self._origin)).name
        return self._leaves[reference]

    def _head(self, at: int) -> LeafHead:
        raw = self._raw
        size, tag = unpack_from(">II", raw, at)
        if not size & HAS_SIZE or not tag & CLASS_REFERENCE:
            raise Unusual
        classname, at = class_at(raw, at + 4) if tag == NEW_CLASS else (self._class(tag & ~CLASS_REFERENCE), at + 8)
        if classname not in TYPES or unpack_from(LEAF, raw, at) != LEAF_VERSIONS:
            raise Unusual
        at += calcsize(LEAF)
        name, title_at = string(raw, after_object(raw, at + 6))
        return LeafHead(classname, name, string(raw, title_at)[0], sized(raw, at))

    def _class(self, reference: int) -> str:
        if reference not in self._classes:
            self._classes[reference], _ = class_at(self._raw, place_of(reference, self._origin))
        return self._classes[reference]

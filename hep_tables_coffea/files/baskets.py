"""Branches of plain numbers, and of lists of them, read straight from their baskets.

uproot decodes for each list column where each of its lists begins, makes an array of each basket, and joins them. Here
the lists of all columns of a collection come from the one column that counts them, and the numbers of a basket are put
where they belong in the array that is returned: three times less time. What is not quite ordinary raises an exception,
and is read by uproot.
"""

from __future__ import annotations

import math
import queue
from bisect import bisect_left, bisect_right
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from struct import calcsize, unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import numpy as np
import uproot

from hep_tables_coffea.files.blocks import inflate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hep_tables_coffea.files.rawbranches import RawBranch

__all__ = ["Baskets", "read_baskets", "table_of", "table_of_raw"]

#: The beginning of a basket: bytes with this key, version, uncompressed bytes without it, time, bytes of the key, cycle.
KEY = ">ihiIhh"
#: The end of the key: version, two sizes of buffers, entries, where the data end and the offset table begins, a flag.
END = ">HiiiiB"
#: Before the numbers of a vector: the bytes that follow, a version, how many numbers.
VECTOR = ">IHI"
#: Baskets of later versions have their numbers elsewhere, as those have that were written with special features.
VERSIONS = (2, 3)


@dataclass(frozen=True, slots=True)
class Baskets:
    """Where a branch is stored, and as what."""

    #: The first byte of each basket, and the byte after its last.
    ranges: list[tuple[int, int]]
    #: The first entry of each basket, and the number of entries.
    edges: list[int]
    #: The type of the stored numbers, big-endian.
    stored: Any
    #: The fixed sizes of what there is in each entry.
    shape: tuple[int, ...]
    #: The unit that says how many numbers each entry has, "" if that is fixed or said in the baskets themselves.
    counter: str
    #: Whether each entry is a `std::vector`: numbers behind a header, and their ends behind all of them.
    is_vector: bool = False

    def pieces(self, start: int, stop: int) -> list[tuple[int, int]]:
        """The ranges of bytes with these entries."""
        first, last = self.touched(start, stop)
        return self.ranges[first:last]

    def touched(self, start: int, stop: int) -> tuple[int, int]:
        """The first basket with one of these entries, and the one after the last."""
        return bisect_right(self.edges, start) - 1, bisect_left(self.edges, stop)

    def reach(self, start: int, stop: int) -> tuple[int, int]:
        """The entries in the baskets with these entries."""
        first, last = self.touched(start, stop)
        return self.edges[first], self.edges[last]


def table_of_raw(raw: RawBranch, counter: str) -> Baskets | None:
    """The baskets of a branch that uproot has not parsed."""
    places, sizes, edges = (np.frombuffer(it, f">i{n}") for it, n in ((raw.places, 8), (raw.sizes, 4), (raw.edges, 8)))
    return _table(places.tolist(), sizes.tolist(), edges, np.dtype(raw.dtype).newbyteorder(">"), (), counter)


def table_of(branch: Any, counter: str) -> Baskets | None:
    """The baskets of a branch; None if it is not one that can be read here."""
    interpretation, is_list = branch.interpretation, False
    if type(interpretation) is uproot.AsJagged:
        is_vector = interpretation.header_bytes == calcsize(VECTOR) and not counter
        if not is_vector and (interpretation.header_bytes or not counter):
            return None
        interpretation, is_list = interpretation.content, True
    if type(interpretation) is not uproot.AsDtype or branch.embedded_baskets:
        return None
    stored, shape = interpretation.from_dtype.subdtype or (interpretation.from_dtype, ())
    is_plain = stored.kind in "biuf" and interpretation.to_dtype == interpretation.from_dtype.newbyteorder("=")
    if not is_plain or (is_list and shape):
        return None
    number = branch.num_baskets
    places, sizes = (branch.member(name)[:number].tolist() for name in ("fBasketSeek", "fBasketBytes"))
    table = _table(places, sizes, branch.entry_offsets, stored, shape, counter if is_list else "")
    return replace(table, is_vector=True) if table and is_list and not counter else table


def _table(
    places: list[int], sizes: list[int], edges: Any, stored: Any, shape: tuple[int, ...], counter: str
) -> Baskets | None:
    """None where entries are missing, or baskets are not in order."""
    ranges = [(place, place + size) for place, size in zip(places, sizes, strict=True)]
    edges = np.asarray(edges, dtype=np.int64)
    if not edges[-1] or edges[0] or (np.diff(edges) < 0).any():
        return None
    return Baskets(ranges, edges.tolist(), stored, shape, counter)


class Lists(NamedTuple):
    """The lists of a collection, as its counter says them."""

    #: The first entry of all that were read: whole baskets of every column of the collection.
    first: int
    #: How many numbers there are before each of these entries, and in all.
    before: Any
    #: The same for the entries that were asked for, as awkward has it: columns share it.
    index: Any

    @staticmethod
    def of(counts: Any, first: int, start: int, stop: int) -> Lists:
        if counts.dtype.kind not in "iu" or (counts.dtype.kind == "i" and counts.min() < 0):
            msg = "a counter has other values than natural numbers"
            raise ValueError(msg)
        before = np.empty(len(counts) + 1, dtype=np.int64)
        before[0] = 0
        np.cumsum(counts, dtype=np.int64, out=before[1:])
        offsets = before[start - first : stop - first + 1]
        is_all = len(offsets) == len(before)
        return Lists(first, before, ak.index.Index64(offsets if is_all else offsets - offsets[0]))


def read_baskets(
    source: Any, tables: Mapping[str, Baskets], units: Sequence[str], start: int, stop: int, counted: bool = False
) -> dict[str, Any]:
    """Those units that can be read, as awkward arrays. `tables` has their counters too; there is at least one entry.

    Where it is `counted`, the source is asked for each byte, and knows how many they were.
    """
    counters = _counters(tables, units, start, stop)
    spans = dict.fromkeys(units, (start, stop)) | counters
    reader = Reader(source, [piece for unit, span in spans.items() for piece in tables[unit].pieces(*span)], counted)
    lists: dict[str, Lists] = {}
    found: dict[str, tuple[Any, Any]] = {}
    for unit in dict.fromkeys((*counters, *units)):
        # what fails is read by uproot, or uproot says what is wrong with it
        with suppress(Exception):
            table, span = tables[unit], spans[unit]
            if table.is_vector:
                offsets, numbers = reader.vectors(table, *span)
                found[unit] = ak.index.Index64(offsets), numbers
                continue
            counted_by = lists[table.counter] if table.counter else None
            numbers = reader.numbers(table, span, counted_by)
            if unit in counters:
                lists[unit] = Lists.of(numbers, span[0], start, stop)
            if span != (start, stop):  # of a counter more may have been read than was asked for
                numbers = numbers[start - span[0] : stop - span[0]].copy()
            found[unit] = counted_by.index if counted_by else None, numbers.reshape(-1, *table.shape)
    # only now, all at once: decompressing a basket drives awkward's code out of the caches of the processor
    return {unit: _array(*found[unit]) for unit in units if unit in found}


def _counters(tables: Mapping[str, Baskets], units: Sequence[str], start: int, stop: int) -> dict[str, tuple[int, int]]:
    """The counters of these units, each with the entries of it that tell what is in the baskets of what it counts."""
    reaches: dict[str, list[tuple[int, int]]] = {}
    for unit in units:
        if counter := tables[unit].counter:
            reaches.setdefault(counter, []).append(tables[unit].reach(start, stop))
    return {unit: (min(low for low, _ in all_), max(high for _, high in all_)) for unit, all_ in reaches.items()}


class Basket(NamedTuple):
    """One basket: bytes of its key, bytes of its numbers, bytes with the offset table behind them, all compressed."""

    key: int
    nbytes: int
    unpacked: int
    packed: memoryview


class Reader:
    """Some baskets of one file, requested together, and the room to decompress one of them."""

    def __init__(self, source: Any, pieces: Sequence[tuple[int, int]], counted: bool = False) -> None:
        self._bytes = _requested(source, dict.fromkeys(pieces), counted)
        self._room = memoryview(bytearray())

    def numbers(self, table: Baskets, span: tuple[int, int], lists: Lists | None) -> Any:
        """All numbers of these entries, one after the other."""
        first, last = table.touched(*span)
        edges = table.edges[first : last + 1]
        if lists is None:
            width = math.prod(table.shape)
            places, low, high = [edge * width for edge in edges], span[0] * width, span[1] * width
        else:
            *places, low, high = lists.before[np.array([*edges, *span]) - lists.first].tolist()
        numbers = np.empty(high - low, dtype=table.stored.newbyteorder("="))
        entries = (after - before for before, after in pairwise(edges))
        for piece, number, (begin, end) in zip(table.ranges[first:last], entries, pairwise(places)):
            start, stop = max(low, begin), min(high, end)
            size = table.stored.itemsize
            content = self._content(piece, number, (end - begin) * size, (stop - begin) * size)
            if start < stop:
                numbers[start - low : stop - low] = np.frombuffer(content, table.stored)[start - begin :]
        return numbers

    def vectors(self, table: Baskets, start: int, stop: int) -> tuple[Any, Any]:
        """The offsets of the vectors in these entries, and the numbers in them."""
        first, last = table.touched(start, stop)
        counts: list[Any] = [np.zeros(1, dtype=np.int64)]
        numbers: list[Any] = []
        for piece, (low, high) in zip(table.ranges[first:last], pairwise(table.edges[first : last + 1])):
            basket = self._basket(piece, high - low)
            content = self._inflated(basket, basket.unpacked)
            ends = np.frombuffer(content[basket.nbytes + 4 :], ">i4") - np.int64(basket.key)
            ends[-1] = basket.nbytes
            if len(ends) != high - low + 1 or ends[0]:
                msg = f"a basket of {high - low} vectors tells where {len(ends) - 1} of them end"
                raise ValueError(msg)
            chosen = ends[max(start, low) - low : min(stop, high) - low + 1]
            for parts, part in zip((counts, numbers), _unwrapped(content[: basket.nbytes], chosen, table.stored)):
                parts.append(part)
        return np.cumsum(np.concatenate(counts)), np.concatenate(numbers, dtype=table.stored.newbyteorder("="))

    def _content(self, piece: tuple[int, int], entries: int, nbytes: int, needed: int) -> memoryview:
        """The first so many bytes of a basket, which should have that number of entries and bytes.

        No more is decompressed, least of all what follows the numbers: where each list ends.
        """
        basket = self._basket(piece, entries)
        if basket.nbytes != nbytes:
            msg = f"a basket of {entries} entries has {basket.nbytes} bytes in place of {nbytes}"
            raise ValueError(msg)
        return self._inflated(basket, needed)

    def _basket(self, piece: tuple[int, int], entries: int) -> Basket:
        raw = self._bytes[piece]
        whole, _, unpacked, _, key, _ = unpack_from(KEY, raw)
        version, _, _, number, end, _ = unpack_from(END, raw, key - calcsize(END))
        if version not in VERSIONS or (whole, number) != (len(raw), entries) or not 0 <= end - key <= unpacked:
            msg = f"a basket of {entries} entries in {len(raw)} bytes has {number} in {whole}"
            raise ValueError(msg)
        return Basket(key, end - key, unpacked, raw[key:])

    def _inflated(self, basket: Basket, needed: int) -> memoryview:
        """The first bytes of a basket, in a buffer that is used again."""
        if len(basket.packed) == basket.unpacked:
            return basket.packed[:needed]
        if len(self._room) < basket.unpacked:
            self._room = memoryview(bytearray(basket.unpacked))
        inflate(basket.packed, needed, self._room[: basket.unpacked])
        return self._room[:needed]


def _unwrapped(content: memoryview, ends: Any, stored: Any) -> tuple[Any, Any]:
    """The sizes of vectors and what is in them: behind each of these ends but the last begins one, with its header.

    Numbers begin at any byte, so they are picked from a view of all numbers that there could be.
    """
    header, size = calcsize(VECTOR), stored.itemsize
    counts, rest = np.divmod(np.diff(ends) - header, size)
    if rest.any() or (len(counts) and counts.min() < 0):
        msg = "a vector has no whole number of numbers"
        raise ValueError(msg)
    if not counts.any():
        return counts, np.empty(0, dtype=stored)
    inside = np.arange(counts.sum()) * size
    firsts = ends[:-1] + header - (np.cumsum(counts) - counts) * size
    every = np.ndarray(len(content) - size + 1, dtype=stored, buffer=content, strides=(1,))
    return counts, every[inside + np.repeat(firsts, counts)]


def _requested(source: Any, pieces: Iterable[tuple[int, int]], counted: bool) -> dict[tuple[int, int], memoryview]:
    """The bytes of a file in these places: of one that is mapped into memory they are there, else one request."""
    if not counted and isinstance(source, uproot.MemmapSource) and source.file is not None and not source.closed:
        mapped: Any = np.asarray(source.file)
        whole = memoryview(mapped)
        return {(start, stop): whole[start:stop] for start, stop in pieces}
    chunks = source.chunks(list(pieces), notifications=queue.Queue())
    return {(chunk.start, chunk.stop): memoryview(chunk.raw_data) for chunk in chunks}


def _array(lists: Any, numbers: Any) -> Any:
    """The numbers, in lists if they are in some."""
    content = ak.contents.NumpyArray(numbers)
    return ak.Array(content if lists is None else ak.contents.ListOffsetArray(lists, content))

"""From files to chunks: sized from the known bytes of an event, aligned to clusters."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hep_tables_coffea.backends.coffea.chunks import Chunk
from hep_tables_coffea.types.dataset import Sample

__all__ = ["entry_ranges", "events_per_chunk"]

#: Uncompressed bytes of the needed columns in one chunk: large enough that what a chunk costs by itself is small.
TARGET_BYTES = 32_000_000
FEWEST, MOST = 20_000, 1_000_000
#: Files together with more events than this make several chunks, so that there is something to share: so many, unless
#: a chunk of so many bytes takes no longer than what it costs by itself, or baskets would be decompressed twice.
ALONE, SHARED, LEAST_BYTES = 200_000, 4, 8_000_000


def events_per_chunk(tables: Sequence[Any], columns: Mapping[str, Any]) -> int:
    """How many events make a chunk, where the user does not say. `columns` maps their names to (dtype, depth, ...).

    Sums of floats depend on where chunks end, in their last bits. So workers have no say in it: the answer is the same
    on every machine, and a chunk that is large enough costs little by itself.
    """
    events = sum(table.num_entries for table in tables)
    size = sum(table.columns[name].nbytes for table in tables for name in columns if name in table.columns)
    computed = [depth for name, (_, depth, _) in columns.items() if "/" in name]  # fields of coffea's schema classes
    size += events * sum(8 * 5**depth for depth in computed)
    per_event = max(size / events, 1.0) if events else 1.0
    wanted = min(max(int(TARGET_BYTES / per_event), FEWEST), MOST)
    clusters = [high - low for table in tables if len(table.clusters) > 2 for low, high in pairwise(table.clusters)]
    shared = max(-(-events // SHARED), int(LEAST_BYTES / per_event), -(-max(clusters, default=0) // 2))
    return min(wanted, shared) if events > ALONE else wanted


def entry_ranges(entries: int, clusters: Sequence[int], size: int, exact: bool) -> Iterator[tuple[int, int]]:
    """Entry ranges of about `size`; a file without events has one, empty, so that types are known."""
    if entries == 0:
        yield 0, 0
        return
    if exact:
        yield from ((start, min(start + size, entries)) for start in range(0, entries, size))
        return
    edges, most = (_edges(clusters, size), 2 * size) if len(clusters) > 2 else ((0, entries), size)
    for low, high in pairwise(edges):
        number = -(-(high - low) // size) if high - low > most else 1
        step = -(-(high - low) // number)
        yield from ((start, min(start + step, high)) for start in range(low, high, step))


def _edges(clusters: Sequence[int], size: int) -> list[int]:
    """Those beginnings of clusters that make chunks of about the same size: threads that share them end together."""
    first, last = clusters[0], clusters[-1]
    number = -(-(last - first) // size)
    if len(clusters) <= 2 * number:
        return list(clusters)
    wanted = (first + (last - first) * k / number for k in range(1, number))
    return sorted({first, last, *(_nearest(clusters, place) for place in wanted)})


def _nearest(clusters: Sequence[int], place: float) -> int:
    """Of two that are as near the one that is farther from the middle: so both halves are cut alike."""
    k, middle = bisect(clusters, place), (clusters[0] + clusters[-1]) / 2
    return min(clusters[k - 1 : k + 1], key=lambda edge: (abs(edge - place), -abs(edge - middle)))


def chunks_of(sample: Sample, table: Any, size: int, exact: bool, label: str = "") -> list[Chunk]:
    """The chunks of one file."""
    about = tuple(sample.about.items())
    return [
        Chunk(sample.name, table.path, table.tree or None, start, stop, about, label)
        for start, stop in entry_ranges(table.num_entries, table.clusters, size, exact)
    ]

"""From files to chunks: sized from the known bytes of an event, aligned to clusters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hep_tables_coffea.backends.coffea.chunks import Chunk
from hep_tables_coffea.types.dataset import Sample

__all__ = ["entry_ranges", "events_per_chunk"]

#: Uncompressed bytes of the needed columns in one chunk: large enough that what a chunk costs by itself is small.
TARGET_BYTES = 64_000_000
FEWEST, MOST = 20_000, 500_000
#: Files together with more events than this make several chunks, so that there is something to share: so many, unless
#: a chunk of so many bytes takes no longer than what it costs by itself.
ALONE, SHARED, LEAST_BYTES = 200_000, 4, 8_000_000


def events_per_chunk(tables: Sequence[Any], columns: Mapping[str, Any], workers: int = 1) -> int:
    """How many events make a chunk, where the user does not say. `columns` maps their names to (dtype, depth, ...).

    Sums of floats depend on where chunks end, in their last bits. So `workers` has no say in it: the answer is the same
    on every machine, and a chunk that is large enough costs little by itself.
    """
    events = sum(table.num_entries for table in tables)
    size = sum(table.columns[name].nbytes for table in tables for name in columns if name in table.columns)
    computed = [depth for name, (_, depth, _) in columns.items() if "/" in name]  # fields of coffea's schema classes
    size += events * sum(8 * 5**depth for depth in computed)
    per_event = max(size / events, 1.0) if events else 1.0
    wanted = min(max(int(TARGET_BYTES / per_event), FEWEST), MOST)
    shared = max(-(-events // SHARED), int(LEAST_BYTES / per_event))
    return min(wanted, shared) if events > ALONE else wanted


def entry_ranges(entries: int, clusters: Sequence[int], size: int, exact: bool) -> Iterator[tuple[int, int]]:
    """Entry ranges of about `size`; a file without events has one, empty, so that types are known."""
    if entries == 0:
        yield 0, 0
        return
    if exact or len(clusters) < 3 or size >= entries:
        number = max(1, -(-entries // size))
        step = size if exact else -(-entries // number)
        for start in range(0, entries, step):
            yield start, min(start + step, entries)
        return
    yield from _aligned(clusters, size)


def _aligned(clusters: Sequence[int], size: int) -> Iterator[tuple[int, int]]:
    start = clusters[0]
    for low, high in pairwise(clusters):
        if high - start > size and low > start:
            yield start, low
            start = low
        while high - start > 2 * size:  # one cluster larger than two chunks is cut
            yield start, start + size
            start += size
    if start < clusters[-1]:
        yield start, clusters[-1]


def chunks_of(sample: Sample, table: Any, size: int, exact: bool, label: str = "") -> list[Chunk]:
    """The chunks of one file."""
    about = tuple(sample.metadata.items())
    return [
        Chunk(sample.name, table.path, table.tree or None, start, stop, about, label)
        for start, stop in entry_ranges(table.num_entries, table.clusters, size, exact)
    ]

"""From files to chunks: sizes and boundaries."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from hep_tables_coffea.backends.coffea.split import FEWEST, MOST, entry_ranges, events_per_chunk


@st.composite
def clusters(draw: st.DrawFn) -> list[int]:
    """Where clusters begin, with 0 and the number of entries."""
    sizes = draw(st.lists(st.integers(1, 40), max_size=12))
    starts = [0]
    for size in sizes:
        starts.append(starts[-1] + size)
    return starts if len(starts) > 1 else [0, draw(st.integers(0, 100))]


@given(clusters(), st.integers(1, 90), st.booleans())
def test_ranges_cover_every_entry_once_and_in_order(starts: list[int], size: int, exact: bool) -> None:
    entries = starts[-1]
    ranges = list(entry_ranges(entries, starts, size, exact))
    assert ranges[0][0] == 0
    assert ranges[-1][1] == entries
    assert all(one[1] == other[0] for one, other in itertools.pairwise(ranges))
    assert all(start < stop for start, stop in ranges) or entries == 0


@given(clusters(), st.integers(1, 90))
def test_size_that_is_asked_for_is_kept_exactly(starts: list[int], size: int) -> None:
    ranges = list(entry_ranges(starts[-1], starts, size, exact=True))
    assert all(stop - start == size for start, stop in ranges[:-1])


@given(clusters(), st.integers(1, 90))
def test_chunks_are_never_larger_than_twice_the_size(starts: list[int], size: int) -> None:
    assert all(stop - start <= 2 * size for start, stop in entry_ranges(starts[-1], starts, size, exact=False))


def test_chunks_begin_where_clusters_do() -> None:
    assert list(entry_ranges(70, [0, 10, 20, 30, 40, 50, 70], 30, exact=False)) == [(0, 20), (20, 50), (50, 70)]


def test_threads_that_share_chunks_end_together() -> None:
    clusters = list(range(0, 1_000_001, 100_000))
    assert {stop - start for start, stop in entry_ranges(1_000_000, clusters, 250_000, exact=False)} == {
        200_000,
        300_000,
    }
    assert {stop - start for start, stop in entry_ranges(1_000_000, clusters, 130_000, exact=False)} == {100_000}


def test_cluster_larger_than_two_chunks_is_cut() -> None:
    assert list(entry_ranges(60, [0, 10, 60], 20, exact=False)) == [(0, 10), (10, 27), (27, 44), (44, 60)]


def test_file_without_entries_has_one_empty_range() -> None:
    assert list(entry_ranges(0, [0], 10, exact=False)) == [(0, 0)]


def table(entries: int, nbytes: int, clusters: tuple[int, ...] = ()) -> SimpleNamespace:
    columns = {"x": SimpleNamespace(nbytes=nbytes)}
    return SimpleNamespace(num_entries=entries, columns=columns, clusters=clusters or (0, entries))


COLUMNS = {"x": ("float32", 0, "")}


def test_wide_events_make_small_chunks() -> None:
    assert events_per_chunk([table(1_000_000, 1_000_000_000)], COLUMNS) == 32_000


def test_narrow_events_make_chunks_of_the_most() -> None:
    assert events_per_chunk([table(10_000_000, 40_000_000)], COLUMNS) == MOST


def test_more_events_make_several_chunks() -> None:
    assert events_per_chunk([table(400_000, 40_000_000)], COLUMNS) == 100_000


def test_clusters_are_not_cut_to_be_shared() -> None:
    assert events_per_chunk([table(400_000, 40_000_000, (0, 300_000, 400_000))], COLUMNS) == 150_000


def test_few_bytes_are_one_chunk() -> None:
    assert events_per_chunk([table(400_000, 1_600_000)], COLUMNS) >= 400_000


def test_few_events_are_one_chunk() -> None:
    assert events_per_chunk([table(200_000, 800_000)], COLUMNS) >= 200_000


def test_dataset_without_events_has_a_size() -> None:
    assert events_per_chunk([table(0, 0)], COLUMNS) >= FEWEST

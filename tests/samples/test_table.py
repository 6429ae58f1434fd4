"""Tables of particles: rows, events, order, positions."""

from __future__ import annotations

import numpy as np
import pytest

from hep_tables_coffea.samples.table import Table, join


@pytest.fixture
def table() -> Table:
    """Three events with two, no and three particles."""
    return Table(3, np.array([0, 0, 2, 2, 2]), {"pt": np.array([1.0, 5.0, 2.0, 9.0, 4.0])})


def test_offsets_count_events_without_particles(table):
    assert table.offsets.tolist() == [0, 2, 2, 5]


def test_sorting_by_pt_keeps_the_events_apart(table):
    assert table.by_pt()["pt"].tolist() == [5.0, 1.0, 9.0, 4.0, 2.0]


def test_local_positions_count_from_the_first_particle_of_the_event(table):
    assert table.local(np.array([1, 2, -1, 4])).tolist() == [1, 0, -1, 2]


def test_local_positions_in_an_empty_table_are_all_absent():
    empty = Table(2, np.array([], int), {})
    assert empty.local(np.array([-1, -1])).tolist() == [-1, -1]


def test_tables_are_joined_event_by_event_in_the_order_given(table):
    other = Table(3, np.array([0, 1]), {"pt": np.array([7.0, 8.0])})
    joined = join([table, other])
    assert joined.event.tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert joined["pt"].tolist() == [1.0, 5.0, 7.0, 8.0, 2.0, 9.0, 4.0]


def test_lists_have_one_list_for_each_event(table):
    assert table.lists()["pt"].tolist() == [[1.0, 5.0], [], [2.0, 9.0, 4.0]]


def test_counts_and_sums_are_those_of_each_event(table):
    assert table.count(table["pt"] > 3).tolist() == [1, 0, 2]
    assert table.any(table["pt"] > 4.5).tolist() == [True, False, True]
    assert table.total(table["pt"]).tolist() == [6.0, 0.0, 15.0]

"""The bars of coffea, while others stand in for them."""

from __future__ import annotations

import rich.progress
from coffea import util

from hep_tables_coffea.backends.coffea.bars import drawing


def test_a_bar_that_is_not_wanted_is_not_drawn() -> None:
    with drawing(False):
        assert type(util.rich_bar()) is not rich.progress.Progress


def test_on_a_terminal_the_bar_is_coffeas_own() -> None:
    with drawing(True):
        assert type(util.rich_bar()) is rich.progress.Progress


def test_overlapping_runs_leave_the_bar_as_it_was() -> None:
    one, other = drawing(False), drawing(False)
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert type(util.rich_bar()) is not rich.progress.Progress
    other.__exit__(None, None, None)
    assert type(util.rich_bar()) is rich.progress.Progress

"""Strategies for hypothesis: random tables of events, and random programs over them.

Example:
    >>> from hypothesis import given
    >>> from hep_tables_coffea.testing.strategies import programs, tables, write
    >>> @given(tables())  # doctest: +SKIP
    ... def test_back_end(table):
    ...     path = write(table, folder / "events")
"""

from __future__ import annotations

from hep_tables_coffea.testing.programs import Program, programs
from hep_tables_coffea.testing.tables import Column, Table, tables, write

__all__ = ["Column", "Program", "Table", "programs", "tables", "write"]

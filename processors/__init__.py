"""Analyses that ship with the library, ready to run or to copy; imported as `hep_tables_coffea.processors`."""

from __future__ import annotations

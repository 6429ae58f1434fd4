"""Plausible events in the layouts of real experiments: for demonstrations, and for tests of one's own analysis."""

from __future__ import annotations

from hep_tables_coffea.samples.files import nanoaod, physlite
from hep_tables_coffea.samples.truth import PROCESSES

__all__ = ["PROCESSES", "nanoaod", "physlite"]

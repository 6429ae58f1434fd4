"""coffea: generated processors on coffea's executors. Nothing outside this folder knows coffea's classes."""

from __future__ import annotations

from hep_tables_coffea.backends.coffea.backend import backend

__all__ = ["backend"]

"""The reference: every program, event by event, in plain Python. Slow, and meant to be read: the other back ends must agree."""

from __future__ import annotations

from hep_tables_coffea.backends.reference.backend import backend

__all__ = ["backend"]

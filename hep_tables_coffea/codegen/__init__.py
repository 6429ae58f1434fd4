"""From the graph to Python source that one can read."""

from __future__ import annotations

"""The ServiceX back end: what can run near the data runs there, the rest over what it delivers."""

from __future__ import annotations

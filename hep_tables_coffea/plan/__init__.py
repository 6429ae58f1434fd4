"""Who runs what: programs, stages, and their explanation."""

from __future__ import annotations

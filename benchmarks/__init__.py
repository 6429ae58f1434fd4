"""Measurements side by side with hand-written coffea. Not shipped: `make bench` runs them from a checkout."""

from __future__ import annotations

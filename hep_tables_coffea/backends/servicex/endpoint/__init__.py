"""A local ServiceX: the same protocol over HTTP on loopback, for local files."""

from __future__ import annotations

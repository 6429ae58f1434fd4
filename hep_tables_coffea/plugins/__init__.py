"""The contracts of plug-ins and their registry."""

from __future__ import annotations

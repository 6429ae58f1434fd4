"""The typed graph: nodes, axes, and the rules that make them."""

from __future__ import annotations

"""The back ends that ship. Each stands alone."""

from __future__ import annotations

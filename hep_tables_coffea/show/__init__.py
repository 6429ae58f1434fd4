"""Text, HTML and pictures of types, plans and results."""

from __future__ import annotations

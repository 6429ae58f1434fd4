"""For authors of plug-ins and analyses: explaining asserts and strategies."""

from __future__ import annotations

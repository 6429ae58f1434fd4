"""Requests through the servicex client: sent, watched, checked, kept."""

from __future__ import annotations

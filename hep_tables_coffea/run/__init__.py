"""Driving the stages: options, progress, results."""

from __future__ import annotations

"""What a user holds and writes: recorded values, datasets, histograms."""

from __future__ import annotations

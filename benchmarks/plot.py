"""Pictures of the numbers, for those who would rather look."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Timing

__all__ = ["draw"]

Times = Mapping[str, Mapping[str, Timing]]


def draw(timings: Mapping[str, Times], events: int, path: Path) -> None:
    """The queries as bars, and how they scale where that was measured."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(18, 5), width_ratios=(2, 1, 1), layout="constrained")
    _bars(left, timings.get("queries", {}), events)
    _lines(middle, timings.get("events", {}), "events")
    _lines(right, timings.get("chunks", {}), "events in a chunk")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def _bars(axes: Any, queries: Times, events: int) -> None:
    names = list(dict.fromkeys(name for each in queries.values() for name in each))
    width = 0.9 / max(len(names), 1)
    for i, name in enumerate(names):
        known = [(place, each[name].of("cpu")) for place, each in enumerate(queries.values()) if name in each]
        heights = [1e9 * seconds / events for _, seconds in known]
        axes.bar([place + i * width for place, _ in known], heights, width, label=name)
    axes.set(title="The eight queries", ylabel="CPU [ms for 1 M events]", yscale="log")
    axes.set_xticks([place + 0.45 for place in range(len(queries))], [query.upper() for query in queries])
    if names:
        axes.legend(ncols=2, fontsize="small")


def _lines(axes: Any, times: Times, label: str) -> None:
    for name in dict.fromkeys(name for each in times.values() for name in each):
        points = sorted((int(what), 1000 * each[name].of("cpu")) for what, each in times.items() if name in each)
        axes.plot(*zip(*points), marker="o", label=name)
    axes.set(title="Q5", xlabel=label, ylabel="CPU [ms]", xscale="log", yscale="log")
    axes.set_xticks([int(what) for what in times], [f"{int(what):,}" for what in times])
    axes.minorticks_off()
    if times:
        axes.legend()

"""Variants of one thing, measured by turns: what slows the machine for a while slows all of them."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

__all__ = ["Round", "Timing", "interleave", "mean_ratio", "ratio"]

#: What has been measured for so long [s of CPU], at least twice, is known well enough: what takes long varies little.
ENOUGH, LEAST = 1.0, 2


@dataclass(slots=True)
class Timing:
    """Seconds of each repetition: CPU of this process with all its threads, and wall."""

    cpu: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def of(self, clock: str, how: Callable[[list[float]], float] = median) -> float:
        return how(getattr(self, clock))

    def summary(self) -> dict[str, Any]:
        """For the JSON file, with everything that was measured."""
        return {
            clock: {"min": min(values), "median": median(values), "all": values}
            for clock, values in (("cpu", self.cpu), ("wall", self.wall))
        }


@dataclass(slots=True)
class Round:
    """What came of some variants: times, the answers of the first run, and who failed with what."""

    timings: dict[str, Timing] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


def interleave(variants: Mapping[str, Callable[[], Any]], repeats: int, twice: Collection[str] = ()) -> Round:
    """Run each variant, keep its answer, then measure all of them in turns. Some are warm after the second run only.

    A variant that raises is reported and left out, so that the others are measured.
    """
    done = Round()
    for name, variant in variants.items():
        try:
            for _ in range(2 if name in twice else 1):
                done.answers[name] = variant()
        except Exception as error:
            done.failures[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    ready = [name for name in variants if name not in done.failures]
    done.timings = {name: Timing() for name in ready}
    for number in range(repeats):
        for name in ready:
            if number < LEAST or math.fsum(done.timings[name].cpu) < ENOUGH:
                _measure(variants[name], done.timings[name])
    return done


def _measure(variant: Callable[[], Any], timing: Timing) -> None:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    variant()
    timing.cpu.append(time.process_time() - cpu)
    timing.wall.append(time.perf_counter() - wall)


def ratio(timings: Mapping[str, Timing], ours: str, reference: str, clock: str = "cpu") -> float | None:
    """The ratio of the medians; None where one of them was not measured."""
    if ours not in timings or reference not in timings:
        return None
    return timings[ours].of(clock) / timings[reference].of(clock)


def mean_ratio(ratios: Iterable[float | None]) -> float | None:
    """The geometric mean; None where one is missing, since the mean of the rest would be another number."""
    values = list(ratios)
    if not values or None in values:
        return None
    return math.exp(math.fsum(math.log(value) for value in values if value is not None) / len(values))

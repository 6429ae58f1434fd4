"""What a run gives: the value, and an account of how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hep_tables_coffea.plan.stages import Plan
from hep_tables_coffea.plugins.protocol import Delivery, Failure

__all__ = ["Report", "Result"]


@dataclass(frozen=True, slots=True)
class Report:
    """The account of a run."""

    events: int
    bytes: int
    chunks: int
    columns: tuple[str, ...]
    failures: tuple[Failure, ...]
    seconds: Mapping[str, float]
    lacking: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()

    @property
    def coverage(self) -> float | None:
        """The part of the events that was processed: 1.0 without failures, None where a bad file hides how many."""
        if any(failure.stop <= failure.start for failure in self.failures):
            return None
        lost = sum(failure.events for failure in self.failures)
        return self.events / (self.events + lost) if self.events + lost else 1.0

    @property
    def failed_files(self) -> dict[str, str]:
        """Each file that failed, wholly or in part, and why."""
        return {failure.file: failure.reason for failure in self.failures}

    def __str__(self) -> str:
        lines = [
            (
                f"{_many(self.events, 'event')} in {_many(self.chunks, 'chunk')}, "
                f"{self.bytes / 1e6:.1f} MB in {_many(len(self.columns), 'column')}"
            ),
            ", ".join(f"{name} {seconds:.2f} s" for name, seconds in self.seconds.items()),
        ]
        lines += self.notes
        lines += [f"lacks {name}: {', '.join(found)}" for name, found in self.lacking.items()]
        if self.failures:
            covered = "unknown, since files could not be opened" if self.coverage is None else f"{self.coverage:.1%}"
            lines += [f"failed: {failure}" for failure in self.failures] + [f"coverage: {covered}"]
        return "\n".join(lines)

    __repr__ = __str__


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@dataclass(frozen=True, slots=True)
class Result:
    """The answers of a run, in the structure in which they were asked for."""

    value: Any
    report: Report
    plan: Plan

    def __repr__(self) -> str:
        return f"Result(value={self.value!r})\n{self.report}"


def make_report(deliveries: list[Delivery]) -> Report:
    """The account of all stages together."""
    seconds: dict[str, float] = {}
    for delivery in deliveries:
        for name, value in delivery.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + value
    return Report(
        sum(d.events for d in deliveries),
        sum(d.bytes for d in deliveries),
        sum(d.chunks for d in deliveries),
        tuple(sorted({column for d in deliveries for column in d.columns})),
        tuple(failure for d in deliveries for failure in d.failures),
        seconds,
        {name: found for d in deliveries for name, found in d.lacking.items()},
        tuple(note for d in deliveries for note in d.notes),
    )

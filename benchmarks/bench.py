"""What every part of the benchmark shares: the files, how often to repeat, and where results go."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import child, data
from benchmarks.compare import ALLOWED, LOOSE, differences
from benchmarks.measure import Timing, interleave
from benchmarks.targets import Row
from benchmarks.variants import ENGINES

__all__ = ["Bench"]

#: What takes long is measured on a file of so many events.
FEWER_EVENTS = 300_000


@dataclass
class Bench:
    """One run of the benchmark."""

    folder: Path
    events: int
    repeats: int
    quick: bool = False
    console: Console = field(default_factory=lambda: Console(highlight=False))
    rows: list[Row] = field(default_factory=list)
    #: Part of the benchmark, what is measured, variant.
    timings: dict[str, dict[str, dict[str, Timing]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def sample(self, events: int | None = None, branches: int = data.NARROW) -> str:
        """The path of a file; by default that of the whole run."""
        return data.sample(self.folder, events or self.events, branches)

    @property
    def fewer(self) -> int:
        """How many events are enough for what takes long."""
        return min(self.events, FEWER_EVENTS)

    def note(self, text: str) -> None:
        """Say at the end something that a reader of the numbers has to know."""
        self.notes.append(text)

    def mistake(self, text: str) -> None:
        """Something is wrong, which ends the benchmark with an error when it is through."""
        self.wrong.append(text)
        self.console.print(text, style="bold red", markup=False)

    def measure(
        self, part: str, what: str, variants: Mapping[str, Callable[[], Any]], repeats: int | None = None
    ) -> dict[str, Timing]:
        """Measure variants by turns and compare their histograms with those of the first one.

        A quick run only compares. Variants whose answer is None have no histograms. Ours may still compile while the
        first answer is there, so they run twice before they are measured.
        """
        number = 0 if self.quick else repeats or self.repeats
        ours = [name for name in variants if any(engine in name for engine in ENGINES)]
        done = interleave(variants, number, ours if number else ())
        for name, reason in done.failures.items():
            self.mistake(f"FAILED {what}, {name}: {reason}")
        self._compare(what, done.answers)
        if number == 0:
            return {}
        self.timings.setdefault(part, {})[what] = done.timings
        line = "  ".join(f"{name} {1000 * timing.of('cpu'):.1f}" for name, timing in done.timings.items())
        self.console.print(f"{part} {what} [CPU ms]: {line}", markup=False, style="dim")
        return done.timings

    def child(self, function: Callable[..., None], *arguments: str, **environment: str) -> dict[str, float] | None:
        """What a function of `child` measures in a fresh process; None where it fails."""
        try:
            found: dict[str, float] = child.call(function, *arguments, environment=environment)
        except Exception as error:
            self.mistake(f"FAILED {function.__name__} of {', '.join(arguments)}: {error}")
            return None
        self.console.print(f"{function.__name__} {arguments[:1]}: {found}", markup=False, style="dim")
        return found

    def _compare(self, what: str, answers: Mapping[str, Any]) -> None:
        filled = {name: answer for name, answer in answers.items() if answer is not None}
        if not filled:
            return
        first, reference = next(iter(filled.items()))
        for name, answer in filled.items():
            for line in differences(reference, answer, LOOSE if name.startswith("RDataFrame") else ALLOWED):
                self.mistake(f"WRONG {what}, {name} against {first}: {line}")

    def once(self, part: str, what: str, variant: str, timing: Timing) -> None:
        """Note what was measured elsewhere: in another process, or only once."""
        self.timings.setdefault(part, {}).setdefault(what, {})[variant] = timing

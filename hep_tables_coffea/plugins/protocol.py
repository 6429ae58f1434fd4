"""The contracts of plug-ins: schema packs say what is in a table, back ends say what they can run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from hep_tables_coffea.types.schema import Leaf, Schema

if TYPE_CHECKING:
    from hep_tables_coffea.config import Options
    from hep_tables_coffea.graph.axes import Axis
    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.types.dataset import Dataset

__all__ = ["Backend", "Delivery", "Failure", "SchemaPack", "Support", "Upstream"]


@runtime_checkable
class SchemaPack(Protocol):
    """Arranges the columns of a table in collections.

    Attributes:
        name: what `schema=` takes, and the name of the entry point.
        description: one line.
        trees: names of trees that such files usually have, the likeliest first.
        generator: how names of columns begin that only simulation has. A pack without it cannot tell it from data.
    """

    name: str
    description: str
    trees: tuple[str, ...]

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """How surely the columns are of this kind: 0 not at all, 100 surely. The greatest wins."""
        ...

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        """The schema of a table with these columns. `rules` are the pack's own options."""
        ...


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a back end can run a node; if not, why."""

    ok: bool
    reason: str = ""

    def __bool__(self) -> bool:
        return self.ok


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be done: a file, or an entry range of it."""

    sample: str
    file: str
    start: int
    stop: int
    kind: str
    reason: str
    line: int = 0

    @property
    def events(self) -> int:
        return self.stop - self.start

    def __str__(self) -> str:
        entries = f" entries {self.start} to {self.stop}" if self.stop > self.start else ""
        return f"{self.sample}: {self.file}{entries}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a back end gives for a stage: the answers, and an account of how it came to them."""

    answers: Mapping[str, Any]
    events: int = 0
    bytes: int = 0
    chunks: int = 0
    columns: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@runtime_checkable
class Backend(Protocol):
    """Runs stages of a plan. `name` is the name of the entry point."""

    name: str

    def supports(self, node: Node) -> Support:
        """Yes, or no and the reason; before anything runs."""
        ...

    def compile(
        self, outputs: Mapping[str, Node], constants: Mapping[Node, Any], title: str, engine: str = "auto"
    ) -> Any:
        """A program that one can read: it has `text` and `columns`."""
        ...

    def execute(self, program: Any, dataset: Dataset, options: Options) -> Delivery:
        """Run a program over a dataset."""
        ...


@runtime_checkable
class Upstream(Protocol):
    """Computes columns near the data and delivers them as files. `name` is the name of the entry point."""

    name: str

    def supports(self, node: Node) -> Support:
        """Yes, or no and the reason; of the node alone, given that what it needs can be had."""
        ...

    def needs(self, node: Node) -> Iterable[Node]:
        """What a node is computed from, column by column."""
        ...

    def compile(self, columns: Mapping[str, Node], events: Axis, dataset: Dataset) -> Any:
        """The question that is sent; it has `text`. `events` is the axis of the events that are delivered."""
        ...

    def deliver(self, program: Any, dataset: Dataset, options: Options) -> Any:
        """The delivered files: a context manager over an iterator of batches, each as soon as it is there."""
        ...

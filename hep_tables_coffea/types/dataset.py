"""A dataset: samples with their files and metadata, and the schema that says what is in them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hep_tables_coffea.types.schema import Schema

if TYPE_CHECKING:
    from hep_tables_coffea.graph.nodes import Node

__all__ = ["Column", "Dataset", "Sample", "is_named"]

#: What begins the name of a dataset that is no file: a catalogue knows its files.
NAMED = ("rucio://", "cernopendata://", "xrootd://")


def is_named(source: str) -> bool:
    """Whether a source is the name of a dataset in a catalogue, and not a file.

    >>> is_named("rucio://user.me:data?files=1"), is_named("root://eos.cern.ch//data/a.root")
    (True, False)
    """
    return source.startswith(NAMED)


@dataclass(frozen=True, slots=True)
class Sample:
    """One named part of a dataset: files, each with its tree, and metadata such as the cross section.

    `simulation` is what its columns say: whether some are of a generator; None where nobody can tell.
    """

    name: str
    files: tuple[tuple[str, str | None], ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)
    simulation: bool | None = None

    @property
    def about(self) -> dict[str, Any]:
        """The metadata, with `is_mc` where only `is_data` or the columns tell it."""
        is_data = self.metadata.get("is_data")
        told = self.simulation if is_data is None else not is_data if isinstance(is_data, bool) else None
        if told is None or self.metadata.get("is_mc") is not None:
            return dict(self.metadata)
        return {**self.metadata, "is_mc": told}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a user defined: for the rows of which record, and its value."""

    record: Node
    value: Node


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """What `ht.dataset` opened. Each opening is a dataset of its own: `uid` tells them apart."""

    name: str
    samples: tuple[Sample, ...]
    schema: Schema
    uid: str = field(default_factory=lambda: uuid4().hex)
    columns: dict[str, list[Column]] = field(default_factory=dict)

    def __getstate__(self) -> tuple[Any, ...]:
        # without columns, which are nodes: graph.serialize sends them with the records that have them
        return self.name, self.samples, self.schema, self.uid

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("name", "samples", "schema", "uid", "columns"), (*state, {})):
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dataset) and other.uid == self.uid

    def __hash__(self) -> int:
        return hash(self.uid)

    @property
    def files(self) -> list[tuple[str, str | None]]:
        return [file for sample in self.samples for file in sample.files]

    @property
    def is_named(self) -> bool:
        """Whether some of it is known by name only: no file of it can be opened here."""
        return any(is_named(path) for path, _ in self.files)

    @property
    def beginning(self) -> Dataset:
        """The first file alone."""
        sample = self.samples[0]
        path, tree = sample.files[0]
        first = f"{path.partition('?')[0]}?files=1" if is_named(path) else path
        return replace(self, samples=(replace(sample, files=((first, tree),)),))

    @property
    def digest(self) -> str:
        """A hash of the question's subject: the files and the metadata."""
        content = [(s.name, s.files, sorted(s.about.items(), key=str)) for s in self.samples]
        return hashlib.sha256(json.dumps(content, default=repr).encode()).hexdigest()

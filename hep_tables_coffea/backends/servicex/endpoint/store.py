"""What an endpoint remembers: requests, their results, and the datasets that were looked up."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.catalog import Input

__all__ = ["DONE", "Dataset", "Request", "Result", "Store", "object_names"]

DONE = ("Complete", "Fatal", "Canceled", "Bad Dataset")
SUFFIXES = {"parquet": ".parquet", "root-file": ".root", "root-rntuple": ".root"}
#: Object stores allow no longer keys, file systems no longer names.
LONGEST = 255


@dataclass(slots=True)
class Result:
    """What became of one input."""

    source: str
    object_name: str
    created_at: datetime
    #: "" if it failed.
    path: str = ""
    total_bytes: int = 0
    total_events: int = 0
    seconds: float = 0.0
    failure: str = ""


@dataclass(slots=True)
class Dataset:
    """A dataset as it was looked up."""

    id: int
    name: str
    finder: str
    status: str
    files: list[Input]
    updated: datetime
    #: Why it could not be looked up.
    failure: str = ""
    stale: bool = False

    def to_json(self, files: bool = False) -> dict[str, Any]:
        sizes = [os.path.getsize(one.path) if os.path.isfile(one.path) else 0 for one in self.files]
        about = {
            "id": self.id,
            "name": self.name,
            "did_finder": self.finder,
            "n_files": len(self.files),
            "size": sum(sizes),
            "events": 0,
            "last_used": _iso(self.updated),
            "last_updated": _iso(self.updated),
            "lookup_status": self.status,
            "is_stale": self.stale,
        }
        if files:
            about["files"] = [
                {"id": number, "adler32": None, "file_size": size, "file_events": 0, "paths": one.name}
                for number, (one, size) in enumerate(zip(self.files, sizes), start=1)
            ]
        return about


@dataclass(slots=True)
class Request:
    """One transformation, from the moment it is accepted."""

    id: str
    asked: dict[str, Any]
    dataset: Dataset
    inputs: list[Input]
    submitted: datetime
    status: str = "Submitted"
    finished: datetime | None = None
    completed: int = 0
    failed: int = 0
    failure: str = ""
    results: list[Result] = field(default_factory=list)
    objects: dict[str, str] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        return self.status in DONE

    def finish(self, status: str, failure: str = "") -> None:
        """Nothing changes it after that."""
        if not self.is_done:
            self.status, self.failure, self.finished = status, failure or self.failure, now()

    def failures(self) -> str:
        """Why it failed, and a line for each input that did."""
        lines = [f"{result.source}: {result.failure}" for result in self.results if result.failure]
        return "\n".join([*([self.failure] if self.failure else []), *lines])


class Store:
    """The requests and datasets of one endpoint. Only its event loop calls this."""

    def __init__(self) -> None:
        self.requests: dict[str, Request] = {}
        self.datasets: dict[int, Dataset] = {}
        self._last = datetime.min.replace(tzinfo=timezone.utc)

    def add_dataset(self, name: str, finder: str, files: list[Input], status: str, failure: str = "") -> Dataset:
        """The record of a look-up: of one name the newest is valid, under the same number."""
        known = [one.id for one in self.datasets.values() if one.name == name and not one.stale]
        number = known[0] if known else len(self.datasets) + 1
        self.datasets[number] = Dataset(number, name, finder, status, files, now(), failure)
        return self.datasets[number]

    def add_request(self, asked: dict[str, Any], dataset: Dataset) -> Request:
        request = Request(str(uuid.uuid4()), asked, dataset, list(dataset.files), now())
        self.requests[request.id] = request
        return request

    def forget(self) -> None:
        """What a server that lost its database knows."""
        self.requests.clear()
        self.datasets.clear()

    def moment(self) -> datetime:
        """Now, and later than any moment before: a client asks for results later than the last it has."""
        self._last = max(now(), self._last + timedelta(microseconds=1))
        return self._last


def object_names(inputs: list[Input], file_format: str) -> list[str]:
    """The names of the objects that the inputs give, all different even where two inputs have the same name.

    A client waits until it has seen as many names as files were completed, and keeps them as files, with some
    characters replaced and perhaps on a disk that does not tell upper case from lower.

    >>> from hep_tables_coffea.backends.servicex.endpoint.catalog import Input
    >>> object_names([Input("root://a//b.root"), Input("root://a//b.root")], "parquet")
    ['root:::a::b.root.parquet', 'root:::a::b.root-2.parquet']
    """
    suffix = SUFFIXES[file_format]
    names, taken = [], set()
    for one in inputs:
        number, name = 1, _object_name(one.name, suffix)
        while _on_disk(name) in taken:
            number += 1
            name = _object_name(f"{one.name}-{number}", suffix)
        taken.add(_on_disk(name))
        names.append(name)
    return names


def _object_name(name: str, suffix: str) -> str:
    name = re.sub(r"[\x00-\x1f\\]", "_", name).replace("/", ":") + suffix
    if len(name.encode()) <= LONGEST:
        return name
    tail = name.encode()[-(LONGEST - 41) :].decode(errors="ignore")
    return f"_{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()}{tail}"


def _on_disk(name: str) -> str:
    return re.sub(r"[*;:]", "_", name).casefold()


def now() -> datetime:
    return datetime.now(timezone.utc)


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

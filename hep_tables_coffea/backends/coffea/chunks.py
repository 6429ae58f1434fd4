"""One chunk in a worker: read the columns from a kept handle, run the processor, account for it.

This module and `files` are sent to workers by value where the workers may lack the library.
"""

from __future__ import annotations

import hashlib
import time
import traceback
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cloudpickle

from hep_tables_coffea import files
from hep_tables_coffea.backends.coffea.nano import kept, read_fields
from hep_tables_coffea.backends.coffea.sending import users_line

__all__ = ["GENERATED", "Chunk", "ChunkRunner", "Events"]

#: How the module of a generated class begins. cloudpickle drops the name of the file, and keeps that of the module.
GENERATED = "hep_tables_coffea_generated"
_REMOTE = ("root://", "http://", "https://", "s3://")


@dataclass(frozen=True, slots=True)
class Chunk:
    """An entry range of a file of a sample. `label` is the file, or the file and a number where it occurs again."""

    sample: str
    file: str
    tree: str | None
    start: int
    stop: int
    metadata: tuple[tuple[str, Any], ...] = ()
    label: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        return self.sample, self.label or self.file, self.start


class Events:
    """What a generated processor gets as `events`: metadata, length, and its columns."""

    def __init__(self, chunk: Chunk, columns: Mapping[str, Any], schema: type | None = None, keep: Any = None) -> None:
        self.chunk, self.columns, self.schema, self.keep = chunk, columns, schema, keep
        self.metadata = dict(chunk.metadata) | {
            "dataset": chunk.sample,
            "filename": chunk.key[1],
            "treename": chunk.tree,
            "entrystart": chunk.start,
            "entrystop": chunk.stop,
        }
        self.problem: Exception | None = None
        self.bytes = 0
        self.lacking: tuple[str, ...] = ()
        self.seconds = 0.0

    def __len__(self) -> int:
        return self.chunk.stop - self.chunk.start

    def read_columns(self, names: list[str]) -> dict[str, Any]:
        """One batched read."""
        started = time.perf_counter()
        try:
            found = self._read(names)
            self._check(found)
        except Exception as error:
            self.problem = error
            raise
        self.bytes = sum(array.nbytes for array in found.values())
        self.lacking = tuple(name for name in names if name not in found)
        self.seconds = time.perf_counter() - started
        return found

    def _check(self, found: Mapping[str, Any]) -> None:
        """The file may be another than when the program was recorded."""
        for name, array in found.items():
            if name not in self.columns:  # of the program that runs while a kernel is compiled
                continue
            dtype, depth, _ = self.columns[name]
            lists, is_text = array.ndim - 1, not _is_numbers(array.layout) and "string" in str(array.type)
            if lists != depth or is_text != (dtype == "str"):
                now = f"{'text' if is_text else 'numbers'} in {lists} lists"
                msg = f"{self.chunk.file}: the column {name!r} holds {now}, and held {dtype} in {depth} when recorded"
                raise ValueError(msg)

    def _read(self, names: list[str], tries: int = 3) -> dict[str, Any]:
        chunk = self.chunk
        for again in range(tries if chunk.file.startswith(_REMOTE) else 1):
            try:
                if self.schema is not None:
                    return read_fields(chunk.file, chunk.tree, self.schema, names, chunk.start, chunk.stop)
                return files.read(chunk.file, chunk.tree, names, chunk.start, chunk.stop, self.keep)
            except OSError:
                if again == tries - 1 or not chunk.file.startswith(_REMOTE):
                    raise
                files.forget(chunk.file)
                time.sleep(2**again)
        raise AssertionError


def _is_numbers(layout: Any) -> bool:
    """Whether this is certainly no text: what is usual is told without writing its type down."""
    while layout.is_list and not layout.parameters:
        layout = layout.content
    return bool(layout.is_numpy and not layout.parameters)


class ChunkRunner:
    """The function that coffea's executors call with each chunk.

    `schema` is a coffea schema class, if one is used; `keep` says where decoded columns are kept.
    """

    def __init__(
        self, processor: Any, run: str, stop_at_failure: bool, schema: type | None = None, keep: Any = None
    ) -> None:
        self.processor, self.run, self.stop_at_failure, self.schema = processor, run, stop_at_failure, schema
        self.keep: files.Keep | None = keep
        #: Why a worker could not load the program. Said with its first chunk: dask waits for ever for what cannot be loaded.
        self.broken: Exception | None = None
        self.content = b""

    def calls_users_functions(self) -> bool:
        """Whether something runs for each chunk that nobody has said is safe in threads."""
        scope = getattr(getattr(type(self.processor), "process", None), "__globals__", {})
        return any(_is_users(value, scope) for value in scope.values())

    def __getstate__(self) -> dict[str, Any]:
        from hep_tables_coffea.backends.coffea.sending import dumped  # it is not sent along

        content = self.content if self.broken is not None else dumped((self.processor, self.schema))
        return {"content": content, "run": self.run, "stop_at_failure": self.stop_at_failure, "keep": self.keep}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.run, self.stop_at_failure, self.keep = state["run"], state["stop_at_failure"], state["keep"]
        self.processor, self.schema, self.broken = None, None, None
        known = kept().setdefault("processors", {})
        digest = hashlib.sha256(state["content"]).hexdigest()
        if digest not in known:
            if len(known) > 32:
                known.clear()
            try:
                known[digest] = cloudpickle.loads(state["content"])
            except Exception as error:
                self.broken, self.content = error, state["content"]
                return
        self.processor, self.schema = known[digest]

    def __call__(self, chunk: Chunk) -> dict[str, Any]:
        failed = kept().setdefault("failed", set())
        if self.run in failed:
            return {"out": {}, "chunks": {}, "failures": {}}
        if self.broken is not None:
            failure = self._failure(chunk, self.broken, "program", ", as a worker loads the program")
            return {"out": {}, "chunks": {}, "failures": {chunk.key: [failure]}}
        events = Events(chunk, self.processor.columns, self.schema, self.keep)
        started = time.perf_counter()
        try:
            out = self.processor.process(events)
        except Exception as error:
            failure = self._failure(chunk, error, "file" if events.problem is error else "program")
            if self.stop_at_failure or failure["kind"] == "program":
                failed.add(self.run)
            return {"out": {}, "chunks": {}, "failures": {chunk.key: [failure]}}
        account = {
            "events": len(events),
            "bytes": events.bytes,
            "lacking": events.lacking,
            "read": events.seconds,
            "compute": time.perf_counter() - started - events.seconds,
        }
        return {"out": out, "chunks": {chunk.key: [account]}, "failures": {}}

    def _failure(self, chunk: Chunk, error: Exception, kind: str, doing: str = "") -> dict[str, Any]:
        frames = traceback.walk_tb(error.__traceback__)
        lines = [line for frame, line in frames if str(frame.f_globals.get("__name__")).startswith(GENERATED)]
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        return {
            "kind": kind,
            "reason": (text.strip() or type(error).__name__) + doing,
            "type": type(error).__name__,
            "lines": lines,
            "users": users_line(error),
            "stop": chunk.stop,
            "file": chunk.file,
        }


#: Where the classes of callables come from that are safe in threads, or are not called.
_SAFE = ("__future__", "builtins", "numba", "numpy", "typing")


def _is_users(value: Any, scope: Mapping[str, Any]) -> bool:
    """Whether what the module of a generated class holds came with the program, and was not written or imported."""
    if isinstance(value, types.FunctionType):  # the user's are said to be of this module
        return value.__module__ == scope.get("__name__") and value.__globals__ is not scope
    imported = isinstance(value, (type, types.ModuleType)) or type(value).__module__.split(".")[0] in _SAFE
    return callable(value) and not imported

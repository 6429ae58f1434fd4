"""What coffea's Runner hands to an executor, recognised, and done with files that are kept open.

A Runner wraps a function for chunks, or for the metadata of files, in one that tries again and skips bad files. The
wrapping stays as it is. Where the processor is a generated one, the function for chunks reads through our files in
place of opening each file anew; where metadata are asked for, they come from the same open files. All else, a processor
that somebody wrote among it, is called as it was given.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from functools import partial
from inspect import signature
from typing import Any

import cloudpickle

from hep_tables_coffea.backends.coffea.chunks import GENERATED, Chunk, Events
from hep_tables_coffea.backends.coffea.threads import undisturbed
from hep_tables_coffea.files.handles import acquire
from hep_tables_coffea.files.paths import is_url, local

__all__ = ["on_kept_files"]


def on_kept_files(function: Callable[[Any], Any], keep: Any = None) -> Callable[[Any], Any]:
    """The same function of items, on kept files where that is possible; `keep` says where decoded columns are kept."""
    if not isinstance(function, partial) or not _is_of_runner(function, "automatic_retries") or len(function.args) < 3:
        return function
    retries, skipped, inner, *more = function.args
    instead = _on_kept_files(inner, keep)
    return partial(function.func, retries, skipped, instead, *more, **function.keywords)


def _on_kept_files(inner: Any, keep: Any) -> Any:
    if _is_of_runner(inner, "_work_function"):
        given = _arguments(inner)
        processor = _unpacked(given.get("processor_instance"))
        ours = type(processor).__module__.startswith(GENERATED) and not given.get("use_dataframes")
        return _Chunks(inner, processor, given, keep) if ours else inner
    if _is_of_runner(inner, "metadata_fetcher_root"):
        return _Metadata(inner, _arguments(inner))
    return inner


def _is_of_runner(function: Any, name: str) -> bool:
    from coffea.processor import Runner

    return isinstance(function, partial) and function.func is getattr(Runner, name, None)


def _arguments(function: Any) -> dict[str, Any]:
    return dict(signature(function.func).bind_partial(*function.args, **function.keywords).arguments)


def _unpacked(processor: Any) -> Any:
    if not isinstance(processor, bytes):
        return processor
    from coffea.processor.executor import lz4f  # as the Runner has packed it

    return cloudpickle.loads(lz4f.decompress(processor))


class _Chunks:
    """In place of `Runner._work_function`, for a generated processor."""

    def __init__(self, function: Callable[[Any], Any], processor: Any, given: dict[str, Any], keep: Any) -> None:
        self._function, self._processor, self._given, self._keep = function, processor, given, keep
        fields = "read_fields" in type(processor).process.__globals__
        self._schema = given.get("schema") if fields else None
        #: How files are opened and which branches a schema sees: only the Runner's own function goes by that.
        self._only_local = bool(given.get("uproot_options"))
        self._never = fields and bool(given.get("iteritems_options"))

    def __call__(self, item: Any) -> Any:
        name = item.filename
        if self._never or not isinstance(name, str) or (self._only_local and is_url(name)):
            return self._function(item)
        chunk = _chunk_of(item)
        events = Events(chunk, self._processor.columns, self._schema, self._keep)
        checkpoints = self._given.get("checkpointer")
        known = checkpoints.load(events.metadata, self._processor) if checkpoints is not None else None
        if known is not None:
            return known
        out = self._process(item, events)
        if checkpoints is not None:
            with undisturbed():
                checkpoints.save(out, events.metadata, self._processor)
        return out

    def _process(self, item: Any, events: Events) -> dict[str, Any]:
        started = time.time()
        try:
            out = self._processor.process(events)
        except Exception as error:
            msg = f"Failed processing file: {item!r}. The error was: {error!r}."
            raise Exception(msg) from error  # noqa: TRY002 (coffea's own, with which scripts reckon)
        answer = {"out": out, "processed": {item}}
        if self._given.get("savemetrics"):
            answer["metrics"] = {
                "bytesread": events.bytes,
                "columns": set(self._processor.columns) - set(events.lacking),
                "entries": len(events),
                "processtime": time.time() - started,
            }
        return answer


def _chunk_of(item: Any) -> Chunk:
    about = {**(item.usermeta or {}), "fileuuid": str(uuid.UUID(bytes=item.fileuuid)) if item.fileuuid else ""}
    place = (item.dataset, item.filename, item.treename or None, int(item.entrystart), int(item.entrystop))
    return Chunk(*place, tuple(about.items()))


class _Metadata:
    """In place of `Runner.metadata_fetcher_root`: of a wide tree not every branch is parsed to count its entries."""

    def __init__(self, function: Callable[[Any], Any], given: dict[str, Any]) -> None:
        self._function = function
        self._plain = not given.get("align_clusters") and not given.get("uproot_options")

    def __call__(self, item: Any) -> Any:
        found = self._known(item) if self._plain else None
        if found is None:
            return self._function(item)  # which says what is wrong, too
        from coffea.processor import set_accumulator

        about = {**(item.metadata or {}), **found}
        return set_accumulator([type(item)(item.dataset, item.filename, item.treename, about)])

    def _known(self, item: Any) -> dict[str, Any] | None:
        name, tree = item.filename, item.treename
        if not isinstance(name, str) or is_url(name) or not tree or ";" in tree:
            return None
        try:
            import uproot

            entries = acquire(name).source(tree).num_entries
            with uproot.open({local(name): None}) as file:
                return {"numentries": entries, "uuid": file.file.fUUID}
        except Exception:
            return None

"""Answers that were delivered once are kept on disk, and requests that still run are remembered.

Each answer has a folder: the files, and a note that names them with their sizes. The name of the folder is made of all
that the answer depends on: the server, the data set or the files with what tells one state of them from another, the
query, its code generator and the format. So nothing stale is found, and no server is needed to find it. A local file
that was written just now could be written again within the resolution of its time: its answer is not kept.

What was used least recently is dropped when there is more than the limit, but nothing of the last hour.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

from hep_tables_coffea.backends.servicex.delivery.request import Delivered, DeliveredFile, Request
from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.delivery.verdicts import Inputs
from hep_tables_coffea.files.kept import delivered_folder
from hep_tables_coffea.files.paths import fingerprint, is_settled
from hep_tables_coffea.files.room import FORMAT, MOST, PART_OF_FREE, RECENT

__all__ = ["Shelf", "root_of", "shelf_of"]

NOTE = "answer.json"


def root_of(cache: bool | str | os.PathLike[str] | None = None) -> str:
    """The folder of kept answers, as `cache=` says."""
    return delivered_folder(None if isinstance(cache, bool) else cache)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The place of one answer."""

    root: str
    folder: str
    #: What tells the state of each local file from another: it is to be the same when the answer is there.
    marks: tuple[tuple[int, ...], ...]
    #: Whether a change of a file could not escape that.
    is_settled: bool
    limit: int | None = None

    def find(self, request: Request) -> Delivered | None:
        """The answer, if all its files are there."""
        note = self._read()
        if note.get("state") != "complete":
            return None
        with suppress(OSError, KeyError, TypeError, ValueError):
            files = [DeliveredFile(s, os.path.join(self.folder, name), size) for s, name, size in note["files"]]
            if all(os.path.getsize(file.path) == file.bytes for file in files):
                os.utime(os.path.join(self.folder, NOTE))
                about = {key: note[key] for key in ("request_id", "total", "input_bytes", "log_url")}
                seconds = {"queue": 0.0, "transform": 0.0, "download": 0.0}
                in_order = Inputs(request).ordered({os.path.basename(file.path): file for file in files})
                return Delivered(request, files=in_order, seconds=seconds, cached=True, folder=self.folder, **about)
        return None

    def request_id(self) -> str:
        """The request whose answer this is or will be; empty if none is known."""
        return str(self._read().get("request_id", ""))

    def remember(self, request: Request, request_id: str) -> None:
        """A request was put."""
        self._write(request, {"state": "submitted", "request_id": request_id})

    def keep(self, delivered: Delivered) -> None:
        """An answer is there. Files that belong to another are dropped, and other answers if there are too many."""
        if _marks(delivered.request) != self.marks:
            self.forget()
            return
        names = [(file.source, os.path.basename(file.path), file.bytes) for file in dict.fromkeys(delivered.files)]
        about = {key: getattr(delivered, key) for key in ("request_id", "total", "input_bytes", "log_url")}
        self._write(delivered.request, {"state": "complete", "files": names, **about})
        self._drop_others({NOTE, *(name for _, name, _ in names)})
        trim(self.root, self.limit)

    def forget(self) -> None:
        """The request will not be answered, or its answer is not to be kept. Files stay for who reads them now."""
        with suppress(OSError):
            os.unlink(os.path.join(self.folder, NOTE))

    def _drop_others(self, names: set[str]) -> None:
        """Files of a request that was put before, unless somebody may still read them."""
        with suppress(OSError):
            for entry in os.scandir(self.folder):
                if entry.name not in names and entry.stat().st_mtime < time.time() - RECENT:
                    os.unlink(entry.path)

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            found = json.loads(Path(self.folder, NOTE).read_text(encoding="utf-8"))
            if isinstance(found, dict):
                return found
        return {}

    def _write(self, request: Request, about: dict[str, Any]) -> None:
        """Under another name first: a note is whole or not there."""
        if not self.is_settled:
            return
        asked = {"source": request.source, "codegen": request.codegen, "format": request.format, "title": request.title}
        part = os.path.join(self.folder, f"{NOTE}.{uuid4().hex[:8]}.tmp")
        try:
            os.makedirs(self.folder, exist_ok=True)
            Path(part).write_text(json.dumps({**asked, "query": request.query, **about}, indent=1), encoding="utf-8")
            os.replace(part, os.path.join(self.folder, NOTE))
        except OSError as error:
            logging.getLogger("hep_tables_coffea").warning("the answer is not kept in %s: %s", self.folder, error)


def shelf_of(request: Request, service: Service, root: str, limit: int | None) -> Shelf:
    """Where the answer of a request is kept."""
    marks = _marks(request)
    if isinstance(request.source, str):
        inputs: Any = request.source
    else:
        # the order of files is that of the request, not of the answer
        inputs = sorted((_without_token(path), mark) for path, mark in zip(dict.fromkeys(request.listed), marks))
    # of files whose state is known the port of a local endpoint says nothing
    place = service.place if all(marks) else f"{service.url} {service.state}"
    key = [inputs, request.query, request.codegen, request.format, place]
    digest = blake2b(json.dumps(key).encode(), digest_size=16).hexdigest()
    return Shelf(
        root, os.path.join(root, FORMAT, f"{service.slug}-{digest}"), marks, all(map(is_settled, marks)), limit
    )


def _without_token(path: str) -> str:
    return path.partition("?")[0] if path.startswith("root://") else path


def _marks(request: Request) -> tuple[tuple[int, ...], ...]:
    """What tells the state of each file from another; nothing does of a data set. What is missing is the server's to say."""
    if not request.is_list:
        return ((),)
    marks = []
    for path in dict.fromkeys(request.listed):
        try:
            marks.append(fingerprint(path))
        except FileNotFoundError:
            marks.append((0, 0, 0, 0))
    return tuple(marks)


def trim(root: str, limit: int | None) -> None:
    """Drop the answers used least recently, until the others are no more than the limit."""
    answers = []
    for folder in Path(root, FORMAT).glob("*"):
        with suppress(OSError):
            note = folder / NOTE
            used = (note if note.exists() else folder).stat().st_mtime
            answers.append((used, sum(file.stat().st_size for file in folder.iterdir()), folder))
    total = sum(nbytes for _, nbytes, _ in answers)
    if limit is None:
        limit = min(MOST, int((shutil.disk_usage(root).free + total) * PART_OF_FREE))
    for used, nbytes, folder in sorted(answers):
        is_left_over = not (folder / NOTE).exists()
        if used < time.time() - RECENT and (total > limit or is_left_over):
            shutil.rmtree(folder, ignore_errors=True)
            total -= nbytes

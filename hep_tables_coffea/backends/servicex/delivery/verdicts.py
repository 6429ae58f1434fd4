"""What the end of a request means: which input a result belongs to, what failed and why, and what is no answer."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.servicex.delivery.problems import DeliveryError, in_words
from hep_tables_coffea.backends.servicex.delivery.request import DeliveredFile, FailedFile, Request

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.delivery.server import Row, Server, Status

__all__ = ["Inputs", "refuse_count", "refuse_end"]

NO_REASON = "the server does not say why"
LOOKUPS = {
    "does_not_exist": "there is no such data set",
    "bad_name": "that is no name of a data set",
    "internal_failure": "looking for it failed on the server",
}


class Inputs:
    """The input files as the request names them. What the server looks up is known when it says so."""

    def __init__(self, request: Request) -> None:
        #: How often each is listed, in the order of the request.
        self.listed = Counter(request.listed)
        self._listing = request.listed
        self._by_object = {path.replace("/", ":"): path for path in self.listed}

    def source_of(self, row: Row) -> str:
        """The input of a result: as the request names it, as the server does, or from the name of the result."""
        for known in (row.source, row.source.removeprefix("file://")):
            if known and (known in self.listed or not self.listed):
                return known
        stem = os.path.splitext(row.name)[0]
        return self._by_object.get(row.name) or self._by_object.get(stem) or row.source or stem.replace(":", "/")

    def times(self, source: str) -> int:
        """How often a file is asked for."""
        return self.listed.get(source, 1)

    def ordered(self, files: Mapping[str, DeliveredFile]) -> tuple[DeliveredFile, ...]:
        """In the order of the request, then by name; a file that is listed twice is there twice."""
        by_source: dict[str, list[DeliveredFile]] = {}
        for _, file in sorted(files.items(), key=lambda item: (item[1].source, item[0])):
            by_source.setdefault(file.source, []).append(file)
        others = [source for source in by_source if source not in self.listed]
        return tuple(file for source in (*self._listing, *others) for file in by_source.get(source, ()))

    def failed(self, status: Status, rows: Mapping[str, Row], failing: Mapping[str, Row]) -> tuple[FailedFile, ...]:
        """The input files without a result, each with what the server says of it."""
        done = {self.source_of(row) for row in rows.values()}
        reasons = {self.source_of(row): row.reason for row in failing.values()}
        # of a server that lists no failures: what its text names, or at the end what was asked for and is not there
        named = [path for path in self.listed if f"{path}: " in status.failure_info]
        lacking = reasons or named or (self.listed if status.is_done else ())
        order = {source: i for i, source in enumerate(self.listed)}
        found = sorted(
            {source for source in lacking if source not in done}, key=lambda s: (order.get(s, len(order)), s)
        )
        return tuple(FailedFile(source, reasons.get(source) or _reason(source, found, status)) for source in found)


def _reason(source: str, sources: list[str], status: Status) -> str:
    """What a text about all failures says of one: `source: reason`, as far as the next."""
    text = in_words(status.failure_info)
    begin = text.find(f"{source}: ")
    if begin < 0:
        return text or NO_REASON
    begin += len(source) + 2
    ends = [at for other in sources if (at := text.find(f"\n{other}: ", begin)) >= 0]
    return text[begin : min(ends, default=len(text))].strip() or NO_REASON


async def refuse_end(request: Request, status: Status, server: Server) -> None:
    """Raise `DeliveryError` for a request that ended without an answer."""
    about: list[tuple[str, Any]] = [("data set", status.model.did), ("counts", status.counts)]
    if status.failure_info:
        about.insert(0, ("the server says", in_words(status.failure_info)))
    if status.word == "Bad Dataset":
        told = LOOKUPS.get(await server.lookup_of(status.model.did_id), "it cannot be looked up")
        msg, hint = f"the data set of {request.title!r} cannot be had: {told}", "is its name right, with its namespace?"
    elif status.word == "Canceled":
        msg, hint = f"the request {request.title!r} was canceled", "run again to ask anew"
    else:
        msg, hint = f"the request {request.title!r} failed on the server", "the server's log says more"
    about.append(("request", status.model.request_id))
    if status.model.log_url:
        about.append(("log", status.model.log_url))
    raise DeliveryError(msg, values=about, hint=hint)


def refuse_count(request: Request, status: Status) -> None:
    """Raise `DeliveryError` if the server took up another number of files than was asked for, or none."""
    files = status.model.files
    if not files:
        msg = f"the data set of {request.title!r} has no files"
        raise DeliveryError(msg, values=[("data set", status.model.did)], hint="is its name right, and is it complete?")
    asked = len(dict.fromkeys(request.listed))
    if request.is_list and files != asked:
        msg = f"the server took up {files} of the {asked} files of {request.title!r}"
        raise DeliveryError(msg, values=[("request", status.model.request_id)], hint="run again to ask anew")

"""What ServiceX is asked and answers, as JSON: the bodies of its REST interface."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from hep_tables_coffea._version import __version__
from hep_tables_coffea.backends.servicex.endpoint.store import SUFFIXES

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.endpoint.store import Request, Result

__all__ = ["VERSION", "Refusal", "asked_of", "moment", "result_of", "status_of"]

#: Titles are not longer.
TITLE = 10240
VERSION = f"hep_tables_coffea {__version__}"


class Refusal(Exception):
    """An answer other than the wanted one."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


def asked_of(body: Any) -> dict[str, Any]:
    """The body of a submission. Raises `Refusal`."""
    if not isinstance(body, dict) or not isinstance(body.get("selection"), str):
        raise Refusal(400, "The json request was malformed: it has no selection")
    if bool(body.get("did")) == bool(body.get("file-list")):
        raise Refusal(400, "Must provide did or file-list but not both")
    if not isinstance(body.get("file-list") or [], list):
        raise Refusal(400, "The json request was malformed: file-list is no list")
    for name, allowed in (("result-destination", ("object-store",)), ("result-format", tuple(SUFFIXES))):
        if body.get(name) not in allowed:
            raise Refusal(400, f"The json request was malformed: {name} is not one of {', '.join(allowed)}")
    if len(body.get("title") or "") > TITLE:
        raise Refusal(400, f"The json request was malformed: the title has more than {TITLE} characters")
    return {"codegen": "uproot", **body}


def status_of(found: Request) -> dict[str, Any]:
    """What is said of a request."""
    asked = found.asked
    return {
        "request_id": found.id,
        "did": found.dataset.name,
        "did_id": found.dataset.id,
        "title": asked.get("title"),
        "selection": asked["selection"],
        "tree-name": None,
        "image": f"local/{asked['codegen']}",
        "workers": None,
        "result-destination": asked["result-destination"],
        "result-format": asked["result-format"],
        "generated-code-cm": f"{found.id}-generated-source",
        "status": found.status,
        "failure-info": found.failures() or None,
        "app-version": VERSION,
        "code-gen-image": f"local/{asked['codegen']}",
        "files": len(found.inputs),
        "files-completed": found.completed,
        "files-failed": found.failed,
        "files-remaining": len(found.inputs) - found.completed - found.failed,
        "submit-time": found.submitted.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "finish-time": found.finished.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if found.finished else "None",
    }


def result_of(found: Request, one: Result, number: int) -> dict[str, Any]:
    """What is said of one input of a request that is done."""
    return {
        "id": number,
        "request-id": found.id,
        "file-id": number,
        "file-path": one.source,
        "s3-object-name": one.object_name,
        "transform_status": "failure" if one.failure else "success",
        "transform_time": one.seconds,
        "total-events": one.total_events,
        "total-bytes": one.total_bytes,
        "avg-rate": one.total_events / one.seconds if one.seconds else 0.0,
        # without a zone, as the server of ServiceX writes it
        "created_at": one.created_at.replace(tzinfo=None).isoformat(timespec="microseconds"),
        "failure-info": one.failure or None,
    }


def moment(text: str) -> datetime:
    """A time as clients write it."""
    # a plus in an address that was not encoded is a space
    found = datetime.fromisoformat(text.replace(" ", "+").replace("Z", "+00:00"))
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)

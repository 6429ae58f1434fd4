"""A ServiceX server, through the servicex client: its tokens, its requests and its models.

What differs from the client's adapter is how a question is put. It opens a connection, and reads all certificates, for
each question (0.1 s); waits up to a minute where nobody listens; prints what the server answers; and drops why files
failed. Here one connection serves all questions, trouble is borne for a time that is known, and every answer is kept.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from servicex.models import ServiceXInfo, TransformRequest, TransformStatus
from servicex.servicex_adapter import ServiceXAdapter

from hep_tables_coffea.backends.servicex.delivery.problems import (
    AccessError,
    DeliveryError,
    UnreachableError,
    in_words,
)
from hep_tables_coffea.backends.servicex.delivery.request import Pace
from hep_tables_coffea.backends.servicex.delivery.service import Service

__all__ = ["Row", "Server", "Status"]

#: Answers that mean "not now": the question was not taken up, and can be put again, even if it is a request.
NOT_NOW = (429, 503)
#: A server may take its time to write the code of a query.
SUBMITTING = httpx.Timeout(10.0, read=300.0)
#: Results are listed from so long before the newest that is known: two may be noted in another order than they ended.
OVERLAP = timedelta(seconds=60)

#: httpx notes each question at the level that many programs show. It is not to be seen for ours.
_ours: ContextVar[bool] = ContextVar("hep_tables_coffea_asks", default=False)
logging.getLogger("httpx").addFilter(lambda record: not _ours.get())


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()


@dataclass(frozen=True, slots=True)
class Status:
    """Where a request stands: the client's model, and what that leaves out."""

    model: Any
    failure_info: str

    @property
    def word(self) -> str:
        return str(self.model.status.value)

    @property
    def is_done(self) -> bool:
        return self.word in ("Complete", "Fatal", "Canceled", "Bad Dataset")

    @property
    def counts(self) -> str:
        model = self.model
        return f"{model.files} files, {model.files_completed} done, {model.files_failed} failed"


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one input file: `name` is that of the result in the store."""

    name: str
    source: str
    bytes: int
    ok: bool
    created: str
    reason: str = ""


class Server(ServiceXAdapter):  # type: ignore[misc]
    """One server, for one delivery. It is closed by `async with`."""

    def __init__(self, service: Service, pace: Pace) -> None:
        super().__init__(service.url, refresh_token=service.token or None)
        self.service, self.pace = service, pace
        self._servicex_info: Any = None
        self._answered = False
        # a server of this machine may want no token, and a stranger's is none of its business: it is asked without
        self._is_open = service.is_local and not service.token
        secure = urlsplit(service.url).scheme == "https"
        transport = httpx.AsyncHTTPTransport(verify=_certificates() if secure else False)
        self._http = httpx.AsyncClient(transport=transport, timeout=httpx.Timeout(5.0, read=60.0))

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    # -- what is asked --------------------------------------------------------------------------------------------

    async def get_servicex_info(self) -> Any:
        """Version, code generators and capabilities. It is the first question, which nobody waits long for."""
        if self._servicex_info is None:
            answer = await self._ask("GET", "/servicex")
            try:
                self._servicex_info = ServiceXInfo(**answer.json())
            except (ValueError, TypeError) as error:
                msg = f"what answers at {self.service} is not ServiceX"
                told = in_words(answer.text)[:200]
                raise DeliveryError(msg, values=[("answer", f"{answer.status_code} {told}")]) from error
        return self._servicex_info

    async def submit_transform(self, transform_request: TransformRequest) -> str:
        """The id of a new request."""
        content = transform_request.model_dump(mode="json", by_alias=True, exclude_none=True)
        answer = await self._ask("POST", "/servicex/transformation", json=content, timeout=SUBMITTING)
        return str(_content(answer)["request_id"])

    async def status_of(self, request_id: str) -> Status | None:
        """Where a request stands; None if the server does not know it."""
        answer = await self._ask("GET", f"/servicex/transformation/{request_id}", may_be_missing=True)
        if answer.status_code == 404:
            return None
        content = _content(answer)
        try:
            return Status(TransformStatus(**content), str(content.get("failure-info") or ""))
        except ValueError as error:
            wrong = " ".join(str(error).split())[:300]
            msg = f"{self.service} says of the request {request_id} what cannot be understood"
            raise DeliveryError(msg, values=[("what is wrong", wrong)]) from error

    async def rows_of(self, request_id: str, since: str = "") -> list[Row]:
        """What became of the input files, of all or of those that ended since then."""
        params = {"later_than": (datetime.fromisoformat(since) - OVERLAP).isoformat()} if since else {}
        answer = await self._ask("GET", f"/servicex/transformation/{request_id}/results", params=params)
        return [
            Row(
                str(one.get("s3-object-name") or ""),
                str(one.get("file-path") or ""),
                int(one.get("total-bytes") or 0),
                one.get("transform_status") == "success",
                str(one.get("created_at") or "").replace("Z", "+00:00"),
                str(one.get("failure-info") or one.get("error") or ""),
            )
            for one in _content(answer).get("results", [])
        ]

    async def cancel(self, request_id: str) -> None:
        """Ask the server to give up a request. Whatever comes of that, nobody waits for it."""
        try:
            await asyncio.wait_for(self._once("GET", f"/servicex/transformation/{request_id}/cancel"), 5)
        except Exception as error:
            logging.getLogger("hep_tables_coffea").info("request %s was not canceled: %s", request_id, error)

    async def size_of(self, did_id: int) -> int | None:
        """Size of a data set, where the server knows it."""
        try:
            answer = await asyncio.wait_for(self._once("GET", f"/servicex/datasets/{did_id}"), 5)
            return int(answer.json()["size"]) or None
        except Exception:
            return None

    async def lookup_of(self, did_id: int) -> str:
        """What became of looking for a data set."""
        try:
            answer = await asyncio.wait_for(self._once("GET", f"/servicex/datasets/{did_id}"), 5)
            return str(answer.json()["lookup_status"])
        except Exception:
            return ""

    # -- how it is asked ------------------------------------------------------------------------------------------

    async def _once(self, method: str, path: str, *, again: bool = False, **more: Any) -> httpx.Response:
        token = _ours.set(True)
        try:
            headers = {} if self._is_open else await self._get_authorization(force_reauth=again)
            return await self._http.request(method, self.url + path, headers=headers, **more)
        finally:
            _ours.reset(token)

    async def _ask(self, method: str, path: str, *, may_be_missing: bool = False, **more: Any) -> httpx.Response:
        """An answer that is no error. Trouble that may pass is borne for a while.

        A request is put again only if the server cannot have taken it up: else it might be there twice.
        """
        until, pause, again = time.monotonic() + self.pace.patience, self.pace.first, False
        while True:
            problem: Exception | None = None
            try:
                answer = await self._once(method, path, again=again, **more)
            except httpx.HTTPError as error:
                problem = error
                passing = self._answered and (method == "GET" or isinstance(error, httpx.ConnectError))
            else:
                self._answered = True
                if answer.status_code < 400 or (may_be_missing and answer.status_code == 404):
                    return answer
                if answer.status_code == 401 and (self._is_open or (self.token and not again)):
                    self._is_open, again = False, not self._is_open
                    continue
                passing = answer.status_code in NOT_NOW or (method == "GET" and answer.status_code >= 500)
            if not passing or time.monotonic() + pause > until:
                raise self._refused(problem) if problem else self._error(answer, method, path)
            await asyncio.sleep(pause)
            pause = min(2 * pause, self.pace.longest)

    def _refused(self, problem: Exception) -> DeliveryError:
        what = "does not answer" if isinstance(problem, httpx.TimeoutException) else "cannot be reached"
        told = str(problem) or type(problem).__name__
        hint = "is the address right, and is the server up?"
        if self.service.is_local:
            hint = "the server is to be started first; a local one is ht.servicex.local()"
        error = UnreachableError(f"ServiceX at {self.service} {what}", values=[("what is wrong", told)], hint=hint)
        error.__cause__ = problem
        return error

    def _error(self, answer: httpx.Response, method: str, path: str) -> DeliveryError:
        told = in_words(answer.text) or answer.reason_phrase
        if answer.status_code in (401, 403):
            return self._not_accepted(f"{answer.status_code} {told}")
        if "Failed to generate translation code" in answer.text:
            return DeliveryError("the code generator does not accept the query", values=[("it says", told)])
        kind = (
            UnreachableError if answer.status_code in (429, 500, 502, 503, 504) and method == "GET" else DeliveryError
        )
        what = "does not take the request" if method == "POST" else f"fails to answer {path}"
        hint = "it may have been taken up all the same" if method == "POST" and answer.status_code >= 500 else ""
        return kind(f"ServiceX at {self.service} {what}", values=[(f"HTTP {answer.status_code}", told)], hint=hint)

    def _not_accepted(self, told: str) -> AccessError:
        where = f"of {self.service.name} in {self.service.config}" if self.service.config else "of Service(token=...)"
        hint = f"is the token {where} the one of your page on {self.service.url}?"
        if not self.service.token:
            hint = f"no token is given: yours is on your page on {self.service.url}, and goes into servicex.yaml"
        return AccessError(f"ServiceX at {self.service} does not accept you", values=[("it says", told)], hint=hint)

    # -- tokens ---------------------------------------------------------------------------------------------------

    async def _get_token(self) -> None:
        """A new token of access for the token that the user has."""
        if not self.refresh_token:
            msg = "the token in the file that BEARER_TOKEN_FILE names has expired"
            raise self._not_accepted(msg)
        headers = {"Authorization": f"Bearer {self.refresh_token}"}
        answer = await self._http.post(f"{self.url}/token/refresh", headers=headers)
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code != 200:
            msg = f"{answer.status_code} {in_words(answer.text)}"
            raise self._not_accepted(msg)
        self.token = str(_content(answer)["access_token"])

    async def _get_authorization(self, force_reauth: bool = False) -> dict[str, str]:
        try:
            found: dict[str, str] = await super()._get_authorization(force_reauth)
        except OSError as error:
            if isinstance(error, DeliveryError):
                raise
            msg = "the file that BEARER_TOKEN_FILE names cannot be read"
            raise AccessError(msg, values=[("what is wrong", str(error))]) from error
        except (ValueError, RuntimeError) as error:
            if isinstance(error, DeliveryError):
                raise
            msg = f"a token that cannot be used: {error}"
            raise self._not_accepted(msg) from error
        return found


def _content(answer: httpx.Response) -> dict[str, Any]:
    """The JSON of an answer."""
    try:
        found = json.loads(answer.text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        msg = f"ServiceX at {answer.request.url} answers what is not JSON"
        raise DeliveryError(msg, values=[("answer", in_words(answer.text)[:200])])
    return found

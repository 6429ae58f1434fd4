"""One delivery: from the shelf if it is there, else from the server; and nothing is left behind when it is stopped."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakValueDictionary

from hep_tables_coffea.backends.servicex.delivery.lines import Line
from hep_tables_coffea.backends.servicex.delivery.problems import DeliveryError, OverdueError
from hep_tables_coffea.backends.servicex.delivery.request import FORMATS, Delivered, DeliveredFile, Pace, Request
from hep_tables_coffea.backends.servicex.delivery.service import Service, client
from hep_tables_coffea.backends.servicex.delivery.shelf import Shelf, root_of, shelf_of
from hep_tables_coffea.config import check_cache, size_in_bytes
from hep_tables_coffea.errors import UsageError, hint_names

if TYPE_CHECKING:
    from hep_tables_coffea.backends.servicex.delivery.course import Course
    from hep_tables_coffea.backends.servicex.delivery.server import Server

__all__ = ["How", "Stop", "Work", "discard"]

#: Of one event loop: so many requests are under way at once, and so many downloads.
REQUESTS, DOWNLOADS = 20, 10
#: Titles are not longer where the server does not say.
TITLE = 128
#: How the version of a local endpoint begins: what its data sets are can change from one minute to the next.
LOCAL = "hep_tables_coffea"


@dataclass(frozen=True, slots=True)
class How:
    """The keyword arguments of `Deliveries`."""

    on_error: str = "raise"
    progress: bool | None = None
    timeout: float | None = None
    cache: bool | str | os.PathLike[str] | None = None
    cache_size: int | str | None = None
    copy: bool = True
    pace: Pace | None = None

    def __post_init__(self) -> None:
        check_cache(os.fspath(self.cache) if isinstance(self.cache, os.PathLike) else self.cache)
        size_in_bytes(self.cache_size)
        if self.on_error not in ("raise", "report"):
            msg = f"on_error={self.on_error!r} is not possible"
            raise UsageError(msg, hint="on_error is one of 'raise', 'report'", located=False)

    def pace_for(self, service: Service) -> Pace:
        return self.pace or (Pace(first=0.02, longest=0.5) if service.is_local else Pace())


@dataclass
class Stop:
    """Why a delivery is stopped: whether the request goes on at the server, for the next run to have its answer."""

    goes_on: bool = False


# -- what one event loop has ------------------------------------------------------------------------------------------


class _Bounds:
    """How much is under way at once, and which answers."""

    def __init__(self) -> None:
        self.requests = asyncio.Semaphore(REQUESTS)
        self.downloads = asyncio.Semaphore(DOWNLOADS)
        self.answers: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def answer(self, folder: str) -> asyncio.Lock:
        """Two requests that are alike wait for each other: the second finds the answer of the first."""
        return self.answers.setdefault(folder, asyncio.Lock())


_bounds: WeakKeyDictionary[asyncio.AbstractEventLoop, _Bounds] = WeakKeyDictionary()


def _bounds_now() -> _Bounds:
    return _bounds.setdefault(asyncio.get_running_loop(), _Bounds())


# -- what is not kept -------------------------------------------------------------------------------------------------

_temporary: set[str] = set()


def discard(delivered: Delivered) -> None:
    """Drop the files of an answer that is not kept. One that is kept stays."""
    if delivered.folder in _temporary:
        _drop(delivered.folder)


def _drop(folder: str) -> None:
    _temporary.discard(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _unlink(paths: list[str]) -> None:
    for path in paths:
        with suppress(OSError):
            os.unlink(path)


@atexit.register
def _discard_all() -> None:
    for folder in _temporary:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Work:
    """One delivery. `on_file` has each file that has come.

    What has come of a delivery that fails may be read at that moment: `on_waste` has what drops it, to be called when
    nobody reads any more.
    """

    request: Request
    service: Service
    on_file: Callable[[DeliveredFile], None]
    on_waste: Callable[[Callable[[], None]], None]
    pace: Pace
    how: How
    stop: Stop
    course: Course | None = None
    _shelf: Shelf | None = None

    async def run(self) -> Delivered:
        bounds = _bounds_now()
        if self.how.cache is False:
            async with bounds.requests:
                return await self._from_server()
        root, limit = root_of(self.how.cache), size_in_bytes(self.how.cache_size)
        self._shelf = shelf_of(self.request, self.service, root, limit)
        async with bounds.answer(self._shelf.folder):
            found = self._shelf.find(self.request) if self.how.copy else None
            if found is None:
                async with bounds.requests:
                    return await self._from_server()
        for file in found.files:
            self.on_file(file)
        return found

    async def _from_server(self) -> Delivered:
        client()
        from hep_tables_coffea.backends.servicex.delivery.server import Server

        with Line(self.request.title, self.how.progress) as line:
            async with Server(self.service, self.pace) as server, self._folder() as folder:
                delivered = await self._follow(server, folder, line)
        if self._shelf is not None and self.how.copy:
            if delivered.failures:
                self._shelf.forget()  # what lacks a file is no answer for a later run
            else:
                self._shelf.keep(delivered)
        return delivered

    @asynccontextmanager
    async def _folder(self) -> AsyncIterator[str | None]:
        """Where files go. One that is not kept is dropped if the delivery fails."""
        if not self.how.copy:
            yield None
        elif self._shelf is not None and self._is_writable(self._shelf.folder):
            yield self._shelf.folder
        else:
            folder = tempfile.mkdtemp(prefix="hep_tables_coffea_")
            _temporary.add(folder)
            try:
                yield folder
            except BaseException:
                self.on_waste(partial(_drop, folder))
                raise

    def _is_writable(self, folder: str) -> bool:
        """Whether the answer can be kept there; if not, it is not kept."""
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            logging.getLogger("hep_tables_coffea").warning("answers of ServiceX are not kept: %s", error)
            self._shelf = None
            return False
        return True

    async def _follow(self, server: Server, folder: str | None, line: Line) -> Delivered:
        from hep_tables_coffea.backends.servicex.delivery.course import Course

        capabilities = await self._capabilities(server)
        request_id = await self._known(server) or await self._submit(server)
        self.course = Course(
            self.request,
            server,
            request_id,
            folder,
            line,
            _bounds_now().downloads,
            self.on_file,
            self.how.on_error == "report",
            "poll_local_transformation_results" in capabilities,
            self._resumes,
        )
        try:
            return await self.course.run()
        except DeliveryError as error:
            await self._withdraw(server, error.goes_on)
            raise
        except asyncio.CancelledError:
            await self._withdraw(server, self.stop.goes_on)
            raise
        except BaseException as error:
            await self._withdraw(server, isinstance(error, Exception))
            raise

    async def _capabilities(self, server: Server) -> list[str]:
        """What the server can do. Raises `DeliveryError` if it does not have the code generator."""
        info = await server.get_servicex_info()
        self._refuse_unmarked(info.app_version)
        generators = list(info.code_gen_image)
        if self.request.codegen not in generators:
            msg = f"ServiceX at {self.service} has no code generator {self.request.codegen!r}"
            raise DeliveryError(msg, hint=hint_names(self.request.codegen, generators))
        return list(info.capabilities)

    def _refuse_unmarked(self, version: str) -> None:
        """Keep no answer of a local endpoint for a name, unless its state is known: a file that it stands for changes."""
        if (
            self._shelf is not None
            and version.startswith(LOCAL)
            and not self.service.state
            and not all(self._shelf.marks)
        ):
            self._shelf = replace(self._shelf, is_settled=False)

    @property
    def _resumes(self) -> bool:
        """Whether a later run can find the request."""
        return self._shelf is not None and self._shelf.is_settled

    # -- the request ----------------------------------------------------------------------------------------------

    async def _known(self, server: Server) -> str:
        """The request that was put by an earlier run, if the server may still answer it; else an empty text."""
        request_id = self._shelf.request_id() if self._shelf is not None else ""
        status = await server.status_of(request_id) if request_id else None
        return request_id if status is not None and (not status.is_done or status.word == "Complete") else ""

    async def _submit(self, server: Server) -> str:
        """Put the request. If this is stopped meanwhile, the server may have taken it up: its answer is waited for."""
        title = self.request.title[: await server.get_servicex_sample_title_limit() or TITLE]
        task = asyncio.ensure_future(server.submit_transform(transform(self.request, title)))
        try:
            request_id = await asyncio.shield(task)
        except asyncio.CancelledError:
            with suppress(Exception):
                await self._leave(server, await asyncio.wait_for(task, 10))
            raise
        self._remember(request_id)
        return request_id

    async def _leave(self, server: Server, request_id: str) -> None:
        """What becomes of a request that was just put and is not waited for."""
        if self.stop.goes_on and self._resumes:
            self._remember(request_id)
        else:
            await server.cancel(request_id)

    def _remember(self, request_id: str) -> None:
        if self._shelf is not None:
            self._shelf.remember(self.request, request_id)

    async def _withdraw(self, server: Server, goes_on: bool) -> None:
        """Leave the request to a later run; or cancel it, and drop what is here of it."""
        course = self.course
        assert course is not None
        if goes_on and self._resumes:
            return
        if self._shelf is not None:
            self._shelf.forget()
        if course.status is None or not course.status.is_done:
            await server.cancel(course.request_id)
        if course.folder:
            self.on_waste(partial(_unlink, [file.path for file in course.files.values()]))

    def overdue(self, why: str) -> OverdueError:
        """The error of a delivery whose time is up."""
        if self.course is not None:
            return self.course.overdue(why)
        return OverdueError(f"the request {self.request.title!r} was not taken up by {self.service}: {why}")


def transform(request: Request, title: str) -> Any:
    """What is sent, in the client's form."""
    from servicex.models import ResultDestination, ResultFormat, TransformRequest

    return TransformRequest(
        title=title,
        did=None if request.is_list else str(request.source),
        file_list=list(dict.fromkeys(request.listed)) if request.is_list else None,
        selection=request.query,
        codegen=request.codegen,
        result_destination=ResultDestination.object_store,
        result_format=ResultFormat(FORMATS[request.format]),
    )

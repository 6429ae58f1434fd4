"""Starting and ending a local endpoint."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import shutil
import signal
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.servicex.endpoint.auth import Gate, loopback
from hep_tables_coffea.backends.servicex.endpoint.catalog import Catalog
from hep_tables_coffea.backends.servicex.endpoint.faults import Faults
from hep_tables_coffea.errors import BackendError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hep_tables_coffea.backends.servicex.endpoint.app import Parts

__all__ = ["LocalEndpoint", "local", "serve", "shared"]

#: How long to wait for a start or an end [s].
PATIENCE = 30.0


class LocalEndpoint:
    """A ServiceX in this process, until it is stopped: `with ht.servicex.local() as endpoint: ...`.

    It answers in a thread with an event loop of its own, and the transformations run in processes of their own.
    """

    def __init__(
        self,
        catalog: Catalog,
        faults: Faults,
        *,
        host: str,
        port: int,
        workers: int,
        auth: str | None,
        legacy: bool,
        delay: float,
        functions: bool,
    ) -> None:
        self.catalog, self.faults = catalog, faults
        self._workers, self._legacy, self._delay, self._functions = workers, legacy, delay, functions
        self._gate = Gate(auth)
        self._process = os.getpid()
        self._folder = Path(tempfile.mkdtemp(prefix="hep_tables_coffea_servicex_"))
        self._ready, self._ending = threading.Event(), asyncio.Event()
        self._problems: list[OSError] = []
        self._thread = threading.Thread(target=self._run, args=(host, port), name="servicex endpoint", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._problems:
            self._thread.join()
            shutil.rmtree(self._folder, ignore_errors=True)
            msg = f"the endpoint cannot listen on port {port} of {host}: {self._problems[0].strerror}"
            raise UsageError(msg, hint="port=0 takes a free one")
        atexit.register(self.stop)

    @property
    def url(self) -> str:
        """What a client is told: "http://127.0.0.1:41537"."""
        return self._url

    @property
    def token(self) -> str | None:
        """The refresh token that a client needs, if any."""
        return self._gate.refresh_token

    @property
    def is_running(self) -> bool:
        """Whether it answers. In a fork of the process that started it it does not."""
        return self._thread.is_alive() and os.getpid() == self._process

    @property
    def processes(self) -> list[int]:
        """The ids of the worker processes."""
        return self._parts.pool.processes

    def restart(self) -> None:
        """Forget all requests and datasets, like a server that was started anew."""
        self._loop.call_soon_threadsafe(self._parts.store.forget)

    def stop(self) -> None:
        """End it and its workers, and remove its files. More than once is no harm."""
        if os.getpid() != self._process:
            return
        atexit.unregister(self.stop)
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join(PATIENCE)
        self._parts.pool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> LocalEndpoint:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<LocalEndpoint {self.url}{'' if self.is_running else ' (stopped)'}>"

    def _run(self, host: str, port: int) -> None:
        self._loop = asyncio.SelectorEventLoop()
        try:
            self._loop.run_until_complete(self._answer(host, port))
        finally:
            self._ready.set()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()

    async def _answer(self, host: str, port: int) -> None:
        from aiohttp import web

        from hep_tables_coffea.backends.servicex.endpoint.app import application

        self._parts = self._make_parts()
        runner = web.AppRunner(application(self._parts), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            name, number = runner.addresses[0][:2]
            self._url = f"http://{f'[{name}]' if ':' in name else name}:{number}"
            self._ready.set()
            await self._ending.wait()
            await self._parts.work.stop()
        except OSError as error:
            self._problems.append(error)
        finally:
            await runner.cleanup()

    def _make_parts(self) -> Parts:
        from hep_tables_coffea.backends.servicex.endpoint.app import Parts
        from hep_tables_coffea.backends.servicex.endpoint.pool import Pool
        from hep_tables_coffea.backends.servicex.endpoint.store import Store
        from hep_tables_coffea.backends.servicex.endpoint.work import Work

        store, pool = Store(), Pool(self._workers, self._folder)
        work = Work(store, pool, self.faults, self._folder, self._delay)
        return Parts(self.catalog, store, pool, work, self._gate, self.faults, self._legacy, self._functions)


def local(
    catalog: Catalog | Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    port: int = 0,
    host: str = "127.0.0.1",
    workers: int | None = None,
    faults: Faults | Iterable[str] | str = (),
    auth: str | None = None,
    legacy: bool = False,
    delay: float = 0.0,
    functions: bool = True,
) -> LocalEndpoint:
    """Start a ServiceX on this machine, for local files and tests: any client of ServiceX can use it.

    It understands the queries of func_adl for uproot, of uproot itself, and Python functions; it reads ROOT (TTree and
    RNTuple) and Parquet files, and delivers Parquet, TTree and RNTuple. Only programs of the same user can use it, on
    this machine. Python functions can do anything that you can do: `functions=False` refuses them.

    Parameters:
        catalog: local files for datasets and addresses: `{"rucio://mc20:dy": "data/dy_*.root",
            "cernopendata://1": ["a.root"], "root://eos.cern.ch//data/": "data"}`, or the path of a YAML or JSON file
            with such a mapping. Local paths and `file://` addresses in file lists need none.
        port: where to listen; 0 takes a free port.
        host: an address of this machine alone.
        workers: how many processes transform files at once, by default one for each processor, at most 4. They are
            started when the first client asks and stay.
        faults: switches that make it fail, see `Faults`; `endpoint.faults.set(...)` changes them.
        auth: the refresh token that clients must have; without it none is asked for.
        legacy: answer like a server of 2024.
        delay: each file takes so much longer [s].
        functions: whether Python functions are run.

    Raises `UsageError` for a host that others can reach, a port in use or an unknown fault; `SourceError` or
    `FileMissingError` for the catalogue; `BackendError` where `hep_tables_coffea[servicex]` is not installed.

    >>> with local({"rucio://mc20:dy": "dy_*.root"}) as endpoint:
    ...     endpoint.url.startswith("http://127.0.0.1:")
    True
    """
    _require_packages()
    if workers is not None and workers < 1:
        msg = f"workers={workers}: an endpoint has at least one"
        raise UsageError(msg, hint="workers=None takes one for each processor, at most 4")
    if auth == "":
        msg = "auth='' is no token"
        raise UsageError(msg, hint="auth=None asks for none")
    if not isinstance(catalog, Catalog):
        catalog = Catalog.read(catalog) if isinstance(catalog, (str, os.PathLike)) else Catalog(catalog)
    return LocalEndpoint(
        catalog,
        faults if isinstance(faults, Faults) else Faults(faults),
        host=loopback(host),
        port=port,
        workers=workers or min(4, os.cpu_count() or 1),
        auth=auth,
        legacy=legacy,
        delay=delay,
        functions=functions,
    )


_shared: LocalEndpoint | None = None
_lock = threading.Lock()


def shared() -> LocalEndpoint:
    """The endpoint of this process for its own local files: started at the first use, ended with the process.

    A fork of the process gets one of its own.
    """
    global _shared
    with _lock:
        if _shared is None or not _shared.is_running:
            _shared = local()
        return _shared


def serve(
    catalog: str | os.PathLike[str] | None = None,
    *,
    port: int = 0,
    show: Callable[[str], object] = print,
    functions: bool = False,
    **options: Any,
) -> None:
    """Run an endpoint until Ctrl-C or a termination signal, and say how clients find it.

    Takes what `local` takes. Python functions are refused unless asked for.
    """
    ended = threading.Event()
    with _terminating(ended), local(catalog, port=port, functions=functions, **options) as endpoint:
        show(f"A local ServiceX answers at {endpoint.url}; Ctrl-C ends it. In servicex.yaml:\n")
        show(_configuration(endpoint))
        with contextlib.suppress(KeyboardInterrupt):
            while not ended.wait(1.0):
                pass
    show("ended")


def _configuration(endpoint: LocalEndpoint) -> str:
    lines = ["api_endpoints:", f"  - endpoint: {endpoint.url}", "    name: local"]
    return "\n".join([*lines, *([f"    token: {endpoint.token}"] if endpoint.token else [])])


@contextlib.contextmanager
def _terminating(ended: threading.Event) -> Any:
    """A termination signal ends it as Ctrl-C does; only the main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: ended.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _require_packages() -> None:
    missing = []
    for name in ("aiohttp", "qastle", "func_adl_uproot"):
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    if missing:
        msg = f"a local ServiceX needs {', '.join(missing)}, which is not installed"
        raise BackendError(msg, hint="pip install 'hep_tables_coffea[servicex]'")

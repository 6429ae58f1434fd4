"""coffea's executors by name, with pools that are kept between runs."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable
from concurrent.futures import wait
from contextlib import nullcontext
from traceback import walk_tb
from typing import Any

from hep_tables_coffea.backends.coffea.threads import cores
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import OptionError, hint_names

__all__ = ["NAMES", "abandon", "executor_for", "in_force", "make_executor", "sends_by_value"]

_kept: dict[str, Any] = {}


def _workers(options: Options) -> int:
    """How many processes: as asked for, else the cores of the machine."""
    return options.workers or cores()


def _threads(options: Options, **common: Any) -> Any:
    from hep_tables_coffea.backends.coffea.own_executor import Executor

    return Executor(**{"workers": options.workers, **common})


def _iterative(options: Options, **common: Any) -> Any:
    """coffea's own draws a bar also where nobody sees it, which takes as long as a quick query."""
    from hep_tables_coffea.backends.coffea.own_executor import Executor

    return Executor(**{**common, "workers": 1})


def _auto(options: Options, **common: Any) -> Any:
    from hep_tables_coffea.backends.coffea.own_executor import AutoExecutor

    return AutoExecutor(**{"workers": options.workers, **common})


def _futures(options: Options, **common: Any) -> Any:
    from coffea.processor import FuturesExecutor

    if "pool" in common:
        return FuturesExecutor(workers=_workers(options), **common)
    import loky

    workers = _workers(options)
    pool = _kept["futures"] = loky.get_reusable_executor(max_workers=workers, timeout=300)
    return FuturesExecutor(pool=pool, workers=workers, **common)


def abandon() -> None:
    """End our processes: after Ctrl-C nobody wants what they do, and Python would wait for it. Threads end themselves."""
    _unlock(sys.exc_info()[1])
    processes = _kept.pop("futures", None)
    if processes is not None:
        processes.shutdown(wait=False, kill_workers=True)


def _unlock(error: BaseException | None) -> None:
    """`concurrent.futures.wait` locks every future, and forgets that if Ctrl-C comes just then: others wait for ever."""
    for frame, _ in walk_tb(error.__traceback__ if error else None):
        if frame.f_code is wait.__code__:
            for future in frame.f_locals["fs"]:
                while future._condition._is_owned():
                    future._condition.release()


def _dask(options: Options, **common: Any) -> Any:
    try:
        import distributed
    except ImportError as error:
        msg = "executor='dask' needs the package distributed"
        raise OptionError(msg, hint="pip install 'hep_tables_coffea[dask]'") from error
    return _dask_on(_client(distributed, _workers(options)), **common)


def _client(distributed: Any, workers: int) -> Any:
    """The client in force, else that of the last run."""
    try:
        return distributed.get_client()
    except ValueError:
        kept = _kept.get("dask")
        running = kept is not None and kept.status == "running"
        return kept if running else _local_client(distributed, workers)


def _local_client(distributed: Any, workers: int) -> Any:
    """A cluster of processes on this machine, kept until the program ends."""
    cluster = distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=40
    )
    client = _kept["dask"] = distributed.Client(cluster, set_as_default=False)
    atexit.register(_close, client, cluster)
    return client


def _close(client: Any, cluster: Any) -> None:
    client.close()
    cluster.close()


def in_force(executor: Any) -> Any:
    """While the block lasts, the client of an executor is dask's own: its bar asks for that one."""
    client = getattr(executor, "client", None)
    return nullcontext() if client is None else client.as_current()


def _dask_on(client: Any, **common: Any) -> Any:
    from coffea.processor import DaskExecutor

    return DaskExecutor(client=client, **common)


def _parsl(options: Options, **common: Any) -> Any:
    from coffea.processor import ParslExecutor

    return ParslExecutor(**common)


def _taskvine(options: Options, **common: Any) -> Any:
    from coffea.processor import TaskVineExecutor

    return TaskVineExecutor(**common)


NAMES: dict[str, Callable[..., Any]] = {
    "auto": _auto,
    "iterative": _iterative,
    "threads": _threads,
    "futures": _futures,
    "dask": _dask,
    "parsl": _parsl,
    "taskvine": _taskvine,
}


def executor_for(options: Options, progress: bool) -> Any:
    """The executor of the options: by name, or an instance of coffea's, or a dask client."""
    about = {"status": progress, "unit": "chunk", "desc": "Processing"}
    # chunks report their failures themselves: to run one again gives the same
    return make_executor(options, **about, **({"retries": 0} if isinstance(options.executor, str) else {}))


def make_executor(options: Options, **common: Any) -> Any:
    """An executor of coffea."""
    from coffea.processor.executor import ExecutorBase

    chosen = options.executor
    if isinstance(chosen, str):
        if chosen not in NAMES:
            msg = f"there is no executor {chosen!r}"
            raise OptionError(msg, hint=hint_names(chosen, NAMES))
        return NAMES[chosen](options, **common)
    if isinstance(chosen, ExecutorBase):
        return chosen.copy(**common)
    if type(chosen).__module__.startswith("distributed") and hasattr(chosen, "submit"):
        return _dask_on(chosen, **common)
    msg = f"{type(chosen).__name__} is no executor"
    raise OptionError(msg, hint=f"one of {', '.join(NAMES)}, an executor of coffea, or a dask client")


def sends_by_value(executor: Any) -> bool:
    """Whether workers may be where this library is not installed."""
    return type(executor).__name__ not in ("IterativeExecutor", "FuturesExecutor", "Executor", "AutoExecutor")

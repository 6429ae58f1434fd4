"""`run_uproot_job`, for scripts in the style of coffea 0.7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["run_uproot_job"]


def run_uproot_job(
    fileset: Any,
    treename: str | None = None,
    processor_instance: Any = None,
    executor: Any = "iterative",
    executor_args: Mapping[str, Any] | None = None,
    chunksize: int = 100_000,
    maxchunks: int | None = None,
    **runner_args: Any,
) -> Any:
    """Run a processor over a fileset, as coffea 0.7 spelt it; the work is done by `coffea.processor.Runner`.

    Args:
        fileset: `{"ttbar": ["a.root", ...], ...}` or any other form that Runner takes.
        treename: the name of the tree.
        processor_instance: any `ProcessorABC`, written by hand or generated.
        executor: a name ("iterative", "futures", "dask", ...), an executor of coffea, its class or its old function.
        executor_args: arguments of the executor and of the Runner, mixed as they were: `schema`, `workers`, ...
        chunksize, maxchunks: events in a chunk; chunks of each dataset.

    Returns:
        What the processor accumulates and its `postprocess` makes of it.
    """
    from hep_tables_coffea.plugins import registry

    backend: Any = registry.backend("coffea")
    options = {"chunksize": chunksize, "maxchunks": maxchunks, **runner_args}
    return backend.run_job(fileset, treename, processor_instance, executor, dict(executor_args or {}), options)

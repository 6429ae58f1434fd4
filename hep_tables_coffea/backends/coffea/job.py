"""Scripts of coffea 0.7: their arguments, sorted into an executor and a Runner."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from hep_tables_coffea.backends.coffea.executors import make_executor, quiet
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import OptionError

__all__ = ["run_job"]

#: What executors took in coffea 0.7 and nobody takes now.
_FORGOTTEN = ("nano", "flatten", "pre_workers", "use_skyhook", "retry_upload")


def run_job(
    fileset: Any, treename: str | None, instance: Any, executor: Any, executor_args: dict[str, Any], options: Any
) -> Any:
    """Build the Runner and call it."""
    from coffea.nanoevents import BaseSchema
    from coffea.processor import Runner

    runner_names = {field.name for field in fields(Runner)}
    given = {key: value for key, value in executor_args.items() if key not in _FORGOTTEN}
    runner_args = {key: given.pop(key) for key in list(given) if key in runner_names}
    runner_args.setdefault("schema", BaseSchema)
    if runner_args["schema"] is None:
        runner_args["schema"] = BaseSchema
    chosen = _executor(executor, given)
    runner_args.update({key: value for key, value in options.items() if value is not None})
    runner_args.setdefault("metadata_cache", {})  # the cache that all Runners share would hide a changed file
    with quiet(not getattr(chosen, "status", True)):
        return Runner(executor=chosen, **runner_args)(fileset, processor_instance=instance, treename=treename)


def _executor(executor: Any, given: dict[str, Any]) -> Any:
    from coffea.processor.executor import ExecutorBase

    if isinstance(executor, ExecutorBase):
        return executor.copy(**given)
    if isinstance(executor, type) and issubclass(executor, ExecutorBase):
        return executor(**given)
    name = executor if isinstance(executor, str) else getattr(executor, "__name__", "")
    name = name.removesuffix("_executor")
    workers = given.pop("workers", None)
    if "client" in given:
        return make_executor(Options(executor=given.pop("client")), **given)
    if not name:
        msg = f"{executor!r} is no executor"
        raise OptionError(msg, hint="iterative, futures, dask, parsl, or an executor of coffea")
    given.setdefault("status", False)
    return make_executor(Options(executor=name, workers=workers), **given)

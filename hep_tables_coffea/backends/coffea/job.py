"""Scripts of coffea 0.7: their arguments, sorted into an executor and a Runner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from hep_tables_coffea.backends.coffea.bars import drawing
from hep_tables_coffea.backends.coffea.executors import NAMES, make_executor
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import OptionError, hint_names

__all__ = ["run_job"]

#: What coffea 0.7 took and nobody takes now.
_FORGOTTEN = (
    "nano flatten pre_workers pre_args use_skyhook retry_upload dynamic_chunksize dynamic_chunksize_targets mmap"
).split()


def run_job(
    fileset: Any, treename: str | None, instance: Any, executor: Any, executor_args: dict[str, Any], options: Any
) -> Any:
    """Build the Runner and call it."""
    from coffea.nanoevents import BaseSchema, NanoAODSchema
    from coffea.processor import Runner

    given = {**executor_args, **{key: value for key, value in options.items() if value is not None}}
    usual = NanoAODSchema if given.get("nano") else BaseSchema
    given = {key: value for key, value in given.items() if key not in _FORGOTTEN}
    names = {field.name for field in fields(Runner)} - {"executor"}
    runner_args = {key: given.pop(key) for key in list(given) if key in names}
    runner_args["schema"] = runner_args.get("schema") or usual
    runner_args.setdefault("metadata_cache", {})  # the cache that all Runners share would hide a changed file
    first = runner_args.pop("pre_executor", None)
    chosen = _executor(executor, given, names)
    if first is not None:
        runner_args["pre_executor"] = _executor(first, {"status": False}, names)
    with drawing(getattr(chosen, "status", True)):
        return Runner(executor=chosen, **runner_args)(fileset, processor_instance=instance, treename=treename)


def _executor(executor: Any, given: dict[str, Any], runner_names: Iterable[str]) -> Any:
    """The executor, however it is spelt: instance, class, name, or the function that coffea 0.7 had."""
    from coffea.processor.executor import ExecutorBase

    if isinstance(executor, ExecutorBase):
        return _made(executor.copy, type(executor), given, runner_names)
    if isinstance(executor, type) and issubclass(executor, ExecutorBase):
        return _made(executor, executor, given, runner_names)
    name = executor if isinstance(executor, str) else getattr(executor, "__name__", "")
    name = name.removesuffix("_executor")
    if not name:
        msg = f"{executor!r} is no executor"
        raise OptionError(msg, hint=f"{', '.join(NAMES)}, or an executor of coffea")
    arguments = dict(given)
    options = Options(executor=arguments.pop("client", name), workers=arguments.pop("workers", None))
    arguments.setdefault("status", False)
    kind = type(make_executor(options))
    return _made(lambda **known: make_executor(options, **known), kind, arguments, runner_names)


def _made(make: Any, kind: type, given: dict[str, Any], runner_names: Iterable[str]) -> Any:
    names = {field.name for field in fields(kind)}
    unknown = [name for name in given if name not in names]
    if unknown:
        msg = f"neither {kind.__name__} nor Runner takes {unknown[0]!r}"
        raise OptionError(msg, hint=hint_names(unknown[0], {*names, *runner_names}))
    return make(**given)

"""From one input file to one output file: what a worker process does with a job."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.servicex.endpoint import funcadl, functions, output, raw
from hep_tables_coffea.backends.servicex.endpoint.names import Used
from hep_tables_coffea.files.errors import closest, listed, reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hep_tables_coffea.files.table import Table

__all__ = ["CODE_GENERATORS", "Job", "prepare", "transform"]

#: The dialects that are spoken here, and what each is checked and translated with.
CODE_GENERATORS = ("uproot", "uproot-raw", "python")


@dataclass(frozen=True, slots=True)
class Job:
    """One file to transform, as it is sent to a worker."""

    codegen: str
    #: What `prepare` made of the query.
    query: Any
    path: str
    output: str
    format: str
    #: Makes it slower, for tests of clients.
    seconds: float = 0.0


def prepare(codegen: str, selection: str) -> Any:
    """Check a query and translate it to what a job carries. Raises `QueryRefusedError`."""
    if codegen == "uproot":
        return asdict(funcadl.translate(selection))
    return raw.parse(selection) if codegen == "uproot-raw" else functions.parse(selection)


def transform(job: Job) -> int:
    """Run a job and write its output; return the number of events in it. Raises whatever goes wrong."""
    if not os.path.exists(job.path):
        msg = f"{job.path} does not exist"
        raise FileNotFoundError(msg)
    if job.codegen == "uproot-raw":
        tables, objects = raw.run(job.query, job.path)
        return output.write(job.output, job.format, raw.as_one(tables) if job.format == "parquet" else tables, objects)
    if job.codegen == "python":
        return _written(job, functions.run(job.query, job.path, job.output))
    used = Used(**job.query["used"])
    made = _run_query(job.path, job.query["tree"], job.query["source"], job.query["plain"], used)
    return output.write(job.output, job.format, {output.TREE: made})


def _written(job: Job, made: Any) -> int:
    if made is None:
        return 0
    tables = made if isinstance(made, dict) else {output.TREE: made}
    if job.format == "parquet":
        tables = dict([next(iter(tables.items()))])
    return output.write(job.output, job.format, tables)


def _run_query(path: str, tree: str, source: str, plain: str, used: Used) -> Any:
    """The arrays of a func_adl query: on its columns, or as func_adl_uproot does it where these cannot be read alone."""
    from hep_tables_coffea import files

    if files.trees(path) != [""]:
        tree = tree or files.trees(path)[0]
    names = [*used.direct, *used.perhaps]
    table = files.describe(path, tree, None if used.is_whole else names)
    if used.is_whole:
        return _run_whole(table, source, plain)
    if any(name not in table.columns or table.columns[name].problem for name in used.direct):
        return _run_plain(table, source, plain, used)
    readable = [name for name, column in table.columns.items() if not column.problem]
    columns = files.read(path, tree, readable, 0, table.num_entries)
    for name in columns:
        if table.kind == "ttree" and (fixed := table.columns[name].fixed):
            columns[name] = funcadl.with_sizes(columns[name], table.columns[name].depth, fixed)
    return funcadl.run(source, columns, table.num_entries)


def _run_whole(table: Table, source: str, plain: str) -> Any:
    if table.kind == "ttree":
        return _func_adl(plain, table)
    return funcadl.run(source, _other(table, None), table.num_entries)


def _run_plain(table: Table, source: str, plain: str, used: Used) -> Any:
    """Columns that our reader has not: records, or none of that name."""
    whole = _whole(table)
    for name in used.direct:
        if name not in whole.columns and not any(column.startswith(f"{name}.") for column in whole.columns):
            near = listed(closest(name, whole.columns), most=3)
            place = f" in its tree {table.tree!r}" if table.tree else ""
            msg = f"{table.path} has no column {name!r}{place}: closest are {near}"
            raise KeyError(msg)
    if table.kind == "ttree":
        return _func_adl(plain, table)
    fields = {column.partition(".")[0] for column in whole.columns}
    names = [name for name in (*used.direct, *used.perhaps) if name in whole.columns or name in fields]
    return funcadl.run(source, _other(table, names), table.num_entries)


def _whole(table: Table) -> Table:
    from hep_tables_coffea import files

    return files.describe(table.path, table.tree or None)


def _func_adl(plain: str, table: Table) -> Any:
    """As a ServiceX does it."""
    from func_adl_uproot import generate_function

    return generate_function(plain)([table.path], table.tree)


def _other(table: Table, names: list[str] | None) -> Mapping[str, Any]:
    """Columns of the kinds of files that func_adl_uproot does not read, with records as they are."""
    import awkward as ak
    import uproot

    if table.kind == "parquet":
        events = ak.from_parquet(table.path, columns=names)
    else:
        with uproot.open({table.path: table.tree}) as tree:
            events = tree.arrays(filter_name=names)
    return {field: events[field] for field in events.fields}


def failure_text(error: BaseException) -> str:
    """What went wrong, in one line."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else reason(error)  # type: ignore[arg-type]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__

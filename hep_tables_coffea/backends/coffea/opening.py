"""Opening the files of a dataset: their metadata, their order, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hep_tables_coffea import files
from hep_tables_coffea.codegen.processor import ProcessorSource
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import DataError, HepTablesError, translate
from hep_tables_coffea.plugins.protocol import Failure
from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["Opened", "describe", "labelled", "nothing_left", "order_of", "refuse_lacking", "table_of"]

#: What could be opened: the sample, the label of the file in it, and the description of its tree.
Opened = list[tuple[Sample, str, Any]]


def order_of(dataset: Dataset) -> dict[tuple[str, str], int]:
    """The place of each file in the dataset."""
    return {(sample.name, label): number for number, (sample, label, _, _) in enumerate(labelled(dataset))}


def labelled(dataset: Dataset) -> list[tuple[Sample, str, str, str | None]]:
    """Every file with a label: its path, and a number where a sample has it again."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for sample in dataset.samples:
        for path, tree in sample.files:
            seen[sample.name, path] += 1
            again = seen[sample.name, path]
            found.append((sample, path if again == 1 else f"{path} ({again})", path, tree))
    return found


def table_of(path: str, tree: str | None) -> Any:
    """What cutting a file into chunks of a given size takes: no column."""
    try:
        return files.describe(path, tree, ())
    except Exception as error:
        raise translate(error) from error


def describe(dataset: Dataset, options: Options, columns: Iterable[str]) -> tuple[Opened, list[Failure]]:
    """The metadata of every file for these columns; what cannot be opened is an error, or reported."""
    names = tuple(columns)

    def one(task: tuple[Sample, str, str, str | None]) -> Any:
        try:
            return files.describe(task[2], task[3], names)
        except Exception as error:
            return translate(error)

    tasks = labelled(dataset)
    if len(tasks) == 1:  # starting a thread takes longer than to find that the file is open
        tables = [one(tasks[0])]
    else:
        with ThreadPoolExecutor(max_workers=8) as pool:
            tables = list(pool.map(one, tasks))
    bad = [(task, table) for task, table in zip(tasks, tables) if isinstance(table, HepTablesError)]
    if bad and options.on_error == "raise":
        raise bad[0][1]
    failures = [Failure(task[0].name, task[2], 0, 0, "file", table.summary) for task, table in bad]
    opened = [(task[0], task[1], table) for task, table in zip(tasks, tables) if not isinstance(table, HepTablesError)]
    return opened, failures


def refuse_lacking(opened: Opened, dataset: Dataset, program: ProcessorSource, options: Options) -> list[Failure]:
    """Drop files without a column that every file had when types were found: its type does not say that it may miss."""
    if dataset.schema.coffea_schema:
        return []
    failures = []
    for one in list(opened):
        sample, _, table = one
        lacking = [name for name in program.columns if name not in table.columns]
        known = dataset.schema.columns if lacking else {}  # of thousands of columns: only where one is asked for
        lacking = [name for name in lacking if name in known and not known[name].optional]
        if not lacking:
            continue
        error = _lacking(table.path, lacking)
        if options.on_error == "raise":
            raise error
        opened.remove(one)
        failures.append(Failure(sample.name, table.path, 0, table.num_entries, "file", error.summary))
    return failures


def _lacking(path: str, names: Sequence[str]) -> HepTablesError:
    msg = f"{path} has no column {names[0]!r}, which every file had that was looked at when the dataset was opened"
    return DataError(msg, hint="ht.dataset(..., every_file=True) looks at all: the column is then missing there")


def nothing_left(failures: Sequence[Failure]) -> HepTablesError:
    msg = "no file of the dataset could be processed"
    values = [(failure.file, failure.reason) for failure in failures[:5]]
    return DataError(msg, values=values, located=False)

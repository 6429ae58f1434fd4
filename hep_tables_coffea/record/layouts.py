"""Layouts: from the metadata of files to the schema of a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from hep_tables_coffea import config, files
from hep_tables_coffea.errors import DataError, HepTablesError, SchemaError, here, translate
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import SchemaPack
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.dataset import Sample, is_named
from hep_tables_coffea.types.schema import Leaf, Schema

__all__ = ["lay_out"]

#: Of so many files the metadata are read when the dataset is opened: the first of each sample, others spread evenly.
READ_ALL = 16


def lay_out(
    samples: Sequence[Sample], schema: Any, rules: Mapping[str, Any], every_file: bool
) -> tuple[list[Sample], Schema]:
    pack = _pack(schema)
    if getattr(pack, "remote", False):
        return list(samples), _build(pack, {}, rules)
    trees = () if pack is None else pack.trees
    tables = _describe(_chosen(samples, every_file), trees)
    if isinstance(schema, type):
        return list(samples), _coffea_layout(schema, tables)
    columns = _merged_columns(tables)
    pack = pack or _best_pack(columns)
    named = {table.path: table.tree for table in tables}
    found = [
        replace(
            sample,
            files=tuple((path, tree or named.get(path)) for path, tree in sample.files),
            simulation=_simulation(pack, sample, tables),
        )
        for sample in samples
    ]
    return found, _build(pack, columns, rules)


def _simulation(pack: Any, sample: Sample, tables: Sequence[Any]) -> bool | None:
    """Whether some column of a sample is of a generator; None where the pack cannot tell."""
    paths, beginnings = {path for path, _ in sample.files}, getattr(pack, "generator", None)
    columns = [name for table in tables if table.path in paths for name in table.columns]
    if beginnings is None or not columns:
        return None
    return any(name.startswith(beginnings) for name in columns)


def _chosen(samples: Sequence[Sample], every_file: bool) -> list[tuple[str, str | None]]:
    """The files of which the metadata are read."""
    found = list(dict.fromkeys(one for sample in samples for one in sample.files))
    if every_file or len(found) <= READ_ALL:
        return found
    first = [sample.files[0] for sample in samples]
    spread = [found[round(k * (len(found) - 1) / (READ_ALL - 1))] for k in range(READ_ALL)]
    return list(dict.fromkeys([*first, *spread]))


def _build(pack: Any, columns: Mapping[str, Leaf], rules: Mapping[str, Any]) -> Schema:
    try:
        return pack.build(columns, **rules)  # type: ignore[no-any-return]
    except HepTablesError:
        raise
    except (TypeError, ValueError) as error:
        msg = f"the schema {pack.name!r} cannot be built: {error}"
        raise SchemaError(msg) from error


def _pack(schema: Any) -> Any:
    if schema is None or isinstance(schema, type):
        return None
    if isinstance(schema, str):
        return registry.schema_pack(schema)
    if isinstance(schema, SchemaPack):
        return schema
    msg = f"{shown(schema)} is no schema"
    raise SchemaError(msg, hint="give the name of a schema pack, or a schema class of coffea")


def _coffea_layout(schema: type, tables: Sequence[Any]) -> Schema:
    return registry.backend("coffea").layout(schema, tables)  # type: ignore[attr-defined, no-any-return]


def _describe(chosen: Sequence[tuple[str, str | None]], trees: Sequence[str]) -> list[Any]:
    where = here()

    def one(file: tuple[str, str | None]) -> Any:
        try:
            if is_named(file[0]):
                return registry.backend("servicex").describe(*file, trees)  # type: ignore[attr-defined]
            return files.describe(file[0], _conventional(file, trees))
        except Exception as error:
            return translate(error, where)

    with ThreadPoolExecutor(max_workers=8) as pool:
        described = list(pool.map(one, chosen))
    bad = [table for table in described if isinstance(table, HepTablesError)]
    good = [table for table in described if not isinstance(table, HepTablesError)]
    if bad and (not good or config.current().on_error == "raise"):
        raise bad[0]
    return good


def _conventional(file: tuple[str, str | None], trees: Sequence[str]) -> str | None:
    """The tree of the file: as given, or the one that such files usually have."""
    path, tree = file
    if tree is not None or not trees:
        return tree
    names = files.trees(path)
    return next((name for name in trees if name in names), None)


def _leaf(column: Any) -> Leaf:
    return Leaf(column.name, column.dtype, column.depth, column.title, column.optional, column.counter, column.problem)


def _merged_columns(tables: Sequence[Any]) -> dict[str, Leaf]:
    """The columns of several tables: what some of them lack is optional, what differs in kind is an error."""
    merged: dict[str, Leaf] = {}
    first: dict[str, str] = {}
    counts: dict[str, int] = {}
    for table in tables:
        for name, column in table.columns.items():
            leaf = _leaf(column)
            counts[name] = counts.get(name, 0) + 1
            if name not in merged:
                merged[name], first[name] = leaf, table.path
            else:
                merged[name] = _common_leaf(merged[name], leaf, first[name], table.path)
    return {
        name: leaf if counts[name] == len(tables) else replace(leaf, optional=True) for name, leaf in merged.items()
    }


def _common_leaf(one: Leaf, other: Leaf, first: str, second: str) -> Leaf:
    if one.problem or other.problem or (one.dtype, one.depth) == (other.dtype, other.depth):
        return replace(one, optional=one.optional or other.optional)
    if one.depth != other.depth or "str" in (one.dtype, other.dtype):
        kinds = [f"{leaf.dtype} in {leaf.depth} lists" for leaf in (one, other)]
        msg = f"the column {one.column!r} has different types in two files: {kinds[0]} and {kinds[1]}"
        raise DataError(msg, values=[("first", first), ("second", second)], hint="open the files as two datasets")
    return replace(one, dtype=np.result_type(one.dtype, other.dtype).name, optional=one.optional or other.optional)


def _best_pack(columns: Mapping[str, Leaf]) -> Any:
    return max(registry.schema_packs(), key=lambda pack: (pack.matches(columns), pack.name))

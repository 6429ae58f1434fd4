"""Opening datasets: from what a user gives to samples with files, and from their metadata to typed events."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hep_tables_coffea import config, files
from hep_tables_coffea.errors import (
    ColumnNotFoundError,
    DataError,
    FileMissingError,
    HepTablesError,
    SchemaError,
    SourceError,
    here,
    hint_names,
    translate,
)
from hep_tables_coffea.graph import build
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import SchemaPack
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.dataset import Dataset, Sample
from hep_tables_coffea.types.schema import Leaf, Schema

__all__ = ["dataset", "metadata", "opener", "save_form", "xaod_table"]

#: Of so many files the metadata are read when the dataset is opened: the first of each sample, others spread evenly.
READ_ALL = 16
_FILESETS = (".json", ".json.gz", ".yaml", ".yml")


def dataset(
    source: Any,
    schema: Any = None,
    tree: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    name: str | None = None,
    form: str | Path | None = None,
    every_file: bool = False,
    **rules: Any,
) -> Array:
    """Open a table of events: nothing but metadata is read.

    Args:
        source: a path, a pattern, a URL, a list of them, a fileset of coffea (`{"ttbar": {"files": {path: tree},
            "metadata": {...}}, ...}`), or a JSON or YAML file that holds one.
        schema: the name of a schema pack, a schema class of coffea, or None to find it from the columns.
        tree: the name of the tree, where the source does not say it.
        metadata: values for every sample, such as `{"is_mc": True}`.
        name: a name for messages and results.
        form: a file written by `ht.save_form`: types without any file at hand.
        every_file: read the metadata of every file now, where there are many: what only some files lack is then known.
        rules: options of the schema pack, such as `collections=` of the flat one.

    Returns:
        The events: `event * {collections and columns}`.

    Raises:
        FileNotFoundError, KeyError (no such tree, no such schema), OSError (not ROOT or Parquet): each a
        `HepTablesError` that names the file.

    Example:
        >>> import hep_tables_coffea as ht
        >>> path = ht.samples.nanoaod("/tmp/zll.root", events=100)
        >>> ht.dataset(path).Muon.pt
        <Array event * Muon * float32>
    """
    samples = _samples(source, tree, dict(metadata or {}), name)
    made = _from_form(form, schema, rules) if form is not None else None
    if made is None:
        samples, made = _from_files(samples, schema, rules, every_file)
    label = name or ", ".join(sample.name for sample in samples)
    return wrap(build.source(Dataset(label, tuple(samples), made)))


def opener(pack: str) -> Callable[..., Array]:
    """`ht.nanoaod(source, ...)`: `ht.dataset` with the schema named."""

    def open_dataset(source: Any, tree: str | None = None, **options: Any) -> Array:
        return dataset(source, schema=pack, tree=tree, **options)

    open_dataset.__name__ = open_dataset.__qualname__ = pack
    open_dataset.__doc__ = f'Open a table of events with the schema "{pack}"; see `ht.dataset`.'
    return open_dataset


def xaod_table(*datasets: Any) -> Array:
    """The root of the paper: ATLAS events, several datasets one after the other.

    Args:
        datasets: PHYSLITE files: paths, patterns, lists of them.
    """
    if not datasets:
        msg = "xaod_table needs a dataset"
        raise SourceError(msg, hint='ht.xaod_table("DAOD_PHYSLITE.root")')
    paths: list[str] = []
    for one in datasets:
        members = one if isinstance(one, (list, tuple)) and one else [one]
        for member in members:
            if not isinstance(member, (str, Path)):
                msg = f"{shown(member)} is no dataset"
                raise SourceError(msg, hint="a dataset is a path, a pattern, a URL, or a list of them")
        paths += list(map(str, members))
    return dataset(paths, schema="physlite")


# -- from a source to samples ----------------------------------------------------------------------------------------


def _samples(source: Any, tree: str | None, metadata: dict[str, Any], name: str | None) -> list[Sample]:
    if isinstance(source, (str, Path)) and str(source).endswith(_FILESETS):
        source = _read_fileset(Path(source))
    if isinstance(source, Mapping):
        if source and all(isinstance(value, str) for value in source.values()):
            source = {name or "events": {"files": dict(source)}}
        return [_sample(str(key), part, tree, metadata) for key, part in source.items()] or _nothing()
    found = _files(source, tree)
    return [Sample(name or _name_of(found[0][0]), tuple(found), metadata)]


def _nothing() -> Any:
    msg = "the dataset has no files"
    raise SourceError(msg, hint="give a path, a pattern, or a list of paths")


def _name_of(path: str) -> str:
    return Path(path.split("?")[0]).name.split(".")[0] or "events"


def _read_fileset(path: Path) -> Any:
    if not path.exists():
        msg = f"there is no file {path}"
        raise FileMissingError(msg)
    import yaml

    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = content.decode()
        found = yaml.safe_load(text) if path.suffix in (".yaml", ".yml") else json.loads(text)
    except (ValueError, OSError, EOFError, yaml.YAMLError) as error:
        msg = f"{path} holds no fileset: {' '.join(str(error).split())}"
        raise SourceError(msg) from error
    if not isinstance(found, (Mapping, list)):
        msg = f"{path} holds no fileset: {shown(found)}"
        raise SourceError(msg, hint='{"ttbar": {"files": {"a.root": "Events"}, "metadata": {"xsec": 831.8}}}')
    return found


def _sample(name: str, part: Any, tree: str | None, metadata: Mapping[str, Any]) -> Sample:
    if not isinstance(part, Mapping):
        return Sample(name, tuple(_files(part, tree)), dict(metadata))
    if "files" not in part:
        msg = f"the sample {name!r} of the fileset has no files"
        raise SourceError(msg, hint='{"ttbar": {"files": {"a.root": "Events"}, "metadata": {"xsec": 831.8}}}')
    tree = part.get("treename") or part.get("object_path") or tree
    return Sample(name, tuple(_files(part["files"], tree)), {**metadata, **(part.get("metadata") or {})})


def _files(source: Any, tree: str | None) -> list[tuple[str, str | None]]:
    if isinstance(source, (str, Path)):
        return _expand(str(source), tree)
    if isinstance(source, Mapping):
        found = [one for path, own in source.items() for one in _expand(str(path), _tree_of(own) or tree)]
    elif isinstance(source, Iterable) and not isinstance(source, (bytes, np.ndarray)):
        members = list(source)
        for member in members:
            if not isinstance(member, (str, Path)):
                msg = f"{shown(member)} is no file of a dataset"
                raise SourceError(msg, hint="give paths, patterns or URLs")
        found = [one for member in members for one in _expand(str(member), tree)]
    else:
        msg = f"{shown(source)} is no dataset"
        raise SourceError(msg, hint="a dataset is a path, a pattern, a list of paths, or a fileset")
    return found or _nothing()


def _tree_of(own: Any) -> str | None:
    if isinstance(own, Mapping):
        own = own.get("object_path") or own.get("treename")
    return str(own) if own else None


def _expand(path: str, tree: str | None) -> list[tuple[str, str | None]]:
    head, separator, tail = path.rpartition(".root:")
    if separator and "/" not in tail.replace("/", "", 1)[:1] and not tail.isdigit():
        path, tree = head + ".root", tail
    try:
        return [(one, tree) for one in files.expand(path)]
    except Exception as error:
        if config.current().on_error == "report":
            return [(path, tree)]
        raise translate(error) from error


# -- from files to a schema ------------------------------------------------------------------------------------------


def _from_files(
    samples: Sequence[Sample], schema: Any, rules: Mapping[str, Any], every_file: bool
) -> tuple[list[Sample], Schema]:
    pack = _pack(schema)
    trees = () if pack is None else pack.trees
    tables = _describe(_chosen(samples, every_file), trees)
    if isinstance(schema, type):
        return list(samples), _coffea_layout(schema, tables)
    columns = merge_columns(tables)
    pack = pack or _best_pack(columns)
    named = {table.path: table.tree for table in tables}
    samples = [replace(s, files=tuple((path, tree or named.get(path)) for path, tree in s.files)) for s in samples]
    return list(samples), _build(pack, columns, rules)


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


def merge_columns(tables: Sequence[Any]) -> dict[str, Leaf]:
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


# -- saved forms -----------------------------------------------------------------------------------------------------


def save_form(events: Array, path: str | Path) -> Path:
    """Write the types of a dataset to a JSON file: `ht.dataset(source, form=path)` records with no file at hand."""
    schema = build.source_of(events._node).dataset.schema
    columns = [
        [leaf.column, leaf.dtype, leaf.depth, leaf.doc, leaf.optional, leaf.counter, leaf.problem]
        for leaf in schema.root.leaves()
        if leaf.constant is None
    ]
    content = {"format": 1, "schema": schema.pack, "columns": columns}
    target = Path(path)
    target.write_text(json.dumps(content))
    return target


def _from_form(form: str | Path, schema: Any, rules: Mapping[str, Any]) -> Schema:
    path = Path(form)
    if not path.exists():
        msg = f"there is no form {path}"
        raise FileMissingError(msg, hint="ht.save_form(events, path) writes one")
    try:
        content = json.loads(path.read_text())
        columns = {entry[0]: Leaf(*entry) for entry in content["columns"]}
        pack = _pack(schema or content["schema"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, HepTablesError):
            raise
        msg = f"{path} is no form"
        raise DataError(msg, hint="ht.save_form(events, path) writes one") from error
    return _build(pack, columns, rules)


# -- metadata --------------------------------------------------------------------------------------------------------


def metadata(events: Array, name: str) -> Array:
    """A value of the dataset's metadata, the same for each event of a sample: `event * float64`.

    `"dataset"` is the name of the sample. Missing where a sample has no such value.

    Example:
        >>> import hep_tables_coffea as ht
        >>> path = ht.samples.nanoaod("/tmp/zll.root", events=100)
        >>> ht.metadata(ht.dataset(path, metadata={"xsec": 2.0}), "xsec")
        <Array event * float64>
    """
    source = build.source_of(events._node)
    samples = source.dataset.samples
    names = {"dataset", *(key for sample in samples for key in sample.metadata)}
    if name not in names:
        msg = f"no sample has the metadata {name!r}"
        raise ColumnNotFoundError(msg, hint=hint_names(name, names))
    values = tuple(sample.name if name == "dataset" else sample.metadata.get(name) for sample in samples)
    node = build.metadata(source, name, values)
    return wrap(build.restrict(node, events._node.path[:1]))

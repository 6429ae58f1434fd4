"""Opening datasets: from what a user gives to samples with files, and from their metadata to typed events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hep_tables_coffea.errors import ColumnNotFoundError, SourceError, hint_names
from hep_tables_coffea.graph import build
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.catalogued import source_of
from hep_tables_coffea.record.layouts import lay_out
from hep_tables_coffea.record.saved_form import read_form, save_form
from hep_tables_coffea.record.sources import samples_of
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.dataset import Dataset, is_named

__all__ = ["dataset", "metadata", "opener", "save_form", "xaod_table"]


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
            "metadata": {...}}, ...}`), or a JSON or YAML file that holds one. Or a dataset of ServiceX:
            `servicex.dataset.Rucio`, `FileList`, `XRootD`, `CERNOpenData`, or its name, such as `"rucio://scope:name"`.
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
    samples = samples_of(source, tree, dict(metadata or {}), name)
    if form is None:
        samples, made = lay_out(samples, schema, rules, every_file)
    else:
        made, usual = read_form(Path(form), schema, rules)
        samples = [replace(s, files=tuple((path, own or usual) for path, own in s.files)) for s in samples]
    label = name or ", ".join(sample.name for sample in samples)
    return wrap(build.source(Dataset(label, tuple(samples), made)))


def opener(pack: str) -> Callable[..., Array]:
    """`ht.nanoaod(source, ...)`: `ht.dataset` with the schema named."""

    def open_dataset(source: Any, tree: str | None = None, **options: Any) -> Array:
        return dataset(source, schema=pack, tree=tree, **options)

    open_dataset.__name__ = open_dataset.__qualname__ = pack
    open_dataset.__doc__ = f'Open a table of events with the schema "{pack}"; see `ht.dataset`.'
    return open_dataset


def xaod_table(*datasets: Any, **options: Any) -> Array:
    """The root of the paper: ATLAS events, several datasets one after the other.

    Args:
        datasets: PHYSLITE files: paths, patterns, lists of them. Or datasets of ServiceX: `servicex.dataset.Rucio(...)`
            and its like, `"rucio://scope:name"`: their types are those of the methods of xAOD.
        options: as of `ht.dataset`.

    Raises:
        SourceError: no dataset, something that is none, or files beside names.
    """
    if not datasets:
        msg = "xaod_table needs a dataset"
        raise SourceError(msg, hint='ht.xaod_table("DAOD_PHYSLITE.root"), ht.xaod_table("rucio://mc20_13TeV:name")')
    paths: list[str] = []
    for one in datasets:
        catalogued = source_of(one)
        one = catalogued if catalogued is not None else one
        members = one if isinstance(one, (list, tuple)) and one else [one]
        for member in members:
            if not isinstance(member, (str, Path)):
                msg = f"{shown(member)} is no dataset"
                raise SourceError(msg, hint="a dataset is a path, a pattern, a URL, a list of them, or one of ServiceX")
        paths += list(map(str, members))
    named = list(map(is_named, paths))
    if any(named) and not all(named):
        msg = "files and datasets of a catalogue cannot be one table"
        raise SourceError(msg, hint="open them apart, each with ht.xaod_table")
    return dataset(paths, schema="xaod" if all(named) else "physlite", **options)


def metadata(events: Array, name: str) -> Array:
    """A value of the dataset's metadata, the same for each event of a sample: `event * float64`.

    `"dataset"` is the name of the sample, and "is_mc" whether it is simulation, where the columns or the metadata say so.
    Missing where a sample has no such value.

    Example:
        >>> import hep_tables_coffea as ht
        >>> path = ht.samples.nanoaod("/tmp/zll.root", events=100)
        >>> ht.metadata(ht.dataset(path, metadata={"xsec": 2.0}), "xsec")
        <Array event * float64>
    """
    source = build.source_of(events._node)
    samples = source.dataset.samples
    names = {"dataset", *(key for sample in samples for key in sample.about)}
    if name not in names:
        msg = f"no sample has the metadata {name!r}"
        raise ColumnNotFoundError(msg, hint=hint_names(name, names))
    values = tuple(sample.name if name == "dataset" else sample.about.get(name) for sample in samples)
    node = build.metadata(source, name, values)
    return wrap(build.restrict(node, events._node.path[:1]))

"""Sources: from what a user gives to samples with files."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from hep_tables_coffea import config, files
from hep_tables_coffea.errors import FileMissingError, SourceError, translate
from hep_tables_coffea.record.catalogued import source_of
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types.dataset import Sample, is_named

__all__ = ["samples_of"]

_FILESETS = (".json", ".json.gz", ".yaml", ".yml")


def samples_of(source: Any, tree: str | None, metadata: dict[str, Any], name: str | None) -> list[Sample]:
    """The samples of what a user gives: files, a fileset, or a dataset that a catalogue knows."""
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
    if is_named(path):
        return path.partition("://")[2].partition("?")[0].rpartition(":")[2] or "events"
    return Path(path.split("?")[0]).name.split(".")[0] or "events"


def _read_fileset(path: Path) -> Any:
    if not path.exists():
        msg = f"there is no file {path}"
        raise FileMissingError(msg)
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
    catalogued = source_of(source)
    if catalogued is not None:
        source = catalogued
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
    if is_named(path):
        return [(path, tree)]
    head, separator, tail = path.rpartition(".root:")
    if separator and "/" not in tail.replace("/", "", 1)[:1] and not tail.isdigit():
        path, tree = head + ".root", tail
    try:
        return [(one, tree) for one in files.expand(path)]
    except Exception as error:
        if config.current().on_error == "report":
            return [(path, tree)]
        raise translate(error) from error

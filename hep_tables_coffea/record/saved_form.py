"""Saved forms: the types of a dataset in a file, so that one can record with no event file at hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any

from hep_tables_coffea.errors import DataError, FileMissingError, SchemaError
from hep_tables_coffea.graph import build
from hep_tables_coffea.record.array import Array
from hep_tables_coffea.types.schema import Group, Leaf, Reference, Schema

__all__ = ["read_form", "save_form"]

#: Raised when what is written changes, so that an old form is not misread.
VERSION = 1


def save_form(events: Array, path: str | Path) -> Path:
    """Write the types of a dataset to a JSON file: `ht.dataset(source, form=path)` records with no file at hand.

    Example:
        >>> import hep_tables_coffea as ht
        >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/zll.root", events=100))
        >>> form = ht.save_form(events, "/tmp/nanoaod.json")
        >>> ht.nanoaod("/nowhere/data.root", form=form).Jet.pt
        <Array event * Jet * float32>
    """
    dataset = build.source_of(events._node).dataset
    about = {field.name: getattr(dataset.schema, field.name) for field in fields(Schema) if field.name != "root"}
    content = {
        "version": VERSION,
        "tree": dataset.files[0][1],
        "schema": {**about, "root": _written(dataset.schema.root)},
    }
    target = Path(path)
    target.write_text(json.dumps(content))
    return target


def read_form(path: Path, schema: Any, rules: Mapping[str, Any]) -> tuple[Schema, str | None]:
    """The types of a saved form, and the name of the tree."""
    if not path.exists():
        msg = f"there is no form {path}"
        raise FileMissingError(msg, hint="ht.save_form(events, path) writes one")
    try:
        content = json.loads(path.read_text())
        if content["version"] != VERSION:
            raise ValueError
        about = dict(content["schema"])
        root, notes = _group(about.pop("root")), tuple(about.pop("notes"))
        made, tree = Schema(root=root, notes=notes, **about), content["tree"]
    except (ValueError, KeyError, TypeError) as error:
        msg = f"{path} is no form"
        raise DataError(msg, hint="ht.save_form(events, path) writes one") from error
    wanted = schema.__name__ if isinstance(schema, type) else getattr(schema, "name", schema)
    if rules or wanted not in (None, made.pack):
        msg = f"{path} has the schema {made.pack!r} with its options, and they cannot be changed"
        raise SchemaError(msg, hint="leave them out, or save a form of a dataset that has them")
    return made, tree


def _written(member: Leaf | Group) -> Any:
    """A leaf as the list of its values, a group as a dict."""
    if isinstance(member, Leaf):
        return list(astuple(member))
    about = {field.name: getattr(member, field.name) for field in fields(Group)}
    inside = {name: _written(inner) for name, inner in member.fields.items()}
    references = {name: astuple(reference) for name, reference in member.references.items()}
    return {**about, "fields": inside, "references": references}


def _group(content: Mapping[str, Any]) -> Group:
    inside = {
        name: Leaf(*inner) if isinstance(inner, list) else _group(inner) for name, inner in content["fields"].items()
    }
    references = {
        name: Reference(target, tuple(indices), *others)
        for name, (target, indices, *others) in content["references"].items()
    }
    return Group(**{**content, "fields": inside, "references": references})

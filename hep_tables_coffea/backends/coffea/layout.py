"""Any schema class of coffea as a schema: the form of its events, as groups and leaves."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

import awkward as ak

from hep_tables_coffea.backends.coffea.nano import open_events
from hep_tables_coffea.errors import SchemaError
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.types.schema import Group, Leaf, Reference, Schema

__all__ = ["class_of", "layout"]

#: Columns that coffea computes for each chunk are left out: numbers of rows in it, which mean nothing outside of it.
_OF_A_CHUNK = ("global", "nestedindex", "eventindex", "distinct", "children")
_known: dict[str, type] = {}


def layout(schema: type, tables: Sequence[Any]) -> Schema:
    """The schema of tables that a coffea schema class lays out, from their metadata."""
    from coffea.nanoevents import BaseSchema

    if not issubclass(schema, BaseSchema):
        msg = f"{schema.__name__} is no schema class of coffea"
        raise SchemaError(msg, hint="a subclass of coffea.nanoevents.BaseSchema, or the name of a schema pack")
    different = {frozenset(table.columns): table for table in reversed(tables)}
    root = _merged([_root(schema, table) for table in reversed(different.values())])
    root = _with_references(schema, root, tables[0])
    behaviors, notes = _behaviors(schema)
    return Schema(schema.__name__, root, behaviors, _remember(schema), notes)


def class_of(schema: Schema) -> type | None:
    """The coffea schema class that lays out the events, if one does."""
    name = schema.coffea_schema
    if name and name not in _known:
        module, _, qualname = name.partition(":")
        found = _member(import_module(module), qualname)
        if not isinstance(found, type):
            msg = f"the schema class {name} cannot be found in this process"
            raise SchemaError(msg, hint="define it in a module, or open the dataset again", located=False)
        _known[name] = found
    return _known.get(name)


def _remember(schema: type) -> str:
    """A name for the class. In a notebook a class is defined again and again: each is one of its own."""
    name = f"{schema.__module__}:{schema.__qualname__}"
    while _known.setdefault(name, schema) is not schema:
        name += "'"
    return name


def _member(module: Any, qualname: str) -> Any:
    for part in qualname.split("."):
        module = getattr(module, part, None)
    return module


def _behaviors(schema: type) -> tuple[str, tuple[str, ...]]:
    """Where the behaviors can be imported from: the class, or the one that it has them from."""
    owner = next(one for one in schema.__mro__ if "behavior" in vars(one))
    name = f"{owner.__module__}:{owner.__qualname__}"
    if owner.__module__ != "__main__" and _member(sys.modules.get(owner.__module__), owner.__qualname__) is owner:
        return name, ()
    return "", (f"records have no methods: {owner.__name__}.behavior() is no function of a module that workers have",)


def _root(schema: type, table: Any) -> Group:
    try:
        events = open_events(table.path, table.tree or None, schema, 0, 0)
    except Exception as error:
        text = str(error).strip() or type(error).__name__
        msg = f"{schema.__name__} cannot lay out {table.path}: {text.splitlines()[0]}"
        raise SchemaError(msg, hint="does the schema belong to this kind of file?") from error
    form = events.attrs.get("@form") or events.layout.form
    return _group("", ak.forms.from_dict(form) if isinstance(form, Mapping) else form, "", 0)


def _group(name: str, form: Any, path: str, depth: int) -> Group:
    """A record, or a list of records."""
    is_list = form.is_list
    record = form.content if is_list else form
    inside = f"{path}/" if path else ""
    members = {}
    for field in record.fields:
        member = _member_of(field, record.content(field), inside + field, depth + is_list)
        if member is not None:
            members[field] = member
    doc = (form.parameters or {}).get("__doc__") or ""
    return Group(name, members, is_list, record.parameter("__record__") or "", doc=str(doc))


def _member_of(name: str, form: Any, path: str, depth: int) -> Leaf | Group | None:
    bare, _, lists, _ = _bare(form)
    if bare.is_record:
        wrapped = form.is_record or (form.is_list and form.content.is_record)
        return _group(name, form, path, depth) if wrapped and lists <= 1 else None
    return _leaf(form, path, depth)


def _leaf(form: Any, path: str, depth: int) -> Leaf | None:
    bare, option, lists, keys = _bare(form)
    dtype = "str" if bare.parameter("__array__") == "string" else getattr(bare, "primitive", "") or ""
    if any(word in keys for word in _OF_A_CHUNK):
        return None
    problem = "" if dtype else "it holds values of several types"
    doc = str(bare.parameter("__doc__") or "")
    return Leaf(path, dtype, depth + lists, doc, option, "", problem)


def _bare(form: Any) -> tuple[Any, bool, int, str]:
    """What is inside of options and lists, whether it may be missing, how many lists, and how coffea makes it."""
    option, lists, keys = False, 0, ""
    while True:
        keys += form.form_key or ""
        if form.is_option or form.is_indexed:
            option = option or form.is_option
        elif form.is_list and form.parameter("__array__") != "string":
            lists += 1
        else:
            return form, option, lists + len(getattr(form, "inner_shape", ())), keys
        form = form.content


# -- several files ---------------------------------------------------------------------------------------------------


def _merged(groups: Sequence[Group]) -> Group:
    """The fields of all: what some of them lack is optional."""
    fields: dict[str, Leaf | Group] = {}
    for name in dict.fromkeys(name for group in groups for name in group.fields):
        members = [group.fields[name] for group in groups if name in group.fields]
        inner = [member for member in members if isinstance(member, Group)]
        if inner:
            merged: Leaf | Group = _merged(inner)
        else:
            merged = next(member for member in members if isinstance(member, Leaf))
        fields[name] = merged if len(members) == len(groups) else _optional(merged)
    return replace(groups[0], fields=fields)


def _optional(member: Leaf | Group) -> Leaf | Group:
    if isinstance(member, Leaf):
        return replace(member, optional=True)
    return replace(member, fields={name: _optional(inner) for name, inner in member.fields.items()})


# -- references ------------------------------------------------------------------------------------------------------


def _with_references(schema: type, root: Group, table: Any) -> Group:
    """References of NanoAOD: coffea follows them with the whole event at hand, we by the stored indices."""
    from coffea.nanoevents import NanoAODSchema

    if not issubclass(schema, NanoAODSchema):
        return root
    columns = {name: Leaf(name, c.dtype, c.depth, counter=c.counter) for name, c in table.columns.items() if c.dtype}
    known = registry.schema_pack("nanoaod").build(columns).root.fields
    fields: dict[str, Leaf | Group] = {}
    for name, member in root.fields.items():
        model = known.get(name)
        if isinstance(member, Group) and isinstance(model, Group):
            member = replace(member, references=_possible(model.references, member, root))
        fields[name] = member
    return replace(root, fields=fields)


def _possible(references: Mapping[str, Reference], group: Group, root: Group) -> dict[str, Reference]:
    def holds(one: Reference) -> bool:
        target = root.fields.get(one.target)
        owner = target if one.inverse else group
        return isinstance(target, Group) and isinstance(owner, Group) and set(one.indices) <= set(owner.fields)

    return {name: one for name, one in references.items() if holds(one)}

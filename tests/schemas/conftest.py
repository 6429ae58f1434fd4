"""Columns for schema packs: of real files, of small files, and written down."""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from hep_tables_coffea import files
from hep_tables_coffea.types.schema import Group, Leaf, Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def described(data: Callable[[str], str]) -> Iterator[Callable[..., dict[str, Leaf]]]:
    """`described("nano_dy.root")`: the columns of a file, as packs get them. A path with a slash is taken as it is."""

    @functools.cache
    def columns(name: str, tree: str | None = None) -> dict[str, Leaf]:
        table = files.describe(name if "/" in name else data(name), tree)
        return {
            column.name: Leaf(
                column.name, column.dtype, column.depth, column.title, column.optional, column.counter, column.problem
            )
            for column in table.columns.values()
        }

    yield columns
    files.forget()


@pytest.fixture
def listed() -> Callable[[str], dict[str, Leaf]]:
    """`listed("nJet:int32 Jet_pt:float32[]:nJet")`: name, type with a pair of brackets for each list, and counter."""

    def columns(text: str) -> dict[str, Leaf]:
        found = {}
        for word in text.split():
            name, kind, counter = (*word.rsplit(":", word.count(":")), "", "")[:3]
            depth = kind.count("[]")
            problem = "cannot be read" if kind == "?" else ""
            dtype = "" if problem else kind.replace("[]", "") or "float32"
            found[name] = Leaf(name, dtype, depth, counter=counter, problem=problem)
        return found

    return columns


@pytest.fixture
def layout() -> Callable[[Schema], dict[str, Any]]:
    """`layout(schema)`: names only: a collection is a list of its fields, a record a tuple, an event's column None."""

    def names(schema: Schema) -> dict[str, Any]:
        return {
            name: None if isinstance(member, Leaf) else (list if member.is_list else tuple)(member.fields)
            for name, member in schema.root.fields.items()
        }

    return names


@pytest.fixture(scope="module")
def opened(data: Callable[[str], str]) -> Callable[..., Any]:
    """`opened("nano_dy.root", NanoAODSchema)`: the events as coffea lays them out."""

    @functools.cache
    def events(name: str, schema: Any, tree: str = "Events") -> Any:
        from coffea.nanoevents import NanoEventsFactory

        # coffea warns of cross references that a file does not have
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name.endswith(".parquet"):
                return NanoEventsFactory.from_parquet(data(name), schemaclass=schema).events()
            return NanoEventsFactory.from_root({data(name): tree}, schemaclass=schema).events()

    return events


@pytest.fixture
def group() -> Callable[[Schema, str], Group]:
    """`group(schema, "Jet")`: a collection or record, `"Electrons.TruthLink"` one in another."""

    def find(schema: Schema, name: str) -> Group:
        found = schema.root
        for part in name.split("."):
            member = found.fields[part]
            assert isinstance(member, Group)
            found = member
        return found

    return find


@pytest.fixture
def column(group: Callable[[Schema, str], Group]) -> Callable[[Schema, str], str]:
    """`column(schema, "Jet.pt")`: the stored column of a field."""

    def find(schema: Schema, name: str) -> str:
        owner, _, field = name.rpartition(".")
        member = group(schema, owner).fields[field]
        assert isinstance(member, Leaf)
        return member.column

    return find

"""Names, types and values are those that coffea gives, for every column of the real files that coffea can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import awkward as ak
import pytest
from coffea.nanoevents import EDM4HEPSchema, NanoAODSchema, PHYSLITESchema, TreeMakerSchema

from hep_tables_coffea import files
from hep_tables_coffea.schemas import edm4hep, nanoaod, physlite, treemaker
from hep_tables_coffea.types.schema import Group, Leaf, Schema

Described = Callable[..., dict[str, Leaf]]
Opened = Callable[..., Any]

NANO = [
    "nano_dy.root",
    "nano_dy.parquet",
    "nano_dimuon.root",
    "nano_tt_v12.root",
    "nano_tt_v15.root",
    "Run2012B_SingleMu-1000.parquet",
]


class NanoAOD(NanoAODSchema):  # type: ignore[misc]
    """Reduced files may lack an event number."""

    warn_missing_crossrefs = False
    error_missing_event_ids = False


def names(form: Any) -> dict[str, set[str]]:
    """Group -> fields as coffea has them; an event's column has none."""
    return {name: set(form.content(name).fields) for name in form.fields}


def ours(schema: Schema) -> dict[str, set[str]]:
    return {name: set(m.fields) if isinstance(m, Group) else set() for name, m in schema.root.fields.items()}


def leaves(group: Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
    for name, member in group.fields.items():
        if isinstance(member, Group):
            yield from leaves(member, (*path, name))
        else:
            yield (*path, name), member


def kind(form: Any) -> tuple[str, int]:
    """The dtype and the number of lists of a form."""
    depth = 0
    while not form.is_numpy:
        if form.parameter("__array__") == "string":
            return "str", depth
        depth += form.is_list
        form = form.content
    return form.primitive, depth + len(form.inner_shape)


def kind_at(form: Any, path: tuple[str, ...]) -> tuple[str, int]:
    """The same of a column in a form."""
    depth = 0
    for name in path:
        while not form.is_record:
            depth += form.is_list
            form = form.content
        form = form.content(name)
    dtype, inner = kind(form)
    return dtype, depth + inner


# -- NanoAOD --


@pytest.mark.parametrize("name", NANO)
def test_nanoaod_has_the_names_of_coffea(described: Described, opened: Opened, name: str) -> None:
    """coffea has global indices besides (`jetIdxG`), which references stand for. The counters of collections, `nJet`,
    are no columns in coffea."""
    columns = described(name)
    mine, theirs = ours(nanoaod.pack.build(columns)), names(opened(name, NanoAOD).layout.form)
    counters = {f"n{group}" for group, fields in mine.items() if fields} | {c for c in mine if c[1:] in columns}
    assert set(mine) - set(theirs) <= counters
    assert set(theirs) - set(mine) <= {"nJet", *(leaf.counter for leaf in columns.values())}
    for group in set(mine) & set(theirs):
        assert mine[group] == {field for field in theirs[group] if not re.fullmatch(r".+Idx\w*G", field)}, group


@pytest.mark.parametrize("name", NANO)
def test_nanoaod_has_the_types_of_coffea(described: Described, opened: Opened, name: str) -> None:
    """Also of the columns that coffea fills in. Where the file has `Photon_mass` and the like, coffea overwrites
    it, and the type may differ."""
    form = opened(name, NanoAOD).layout.form
    overwritten = {("Photon", "charge"), ("Photon", "mass")}
    for path, leaf in leaves(nanoaod.pack.build(described(name)).root):
        if path[0] in form.fields and path not in overwritten:
            assert kind_at(form, path) == (leaf.dtype, leaf.depth), path


@pytest.mark.parametrize("name", NANO)
def test_nanoaod_has_the_behaviors_of_coffea(described: Described, opened: Opened, name: str) -> None:
    """coffea calls a collection without a behavior NanoCollection. Where the fields make a vector and coffea does not
    know the collection (`boostedTau`, `PFMET`), it is a vector here."""
    form = opened(name, NanoAOD).layout.form
    for group, member in nanoaod.pack.build(described(name)).root.fields.items():
        if isinstance(member, Group) and group in form.fields:
            theirs = form.content(group).content if form.content(group).is_list else form.content(group)
            record = theirs.parameter("__record__")
            assert record == member.behavior or record == "NanoCollection", group


def test_nanoaod_has_the_values_of_coffea(data: Callable[[str], str], described: Described, opened: Opened) -> None:
    """All columns, but for those that coffea overwrites with zero: the photons' stored mass and charge."""
    events = opened("nano_dy.root", NanoAOD)
    stored = [(path, leaf) for path, leaf in leaves(nanoaod.pack.build(described("nano_dy.root")).root)]
    stored = [(path, leaf) for path, leaf in stored if leaf.constant is None and path[0] in events.fields]
    arrays = files.read(data("nano_dy.root"), "Events", [leaf.column for _, leaf in stored], 0, 40)
    assert len(stored) == 1475
    different = {path for path, leaf in stored if not same(events[path], arrays[leaf.column])}
    assert different == {("Photon", "mass"), ("Photon", "charge")}


def same(theirs: ak.Array, mine: ak.Array) -> bool:
    plain = ak.without_parameters(ak.to_packed(ak.materialize(theirs)))
    return bool(ak.array_equal(plain, mine, equal_nan=True))


# -- PHYSLITE --


def test_physlite_has_the_names_of_coffea(described: Described, opened: Opened) -> None:
    """coffea has `_eventindex` and, for tracks, `p`, `pt` and `tau` besides: computed, so no columns. It drops what
    it cannot read. A container with one record of links (`TrigMatch_...`) loses that level in coffea. `e` of truth
    particles is `stored.e` here, since coffea cannot make them vectors at all."""
    mine = ours(physlite.pack.build(described("PHYSLITE_example.root")))
    theirs = names(opened("PHYSLITE_example.root", PHYSLITESchema, "CollectionTree").layout.form)
    short = set(physlite._SHORT) | {"unreadable"}
    assert set(mine) - set(theirs) - short == set()
    assert set(theirs) - set(mine) == set()
    added = {"_eventindex", "p", "pt", "tau", "e", "m_persKey", "m_persIndex", "hardScatterVertexLink"}
    extra = {"stored", "TrigMatchedObjects", "hardScatterVertexLink", "m", "Density"}
    for group in set(mine) & set(theirs):
        assert theirs[group] - mine[group] <= added, group
        assert mine[group] - theirs[group] <= extra, group


def test_physlite_has_the_types_of_coffea(described: Described, opened: Opened) -> None:
    form = opened("PHYSLITE_example.root", PHYSLITESchema, "CollectionTree").layout.form
    present = names(form)
    checked = 0
    for path, leaf in leaves(physlite.pack.build(described("PHYSLITE_example.root")).root):
        if len(path) > 1 and path[1] in present.get(path[0], ()) and not leaf.problem:
            assert kind_at(form, path) == (leaf.dtype, leaf.depth), path
            checked += 1
    assert checked > 700


# -- TreeMaker --


def test_treemaker_has_the_names_of_coffea(described: Described, opened: Opened) -> None:
    """coffea nests subjets and hits by a column of counts; they are lists of their own here."""
    mine = ours(treemaker.pack.build(described("treemaker.root")))
    theirs = names(opened("treemaker.root", TreeMakerSchema, "PreSelection").layout.form)
    assert set(mine) - set(theirs) == {"JetsAK8_subjets", "Tracks_hitPattern"}
    assert set(theirs) <= set(mine)
    nested = {("JetsAK8", "subjets"), ("Tracks", "hitPattern")}
    for group, fields in theirs.items():
        assert {field for field in fields if (group, field) not in nested} == mine[group], group


def test_treemaker_has_the_types_of_coffea(described: Described, opened: Opened) -> None:
    form = opened("treemaker.root", TreeMakerSchema, "PreSelection").layout.form
    for path, leaf in leaves(treemaker.pack.build(described("treemaker.root")).root):
        if path[0] in form.fields:
            assert kind_at(form, path) == (leaf.dtype, leaf.depth), path


# -- EDM4hep --


def test_edm4hep_has_the_names_of_coffea(described: Described, opened: Opened) -> None:
    """Relations and vector members differ: coffea cuts them into a list for each row, which are data, and names them
    after every collection that they might point to. Here they are as stored: `X.particle_idx`, and `X_hits` with
    `X.hits_begin` and `X.hits_end`. The energy beside a mass, which coffea drops, is in `stored`."""
    mine = ours(edm4hep.pack.build(described("edm4hep.root")))
    theirs = names(opened("edm4hep.root", EDM4HEPSchema.version("00-99-01"), "events").layout.form)
    related = tuple(f"{name}_" for name in theirs)
    assert {name for name in mine if name not in theirs and not name.startswith(related)} == set()
    assert set(theirs) <= set(mine)
    for group, fields in theirs.items():
        relations = {name.removesuffix("_begin") for name in mine[group] if name.endswith("_begin")}
        plain_fields = {f for f in fields if "_idx_" not in f and not f.startswith("Link_") and f not in relations}
        assert plain_fields <= mine[group], group
        rest = {f for f in mine[group] - plain_fields if not f.endswith(("_begin", "_end", "_idx"))}
        assert rest <= {"stored"}, group

"""EDM4hep: momenta, parts of rows, relations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hep_tables_coffea.schemas.edm4hep import pack
from hep_tables_coffea.types.schema import Group, Leaf, Schema

Listed = Callable[[str], dict[str, Leaf]]
Described = Callable[..., dict[str, Leaf]]
Layout = Callable[[Schema], dict[str, Any]]
Find = Callable[[Schema, str], Group]
Column = Callable[[Schema, str], str]

MOMENTUM = "X.momentum.x:[] X.momentum.y:[] X.momentum.z:[]"


def test_momentum_has_the_names_of_vectors(listed: Listed, layout: Layout, group: Find) -> None:
    schema = pack.build(listed(f"{MOMENTUM} X.mass:[] X.charge:[]"))
    assert layout(schema) == {"X": ["px", "py", "pz", "mass", "charge"]}
    assert group(schema, "X").behavior == "Candidate"


def test_energy_is_called_as_vectors_call_it(listed: Listed, group: Find) -> None:
    assert group(pack.build(listed(f"{MOMENTUM} X.energy:[]")), "X").behavior == "LorentzVector"


def test_energy_beside_a_mass_is_stored(listed: Listed, group: Find, column: Column) -> None:
    schema = pack.build(listed(f"{MOMENTUM} X.energy:[] X.mass:[]"))
    assert list(group(schema, "X").fields) == ["px", "py", "pz", "mass", "stored"]
    assert column(schema, "X.stored.E") == "X.energy"


def test_parts_of_a_row_are_records(listed: Listed, group: Find) -> None:
    schema = pack.build(
        listed("X.position.x:[] X.position.y:[] X.position.z:[] X.u.a:[] X.u.b:[] X.cov.values[6]:[][]")
    )
    position, plane, matrix = (group(schema, f"X.{name}") for name in ("position", "u", "cov"))
    assert (list(position.fields), position.behavior) == (["x", "y", "z"], "ThreeVector")
    assert (list(plane.fields), plane.behavior) == (["x", "y"], "TwoVector")
    assert (matrix.is_list, list(matrix.fields)) == (False, ["values[6]"])


def test_relation_to_one_is_a_record_of_each_row(listed: Listed, layout: Layout) -> None:
    text = "X.weight:[] _X_particle.index:int32[] _X_particle.collectionID:uint32[]"
    assert layout(pack.build(listed(text))) == {"X": ["weight", "particle_idx"]}


def test_relation_to_many_is_a_collection_of_its_own(listed: Listed, layout: Layout) -> None:
    text = "X.hits_begin:uint32[] X.hits_end:uint32[] _X_hits.index:int32[] _X_hits.collectionID:uint32[] _X_w:[]"
    assert layout(pack.build(listed(text))) == {
        "X": ["hits_begin", "hits_end"],
        "X_hits": ["index", "collectionID"],
        "X_w": None,
    }


def test_older_relations_have_names_that_can_be_typed(listed: Listed, layout: Layout) -> None:
    assert layout(pack.build(listed("Particle#0.index:int32[] Particle#0.collectionID:int32[]"))) == {
        "Particle_idx0": ["index", "collectionID"]
    }


def test_no_column_of_the_file_is_lost(described: Described) -> None:
    columns = described("edm4hep.root")
    assert {leaf.column for leaf in pack.build(columns).root.leaves()} == set(columns)

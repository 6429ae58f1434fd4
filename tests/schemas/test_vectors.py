"""The facts of vectors are those of coffea: what it refuses has no behavior here, and what has one it takes."""

from __future__ import annotations

import itertools

import awkward as ak
import pytest
from coffea.nanoevents.methods import candidate

from hep_tables_coffea.schemas._vectors import dimensions, lorentz

NAMES = [
    "pt",
    "rho",
    "phi",
    "eta",
    "theta",
    "x",
    "px",
    "y",
    "py",
    "z",
    "pz",
    "t",
    "tau",
    "E",
    "e",
    "energy",
    "M",
    "m",
    "mass",
]


@pytest.mark.parametrize(("record", "size"), [("TwoVector", 2), ("ThreeVector", 3), ("LorentzVector", 4)])
def test_dimensions_agree_with_the_validation_of_coffea(record: str, size: int) -> None:
    validate = candidate.behavior["*", record].__awkward_validation__
    for fields in itertools.chain.from_iterable(itertools.combinations(NAMES, n) for n in range(1, 6)):

        class Fields:
            pass

        Fields.fields = fields  # type: ignore[attr-defined]
        try:
            validate(Fields)
        except ValueError:
            assert dimensions(fields) != size, fields
        else:
            assert dimensions(fields) == size, fields


@pytest.mark.parametrize(
    ("fields", "record"),
    [
        ("pt eta phi mass charge", "Candidate"),
        ("pt eta phi mass", "PtEtaPhiMLorentzVector"),
        ("pt eta phi m", "PtEtaPhiMLorentzVector"),
        ("pt eta phi energy", "PtEtaPhiELorentzVector"),
        ("pt eta phi E", "PtEtaPhiELorentzVector"),
        ("px py pz E", "LorentzVector"),
        ("px py pz m charge", "Candidate"),
        ("pt eta phi", ""),
        ("pt eta phi m E", ""),
        ("Px Py Pz E", ""),
        ("pt eta phi mass x y z", ""),
    ],
)
def test_lorentz_names_the_record_that_fits(fields: str, record: str) -> None:
    assert lorentz(fields.split()) == record


@pytest.mark.parametrize("fields", ["pt eta phi mass charge", "pt eta phi E", "px py pz m", "px py pz E charge"])
def test_named_record_has_the_mass_of_a_pair(fields: str) -> None:
    names = fields.split()
    values = {"px": [3.0, -3.0], "py": [4.0, -4.0], "pz": [0.0, 0.0], "E": [13.0, 13.0], "m": [12.0, 12.0]}
    values |= {"pt": [5.0, 5.0], "eta": [0.0, 0.0], "phi": [0.0, 3.141592653589793], "mass": [12.0, 12.0]}
    values["charge"] = [1, -1]
    vectors = ak.zip({name: values[name] for name in names}, with_name=lorentz(names), behavior=candidate.behavior)
    assert (vectors[0] + vectors[1]).mass == pytest.approx(26.0)


@pytest.mark.parametrize(("first", "second"), [("mass charge", "mass"), ("mass", "E"), ("E charge", "mass charge")])
def test_vectors_of_different_collections_add(first: str, second: str) -> None:
    def vectors(more: str) -> ak.Array:
        fields = {name: [13.0] for name in ["pt", "eta", "phi", *more.split()]}
        return ak.zip(fields, with_name=lorentz(fields), behavior=candidate.behavior)

    assert (vectors(first) + vectors(second)).pt[0] == pytest.approx(26.0)

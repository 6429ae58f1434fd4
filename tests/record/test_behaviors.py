"""Methods, properties and operators that a schema gives to records, of the types that coffea gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

    import awkward as ak

SAME = [
    "(2 * jets).pt",
    "(jets * 2).mass",
    "(jets / 2).pt",
    "(-jets).px",
    "abs(jets)",
    "jets.px",
    "jets.p",
    "jets.boostvec.rho",
    "jets.boost(jets.boostvec * 0.5).x",
    "jets.boostX(beta=0.3).pt",
    "jets.rotateZ(0.1).phi",
    "jets.rotateZ(angle=0.1).phi",
    "jets.scale(2).pt",
    "jets.dot(jets)",
    "jets.isclose(jets)",
    "jets.is_timelike()",
    "jets.costheta",
    "(jets + jets).mass",
    "(jets - jets * 0.5).pt",
]


@pytest.mark.parametrize("text", SAME)
def test_behavior_gives_what_it_gives_in_memory(
    text: str, check: Callable[[str, Any], None], computed: Callable[[str], Any]
) -> None:
    check(text, computed(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "jets[0].mass": [5.0, None, 0.2, 0.0],
        "(jets[0] + jets[1]).mass": [63.22666417878753, None, None, 7.196128937329955],
        "(jets[0] + el[0]).mass": [23.53344813423462, None, None, 9.536027359717973],
        "jets.Sum().mass": [267.24105458060745, 0.0, 0.2, 7.196128937329952],
        "jets.sum().pt": [10.560869891443803, 0.0, 31.0, 8.775825618903728],
        "jets.delta_phi(el[0])": [[0.5, 3.0, -2.6], [], [None], [-0.2, 0.8]],
        "jets.like(jets).pt": [[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
        "jets.pt()": [[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
        "d.jets('jets').n": [[1, -2, 3], [], [0], [7, 7]],
    }.items(),
)
def test_behavior_of_what_may_be_missing_is_missing(
    text: str, expected: Any, check: Callable[[str, Any], None]
) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "jets + 1": r"^add cannot be used here: no numpy.add overloads",
        "jets * jets": r"^two records cannot be multiplied",
        "2 / jets": r"^a record cannot stand on the right of divide",
        "jets < jets": r"^np.less is not defined for records",
        "jets ** 2": r"^np.power is not defined for records",
        "jets @ jets": r"^np.matmul cannot be recorded",
        "jets.delta_r(el)": r"^cannot combine values of two collections, jets and el",
        "jets.boost(jets.boostvec).n": r"^jets has no 'n'",
        "d.jets('el')": r"^there is no bank str 'el' of jets",
        "ht.where(jets.b, jets, -jets)": r"^the records have no fields in common",
    }.items(),
)
def test_what_records_have_not_is_refused(text: str, message: str, record: Callable[[str], Any]) -> None:
    with pytest.raises(ht.HepTablesError, match=message):
        record(text)


@pytest.fixture(scope="module")
def nano(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    return ht.nanoaod(ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "zll.root", events=100, seed=3))


def test_collections_of_different_kinds_add(nano: ht.Array) -> None:
    both = nano.Muon[0] + nano.Electron[0]
    assert both.type.startswith("event * ?Candidate{")
    assert ht.make_local(both.charge.Count()) == 100


def test_reference_follows_through_filter_order_and_pick(nano: ht.Array) -> None:
    muons = nano.Muon
    chosen: list[ak.Array] = ht.make_local(
        muons.OrderByDescending(muons.pt)[0].matched_gen.pt, muons.matched_gen.pt[muons.pt == muons.pt.Max()][:, 0]
    )
    assert chosen[0].tolist() == chosen[1].tolist()


def test_reference_under_a_filter_of_events_looks_in_the_whole_event(nano: ht.Array) -> None:
    high = nano[nano.MET.pt > 10]
    whole, filtered = ht.make_local(nano.Muon.matched_gen.pdgId[nano.MET.pt > 10], high.Muon.matched_gen.pdgId)
    assert whole.tolist() == filtered.tolist()


def test_method_that_needs_the_whole_event_is_refused_in_words(nano: ht.Array) -> None:
    with pytest.raises(TypeError, match=r"cannot be used here: coffea looks for it in the whole event"):
        _ = nano.GenPart[nano.GenPart.pt > 5].distinctChildren


def test_computed_vectors_are_counted(nano: ht.Array) -> None:
    pairs = ht.pairs(nano.Muon)
    counted = ht.make_local((pairs.a + pairs.b).Count(), pairs.Count())
    assert counted[0].to_list() == counted[1].to_list()

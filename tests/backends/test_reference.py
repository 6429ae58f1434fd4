"""The reference back end, one behaviour each, with values computed by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import awkward as ak
import hist
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht
from hep_tables_coffea.backends.reference import backend, lists, vectors
from hep_tables_coffea.plugins import registry

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Three events, the second one nearly empty.
TOY: dict[str, Any] = {
    "met": [10.0, -30.0, 70.0],
    "jets": {
        "pt": [[50.0, 20.0, 35.0], [], [31.0]],
        "eta": [[0.5, 1.0, -2.6], [], [0.2]],
        "tag": [[True, False, False], [], [False]],
    },
    "els": {"pt": [[45.0, 30.0], [60.0], []], "eta": [[0.5, 1.3], [0.1], []], "phi": [[0.0, 1.0], [0.1], []]},
    "mus": {"pt": [[5.0], [], [7.0, 8.0]], "eta": [[0.1], [], [0.1, 0.2]], "phi": [[3.0], [], [0.0, -3.0]]},
}


def write(path: Path, table: dict[str, Any]) -> str:
    arrays = {
        name: ak.zip({field: ak.Array(values) for field, values in column.items()})
        if isinstance(column, dict)
        else np.asarray(column)
        for name, column in table.items()
    }
    types = {name: array.type if isinstance(array, ak.Array) else array.dtype for name, array in arrays.items()}
    with uproot.recreate(path) as file:
        file.mktree("events", types)
        file["events"].extend(arrays)
    return str(path)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    path = write(tmp_path_factory.mktemp("toy") / "toy.root", TOY)
    return ht.flat(path, tree="events", metadata={"xsec": 2.5, "nothing": None, "label": "a"})


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., ht.Array]:
    """`table(x=[...])`: a Parquet file of these columns, opened."""

    def make(**columns: Any) -> ht.Array:
        arrays = {
            name: values if isinstance(values, ak.Array) else ak.Array(values) for name, values in columns.items()
        }
        path = str(tmp_path / "table.parquet")
        ak.to_parquet(ak.zip(arrays, depth_limit=1), path)
        return ht.flat(path)

    return make


def run(value: Any) -> Any:
    answer = ht.make_local(value, backend="reference")
    return answer.tolist() if isinstance(answer, (ak.Array, np.ndarray)) else answer


# -- the contract ----------------------------------------------------------------------------------------------------


def test_registry_knows_it() -> None:
    assert registry.backend("reference") is backend


def test_options_choose_it(toy: ht.Array) -> None:
    with ht.options(backend="reference"):
        assert ht.run(toy.met).plan.stages[0].backend == "reference"


def test_program_says_what_it_reads_and_computes(toy: ht.Array) -> None:
    explained = ht.explain(toy.jets.pt * 2, backend="reference")
    assert explained.columns == ("jets_pt",)
    assert "event * jets * float64" in explained.source


def test_report_counts_events_and_columns(toy: ht.Array) -> None:
    report = ht.run(toy.met, backend="reference").report
    assert (report.events, report.columns, report.coverage) == (3, ("met",), 1.0)


def test_error_names_the_line_and_the_event(toy: ht.Array) -> None:
    @ht.user_func
    def fails(x: float) -> float:
        msg = f"bad {x}"
        raise ValueError(msg)

    with pytest.raises(RuntimeError, match=r"ValueError: bad 10.0[\s\S]*event: 0[\s\S]*fails\(toy.met\)"):
        run(fails(toy.met))


def test_missing_file_is_reported_where_asked_for(toy: ht.Array, tmp_path: Path) -> None:
    there, gone = write(tmp_path / "a.root", {"x": [1.0]}), write(tmp_path / "b.root", {"x": [2.0]})
    events = ht.flat([there, gone], tree="events")
    (tmp_path / "b.root").unlink()
    result = ht.run(events.x, backend="reference", on_error="report")
    assert result.value.tolist() == [1.0]
    assert list(result.report.failed_files) == [gone]
    with pytest.raises(OSError, match=r"b\.root"):
        run(events.x)


# -- sources and fields ----------------------------------------------------------------------------------------------


def test_source_gives_records_of_everything(toy: ht.Array) -> None:
    first = run(toy[["met", "jets"]])[0]
    assert first == {"met": 10.0, "jets": [{"pt": 50.0, "eta": 0.5, "tag": True}, {"pt": 20.0, "eta": 1.0, "tag": False},
                                           {"pt": 35.0, "eta": -2.6, "tag": False}]}  # fmt: skip


def test_field_gives_a_column_of_its_own_type(toy: ht.Array) -> None:
    answer = ht.make_local(toy.jets.pt, backend="reference")
    assert answer.tolist() == TOY["jets"]["pt"]
    assert str(answer.type) == "3 * var * float64"


def test_field_of_nested_lists(table: Callable[..., ht.Array]) -> None:
    events = table(jets_pt=[[1.0, 2.0], []], jets_cells=[[[1.0], [2.0, 3.0]], []])
    assert run(events.jets.cells) == [[[1.0], [2.0, 3.0]], []]


def test_nulls_are_missing_values(table: Callable[..., ht.Array]) -> None:
    events = table(x=[1.0, None], jets_pt=[[1.0, None], []], jets_eta=[[0.0, 1.0], []])
    assert run(events.x) == [1.0, None]
    assert run(events.jets.pt) == [[1.0, None], []]
    assert str(ht.make_local(events.jets.pt, backend="reference").type) == "2 * var * ?float64"


def test_column_that_a_file_lacks_is_missing_in_every_row(tmp_path: Path) -> None:
    one = write(tmp_path / "one.root", {"jets": {"pt": [[1.0, 2.0]], "eta": [[0.0, 0.5]]}, "x": [1.0]})
    other = write(tmp_path / "other.root", {"jets": {"pt": [[3.0]]}})
    events = ht.flat([one, other], tree="events")
    assert run(events.jets.eta) == [[0.0, 0.5], [None]]
    assert run(events.x) == [1.0, None]


def test_metadata_is_the_same_in_every_event(toy: ht.Array) -> None:
    assert run(ht.metadata(toy, "xsec")) == [2.5, 2.5, 2.5]
    assert run(ht.metadata(toy, "label")) == ["a", "a", "a"]


def test_metadata_of_samples_differs(tmp_path: Path) -> None:
    files = {name: write(tmp_path / f"{name}.root", {"x": [1.0]}) for name in "ab"}
    events = ht.flat(
        {
            "a": {"files": {files["a"]: "events"}, "metadata": {"xsec": 2}},
            "b": {"files": {files["b"]: "events"}, "metadata": {}},
        }
    )
    assert run(ht.metadata(events, "xsec")) == [2, None]
    assert run(ht.metadata(events, "dataset")) == ["a", "b"]


# -- elementwise -----------------------------------------------------------------------------------------------------


def test_prefix_broadcasts(toy: ht.Array) -> None:
    assert run(toy.jets.pt + toy.met) == [[60.0, 30.0, 45.0], [], [101.0]]


def test_numbers_keep_their_types(table: Callable[..., ht.Array]) -> None:
    events = table(x=np.array([1.5], "float32"), n=np.array([200], "uint8"))
    assert str(ht.make_local(events.x * 2.0, backend="reference").type) == "1 * float32"
    assert run(events.n + events.n) == [144]
    assert run(events.n // np.uint8(0)) == [0]
    assert run(events.x / 0) == [math.inf]


def test_missing_operand_gives_missing(toy: ht.Array) -> None:
    assert run(toy.jets.pt[:, 1] + 1) == [21.0, None, None]


def test_where_chooses_and_is_missing_with_its_condition(toy: ht.Array) -> None:
    assert run(ht.where(toy.jets.pt > 32, toy.jets.pt, 0)) == [[50.0, 0.0, 35.0], [], [0.0]]
    assert run(ht.where(toy.jets.pt[:, 0] > 32, 1, 2)) == [1, None, 2]


def test_mask_of_events_masks_each_row(toy: ht.Array) -> None:
    assert run(ak.mask(toy.jets.eta, toy.met > 0)) == [[0.5, 1.0, -2.6], [], [0.2]]
    assert run(ak.mask(toy.jets.eta, toy.met > 20)) == [[None, None, None], [], [0.2]]


def test_missing_values_are_filled_and_found(toy: ht.Array) -> None:
    first = toy.jets[0].pt
    assert run(ht.fill_missing(first, -1)) == [50.0, -1.0, 31.0]
    assert run(ht.is_missing(first)) == [False, True, False]
    assert run(toy.jets[0].exists) == [True, False, True]
    assert run(ak.drop_none(first)) == [50.0, 31.0]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda x: np.isin(x, [10, 70]), [True, False, True]),
        (lambda x: np.digitize(x, [0, 50]), [1, 0, 2]),
        (lambda x: np.interp(x, [0, 100], [0, 1]), [0.1, 0.0, 0.7]),
        (lambda x: np.clip(x, 0, 50), [10.0, 0.0, 50.0]),
        (lambda x: ak.values_astype(x, "int32"), [10, -30, 70]),
        (lambda x: ak.full_like(x, 2), [2.0, 2.0, 2.0]),
        (lambda x: ak.isclose(x, 10), [True, False, False]),
        (lambda x: round(x / 3, 1), [3.3, -10.0, 23.3]),
        (lambda x: ak.nan_to_none(np.sqrt(x)), [math.sqrt(10), None, math.sqrt(70)]),
        (lambda x: ak.nan_to_num(np.sqrt(x), nan=7), [math.sqrt(10), 7.0, math.sqrt(70)]),
        (lambda x: np.hypot(x, 0), [10.0, 30.0, 70.0]),
        (lambda x: abs(x) % 4, [2.0, 2.0, 2.0]),
    ],
)
def test_function_of_each_element(toy: ht.Array, made: Any, expected: list[Any]) -> None:
    assert run(made(toy.met)) == pytest.approx(expected)


def test_functions_of_strings(toy: ht.Array) -> None:
    assert run(ht.metadata(toy, "label") == "a") == [True, True, True]
    assert run(ak.str.upper(ht.metadata(toy, "label"))) == ["A", "A", "A"]


def test_user_function_is_called_with_each_element(toy: ht.Array) -> None:
    @ht.user_func
    def add(x: float, y: float) -> float:
        return x + y

    @ht.user_func(vectorized=True)
    def double(x: float) -> float:
        return np.multiply(x, 2)

    assert run(add(toy.jets.pt, toy.met)) == [[60.0, 30.0, 45.0], [], [101.0]]
    assert run(double(toy.jets[0].pt)) == [100.0, None, 62.0]


# -- rows ------------------------------------------------------------------------------------------------------------


def test_subset_keeps_rows(toy: ht.Array) -> None:
    assert run(toy.jets[toy.jets.pt > 32].eta) == [[0.5, -2.6], [], []]


def test_subset_of_events_drops_events(toy: ht.Array) -> None:
    assert run(toy[toy.met > 0].jets.pt) == [[50.0, 20.0, 35.0], [31.0]]
    assert run(toy.jets.pt[toy.met > 0][toy.jets.tag]) == [[50.0], []]


def test_parent_is_restricted_to_the_subset(toy: ht.Array) -> None:
    good = toy.jets[toy.jets.pt > 32]
    assert run(good.pt / toy.jets.pt + toy[toy.met > 0].met) == [[11.0, 11.0], []]


def test_missing_condition_does_not_select(toy: ht.Array) -> None:
    assert run(toy.met[toy.jets[0].pt > 0]) == [10.0, 70.0]


def test_order_and_slice(toy: ht.Array) -> None:
    assert run(toy.jets.OrderBy(toy.jets.pt).eta) == [[1.0, -2.6, 0.5], [], [0.2]]
    assert run(toy.jets.OrderByDescending(toy.jets.pt).Take(2).pt) == [[50.0, 35.0], [], [31.0]]
    assert run(toy.jets.pt[:, ::-1]) == [[35.0, 20.0, 50.0], [], [31.0]]


def test_order_keeps_equal_rows_in_their_order(toy: ht.Array) -> None:
    assert run(toy.jets.OrderBy(toy.jets.tag).pt) == [[20.0, 35.0, 50.0], [], [31.0]]
    assert run(toy.jets.OrderByDescending(toy.jets.tag).pt) == [[50.0, 20.0, 35.0], [], [31.0]]


def test_index_array_with_a_missing_place(toy: ht.Array) -> None:
    best = toy.jets[ak.argmax(toy.jets.pt, axis=-1, keepdims=True)]
    assert run(best.eta) == [[0.5], [None], [0.2]]


def test_padding_adds_missing_rows(toy: ht.Array, table: Callable[..., ht.Array]) -> None:
    assert run(ak.pad_none(toy.jets.pt, 2)) == [[50.0, 20.0, 35.0], [None, None], [31.0, None]]
    assert run(ak.pad_none(toy.jets.pt, 1, clip=True)) == [[50.0], [None], [31.0]]
    events = table(jets_pt=[[1.0], []], jets_cells=[[[1.0, 2.0]], []])
    assert run(ak.pad_none(events.jets.cells, 1)) == [[[1.0, 2.0]], [[]]]


def test_pick_is_missing_where_there_is_no_row(toy: ht.Array) -> None:
    assert run(toy.jets[0].pt) == [50.0, None, 31.0]
    assert run(toy.jets[-1].pt) == [35.0, None, 31.0]
    assert run(toy.jets[-2].pt) == [20.0, None, None]
    assert run(toy.jets.First()) == [
        {"pt": 50.0, "eta": 0.5, "tag": True}, None, {"pt": 31.0, "eta": 0.2, "tag": False}
    ]  # fmt: skip


def test_pick_by_an_index(toy: ht.Array) -> None:
    assert run(toy.jets.MaxBy(toy.jets.eta).pt) == [20.0, None, 31.0]


def test_pick_of_a_list_has_no_rows_where_there_is_none(table: Callable[..., ht.Array]) -> None:
    events = table(jets_pt=[[1.0], []], jets_cells=[[[1.0, 2.0]], []])
    assert run(events.jets[0].cells) == [[1.0, 2.0], []]


def test_without_leaves_the_other_rows(toy: ht.Array) -> None:
    assert run(toy.jets.without(toy.jets[0]).pt) == [[20.0, 35.0], [], []]
    assert run(toy.jets.without(toy.jets[toy.jets.tag]).pt) == [[20.0, 35.0], [], [31.0]]


def test_flatten_makes_two_axes_one(toy: ht.Array, table: Callable[..., ht.Array]) -> None:
    assert run(ak.flatten(toy.jets.pt)) == [50.0, 20.0, 35.0, 31.0]
    events = table(jets_pt=[[1.0, 2.0], []], jets_cells=[[[1.0], [2.0, 3.0]], []])
    assert run(ak.flatten(events.jets.cells, axis=2)) == [[1.0, 2.0, 3.0], []]


# -- combinations ----------------------------------------------------------------------------------------------------


def test_pairs(toy: ht.Array) -> None:
    pairs = ht.pairs(toy.jets)
    assert run(pairs.a.pt - pairs.b.pt) == [[30.0, 15.0, -15.0], [], []]
    both = ak.combinations(toy.mus.pt, 2, replacement=True)
    assert run(both) == [[(5.0, 5.0)], [], [(7.0, 7.0), (7.0, 8.0), (8.0, 8.0)]]


def test_cross(toy: ht.Array) -> None:
    crossed = ht.cross(e=toy.els, m=toy.mus)
    assert run(crossed.e.pt + crossed.m.pt) == [[50.0, 35.0], [], []]


def test_nested_cross_keeps_a_list_for_each_row(toy: ht.Array) -> None:
    nested = ak.cartesian({"j": toy.jets.pt, "e": toy.els.pt}, nested=True)
    assert run(nested.e) == [[[45.0, 30.0]] * 3, [], [[]]]
    assert run(nested.j) == [[[50.0] * 2, [20.0] * 2, [35.0] * 2], [], [[]]]


def test_map_takes_the_whole_list_for_each_row(toy: ht.Array) -> None:
    above = toy.jets.map(lambda jet: toy.els[toy.els.eta > jet.eta].pt.Sum())
    assert run(above) == [[30.0, 30.0, 75.0], [], [0.0]]


def test_list_in_every_row_is_filtered_by_its_own_mask(toy: ht.Array) -> None:
    whole = toy.mus.metric_table(toy.els)
    some = toy.mus.metric_table(toy.els[toy.els.pt > 40])
    assert run(some - whole) == [[[0.0]], [], [[], []]]


def test_concat_joins_rows(toy: ht.Array) -> None:
    both = ht.concat(toy.els, m=toy.mus)
    assert run(both.pt) == [[45.0, 30.0, 5.0], [60.0], [7.0, 8.0]]
    assert run(both.origin) == [["els", "els", "m"], ["els"], ["m", "m"]]


def test_nearest_with_phi_around_the_circle(toy: ht.Array) -> None:
    found, distance = toy.mus.nearest(toy.els, return_metric=True)
    assert run(found.pt) == [[30.0], [], [None, None]]
    expected = math.hypot(1.2, 2.0)
    assert run(distance) == [[pytest.approx(expected)], [], [None, None]]
    assert run(toy.mus.nearest(toy.els, 0.5).pt) == [[None], [], [None, None]]
    there = ht.pairs(toy.mus)
    assert run(there.a.delta_r(there.b))[2] == [pytest.approx(math.hypot(0.1, 3.0))]


def test_singletons_list_what_exists(toy: ht.Array) -> None:
    assert run(ak.singletons(toy.jets[0].pt)) == [[50.0], [], [31.0]]


# -- records ---------------------------------------------------------------------------------------------------------


def test_zip_makes_records(toy: ht.Array) -> None:
    made = ak.zip({"pt": toy.jets.pt, "met": toy.met})
    assert run(made)[2] == [{"pt": 31.0, "met": 70.0}]
    assert run(made[made.pt > 40].met) == [[10.0], [], []]


def test_new_column_is_seen_through_filters(tmp_path: Path) -> None:
    events = ht.flat(write(tmp_path / "toy.root", TOY), tree="events")
    jets = events.jets
    jets["double"] = jets.pt * 2
    assert run(jets[jets.pt > 32][["pt", "double"]])[0] == [{"pt": 50.0, "double": 100.0}, {"pt": 35.0, "double": 70.0}]
    jets["pt"] = jets.pt / 10
    assert run(jets[jets.pt > 3.2])[2] == []
    assert run(jets[0])[2] == {"pt": 3.1, "eta": 0.2, "tag": False, "double": 62.0}


# -- lists -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("Count", [3, 0, 1]),
        ("Sum", [105.0, 0.0, 31.0]),
        ("Min", [20.0, None, 31.0]),
        ("Max", [50.0, None, 31.0]),
        ("Mean", [35.0, None, 31.0]),
        ("Std", [math.sqrt(150), None, 0.0]),
        ("Any", [True, False, True]),
        ("All", [True, True, True]),
        ("First", [50.0, None, 31.0]),
        ("Last", [35.0, None, 31.0]),
        ("ArgMin", [1, None, 0]),
        ("ArgMax", [0, None, 0]),
    ],
)
def test_reducer_of_a_list(toy: ht.Array, function: str, expected: list[Any]) -> None:
    assert run(getattr(toy.jets.pt, function)()) == pytest.approx(expected)


def test_reducers_pass_over_missing_values(toy: ht.Array) -> None:
    some = ak.mask(toy.jets.pt, toy.jets.pt > 32)
    assert run(some.Sum()) == [85.0, 0.0, 0.0]
    assert run(some.Min()) == [35.0, None, None]
    assert run(some.Count()) == [3, 0, 1]
    assert run(ak.count(some, axis=1)) == [2, 0, 0]
    assert run(some.ArgMin()) == [2, None, None]


@pytest.mark.parametrize(
    "name", ["sum", "prod", "min", "max", "argmin", "argmax", "any", "all", "count_nonzero", "var"]
)
@pytest.mark.parametrize(
    "values", [[], [1.0], [2.0, 1.0, 2.0, 1.0], [math.nan, 1.0], [1.0, math.nan], [None, 2.0, None], [-0.0], [math.inf]]
)
def test_reducer_is_that_of_awkward(name: str, values: list[Any]) -> None:
    array = ak.values_astype(ak.Array([[0.5, None], values])[1:], "float64")
    options = {"mask_identity": True} if name == "var" else {}
    expected = getattr(ak, name)(array, axis=-1, **options)[0]
    with np.errstate(all="ignore"):
        ours = lists.REDUCED[name]([None if value is None else np.float64(value) for value in values])
    assert (expected is None) == (ours is None)
    assert expected is None or np.array_equal(expected, ours, equal_nan=True)


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("values", [[], [2.0, 1.0, 2.0], [math.nan, 1.0, math.nan], [None, 2.0, None, math.nan, 3.0]])
def test_order_is_that_of_awkward(values: list[Any], ascending: bool) -> None:
    array = ak.values_astype(ak.Array([[0.5, None], values])[1:], "float64")
    expected = ak.argsort(array, axis=-1, ascending=ascending)[0].tolist()
    assert lists.ARRANGED["argsort"]([None if v is None else np.float64(v) for v in values], ascending) == expected


def test_positions_of_rows(toy: ht.Array) -> None:
    assert run(ak.local_index(toy.jets.pt)) == [[0, 1, 2], [], [0]]
    assert run(ak.argsort(toy.jets.pt, axis=1)) == [[1, 2, 0], [], [0]]


def test_softmax(toy: ht.Array) -> None:
    found = run(ak.softmax(toy.mus.eta, axis=-1))
    assert found[2] == pytest.approx([1 / (1 + math.exp(0.1)), 1 / (1 + math.exp(-0.1))])


# -- vectors ---------------------------------------------------------------------------------------------------------

ONE = {"pt": 3.0, "eta": 0.5, "phi": 0.0, "mass": 4.0}
OTHER = {"pt": 4.0, "eta": -0.5, "phi": math.pi / 2, "mass": 0.0}


@pytest.fixture
def pair(table: Callable[..., ht.Array]) -> ht.Array:
    columns = {f"vs_{name}": [[ONE[name], OTHER[name]], []] for name in ONE}
    return ht.pairs(table(**columns).vs)


def test_sum_of_vectors(pair: ht.Array) -> None:
    energies = [math.sqrt((v["pt"] * math.cosh(v["eta"])) ** 2 + v["mass"] ** 2) for v in (ONE, OTHER)]
    pz = 3 * math.sinh(0.5) - 4 * math.sinh(0.5)
    both = pair.a + pair.b
    assert run(both.pt) == [[pytest.approx(5.0)], []]
    assert run(both.phi) == [[pytest.approx(math.atan2(4, 3))], []]
    assert run(both.eta) == [[pytest.approx(math.asinh(pz / 5))], []]
    assert run(both.energy) == [[pytest.approx(sum(energies))], []]
    assert run(both.mass) == [[pytest.approx(math.sqrt(sum(energies) ** 2 - 25 - pz**2))], []]
    assert run((pair.a - pair.b).px) == [[pytest.approx(3.0)], []]
    assert run((-pair.a).px) == [[pytest.approx(-3.0)], []]


def test_angles_between_vectors(pair: ht.Array) -> None:
    assert run(pair.a.delta_phi(pair.b)) == [[pytest.approx(-math.pi / 2)], []]
    assert run(pair.a.delta_r(pair.b)) == [[pytest.approx(math.hypot(1, math.pi / 2))], []]


def test_sum_of_no_vectors_is_zero(table: Callable[..., ht.Array]) -> None:
    columns = {f"vs_{name}": [[ONE[name], OTHER[name]], []] for name in ONE}
    total = table(**columns).vs.Sum()
    assert run(total.pt) == pytest.approx([5.0, 0.0])
    assert run(total.energy)[1] == 0.0


def test_mass_of_a_spacelike_vector_is_negative() -> None:
    assert vectors.mass({"x": 3.0, "y": 0.0, "z": 4.0, "t": 4.0}) == -3.0


def test_behavior_without_a_formula_is_that_of_the_class(pair: ht.Array) -> None:
    energy, pz = math.hypot(3 * math.cosh(0.5), 4), 3 * math.sinh(0.5)
    assert run(pair.a.rapidity) == [[pytest.approx(0.5 * math.log((energy + pz) / (energy - pz)))], []]


# -- the whole dataset -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("Count", 4),
        ("Sum", 136.0),
        ("Min", 20.0),
        ("Max", 50.0),
        ("Mean", 34.0),
        ("Std", math.sqrt((16**2 + 14**2 + 1 + 9) / 4)),
        ("Any", True),
        ("All", True),
    ],
)
def test_aggregate(toy: ht.Array, function: str, expected: Any) -> None:
    found = run(getattr(toy.jets.pt, function)(axis=None))
    assert found == pytest.approx(expected)
    assert type(found) is type(expected)


def test_aggregate_of_nothing(toy: ht.Array) -> None:
    nothing = toy.met[toy.met > 1000]
    assert [run(nothing.Count()), run(nothing.Sum()), run(nothing.Max()), run(nothing.Mean())] == [0, 0.0, None, None]


def test_first_and_last_of_the_dataset(toy: ht.Array) -> None:
    assert (run(toy.met.First()), run(toy.met.Last())) == (10.0, 70.0)


def test_expression_of_aggregates(toy: ht.Array) -> None:
    assert run(toy.met.Sum() / toy.Count() + 1) == pytest.approx(50 / 3 + 1)


def test_aggregate_used_for_each_event(toy: ht.Array) -> None:
    assert run(toy.met - toy.met.Max()) == [-60.0, -100.0, 0.0]


def test_histogram_is_filled_value_by_value(toy: ht.Array) -> None:
    made = ht.Hist.new.Reg(4, 0, 80, name="x").Weight().fill(toy.jets.pt, weight=toy.met)
    expected = hist.Hist.new.Reg(4, 0, 80, name="x").Weight()
    expected.fill([50.0, 20.0, 35.0, 31.0], weight=[10.0, 10.0, 10.0, 70.0])
    assert run(made) == expected


def test_histogram_leaves_out_missing_values_and_adds_fills(toy: ht.Array) -> None:
    made = ht.Hist.new.Reg(2, 0, 80).Int64().fill(toy.jets[0].pt).fill(toy.met)
    assert run(made).values().tolist() == [2, 2]


def test_categories_are_in_the_order_of_the_program(tmp_path: Path) -> None:
    files = {name: {"files": {write(tmp_path / f"{name}.root", {"x": [1.0]}): "events"}} for name in "ba"}
    events = ht.flat(files)
    made = ht.Hist.new.StrCat([], growth=True, name="s").Double().fill(ht.metadata(events, "dataset"))
    assert list(run(made).axes[0]) == ["b", "a"]


def test_numpy_histogram(toy: ht.Array) -> None:
    counts, edges = np.histogram(toy.met, bins=2, range=(-30, 70))
    assert run(counts) == [2, 1]
    assert edges.tolist() == [-30.0, 20.0, 70.0]

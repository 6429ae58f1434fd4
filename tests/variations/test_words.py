"""What ht.vary refuses, in the words of the user, and names that stay apart."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht


def opened(folder: Path, values: list[float], **metadata: Any) -> Any:
    path = folder / f"{'_'.join(map(str, values))}.root"
    with uproot.recreate(path) as file:
        columns = {"met": np.array(values), "jets": ak.Array([[value] for value in values])}
        file.mktree("events", {"met": "f8", "jets": "var * float64"}).extend(columns)
    return ht.flat(str(path), tree="events", metadata={"is_mc": True, **metadata})


@pytest.fixture
def events(tmp_path: Path) -> Any:
    return opened(tmp_path, [10.0, 20.0])


def test_nuisance_needs_a_name(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="a variation needs the name of its nuisance, and not None"):
        ht.vary(events.met, up=events.met)


def test_name_is_text(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="a variation needs the name of its nuisance, and not an Array"):
        ht.vary(events.met, events.met, up=events.met)  # type: ignore[arg-type]


def test_name_without_shifts_is_not_enough(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="no shift of 'jes' is given, and none is stored beside the value"):
        ht.vary(events.met, "jes")


def test_label_nominal_is_taken(events: Any) -> None:
    with pytest.raises(
        ht.HepTablesError, match="a variation of 'x' cannot be called 'nominal': that is what the value"
    ):
        ht.vary(events.met, "x", variations={"nominal": events.met})


def test_label_is_given_once(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="a variation of 'x' cannot be called 'x_up': there are two"):
        ht.vary(events.met, "x", up=events.met, variations={"x_up": events.met})


def test_shift_has_the_rows_of_the_value(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="the shift 'x_up' has other rows than what it shifts"):
        ht.vary(events.met, "x", up=events.jets)


def test_shift_of_a_selection_has_other_rows(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="the shift 'x_up' has other rows than what it shifts"):
        ht.vary(events.jets, "x", up=events.jets[events.jets > 3])


def test_constant_has_no_rows(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="the shift 'x_up' has other rows than what it shifts"):
        ht.vary(1.0, "x", up=events.met)


def test_shift_of_another_dataset_is_refused(events: Any, tmp_path: Path) -> None:
    with pytest.raises(ht.HepTablesError, match="cannot vary 'x' with values of two datasets"):
        ht.vary(events.met, "x", up=opened(tmp_path, [1.0]).met)


@pytest.mark.parametrize("shift", ["a", ht.Hist.new.Reg(3, 0, 1).Double()], ids=["text", "histogram"])
def test_shift_is_of_the_kind_of_the_value(events: Any, shift: Any) -> None:
    shift = shift if isinstance(shift, str) else shift.fill(events.met)
    with pytest.raises(ht.HepTablesError, match="the shift 'x_up' is of another kind than what it shifts"):
        ht.vary(events.met, "x", up=shift)


def test_record_is_no_shift_of_a_column(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="the shift 'x_up' is of another kind than what it shifts"):
        ht.vary(events.met, "x", up=events)


def test_shift_is_not_none(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="cannot vary 'x' of a recorded value with None"):
        ht.vary(events.met, "x", variations={"x_1": None})


def test_points_have_names(events: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="variations are given by their names, and not as a list"):
        ht.vary(events.met, "x", variations=[events.met])  # type: ignore[arg-type]


def test_label_belongs_to_one_nuisance(events: Any) -> None:
    one = ht.vary(events.met, "a", variations={"p": events.met + 1})
    other = ht.vary(events.met, "b", variations={"p": events.met + 2})
    with pytest.raises(ht.HepTablesError, match="two nuisances have a variation 'p': a and b"):
        ht.make_local(one + other)


def test_axis_has_another_name_than_that_of_variations(events: Any) -> None:
    met = ht.vary(events.met, "a", up=events.met + 1)
    h = ht.Hist.new.Reg(3, 0, 1, name="variation").Double().fill(met)
    with pytest.raises(ht.HepTablesError, match="the histogram h has an axis 'variation' of its own"):
        ht.make_local({"h": h})


def test_constant_alone_is_no_output() -> None:
    with pytest.raises(ht.HepTablesError, match="the output lumi is made of constants alone, and of no dataset"):
        ht.make_local({"lumi": ht.vary(1.0, "lumi", up=1.1)})


@pytest.mark.parametrize("value", ["yes", 2, [True], np.array([1, 0])], ids=str)
@pytest.mark.parametrize("name", ["is_mc", "is_data"])
def test_metadata_are_true_or_false(tmp_path: Path, name: str, value: Any) -> None:
    events = opened(tmp_path, [1.0], **{"is_mc": None, name: value})
    with pytest.raises(ht.HepTablesError, match=f"the metadata '{name}' of .* must be True or False, and not"):
        ht.make_local(ht.vary(events.met, "x", up=events.met))


def test_metadata_do_not_contradict_each_other(tmp_path: Path) -> None:
    events = opened(tmp_path, [1.0], is_mc=True, is_data=True)
    with pytest.raises(ht.HepTablesError, match=r"'is_mc' and 'is_data' of .* contradict each other"):
        ht.make_local(ht.vary(events.met, "x", up=events.met))


# -- names -------------------------------------------------------------------------------------------------------------


def test_output_may_have_the_name_of_a_variation_of_another(events: Any) -> None:
    answers = ht.make_local({"c": ht.vary(events.met, "jes", up=events.met * 2), "c_jes_up": events.met + 1})
    assert answers["c_jes_up"].tolist() == [11, 21]
    assert answers["c"]["jes_up"].tolist() == [20, 40]


@pytest.mark.parametrize("first", ["c", "c_jes_up"])
def test_output_of_another_dataset_may_have_that_name(events: Any, tmp_path: Path, first: str) -> None:
    found = {
        "c": ht.vary(events.met, "jes", up=events.met * 2),
        "c_jes_up": opened(tmp_path, [1.0, 2.0, 3.0]).met,
    }
    answers = ht.make_local({name: found[name] for name in sorted(found, key=lambda name: name != first)})
    assert answers["c_jes_up"].tolist() == [1, 2, 3]
    assert answers["c"]["jes_up"].tolist() == [20, 40]


def test_varied_value_can_be_pickled(events: Any) -> None:
    varied = ht.vary(events.met, "jes", up=events.met * 2)
    loaded = pickle.loads(pickle.dumps(varied))
    assert loaded._node is varied._node
    assert ht.make_local(loaded)["jes_up"].tolist() == [20, 40]


def test_label_of_an_axis_does_not_depend_on_the_order_of_its_categories(events: Any) -> None:
    number = ht.vary(events.met, "jes", up=30 - events.met, down=events.met * 2)
    h = ht.Hist.new.IntCat([], growth=True, name="n").Double().fill(ht.where(number > 15, 2, 1))
    made = ht.make_local(h)
    assert made.axes["n"].__dict__["label"] == ""
    assert made.values().tolist() == [[1, 1], [1, 1], [0, 2]]


def test_what_a_sample_is_is_not_asked_where_nothing_is_varied(tmp_path: Path) -> None:
    path = ht.samples.nanoaod(tmp_path / "zll.root", events=20)
    events = ht.nanoaod(path, metadata={"is_mc": "perhaps"})
    assert ht.explain(events.Jet.pt).columns == ("Jet_pt",)

"""The full text of errors: what failed, the values with their types, the user's line, and the way out as the last line."""

from __future__ import annotations

import linecache
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea import processors

if TYPE_CHECKING:
    from collections.abc import Callable

VECTOR = "PtEtaPhiMLorentzVector{pt, eta, phi, mass, ...}"

TEXTS = {
    "jets.pt + el.pt": """\
cannot add values of two collections, jets and el: they have no rows in common
  one: event * jets * float32
  other: event * el * float64
  recorded at analysis.py:2: value = jets.pt + el.pt
Hint: for each jets every el: map or ht.cross; the closest one: nearest; one number of each: a reducer such as .Any(); \
rows that you know to be aligned: ht.zip_rows""",
    "jets[jets.pt > 10].pt - jets[jets.eta > 0].pt": """\
cannot subtract values of two different selections of jets: jets' and jets'
  one: event * jets' * float32
  other: event * jets' * float32
  first: jets' (jets filtered at analysis.py:2: value = jets[jets.pt > 10].pt - jets[jets.eta > 0].pt)
  second: jets' (jets filtered at analysis.py:2: value = jets[jets.pt > 10].pt - jets[jets.eta > 0].pt)
  recorded at analysis.py:2: value = jets[jets.pt > 10].pt - jets[jets.eta > 0].pt
Hint: use one selection for both, or combine them where both are defined, on jets; other ways: map, ht.cross, nearest, \
or ht.zip_rows if you know that they are aligned""",
    "jets[el.pt > 10]": f"""\
a mask of el cannot select jets: they have no rows in common
  value: event * jets * {VECTOR}
  mask: event * el * bool
  recorded at analysis.py:2: value = jets[el.pt > 10]
Hint: make a mask on jets; reduce it to the event: mask.Any(); match the two: map, ht.cross, nearest; \
rows that you know to be aligned: ht.zip_rows""",
    "jets[jets.vec > 1]": f"""\
a mask with one value for each of the vec cannot select jets
  value: event * jets * {VECTOR}
  mask: event * jets * vec * bool
  recorded at analysis.py:2: value = jets[jets.vec > 1]
Hint: reduce it first: mask.Any() or mask.All() over vec""",
    "jets[0.5]": f"""\
float 0.5 is no filter, position or column of jets
  value: event * jets * {VECTOR}
  recorded at analysis.py:2: value = jets[0.5]
Hint: x[mask], x[0], x[0:2], x["column"], x[["a", "b"]]""",
    "el.ptt": """\
el has no 'ptt'
  el: event * el * PtEtaPhiMLorentzVector{pt, eta, phi, mass}
  recorded at analysis.py:2: value = el.ptt
Hint: did you mean pt? The names nearest to it: pt, pt2, theta, t, p, ... (158 in all)""",
    'el["ptt"]': """\
el has no column 'ptt'
  el: event * el * PtEtaPhiMLorentzVector{pt, eta, phi, mass}
  recorded at analysis.py:2: value = el["ptt"]
Hint: did you mean pt? The names nearest to it: pt, eta, mass, phi""",
    "not met": """\
a truth value is needed now, and a recorded value has none before the data are read
  value: event * float32
  recorded at analysis.py:2: value = not met
Hint: (a) & (b) for and and for a < x < b, (a) | (b) for or, ~(a) for not; ht.where(c, a, b) for if; \
(x == v).Any() for in; np.maximum and np.minimum for max and min""",
    "jets.b - jets.b": """\
cannot subtract bool and bool: numpy boolean subtract, the `-` operator, is not supported, \
use the bitwise_xor, the `^` operator, or the logical_xor function instead.
  argument 1: event * jets * bool
  argument 2: event * jets * bool
  recorded at analysis.py:2: value = jets.b - jets.b""",
    "ak.to_list(met)": """\
ak.to_list cannot be recorded: it needs the values now
  recorded at analysis.py:2: value = ak.to_list(met)
Hint: call it on the answer of ht.make_local(...)""",
    "np.median(met)": """\
np.median cannot be recorded: the answers of two chunks do not merge into the answer of both
  recorded at analysis.py:2: value = np.median(met)
Hint: fill a fine histogram, or take the column with ht.make_local and compute there""",
    "jets.Sum(axis=5)": f"""\
there is no axis 5
  value: event * jets * {VECTOR}
  recorded at analysis.py:2: value = jets.Sum(axis=5)
Hint: axes of the value: 0 or 'event', 1 or 'jets'; None for everything""",
}


def run(source: str, file: str, names: dict[str, Any]) -> Any:
    """Run a program of a user, whose lines can be found again; gives its `value`."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space = {"__name__": "__main__", **names}
    exec(compile(source, file, "exec"), space)  # noqa: S102 (a program of a user)
    return space.get("value")


@pytest.fixture
def names(d: ht.Array) -> dict[str, Any]:
    import awkward as ak
    import numpy as np

    return {"ak": ak, "np": np, "ht": ht, "d": d, "jets": d.jets, "el": d.el, "met": d.met}


@pytest.mark.parametrize(("text", "message"), TEXTS.items())
def test_error_says_what_failed_the_values_the_line_and_the_way_out(
    text: str, message: str, names: dict[str, Any]
) -> None:
    with pytest.raises(ht.HepTablesError) as caught:
        run(f"# a program\nvalue = {text}\n", "analysis.py", names)
    assert str(caught.value) == message


def line_of(source: str, names: dict[str, Any], file: str = "analysis.py") -> str:
    with pytest.raises(ht.HepTablesError) as caught:
        run(source, file, names)
    return next(line for line in str(caught.value).splitlines() if "recorded at" in line).strip()


def test_line_of_an_expression_over_several_lines_is_the_one_that_failed(names: dict[str, Any]) -> None:
    assert line_of("value = (\n    met\n    + jets[0.5]\n)\n", names) == "recorded at analysis.py:3: + jets[0.5]"


def test_notebook_cell_is_called_so(names: dict[str, Any]) -> None:
    found = line_of("value = jets[0.5]\n", names, "<ipython-input-3-abc>")
    assert found == "recorded at notebook cell:1: value = jets[0.5]"


def test_line_in_a_module_that_is_imported_is_that_line(names: dict[str, Any]) -> None:
    module = types.ModuleType("numpy_of_mine")
    source = "def select(jets):\n    return jets[0.5]\n"
    linecache.cache["/home/me/numpy/mine.py"] = (len(source), None, source.splitlines(keepends=True), "")
    exec(compile(source, "/home/me/numpy/mine.py", "exec"), module.__dict__)  # noqa: S102 (a program of a user)
    found = line_of("value = mine.select(jets)\n", {**names, "mine": module})
    assert found == "recorded at /home/me/numpy/mine.py:2: return jets[0.5]"


def test_line_of_a_call_through_awkward_is_the_users(names: dict[str, Any]) -> None:
    found = line_of("value = ak.sum(\n    jets.tag, axis=1)\n", names)
    assert found.startswith("recorded at analysis.py:")


def test_line_of_a_call_through_our_processors_is_the_users(names: dict[str, Any]) -> None:
    inner = types.ModuleType(f"{processors.__name__}.of_a_test")
    exec(compile("def select(jets):\n    return jets[0.5]\n", "of_a_test.py", "exec"), inner.__dict__)  # noqa: S102 (a program of a user)
    assert line_of("value = select(jets)\n", {**names, "select": inner.select}) == (
        "recorded at analysis.py:1: value = select(jets)"
    )


def test_error_inside_a_worker_names_the_users_line(names: dict[str, Any]) -> None:
    run("value = d.n ** d.n\n", "worker.py", names)
    recorded = run("power = d.n ** d.n\nvalue = power\n", "worker.py", names)
    with pytest.raises(RuntimeError, match=r"recorded at worker\.py:1: "):
        ht.make_local(recorded)


def test_errors_pickle_with_their_text(names: dict[str, Any]) -> None:
    import pickle

    with pytest.raises(ht.HepTablesError) as caught:
        run("value = jets[0.5]\n", "analysis.py", names)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("kind", [TypeError, IndexError])
def test_error_is_the_builtin_that_a_user_would_catch(kind: type[Exception], record: Callable[[str], Any]) -> None:
    with pytest.raises(kind, match="is no filter"):
        record("jets[0.5]")


def test_recording_does_not_change_the_limit_of_recursion(d: ht.Array) -> None:
    before = sys.getrecursionlimit()
    ht.make_local(d.met + 1)
    assert sys.getrecursionlimit() == before

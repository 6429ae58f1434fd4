"""The engines agree: fused, columnar and the reference, over generated programs and tables.

Half of the programs run with kernels that are plain Python, in processes of their own: an index beyond an array is an
error. Half are compiled, and some by numba, with such errors. Ten programs with the same files run as one, and each by
itself if that fails. HT_ENGINES and HT_COMPILED say how many, HT_HYPOTHESIS=thorough runs tens of thousands.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from random import Random
from typing import TYPE_CHECKING

import awkward as ak
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hep_tables_coffea.codegen.fused.primitives import (
    bin_between,
    bin_of_edges,
    bin_of_even_edges,
    bin_up_to,
    sort_known_rows,
)
from hep_tables_coffea.testing.engines import Account, Case, check
from hep_tables_coffea.testing.programs import Program
from hep_tables_coffea.testing.tables import random_table, write

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

THOROUGH = os.environ.get("HT_HYPOTHESIS") == "thorough"
EXAMPLES = int(os.environ.get("HT_ENGINES", "40000" if THOROUGH else "3000"))
OF_NUMBA = int(os.environ.get("HT_COMPILED", "600" if THOROUGH else "30"))
PARTS = 4


def run(first: int, examples: int, cache: Path, **environment: str) -> str:
    """The account of some generated programs in a process of their own."""
    command = [sys.executable, "-m", "hep_tables_coffea.testing.engines", f"--first={first}", f"--examples={examples}"]
    known = {**os.environ, "HEP_TABLES_COFFEA_CACHE": str(cache), **environment}
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("part", range(PARTS // 2))
def test_engines_agree_over_generated_programs(part: int, tmp_path: Path) -> None:
    print(run(part * 1_000_000, EXAMPLES // PARTS, tmp_path, NUMBA_DISABLE_JIT="1"))


@pytest.mark.skipif(sys.platform != "linux", reason="machine code is kept on Linux alone")
@pytest.mark.parametrize("part", range(PARTS // 2, PARTS))
def test_compiled_kernels_agree_over_generated_programs(part: int, tmp_path: Path) -> None:
    account = run(part * 1_000_000, EXAMPLES // PARTS, tmp_path)
    print(account)
    found = re.search(r"kernels: (\d+) from machine code(?:, (\d+) from numba)?", account)
    assert found is not None
    assert int(found[1]) > 4 * int(found[2] or 0)  # functions of the user may need numba


def test_kernels_of_numba_agree_over_generated_programs(tmp_path: Path) -> None:
    account = run(10_000_000, OF_NUMBA, tmp_path, NUMBA_BOUNDSCHECK="1", NUMBA_OPT="0")
    print(account)
    assert "from machine code" not in account


#: What has gone wrong once: lines, with the outputs last.
ONCE = {
    "a constant of a row that is not there": ('v1 = with_column(events.els, "new", 0.5)[0]["new"]',),
    "a place beyond a list of fixed size": ('v1 = ak.sum(events.els["pt"], axis=-1, keepdims=True)', "v2 = v1[1]"),
    "a search that is written twice": (
        "v1 = events.els.nearest(events.els, 1.5)",
        "v2 = events.jets.pt.Max()[events.flag]",
        'v3 = ht.Hist.new.Reg(5, 0, 60, name="x").Reg(4, 0, 2, name="y").Double().fill(v1["pt"], v2)',
    ),
    "values for pairs beside a column": ("v1 = events.els.pt * 2", "v2 = ht.combinations(v1, 3)"),
    "values of a sum that are needed as lists": (
        "v1 = events.jets.tag",
        "v2 = v1.Sum(axis=None)",
        "v3 = events.els.map(lambda r: events.jets.OrderBy(lambda s: abs(s.tag - r.charge)).First())",
    ),
    "records whose methods are needed": (
        "v1 = events.els.without(events.els[0])",
        "v2 = (v1 / 4.0).pt",
    ),
    "a mask along one of two equal axes": (
        "v1 = events.els.map(lambda r: events.els[r.eta > 0])",
        "v2 = v1.metric_table(v1)",
    ),
    "a joined row that may be missing": (
        "v1 = events.hits.map(lambda r: events.els.MinBy(lambda s: abs(s.eta - r.any)))",
        "v2 = ht.concat(v1, events.els)",
    ),
    "a search by numbers of half precision": (
        "v1 = np.hypot(events.jets.tag, events.flag)",
        "v2 = v1.MinBy(v1)",
        "v3 = ak.argsort(v1, axis=-1)",
        "v4 = v1.Sum()",
    ),
    "truth values and numbers without a sign in functions of the user": (
        "v1 = between(events.flag, events.flag)",
        "v2 = beyond(events.jets.number, 3)",
        "v3 = beyond(events.flag, events.jets.number)",
        "v4 = beyond(events.hits.n, events.hits.any)",
    ),
    "a list of the event with values for each of its own rows": (
        "v1 = events.jets.metric_table(events.jets)",
        "v2 = ht.concat(v1, v1)",
    ),
    "a whole number for each of no rows": (
        "v1 = events.flag.Sum(axis=None)",
        "v2 = ht.Hist.new.Reg(4, 0, 2, flow=False, name='x').Int(-1, 4, name='y').Int64().fill(events.met, v1)",
    ),
    "missing truth values that are filled with numbers": (
        "v1 = ak.mask(events.flag, events.weight > 0.5)",
        "v2 = ht.fill_missing(v1, 1.5)",
    ),
    "a truth value that has the name of its type": (
        "v1 = far_from(events.hits.x, events.flag)",
        "v2 = ht.Hist.new.Var([-1, 0, 1, 2], name='x').Int64().fill(v1[v1])",
    ),
    "rows that are sorted where there are too few for triples": (
        "v1 = ht.combinations(events.jets.p, 3)",
        "v2 = ak.sort(events.jets.mass, axis=-1, ascending=False)",
    ),
    "filtered events that are flat": ("v1 = ak.flatten(events.els)", "v2 = v1[v1.mass > 0.5]"),
}


#: The same of tables with strings.
ONCE_WITH_STRINGS = {
    "a category beside a value of the dataset that is missing": (
        "v1 = events.met[events.met > 1e9].Max(axis=None)",
        "v2 = ht.Hist.new.StrCat(['a'], growth=True, name='s').Reg(4, -1, 3, name='x').Double().fill('b', events.met, weight=v1)",
    ),
    "strings of a function that is called with no rows": (
        "v1 = named_by(events.maybe)",
        'v2 = "" == v1',
        "v3 = v2[events.flag].Count(axis=None)",
    ),
    "a constant beside strings": (
        'v1 = events.marks.word == "a"',
        'v2 = with_column(events.marks, "new", 2.25)["new"]',
        'v3 = ht.where(v1, events.marks.word, "c")',
    ),
}


@pytest.mark.parametrize("lines", ONCE_WITH_STRINGS.values(), ids=ONCE_WITH_STRINGS)
def test_what_went_wrong_once_with_strings_is_right(
    lines: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_once(lines, ("parquet",), tmp_path, monkeypatch)


@pytest.mark.parametrize("lines", ONCE.values(), ids=ONCE)
def test_what_went_wrong_once_is_right(lines: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_once(lines, ("root", "parquet"), tmp_path, monkeypatch)


def check_once(lines: Sequence[str], formats: Sequence[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is an output, of some tables in these formats."""
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path))
    for number in range(4):
        path = write(random_table(Random(number), formats), tmp_path / f"table{number}")
        program = Program(path, lines, tuple(line.partition(" = ")[0] for line in lines))
        assert not check(Case(number, program, 3), Account())


# -- what kernels call -----------------------------------------------------------------------------------------------

settled = settings(max_examples=20000 if THOROUGH else 300, deadline=None)
numbers = st.one_of(st.floats(-10, 10), st.floats(), st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 1.0, 2.5, -1.0]))


def index_of(axis: object, value: float) -> int:
    """The bin as boost-histogram has it, counted from the one below all."""
    return int(axis._ax.index(value)) + 1  # type: ignore[attr-defined]


@settled
@given(
    value=numbers,
    bins=st.integers(1, 50),
    low=st.floats(-5, 5),
    width=st.floats(0.001, 10),
    overflow=st.booleans(),
    edge=st.integers(0, 50),
    on_edge=st.booleans(),
)
def test_regular_bins_are_those_of_boost_histogram(
    value: float, bins: int, low: float, width: float, overflow: bool, edge: int, on_edge: bool
) -> None:
    import hist

    axis = hist.axis.Regular(bins, low, low + width, overflow=overflow)
    begin, extent = axis._ax.__getstate__()[-2:]
    one = float(axis.edges[min(edge, bins)]) if on_edge else value
    with np.errstate(over="ignore"):  # as in a kernel, where numbers beyond all numbers are no warning
        found = (bin_between if overflow else bin_up_to)(np.float64(one), begin, extent, float(bins))
    assert found == index_of(axis, one)


@settled
@given(
    value=numbers, edges=st.lists(st.floats(-10, 10), min_size=2, max_size=30, unique=True), on_edge=st.integers(0, 60)
)
def test_variable_bins_are_those_of_boost_histogram(value: float, edges: list[float], on_edge: int) -> None:
    import hist

    axis = hist.axis.Variable(sorted(edges))
    one = float(axis.edges[on_edge]) if on_edge < len(edges) else value
    found = bin_of_edges(np.float64(one), axis.edges, 0, len(axis))
    assert found == index_of(axis, one)


@settled
@given(
    value=numbers, bins=st.integers(1, 40), low=st.floats(-5, 5), width=st.floats(0.01, 10), on_edge=st.integers(0, 80)
)
def test_even_edges_give_the_same_bins(value: float, bins: int, low: float, width: float, on_edge: int) -> None:
    import hist

    axis = hist.axis.Variable(np.linspace(low, low + width, bins + 1))
    one = float(axis.edges[on_edge]) if on_edge <= bins else value
    with np.errstate(over="ignore"):
        found = bin_of_even_edges(np.float64(one), axis.edges, 0, bins)
    assert found == index_of(axis, one)


def test_least_number_below_even_edges_is_below() -> None:
    assert bin_of_even_edges(np.float64(-5e-324), np.array([0.0, 2.0]), 0, 1) == 0


keys = st.one_of(st.none(), st.floats(), st.integers(-3, 3).map(float))


@settled
@given(values=st.lists(keys, max_size=90), ascending=st.booleans())
def test_rows_are_sorted_as_awkward_sorts_them(values: list[float | None], ascending: bool) -> None:
    plain = np.array([0.0 if value is None else value for value in values])
    known = np.array([value is not None for value in values], bool)
    order = np.zeros(len(values), np.int64)
    sort_known_rows(plain, known, order, len(values), ascending)
    array = ak.Array(
        ak.contents.ByteMaskedArray(ak.index.Index8(known), ak.contents.NumpyArray(plain), valid_when=True)
    )
    assert order.tolist() == ak.argsort(array, ascending=ascending, stable=True).to_list()

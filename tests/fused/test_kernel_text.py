"""The kernels of queries of the ADL benchmark, as text: what a user sees, and what numba compiles.

The texts are in `kernels/`. `HT_WRITE_KERNELS=1` writes them anew, to be looked at and committed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused import hoist
from hep_tables_coffea.processors import adl

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parent / "kernels"
QUERIES = ["q1", "q3", "q5", "q6", "q7", "q8"]


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    return ht.nanoaod(ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "ttbar.root", events=10, process="ttbar"))


@pytest.fixture
def source(events: ht.Array, fused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The processor of a query, as it is on a machine without the widest registers."""
    monkeypatch.setattr(hoist, "_has_wide_vectors", lambda: False)
    return lambda query: fused({name: one for name, one in adl.queries(events).items() if name.startswith(query)})


@pytest.mark.parametrize("query", QUERIES)
def test_kernel_is_as_it_was(query: str, source: Callable[[str], Any]) -> None:
    text = source(query).kernel
    file = FOLDER / f"{query}.txt"
    if "HT_WRITE_KERNELS" in os.environ:
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("query", QUERIES)
def test_whole_query_is_in_the_kernel(query: str, source: Callable[[str], Any]) -> None:
    assert dict(source(query).refused) == {}


@pytest.mark.parametrize("query", QUERIES)
def test_kernel_is_valid_python_without_this_library(query: str, source: Callable[[str], Any]) -> None:
    text = source(query).kernel
    compile(text, "kernel.py", "exec")
    assert "hep_tables" not in text


@pytest.mark.parametrize("query", QUERIES)
def test_same_query_gives_the_same_kernel(query: str, source: Callable[[str], Any]) -> None:
    assert source(query).digest == source(query).digest


def test_program_in_other_lines_has_the_same_kernel(events: ht.Array, fused: Callable[..., Any]) -> None:
    one = ht.Hist.new.Reg(10, 0, 100).Double().fill(events.MET.pt)
    axes = ht.Hist.new.Reg(10, 0, 100, label="another")
    met = events.MET
    assert fused({"here": one}).kernel == fused({"there": axes.Double().fill(met.pt)}).kernel


def test_histogram_of_a_filter_is_one_loop(source: Callable[[str], Any]) -> None:
    text = source("q3").kernel.partition("def kernel(")[2]
    assert [line.strip() for line in text.splitlines() if re.match(r"\s*for ", line)] == [
        "for jet in range(Jet_rows[0], Jet_rows[events]):",
    ]


def test_what_asks_for_something_of_the_event_stays_in_its_loop(events: ht.Array, fused: Callable[..., Any]) -> None:
    jets = events.Jet
    made = ht.Hist.new.Reg(10, 0, 100, name="pt").Double()
    text = fused({"pt": made.fill(jets[events.MET.pt > 20].pt)}).kernel
    assert "for event in range(events):" in text


def test_values_of_pairs_are_kept_where_there_are_two_rows(events: ht.Array, fused: Callable[..., Any]) -> None:
    pairs = ht.pairs(events.Muon)
    made = ht.Hist.new.Reg(10, 0, 100, name="x").Double()
    outputs = {"mass": made.fill((pairs.a + pairs.b).mass), "pt": made.fill(events.Muon.pt.Sum())}
    text = fused(outputs).kernel
    assert text.count("for muon") == 2
    assert "        if n_muon >= 2:\n            for muon" in text


def test_last_rows_have_no_partner(events: ht.Array, fused: Callable[..., Any]) -> None:
    triples = ht.combinations(events.Jet, 3)
    made = ht.Hist.new.Reg(10, 0, 100, name="x").Double()
    text = fused({"mass": made.fill((triples.a + triples.b + triples.c).mass)}).kernel
    ranges = ["for a in range(n_jet - 2):", "for b in range(a + 1, n_jet - 1):", "for c in range(b + 1, n_jet):"]
    assert [line.strip() for line in text.splitlines() if re.match(r"\s*for [abc] ", line)] == ranges


def test_root_of_the_least_is_taken_once(events: ht.Array, fused: Callable[..., Any]) -> None:
    nearest = events.Jet.metric_table(events.Muon).Min()
    made = ht.Hist.new.Reg(10, 0, 6, name="x").Double()
    text = fused({"x": made.fill(nearest)}).kernel
    assert re.search(r"bin_between\(np\.float64\(np\.sqrt\(\w+\)\)", text)
    assert text.count("np.sqrt") == 1

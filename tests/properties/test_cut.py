"""The answer does not depend on where a program is cut. HT_CUTS sets how many programs, HT_HYPOTHESIS=thorough runs thousands."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.testing.cuts import Account, check, run_cases
from hep_tables_coffea.testing.engines import Case
from hep_tables_coffea.testing.nearby import Nearby, some_kinds
from hep_tables_coffea.testing.programs import Program
from hep_tables_coffea.testing.tables import random_table, write

EXAMPLES = int(os.environ.get("HT_CUTS", "4000" if os.environ.get("HT_HYPOTHESIS") == "thorough" else "100"))


def test_answers_do_not_depend_on_where_programs_are_cut() -> None:
    account = run_cases(range(EXAMPLES))
    print(account)
    assert not account.failures, "\n".join(account.failures)
    assert account.how["cut"] > EXAMPLES / 2


@pytest.mark.skipif("HT_SERVICEX_CUTS" not in os.environ, reason="HT_SERVICEX_CUTS says how many are run with ServiceX")
def test_answers_do_not_depend_on_what_servicex_delivers() -> None:
    pytest.importorskip("servicex", reason="the extra servicex is not installed")
    with ht.servicex.local(workers=1):
        account = run_cases(range(int(os.environ["HT_SERVICEX_CUTS"])), backend="servicex")
    print(account)
    assert not account.failures, "\n".join(account.failures)


#: What has gone wrong once: lines, with the outputs last.
ONCE = {
    "pairs as records beside a value of them": (
        "v1 = ht.pairs(events.els)",
        "v2 = v1.a",
        "v3 = v1.a.pt - v1.b.pt",
    ),
    "two tables of rows of the same collections in a record": (
        "v1 = events.jets.map(lambda j: events.els.map(lambda e: j.pt - e.pt))",
        "v2 = events.jets.map(lambda j: events.els.map(lambda e: j.eta - e.eta))",
        'v3 = ak.zip({"a": v1, "b": v2})',
    ),
    "flattened events that are filtered": ("v1 = ak.flatten(events.hits)", "v2 = v1[v1.n != 1.5]"),
    "a filter of rows that are made": ("v1 = events.els.pt.First()", "v2 = ak.singletons(v1, axis=-1)"),
    "records that may be missing": ("v1 = events.hits[ak.argmax(events.hits.n, axis=-1, keepdims=True)]",),
    "a filter by metadata": ('v1 = ht.metadata(events, "xsec")', "v2 = v1[v1 != 0]"),
    "metadata of all events beside filtered ones": ('v1 = ht.metadata(events, "xsec")', "v2 = events.run[events.flag]"),
    "a list in lists that is filtered with the events": (
        "v1 = events.hits.map(lambda r: events.hits.map(lambda s: r.n - s.n))",
        'v2 = ak.zip({"a": v1, "b": events.flag[events.weight > 0.5]})',
    ),
    "selections of selected events beside all events": (
        "v1 = events[events.flag]",
        "v2 = v1.jets[v1.jets.pt > 2].Count()",
        "v3 = events.weight",
    ),
    "vectors that are flattened, and columns of them": (
        "v1 = events.els * 2.0",
        "v2 = ak.flatten(v1)",
        "v3 = v1.pt",
    ),
    "records with lists that are flattened": (
        'v1 = events.els.map(lambda r: {"a": r.eta, "b": events.jets[lambda s: s.phi > r.eta]})',
        "v2 = ak.flatten(v1)",
    ),
    "flattened rows of a filtered collection, filtered again": (
        "v1 = ak.flatten(events.hits[events.hits.n <= 2].n)",
        "v2 = v1[v1 != 1]",
    ),
    "rows of rows that are filtered, in two ways": (
        "v1 = events.els[events.els.charge > 0]",
        "v2 = ht.combinations(v1[v1.pt > 2].pt, 3)",
        "v3 = v1[v1.pt > 2].eta[:1]",
        "v4 = v3.OrderByDescending(v3)",
    ),
    "a table of rows that is delivered, and filtered here by what stays here": (
        "v1 = events.els.map(lambda r: events.els.map(lambda s: r.phi - s.phi))",
        "v2 = np.logical_or(v1, events.hits.n.Sum(axis=None))",
        "v3 = v2[v2]",
    ),
    "objects of filtered events beside what needs all events": (
        "v1 = events[events.flag]",
        "v2 = ht.concat(v1.els[v1.els.charge > 0], v1.hits[v1.hits.n <= 2])",
        "v3 = v1.els[v1.els.charge > 0].eta[:1]",
        "v4 = events.weight.Std(axis=None)",
    ),
    "rows that are only counted": (
        'v1 = ak.sum(events.els["eta"], axis=-1, keepdims=True)',
        "v2 = ak.cartesian([events.hits, v1], nested=True)",
        'v3 = v2.map(lambda r: events.jets.MinBy(lambda s: abs(s["pt"] - r["1"])))',
    ),
}


@pytest.mark.parametrize("lines", ONCE.values(), ids=ONCE)
def test_what_went_wrong_once_is_right(lines: tuple[str, ...], tmp_path: Path) -> None:
    names = [line.partition(" = ")[0] for line in lines]
    for number in range(6):
        table = write(random_table(Random(number)), tmp_path / f"table{number}")
        registry.register_backend(Nearby("nearby", tmp_path / f"{number}", some_kinds(Random(number))))
        case = Case(number, Program(table, lines, tuple(names)), 3)
        assert not check(case, "nearby", Account())

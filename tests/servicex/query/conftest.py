"""Fixtures of the tests of queries: files, and queries run over them by the real code generator."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import awkward as ak
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.query import UPROOT, write_query
from hep_tables_coffea.testing.tables import random_table, write

Check = Callable[..., str]


def _run(text: str, path: str) -> ak.Array:
    """What the code that func_adl_uproot generates for a query gives for a file."""
    translation = pytest.importorskip("func_adl_uproot.translation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of divisions by zero
        return translation.generate_function(text)(path)


def _compare(columns: Mapping[str, Any], path: str, tree: str, keep: Any = None) -> str:
    """Write a query, run it, and hold each column to what our own engine gives, to the last bit and the type."""
    nodes = {name: column._node for name, column in columns.items()}
    text = write_query(nodes, None if keep is None else keep._node, UPROOT, tree)
    found, expected = _run(text, path), ht.make_local(dict(columns), engine="columnar")
    for name in columns:
        assert str(found[name].type) == str(expected[name].type), name
        assert ak.array_equal(found[name], expected[name], equal_nan=True), name
    return text


@pytest.fixture(scope="session")
def nano(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A small file of simulated events."""
    return ht.samples.nanoaod(tmp_path_factory.mktemp("nano") / "nano.root", events=200)


@pytest.fixture
def events(nano: str) -> ht.Array:
    return ht.nanoaod(nano)


@pytest.fixture(scope="session")
def run_uproot() -> Callable[[str, str], ak.Array]:
    """`run_uproot(text, path)`: what a query gives for a file."""
    return _run


@pytest.fixture(scope="session")
def compare() -> Check:
    """`compare(columns, path, tree, keep)`: the columns of a file, asked for in one query, are right."""
    return _compare


@pytest.fixture
def check(nano: str) -> Check:
    """`check(keep=mask, pt=column, ...)`: the columns of `events`, asked for in one query, are right."""
    return lambda keep=None, **columns: _compare(columns, nano, "Events", keep)


@pytest.fixture(scope="session")
def toys(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files of random numbers of all types, with empty events, NaN and infinities."""
    folder = tmp_path_factory.mktemp("toys")
    tables = [random_table(Random(seed), formats=("root",)) for seed in range(40)]
    full = [table for table in tables if len(table.columns["met"].values) > 3]
    return [write(table, folder / f"toy{k}") for k, table in enumerate(full[:5])]

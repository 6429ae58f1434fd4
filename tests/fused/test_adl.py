"""The eight queries of the ADL benchmark by the fused engine, against the published answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.processors import adl

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = ["q1", "q2", "q3", "q4", "q5", "q6_pt", "q6_btag", "q7", "q8"]


@pytest.fixture(scope="module")
def queries(data: Callable[[str], str]) -> dict[str, Any]:
    return adl.queries(ht.nanoaod(data("Run2012B_SingleMu-1000.parquet")))


@pytest.fixture(scope="module")
def reference(data: Callable[[str], str]) -> dict[str, Any]:
    parts = [json.loads(Path(data(name)).read_text()) for name in ("adl_1000.json", "adl_1000_more.json")]
    return parts[0] | parts[1]


@pytest.fixture(scope="module")
def answers(queries: dict[str, Any]) -> dict[str, Any]:
    return ht.make_local(queries, engine="fused")


def filled(histogram: Any) -> dict[str, float]:
    """The bins that are not empty; -1 is the underflow."""
    return {str(k - 1): value for k, value in enumerate(histogram.values(flow=True)) if value}


def test_all_queries_are_one_kernel(queries: dict[str, Any]) -> None:
    assert ht.explain(queries, engine="fused").accounts[0].engine == ("fused",)


@pytest.mark.parametrize("name", NAMES)
def test_query_gives_the_published_histogram(name: str, reference: dict[str, Any], answers: dict[str, Any]) -> None:
    assert filled(answers[name]) == reference[name]["counts"]


@pytest.mark.parametrize("chunksize", [1, 7, 333])
def test_answers_do_not_depend_on_chunks(queries: dict[str, Any], answers: dict[str, Any], chunksize: int) -> None:
    assert ht.make_local(queries, engine="fused", chunksize=chunksize) == answers


def test_answers_are_those_of_the_columnar_engine(queries: dict[str, Any], answers: dict[str, Any]) -> None:
    assert answers == ht.make_local(queries, engine="columnar")

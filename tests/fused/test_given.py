"""What no kernel can compute is computed before it, for the rows that need it, and the kernel computes the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long the arrays were with which the function of the user was called.
lengths: list[int] = []


@ht.user_func(vectorized=True)
def factor(x: float) -> float:
    lengths.append(len(x))  # type: ignore[arg-type]
    return np.sqrt(abs(x)) + 1


def engine(outputs: Any) -> tuple[str, ...]:
    return ht.explain(outputs, engine="fused").accounts[0].engine


def spectrum() -> Any:
    return ht.Hist.new.Reg(6, 0, 80).Weight()


def selected(d: Any) -> Any:
    """Jets of some events, the best first."""
    return d[d.flag].jets.OrderByDescending(lambda jet: jet.pt)


def products(values: Any) -> Any:
    """Of each pair."""
    pairs = ht.pairs(values)
    return pairs.a * pairs.b


#: Programs of which a part is left to the columnar engine.
PROGRAMS: dict[str, Callable[[Any], Any]] = {
    "an event": lambda d: (factor(d.met) * d.weight)[d.flag],
    "selected events": lambda d: factor(d[d.met > 0].met) * d[d.met > 0].jets.pt.Sum(),
    "all jets, then a selection": lambda d: factor(d.jets.pt)[d.jets.pt > 10].Sum(),
    "selected jets": lambda d: spectrum().fill(
        d.jets[d.jets.pt > 10].pt, weight=factor(d.jets[d.jets.pt > 10].pt) * 0.5
    ),
    "selected jets of selected events": lambda d: (
        factor(d[d.flag].jets[d[d.flag].jets.pt > 10].pt) + d[d.flag].weight
    ).Max(),
    "ordered jets": lambda d: (factor(selected(d).pt) * selected(d).pt)[0],
    "values that may be missing": lambda d: factor(d.jets.maybe) * d.jets.pt,
    "lists in jets": lambda d: factor(d.jets.hits).Sum().Max() * d.weight,
    "the nearest of others": lambda d: (factor(d.jets.pt) * d.jets.map(lambda jet: (d.els.pt - jet.pt).Min())).Sum(),
    "pairs of what has it": lambda d: products(factor(d.jets.pt)).Sum(),
    "a string": lambda d: d.jets.pt[d.name == "a"].Sum(),
    "lists filled up": lambda d: ak.pad_none(d.jets.pt, 2).Sum() * d.weight,
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_rest_is_fused(what: str, d: ht.Array) -> None:
    assert engine({"x": PROGRAMS[what](d)})[0] == "fused"


@pytest.mark.parametrize("chunksize", [1, 3, None])
@pytest.mark.parametrize("what", PROGRAMS)
def test_answer_is_that_of_the_columnar_engine(
    what: str, chunksize: int | None, d: ht.Array, same: Callable[..., bool]
) -> None:
    output = PROGRAMS[what](d)
    fused, columnar = (ht.make_local(output, engine=name, chunksize=chunksize) for name in ("fused", "columnar"))
    assert same(fused, columnar)


def test_reason_is_said_with_what_is_computed_before(d: ht.Array) -> None:
    scale = factor(d.jets.pt)
    assert engine({"x": scale.Sum()}) == ("fused", "before it columnar for factor(): factor is a function of arrays")


def test_output_that_is_nothing_else_is_left_to_the_columnar_engine(d: ht.Array) -> None:
    scale = factor(d.jets.pt)
    assert engine({"x": scale, "y": scale.Max()}) == (
        "fused for y",
        "columnar for x: factor is a function of arrays",
        "before it columnar for factor(): factor is a function of arrays",
    )


def test_function_is_called_once_for_all_that_use_it(d: ht.Array) -> None:
    good = d.jets[d.jets.pt > 10]
    scale = factor(good.pt)
    lengths.clear()
    ht.make_local({"x": scale, "y": scale.Max(), "z": spectrum().fill(good.pt, weight=scale)}, engine="fused")
    assert lengths == [4]


@pytest.mark.parametrize("name", ["fused", "columnar"])
def test_function_is_not_called_for_no_rows(name: str, d: ht.Array) -> None:
    lengths.clear()
    ht.make_local(factor(d.jets.pt[d.jets.pt > 1000]).Max(), engine=name, chunksize=1)
    assert lengths == []


def test_name_of_the_user_is_in_the_kernel(many: ht.Array, fused: Callable[[Any], Any]) -> None:
    scale = factor(many.Jet.pt)
    assert " * scale[jet]" in fused({"x": (many.Jet.pt * scale).Sum()}).kernel

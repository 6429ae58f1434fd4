"""Constants: the type of a result is that which numpy gives for the very constant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea.errors import RecordingError
from hep_tables_coffea.graph.functions import typical
from hep_tables_coffea.graph.helpers import where
from hep_tables_coffea.types import infer

if TYPE_CHECKING:
    from collections.abc import Callable

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
DTYPES = ["bool", *INTEGERS, "float16", "float32", "float64", "complex64"]
FUNCTIONS: list[Any] = [np.add, np.power, np.floor_divide, np.true_divide, np.minimum, np.greater, np.equal, np.hypot]
FUNCTIONS += [np.bitwise_and, np.left_shift, np.copysign, np.arctan2, ak.fill_none, where]

#: Where types change: one before, at and after each bound.
edges = st.builds(
    lambda sign, power, off: sign * 2**power + off,
    st.sampled_from((-1, 1)),
    st.sampled_from((0, 7, 8, 15, 16, 31, 32, 63, 64)),
    st.integers(-1, 1),
)
integers = st.one_of(edges, st.integers(-(2**65), 2**65), st.integers(-300, 300))


def type_of(function: Callable[..., Any], dtype: str, value: Any) -> Any:
    """The type that numpy and awkward give for this very constant, or that they refuse."""
    array = ak.Array(np.empty(0, dtype))
    arguments = (ak.Array(np.empty(0, bool)), array, value) if function is where else (array, value)
    try:
        return infer.flat_type(lambda: function(*arguments), [])
    except Exception as error:
        return type(error)


@given(st.sampled_from(FUNCTIONS), st.sampled_from(DTYPES), integers)
@example(np.add, "uint8", 255)
@example(np.add, "uint8", 256)
@example(np.power, "bool", 2**63)
def test_typical_integer_gives_the_types_of_the_integer(function: Callable[..., Any], dtype: str, value: int) -> None:
    assert type_of(function, dtype, value) == type_of(function, dtype, typical(value))


@given(st.sampled_from(FUNCTIONS), st.sampled_from(DTYPES), st.sampled_from(INTEGERS), st.data())
def test_typical_scalar_of_numpy_gives_the_types_of_the_scalar(
    function: Callable[..., Any], dtype: str, kind: str, data: st.DataObject
) -> None:
    value = np.dtype(kind).type(data.draw(st.integers(np.iinfo(kind).min, np.iinfo(kind).max)))
    assert typical(value).dtype == kind
    assert type_of(function, dtype, value) == type_of(function, dtype, typical(value))


@given(integers)
def test_typical_value_of_a_typical_value_is_itself(value: int) -> None:
    assert typical(typical(value)) == typical(value)


@pytest.mark.parametrize("value", [True, False, "text", None])
def test_other_constants_stand_for_themselves(value: Any) -> None:
    assert typical(value) is value


def test_many_integers_are_inferred_once(d: ht.Array) -> None:
    _ = d.met * 100
    before = infer._flat.cache_info().misses
    assert len({(d.met * number)._node for number in range(1, 100)}) == 99
    assert infer._flat.cache_info().misses == before


def test_error_names_the_constant_that_was_given(tmp_path: Any) -> None:
    path = str(tmp_path / "small.parquet")
    ak.to_parquet(ak.zip({"x": np.zeros(1, np.uint8)}), path)
    with pytest.raises(RecordingError, match="Python integer 300 out of bounds for uint8"):
        _ = ht.flat(path).x + 300

"""Functions that generated processors carry with them, by themselves."""

from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from hep_tables_coffea.codegen.fused.helpers import flat_numbers
from hep_tables_coffea.codegen.reading import plain_column

#: What a file holds, and the column that it is.
COLUMNS = [
    ([[1.5], None, [2.5, None]], [[1.5], [], [2.5, None]], "3 * var * ?float64"),
    ([[[1, 2], None], None, []], [[[1, 2], []], [], []], "3 * var * var * int64"),
    ([["a", None], None], [["a", None], []], "2 * var * ?string"),
    ([["a"], ["b"]], [["a"], ["b"]], "2 * var * string"),
]


@pytest.mark.parametrize(("stored", "column", "kind"), COLUMNS)
def test_list_that_is_missing_has_no_rows(stored: list[object], column: list[object], kind: str) -> None:
    found = plain_column(ak.Array(stored))
    assert found.to_list() == column
    assert str(found.type) == kind


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
def test_number_that_is_missing_is_zero(dtype: str) -> None:
    found = flat_numbers(ak.Array([[1, None], [], [1]]), dtype)
    assert found.dtype == dtype
    assert found.tolist() == [1, 0, 1]
    assert flat_numbers(ak.Array([[None], []]), dtype).tolist() == np.zeros(1, dtype).tolist()

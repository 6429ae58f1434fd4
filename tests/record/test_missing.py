"""Missing values: missing stays missing for each row, lists are never missing, reducers leave missing values out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES: dict[str, Any] = {
    "jets[0].pt+jets.pt": [[100.0, 70.0, 85.0], [], [62.0], [10.0, 10.0]],
    "el[0].pt+jets.pt": [[90.0, 60.0, 75.0], [], [None], [6.0, 6.0]],
    "el[0].pt>jets.pt": [[False, True, True], [], [None], [False, False]],
    "jets[el[0].pt>jets.pt].n": [[-2, 3], [], [], []],
    "d[el[0].pt>30].met": [10.0, -30.0],
    "d[~(el[0].pt>30)].met": [5.5],
    "jets.o.Sum()": [4.0, 0.0, 0.0, 2.0],
    "jets.o.Count()": [3, 0, 1, 2],
    "ak.count(jets.o,axis=1)": [2, 0, 0, 1],
    "jets.o.Mean()": [2.0, None, None, 2.0],
    "jets.o.Max()": [3.0, None, None, 2.0],
    "jets.o.First()": [1.0, None, None, None],
    "(jets.o>1).Any()": [True, False, False, True],
    "(jets.o>1).All()": [False, True, True, True],
    "jets.o.ArgMax()": [2, None, None, 1],
    "jets.MaxBy(jets.o).n": [3, None, None, 7],
    "jets[jets.o>1].n": [[3], [], [], [7]],
    "jets[ht.is_missing(jets.o)].n": [[-2], [], [0], [7]],
    "jets.o.exists": [[True, False, True], [], [False], [False, True]],
    "ht.where(jets.o.exists,jets.o,jets.pt)": [[1.0, 20.0, 3.0], [], [31.0], [5.0, 2.0]],
    "ht.fill_missing(jets[0].pt,-1)": [50.0, -1.0, 31.0, 5.0],
    "ht.is_missing(jets[0])": [False, True, False, False],
    "jets[0].exists": [True, False, True, True],
    "jets[0].n//2": [0, None, 0, 3],
    "~jets[0].b": [False, None, True, False],
    "jets[0].b & d.flag": [True, None, False, True],
    "jets[0].b | d.flag": [True, None, True, True],
    "jets[0].tag": ["a", None, "cc", "a"],
    "jets[0].tag=='a'": [True, None, False, True],
    "ht.where(jets[0].b,1,0)": [1, None, 0, 1],
    "ht.where(d.flag,jets[0].pt,0)": [50.0, 0.0, 31.0, 5.0],
    "np.clip(jets[0].pt,10,40)": [40.0, None, 31.0, 10.0],
    "np.isin(jets[0].n,[1])": [True, None, False, False],
    "np.interp(jets.o,[0,2],[0,20])": [[10.0, None, 20.0], [], [None], [None, 20.0]],
    "np.digitize(jets.o,[2])": [[0, None, 1], [], [None], [None, 1]],
    "ak.values_astype(jets.o,'int64')": [[1, None, 3], [], [None], [None, 2]],
    "ht.fill_missing(met[met>1000].Max(),-1)": -1.0,
    "ht.fill_missing(d.n.Max(),1.5)": 3.0,
    "ht.fill_missing(d.flag.Max(),1)": 1,
    "ht.fill_missing(d.flag.Max(),True)": True,
    "ht.fill_missing(d.n.Max(),1.5)/2": 1.5,
    "ht.is_missing(met[met>1000].Max())": True,
    "np.isin(d.n.Max(),[3])": True,
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_missing_values_stay_for_each_row(text: str, expected: Any, check: Callable[[str, Any], None]) -> None:
    check(text, expected)


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "ht.fill_missing(jets.o, jets.pt)": r"^missing values are filled with one constant",
        "ht.fill_missing(jets.o, 'x')": r"^a missing \?float64 cannot be filled with string",
        "ht.fill_missing(jets[0], 0)": r"^a missing record cannot be filled",
        "jets.o == None": r"^cannot compare a recorded value with None(?s:.*)Hint: ht.is_missing",
    }.items(),
)
def test_missing_values_are_filled_with_a_constant_of_their_kind(
    text: str, message: str, record: Callable[[str], Any]
) -> None:
    with pytest.raises(TypeError, match=message):
        record(text)


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("chunksize", [1, None])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["missing first", "missing last"])
def test_filled_column_has_its_type_also_where_nothing_is_missing(
    tmp_path: Path, order: tuple[int, int], chunksize: int | None, engine: str
) -> None:
    columns = [{"x": ak.Array([1, None])}, {"x": ak.Array([3])}]
    paths = [tmp_path / f"{k}.parquet" for k in order]
    for path, k in zip(paths, order):
        ak.to_parquet(ak.zip(columns[k], depth_limit=1), path)
    events = ht.flat([str(path) for path in paths])
    found = ht.make_local(ht.fill_missing(events.x, 0.5), engine=engine, chunksize=chunksize)
    assert str(found.type) == "3 * float64"
    assert found.tolist() == ([1, 0.5, 3] if order == (0, 1) else [3, 1, 0.5])
    known = ht.fill_missing(events[events.x > 2].x, 0.5)
    assert str(ht.make_local(known, engine=engine, chunksize=chunksize).type) == "1 * float64"

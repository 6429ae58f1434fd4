"""Parquet files: nested columns, nulls, row groups."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Ten events with 0, 1, 2, 0, 1, ... jets.
JET_PT = ak.unflatten(np.arange(9, dtype=np.float32), np.arange(10) % 3)
JETS = [[{"pt": float(pt), "tags": ["b"] * i} for i, pt in enumerate(jets)] for jets in JET_PT.to_list()]


@pytest.fixture
def write_parquet(tmp_path: Path) -> Callable[..., str]:
    def write(columns: dict[str, Any], name: str = "events.parquet", **options: Any) -> str:
        path = tmp_path / name
        pq.write_table(pa.table(columns), path, **{"row_group_size": 4, **options})
        return str(path)

    return write


@pytest.fixture
def parquet(write_parquet: Callable[..., str]) -> str:
    """Ten events in row groups of four, as pyarrow writes them: everything is declared nullable."""
    return write_parquet(
        {
            "event": pa.array(range(10), pa.uint64()),
            "jet": pa.array(JETS),
            "big": pa.array(JET_PT.to_list(), pa.large_list(pa.uint8())),
            "pair": pa.array([[i, i + 1] for i in range(10)], pa.list_(pa.int16(), 2)),
            "met": pa.array([{"x": float(i), "note": str(i)} for i in range(10)]),
            "maybe": pa.array([1.5, None] * 5),
        }
    )


def test_columns_are_the_leaves_of_the_schema(parquet: str) -> None:
    columns = files.describe(parquet).columns.values()
    assert [(c.name, c.dtype, c.depth, c.fixed, c.optional) for c in columns] == [
        ("event", "uint64", 0, (), False),
        ("jet.pt", "float64", 1, (), True),
        ("jet.tags", "str", 2, (), True),
        ("big", "uint8", 1, (), True),
        ("pair", "int16", 1, (2,), False),
        ("met.x", "float64", 0, (), False),
        ("met.note", "str", 0, (), False),
        ("maybe", "float64", 0, (), True),
    ]


def test_row_groups_are_clusters(parquet: str) -> None:
    table = files.describe(parquet)
    assert (table.kind, table.tree, table.num_entries, table.clusters) == ("parquet", "", 10, (0, 4, 8, 10))
    assert files.trees(parquet) == [""]


def test_some_columns_are_described_as_among_all(parquet: str) -> None:
    every = files.describe(parquet)
    some = files.describe(parquet, None, ["met.x", "met", "event"])
    assert some == replace(every, columns={name: every.columns[name] for name in ("met.x", "event")})


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (3, 9), (4, 8), (9, 10), (10, 10), (0, 0)])
def test_any_range_of_entries_can_be_read(parquet: str, start: int, stop: int) -> None:
    got = files.read(parquet, None, ["jet.tags", "pair", "met.note", "maybe", "big"], start, stop)
    assert got["jet.tags"].to_list() == [[jet["tags"] for jet in jets] for jets in JETS[start:stop]]
    assert got["pair"].to_list() == [[i, i + 1] for i in range(start, stop)]
    assert got["met.note"].to_list() == [str(i) for i in range(start, stop)]
    assert got["maybe"].to_list() == ([1.5, None] * 5)[start:stop]
    assert got["big"].to_list() == JET_PT[start:stop].to_list()


def test_type_does_not_depend_on_the_range(parquet: str) -> None:
    names = list(files.describe(parquet).columns)
    some = [files.read(parquet, None, names, *entries) for entries in ((0, 0), (0, 1), (1, 10))]
    types = [{name: str(array.type.content) for name, array in arrays.items()} for arrays in some]
    assert types[0] == types[1] == types[2]
    assert (types[0]["met.x"], types[0]["pair"], types[0]["maybe"]) == ("float64", "var * int16", "?float64")


def test_only_the_row_groups_and_columns_asked_for_are_read(parquet: str, monkeypatch: Any) -> None:
    asked: list[tuple[list[int], list[str]]] = []
    original = pq.ParquetFile.read_row_groups

    def spy(self: Any, groups: list[int], columns: list[str], **options: Any) -> Any:
        asked.append((groups, columns))
        return original(self, groups, columns=columns, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", spy)
    files.read(parquet, None, ["jet.pt", "event"], 5, 8)
    assert asked == [([1], ["jet.list.element.pt", "event"])]


def test_bytes_are_those_of_all_row_groups(parquet: str) -> None:
    metadata = pq.read_metadata(parquet)
    expected = sum(metadata.row_group(i).column(1).total_uncompressed_size for i in range(3))
    assert files.describe(parquet).columns["jet.pt"].nbytes == expected


def test_tree_name_makes_no_difference(parquet: str) -> None:
    assert files.describe(parquet, "Events") == files.describe(parquet)


def test_identity_is_that_of_the_content(write_parquet: Callable[..., str]) -> None:
    uuids = [
        files.describe(write_parquet({"x": values}, name)).uuid
        for values, name in (([1, 2], "a.pq"), ([1, 2], "b.pq"), ([1, 3], "c.pq"))
    ]
    assert uuids[0] == uuids[1] != uuids[2]


def test_type_that_awkward_has_not_is_a_problem_of_its_column(write_parquet: Callable[..., str]) -> None:
    path = write_parquet({"map": pa.array([[("k", 1)]] * 2, pa.map_(pa.string(), pa.int32())), "x": [1.5, 2.5]})
    columns = files.describe(path).columns
    assert columns["map"].problem == "awkward has no arrays of its type map<string, int32 ('map')>"
    assert columns["map"].nbytes > 0
    assert files.read(path, None, ["x"], 0, 2)["x"].to_list() == [1.5, 2.5]
    with pytest.raises(ValueError, match=r"events.parquet: column 'map' cannot be read: awkward has no arrays"):
        files.read(path, None, ["map"], 0, 2)


def test_categories_are_their_values(write_parquet: Callable[..., str]) -> None:
    path = write_parquet({"kind": pa.array(["mu", "e", "mu"]).dictionary_encode()})
    assert (files.describe(path).columns["kind"].dtype, files.describe(path).columns["kind"].depth) == ("str", 0)
    assert str(files.read(path, None, ["kind"], 1, 3)["kind"].type) == "2 * string"
    assert files.read(path, None, ["kind"], 1, 3)["kind"].to_list() == ["e", "mu"]


def test_times_and_bytes_have_types_of_their_own(write_parquet: Callable[..., str]) -> None:
    path = write_parquet({"time": pa.array([1, 2], pa.timestamp("us")), "raw": pa.array([b"x", b"y"])})
    assert [column.dtype for column in files.describe(path).columns.values()] == ["datetime64[us]", "bytes"]
    assert files.read(path, None, ["raw"], 0, 2)["raw"].to_list() == [b"x", b"y"]


def test_names_with_dots_are_read(write_parquet: Callable[..., str]) -> None:
    path = write_parquet({"a": [1, 2], "a.b": [[3], [4, 5]], "c": [{"d": 6}, {"d": 7}]})
    assert list(files.describe(path).columns) == ["a", "a.b", "c.d"]
    got = files.read(path, None, ["a.b", "a", "c.d"], 0, 2)
    assert {name: array.to_list() for name, array in got.items()} == {"a.b": [[3], [4, 5]], "a": [1, 2], "c.d": [6, 7]}


@pytest.mark.parametrize("extension", [True, False])
def test_what_awkward_writes_has_no_nulls(tmp_path: Path, extension: bool) -> None:
    path = str(tmp_path / "awkward.parquet")
    ak.to_parquet(ak.zip({"n": np.arange(10), "pt": JET_PT}, depth_limit=1), path, extensionarray=extension)
    assert [column.optional for column in files.describe(path).columns.values()] == [False, False]
    assert str(files.read(path, None, ["pt"], 2, 5)["pt"].type) == "3 * var * float32"
    assert files.read(path, None, ["pt"], 2, 5)["pt"].to_list() == JET_PT[2:5].to_list()


def test_file_without_rows_has_columns(write_parquet: Callable[..., str]) -> None:
    path = write_parquet({"x": pa.array([], pa.float32())})
    assert (files.describe(path).num_entries, files.describe(path).clusters) == (0, (0,))
    assert str(files.read(path, None, ["x"], 0, 0)["x"].type) == "0 * float32"


def test_numbers_in_lists_are_not_made_by_awkward(write_parquet: Callable[..., str], monkeypatch: Any) -> None:
    lists = pa.array(JET_PT.to_list(), pa.list_(pa.field("item", pa.float32(), nullable=False)))
    path = write_parquet({"pt": lists, "eta": lists, "flag": [True, None] * 5, "n": pa.array(range(10), pa.int16())})
    monkeypatch.delattr(ak, "from_arrow")
    got = files.read(path, None, ["pt", "eta", "flag", "n"], 3, 9)
    assert [str(array.type) for array in got.values()] == ["6 * var * float32"] * 2 + ["6 * ?bool", "6 * int16"]
    assert got["pt"].to_list() == JET_PT[3:9].to_list()
    assert got["flag"].to_list() == [None, True] * 3
    assert got["n"].to_list() == list(range(3, 9))
    assert got["pt"].layout.offsets.data is got["eta"].layout.offsets.data

"""Any table that Parquet or an RNTuple can hold, in any row groups, is read as pyarrow, awkward and uproot read it."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

numbers = count()
quiet = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

#: Types of what is in lists, with the values that are drawn.
PLAIN: list[tuple[Any, Any]] = [
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats()),
    (pa.int8(), st.integers(-128, 127)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.bool_(), st.booleans()),
    (pa.string(), st.text(max_size=3)),
    (pa.binary(), st.binary(max_size=3)),
]


@st.composite
def columns(draw: Callable[..., Any], plain: list[tuple[Any, Any]] = PLAIN, depth: int = 0) -> tuple[Any, Any]:
    """A type of Arrow and a strategy for its values, with nulls at any level."""
    kinds = ["number", "list", "large list", "record", "fixed"] if depth < 3 else ["number"]
    kind = draw(st.sampled_from(kinds))
    if kind == "number":
        type_, values = draw(st.sampled_from(plain))
    else:
        inner, within = draw(columns(plain, depth + 1))
        is_nullable = draw(st.booleans())
        field, within = pa.field("item", inner, is_nullable), st.none() | within if is_nullable else within
        if kind == "record":
            type_, values = pa.struct([field]), within.map(lambda value: {"item": value})
        elif kind == "fixed":
            type_, values = pa.list_(field, 2), st.lists(within, min_size=2, max_size=2)
        else:
            type_ = (pa.list_ if kind == "list" else pa.large_list)(field)
            values = st.lists(within, max_size=3)
    return type_, values


@st.composite
def tables(draw: Callable[..., Any]) -> Any:
    size = draw(st.integers(0, 30))
    fields, arrays = [], []
    for i in range(draw(st.integers(1, 4))):
        type_, values = draw(columns())
        is_nullable = draw(st.booleans())
        fields.append(pa.field(f"c{i}", type_, is_nullable))
        one = st.none() | values if is_nullable else values
        arrays.append(pa.array(draw(st.lists(one, min_size=size, max_size=size)), type_))
    return pa.table(arrays, schema=pa.schema(fields))


def expected(value: Any, path: list[str], depth: int) -> Any:
    """A value as read: a list that is null has no rows, and what is in a record that is null is null itself."""
    if isinstance(value, list):
        return [expected(one, path, depth - 1) for one in value]
    if value is None:
        return [] if depth else None
    return expected(value[path[0]], path[1:], depth) if path else value


def agree(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, list) or isinstance(theirs, list):
        same_length = isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs)
        return same_length and all(map(agree, ours, theirs))
    return type(ours) is type(theirs) and (ours == theirs or (ours != ours and theirs != theirs))


@quiet
@given(table=tables(), group=st.integers(1, 12), data=st.data())
def test_any_parquet_file_is_read_as_pyarrow_reads_it(tmp_path: Path, table: Any, group: int, data: Any) -> None:
    path = str(tmp_path / f"{next(numbers)}.parquet")
    pq.write_table(table, path, row_group_size=group, use_dictionary=data.draw(st.booleans()))
    try:
        pq.read_table(path)
    except pa.ArrowInvalid:  # lists of fixed size in what is null
        assume(False)
    found = {name: column for name, column in files.describe(path).columns.items() if not column.problem}
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, len(table))] * 2)))
    got = files.read(path, None, list(found), start, stop)
    assert list(got) == list(found)
    for name, column in found.items():
        unit, *inside = name.split(".")
        values = [expected(value, inside, column.depth) for value in table.column(unit).to_pylist()[start:stop]]
        assert agree(got[name].to_list(), values), name
        whole = files.read(path, None, [name], 0, len(table))[name]
        assert str(got[name].type.content) == str(whole.type.content)
        option = "?" if column.optional else ""
        dtype = {"str": "string"}.get(column.dtype, column.dtype)
        assert str(got[name].type.content) == "var * " * column.depth + option + dtype


#: What uproot writes to RNTuples.
STORED = [np.float32, np.float64, np.int8, np.uint16, np.int32, np.int64, np.uint64, np.bool_]


@st.composite
def fields(draw: Callable[..., Any], depth: int = 0) -> Any:
    """A form and a strategy for its values."""
    kind = draw(st.sampled_from(["number", "list", "record", "text", "maybe"] if depth < 3 else ["number"]))
    if kind == "number":
        return ak.forms.NumpyForm(np.dtype(draw(st.sampled_from(STORED))).name), st.integers(0, 1)
    if kind == "text":
        return ak.to_layout([""]).form, st.text(max_size=3)
    inner, within = draw(fields(depth + 1))
    if kind == "list":
        return ak.forms.ListOffsetForm("i64", inner), st.lists(within, max_size=3)
    if kind == "maybe":
        is_number = isinstance(inner, ak.forms.NumpyForm)
        return (ak.forms.IndexedOptionForm("i64", inner), st.none() | within) if is_number else (inner, within)
    names = ["x", "y"]
    return ak.forms.RecordForm([inner, inner], names), st.fixed_dictionaries(dict.fromkeys(names, within))


def layout(form: Any, values: list[Any]) -> Any:
    """Values as an array of exactly this form."""
    if form.is_record:
        contents = [layout(form.content(name), [value[name] for value in values]) for name in form.fields]
        return ak.contents.RecordArray(contents, form.fields, length=len(values))
    if form.is_option:
        there = np.array([value is not None for value in values], bool)
        index = ak.index.Index64(np.where(there, np.cumsum(there) - 1, -1))
        return ak.contents.IndexedOptionArray(index, layout(form.content, [v for v in values if v is not None]))
    if form.is_list:
        values = [value.encode() if isinstance(value, str) else value for value in values]
        offsets = ak.index.Index64(np.cumsum([0, *map(len, values)]))
        content = layout(form.content, [one for value in values for one in value])
        return ak.contents.ListOffsetArray(offsets, content, parameters=form.parameters)
    return ak.contents.NumpyArray(np.array(values, form.primitive), parameters=form.parameters)


@quiet
@given(made=st.lists(fields(), min_size=1, max_size=4), cluster=st.integers(1, 12), data=st.data())
def test_any_rntuple_is_read_as_uproot_reads_it(tmp_path: Path, made: Any, cluster: int, data: Any) -> None:
    size = data.draw(st.integers(1, 30))
    drawn = [data.draw(st.lists(values, min_size=size, max_size=size)) for _, values in made]
    form = ak.forms.RecordForm([form for form, _ in made], [f"c{i}" for i in range(len(made))])
    rows = [dict(zip(form.fields, row)) for row in zip(*drawn)]
    path = str(tmp_path / f"{next(numbers)}.root")
    with uproot.recreate(path) as file:
        target = file.mkrntuple("Events", form)
        for first in range(0, size, cluster):
            target.extend(ak.Array(layout(form, rows[first : first + cluster])))
    start, stop = sorted(data.draw(st.tuples(*[st.integers(0, size)] * 2)))
    names = [name for name, column in files.describe(path).columns.items() if not column.problem]
    got = files.read(path, None, names, start, stop)
    with uproot.open({path: "Events"}) as ntuple:
        for name in names:
            theirs = ntuple[name].array()[start:stop]
            assert str(got[name].type) == str(theirs.type), name
            assert got[name].to_list() == theirs.to_list(), name


@pytest.mark.parametrize("missing", [[None, [1.0], []], [[2.0], None, [None, 1.0]]])
def test_list_that_is_null_has_no_rows(tmp_path: Path, missing: Any) -> None:
    path = str(tmp_path / "nulls.parquet")
    pq.write_table(pa.table({"x": missing}), path)
    assert str(files.read(path, None, ["x"], 0, 3)["x"].type) == "3 * var * ?float64"
    assert files.read(path, None, ["x"], 0, 3)["x"].to_list() == [value or [] for value in missing]

"""What generated processors carry with them to read the columns of a chunk.

Each function is copied as text where it is used, together with those that it calls, so each stands alone and knows only
`ak`, `np`, `math` and `hist`. Nothing else of this library may be named here.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.codegen.filling import may_miss
from hep_tables_coffea.codegen.structure import has_strings


def read_columns(events: Any, columns: Any) -> dict[str, Any]:
    """The columns of this chunk, in one read. A column that the file lacks has only missing values.

    `columns` maps the name of each column to (dtype, depth, name of the column that counts its rows, or has as many).
    """
    if hasattr(events, "read_columns"):
        found: dict[str, Any] = events.read_columns(list(columns))
    else:
        found = read_chunk(events, list(columns))
    size = len(events)
    for name, (dtype, depth, counter) in columns.items():
        if name not in found:
            counts = found.get(counter)
            counts = ak.num(counts, axis=1) if counts is not None and counts.ndim > 1 else counts
            found[name] = missing_column(size, dtype, depth, counts)
        elif dtype not in ("str", "bytes", ""):
            found[name] = of_type(found[name], dtype, name)
    return found


def of_type(array: Any, dtype: str, name: str) -> Any:
    """The numbers in the type that was declared; files of one dataset may differ, but no whole number is another one."""
    layout = array.layout
    while not (layout.is_numpy or layout.is_unknown):
        layout = layout.content
    if layout.is_unknown or layout.dtype == np.dtype(dtype):
        return array
    made = ak.values_astype(array, dtype, including_unknown=True)
    if np.dtype(dtype).kind in "iu" and not ak.all(made == array, axis=None):
        msg = f"the column {name} is {layout.dtype} in this file, with numbers that {dtype}, its type in others, cannot hold"
        raise ValueError(msg)
    return made


def read_chunk(events: Any, names: list[str]) -> dict[str, Any]:
    """The columns of a chunk of coffea's Runner, from the file handle of the chunk, whatever the schema."""
    handle = events.attrs["@events_factory"].file_handle
    about = events.metadata
    start, stop = about["entrystart"], about["entrystop"]
    if hasattr(handle, "read_row_groups"):
        found = read_parquet(handle, names, start, stop)
    else:
        table = handle[about["treename"]]
        found = (read_tree if hasattr(table, "branches") else read_ntuple)(table, names, start, stop)
    return {name: plain_column(array) for name, array in found.items() if array is not None}


def read_tree(tree: Any, names: list[str], start: int, stop: int) -> dict[str, Any]:
    """The columns of an entry range of a TTree: one request for all baskets."""
    paths = {branch.name: branch.name for branch in tree.branches if not branch.branches}
    for path, branch in tree.iteritems(full_paths=True):
        if not branch.branches:  # of two with the same name the second goes by its path
            paths[path if branch.name in paths else branch.name] = path
    places = stored_places(names, paths)
    wanted = {paths[unit]: tree[paths[unit]].interpretation for unit, _ in places.values()}
    arrays = tree.arrays(
        list(wanted.items()), entry_start=start, entry_stop=stop, array_cache=None, library="ak", how=dict
    )
    return {name: member_of(arrays[paths[unit]], member) for name, (unit, member) in places.items()}


def read_ntuple(ntuple: Any, names: list[str], start: int, stop: int) -> dict[str, Any]:
    """The columns of an entry range of an RNTuple; offsets that several of them share are decoded once."""
    top = {field.field_name: i for i, field in enumerate(ntuple.field_records) if field.parent_field_id == i}
    found: dict[str, Any] = {}
    shared: dict[str, Any] = {}
    for name, (unit, member) in stored_places(names, top).items():
        field = ntuple.all_fields[top[unit]]
        for part in member:
            field = next((below for below in field.fields if below.name == part), None) if field else None
        if field is not None:
            found[name] = member_of(field.array(start, stop, array_cache=shared), ())
    return found


def read_parquet(file: Any, names: list[str], start: int, stop: int) -> dict[str, Any]:
    """The columns of an entry range of a Parquet file, from the row groups that it needs."""
    places = stored_places(names, file.schema_arrow.names)
    paths = [file.schema.column(i).path for i in range(len(file.schema))]
    wanted = [path for path in paths if any(path_holds(path, *place) for place in places.values())]
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    starts = np.cumsum([0, *sizes])
    first = int(np.searchsorted(starts, start, "right")) - 1
    groups = list(range(first, int(np.searchsorted(starts, stop))))
    table = file.read_row_groups(groups, columns=wanted, use_threads=False)
    rows = ak.from_arrow(table)[
        start - starts[first] : stop - starts[first]
    ]  # what Arrow slices has its nulls misplaced
    return {name: member_of(rows, (unit, *member)) for name, (unit, member) in places.items()}


def path_holds(path: str, unit: str, member: tuple[str, ...]) -> bool:
    """Whether a stored column such as `Jet.list.element.pt` is, or is in, the member of the unit."""
    inside = f"{path.removeprefix(unit)}."
    return (path == unit or path.startswith(f"{unit}.")) and all(f".{part}." in inside for part in member)


def stored_places(names: list[str], stored: Any) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Where columns are: the longest stored name that begins theirs, and the record members that follow."""
    places: dict[str, tuple[str, tuple[str, ...]]] = {}
    for name in names:
        unit, member = name, tuple[str, ...]()
        while unit and unit not in stored:
            unit, _, last = unit.rpartition(".")
            member = (last, *member)
        if unit:
            places[name] = (unit, member)
    return places


def member_of(array: Any, member: tuple[str, ...]) -> Any:
    """What the records in an array hold under a path, None if they do not."""
    for part in member:
        if part not in ak.fields(array):
            return None
        array = array[part]
    return array


def plain_column(array: Any) -> Any:
    """Lists of any length, none missing, and option types only where a value is missing."""
    array = ak.Array(without_idle_options(ak.to_layout(array))) if may_miss(array) else array
    return ak.from_regular(array, axis=None)


def without_idle_options(layout: Any) -> Any:
    """A layout without the option types that no missing value needs."""
    if layout.is_option:
        values = layout.project()
        if len(values) == len(layout):
            return without_idle_options(values)
        if values.is_list and values.parameter("__array__") not in ("string", "bytestring"):
            return without_idle_options(ak.to_layout(ak.fill_none(ak.Array(layout), [], axis=0)))
        return layout.copy(content=without_idle_options(layout.content))
    if layout.is_list and layout.parameter("__array__") != "string":
        return layout.copy(content=without_idle_options(layout.content))
    return layout


def read_fields(events: Any, columns: Any) -> dict[str, Any]:
    """The fields of this chunk as the schema of the events lays them out: `Jet/pt` is `events["Jet"]["pt"]`."""
    names = list(columns)
    found = events.read_columns(names) if hasattr(events, "read_columns") else read_events(events, names)
    for name, (dtype, depth, _) in columns.items():
        if name not in found:  # a row is missing wherever another field of its record has one
            beside = [array for other, array in found.items() if other.rpartition("/")[0] == name.rpartition("/")[0]]
            counts = next((ak.num(array, axis=1) for array in beside if array.ndim > 1), None)
            found[name] = missing_column(len(events), dtype, depth, counts)
        elif dtype not in ("str", "bytes", ""):
            found[name] = of_type(found[name], dtype, name)
    return found


def read_events(events: Any, names: list[str]) -> dict[str, Any]:
    """Fields of NanoEvents, without behaviors: some of coffea's records cannot be made with all of their fields."""
    plain = ak.Array(events.layout)
    found = {name: field_at(plain, name) for name in names}
    return {
        name: plain_column(ak.without_parameters(ak.materialize(array)) if not has_strings(array) else array)
        for name, array in found.items()
        if array is not None
    }


def field_at(array: Any, path: str) -> Any:
    """The field of a path, None where there is none. Names may have slashes themselves."""
    while path:
        name = max((f for f in ak.fields(array) if path == f or path.startswith(f"{f}/")), key=len, default=None)
        if name is None:
            return None
        array, path = array[name], path[len(name) + 1 :]
    return array


def missing_column(size: int, dtype: str, depth: int, counts: Any) -> Any:
    """A column of missing values: one for each row that the counter tells, no rows where there is none."""
    rows = size
    if depth:
        counts = np.zeros(size, np.int64) if counts is None else np.asarray(counts)
        rows = int(counts.sum())
    content = ak.contents.NumpyArray(np.empty(0, dtype)) if dtype != "str" else ak.Array([""]).layout[:0]
    lost = 0 if depth > 1 else rows
    column = ak.Array(ak.contents.IndexedOptionArray(ak.index.Index64(np.full(lost, -1)), content))
    for _ in range(depth - 1):  # lists in rows are empty, and not missing
        column = ak.unflatten(column, np.zeros(rows if _ == 0 else len(column), np.int64))
    return ak.unflatten(column, counts) if depth else column


def missing_like(rows: Any, dtype: str) -> Any:
    """A missing value for each row."""
    plain = ak.is_none(rows, axis=-1)  # the rows may be strings
    return ak.mask(ak.full_like(plain, 0, dtype=dtype), ak.full_like(plain, False, dtype=bool))


def per_event(value: Any, size: int, like: Any) -> Any:
    """A value of the metadata, repeated for every event; missing where it is None."""
    one = ak.Array([like if value is None else value])[np.zeros(size, np.int64)]
    return ak.mask(one, np.zeros(size, bool)) if value is None else one


def truth(value: Any, name: str) -> Any:
    """A value of the metadata that is true, false or None; anything else would be taken for true."""
    if value is None:
        return None
    if np.ndim(value) or value not in (True, False):
        msg = f"the metadata {name!r} must be True or False, and not {value!r}"
        raise ValueError(msg)
    return bool(value)


def text_for_each(rows: Any, text: str) -> Any:
    """A string for each row."""
    counts = [ak.num(rows, axis=axis) for axis in range(1, rows.ndim)]
    size = len(rows) if not counts else int(ak.sum(counts[-1], axis=None))
    made = ak.Array([text])[np.zeros(size, np.int64)]
    for count in reversed(counts):
        made = ak.unflatten(made, ak.flatten(count, axis=None))
    return made


def row_numbers(counts: Any) -> Any:
    """The positions of the rows of lists of these lengths."""
    counts = np.asarray(counts, dtype=np.int64)
    return ak.local_index(ak.unflatten(np.empty(int(counts.sum()), np.int8), counts), axis=1)

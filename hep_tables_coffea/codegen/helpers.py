"""Functions that generated processors carry with them: structure, merging, filling, reading.

Each is copied as text where it is used, together with those that it calls, so each stands alone and knows only `ak`,
`np`, `math` and `hist`. Nothing else of this library may be named here.
"""

from __future__ import annotations

import math
from typing import Any

import awkward as ak
import hist
import numpy as np

from hep_tables_coffea.graph.helpers import broadcast

# -- reading ---------------------------------------------------------------------------------------------------------


def read_columns(events: Any, columns: Any) -> dict[str, Any]:
    """The columns of this chunk, in one read. A column that the file lacks has only missing values.

    `columns` maps the name of each column to (dtype, depth, name of the column that counts its rows).
    """
    if hasattr(events, "read_columns"):
        found: dict[str, Any] = events.read_columns(list(columns))
    else:
        found = read_chunk(events, list(columns))
    size = len(events)
    for name, (dtype, depth, counter) in columns.items():
        if name not in found:
            found[name] = missing_column(size, dtype, depth, found.get(counter))
        elif dtype not in ("str", "bytes", ""):
            found[name] = of_type(found[name], dtype)
    return found


def of_type(array: Any, dtype: str) -> Any:
    """The numbers in the type that was declared; files of one dataset may differ."""
    layout = array.layout
    while not (layout.is_numpy or layout.is_unknown):
        layout = layout.content
    same = layout.is_unknown or layout.dtype == np.dtype(dtype)
    return array if same else ak.values_astype(array, dtype, including_unknown=True)


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
    return ak.mask(ak.full_like(rows, 0, dtype=dtype), ak.full_like(rows, False, dtype=bool))


def per_event(value: Any, size: int, like: Any) -> Any:
    """A value of the metadata, repeated for every event; missing where it is None."""
    one = ak.Array([like if value is None else value])[np.zeros(size, np.int64)]
    return ak.mask(one, np.zeros(size, bool)) if value is None else one


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


# -- structure -------------------------------------------------------------------------------------------------------


def row_at(array: Any, position: int, axis: int) -> Any:
    """The row at a position of each list, missing where there is none."""
    stop = None if position == -1 else position + 1
    one = array[(slice(None),) * axis + (slice(position, stop),)]
    return without_missing_lists(ak.firsts(one, axis=axis), axis)


def without_missing_lists(array: Any, axis: int) -> Any:
    """Empty lists where there are none."""
    return ak.fill_none(array, [], axis=axis - 1) if array.ndim > axis else array


def row_by(array: Any, index: Any) -> Any:
    """The row at the index of each list, missing where the index is missing or outside."""
    if index.ndim > 1:
        return ak.unflatten(row_by(ak.flatten(array, axis=1), ak.flatten(index, axis=1)), ak.num(index, axis=1))
    counts, place = np.asarray(ak.num(array, axis=1)), np.asarray(known_or(index, -1))
    place = np.where((place >= 0) & (place < counts), np.cumsum(counts) - counts + place, -1)
    rows = ak.flatten(array, axis=1)
    found = ak.contents.IndexedOptionArray.simplified(ak.index.Index64(place), rows.layout)
    return without_missing_lists(ak.Array(found, behavior=rows.behavior), 1)


def known_or(array: Any, value: Any) -> Any:
    """Flat values, with another where one is missing."""
    return ak.fill_none(array, value) if array.layout.is_option else array


def rows_by(array: Any, index: Any) -> Any:
    """The rows of each event's list at lists of indices, missing where an index is missing or outside; no list is missing."""
    if index.ndim > 2:
        rows = ak.flatten(rows_by(array, ak.flatten(index, axis=2)), axis=1)
        return ak.unflatten(ak.unflatten(rows, ak.flatten(ak.num(index, axis=2))), ak.num(index, axis=1))
    inside = (index >= 0) & (index < ak.num(array, axis=1))
    return without_missing_lists(array[ak.mask(index, ak.fill_none(inside, False))], 2)


def rows_where(array: Any, mask: Any) -> Any:
    """The rows of each list for which the mask is true; what is missing is not true."""
    if mask.ndim > 2:
        inner = rows_where(ak.flatten(array, axis=1), ak.flatten(mask, axis=1))
        return ak.unflatten(inner, ak.num(mask, axis=1))
    wanted = known_or(ak.flatten(mask, axis=1), False)
    return ak.unflatten(ak.flatten(array, axis=1)[wanted], ak.sum(mask, axis=1))


def joined_rows(*arrays: Any) -> Any:
    """For each event the places of its rows, where the rows of one array stand after those of the one before."""
    numbers = [np.asarray(ak.num(array, axis=1)) for array in arrays]
    events = [np.repeat(np.arange(len(number)), number) for number in numbers]
    return ak.unflatten(np.argsort(np.concatenate(events), kind="stable"), sum(numbers))


def joined(rows: Any, *arrays: Any) -> Any:
    """The lists of several arrays as one list for each event."""
    flat = ak.concatenate([ak.flatten(array, axis=1) for array in arrays])
    return ak.unflatten(flat[ak.flatten(rows, axis=1)], ak.num(rows, axis=1))


def side_by_side(*values: Any) -> Any:
    """Values as a list."""
    lists = [value[..., np.newaxis] for value in values]
    joined = ak.concatenate(lists, axis=-1) if len(lists) > 1 else lists[0]
    return ak.from_regular(joined, axis=-1)


# -- answers of a chunk ----------------------------------------------------------------------------------------------


def plain(array: Any) -> Any:
    """An array that can be kept and sent: packed, without behaviors."""
    array = ak.Array(array, behavior={})
    return ak.Array(ak.to_packed(ak.without_parameters(array)).layout) if not has_strings(array) else packed(array)


def has_strings(array: Any) -> bool:
    """Whether there are strings, whose parameters must stay."""
    return "string" in str(array.type)


def packed(array: Any) -> Any:
    """An array with strings, packed; records lose their names."""
    layout = ak.to_packed(ak.Array(array, behavior={})).layout
    return ak.Array(ak.with_name(ak.Array(layout), None)) if layout.is_record else ak.Array(layout)


def numbers(array: Any) -> Any:
    """Every value that is not missing, flat."""
    return ak.to_numpy(ak.drop_none(ak.flatten(array, axis=None), axis=0))


def count_rows(array: Any) -> int:
    """The number of rows, missing ones too."""
    return len(array) if array.ndim == 1 else int(ak.sum(ak.num(array, axis=-1), axis=None))


def count_values(array: Any) -> int:
    """The number of values that are not missing."""
    return len(numbers(array))


def count_nonzero(array: Any) -> int:
    """The number of values that are not zero."""
    return int(np.count_nonzero(numbers(array)))


def total(array: Any) -> Any:
    """The sum, in double precision."""
    values = numbers(array)
    wide = {"f": np.float64, "c": np.complex128, "u": np.uint64}.get(values.dtype.kind, np.int64)
    return values.sum(dtype=wide).item()


def least(array: Any) -> Any:
    """The least value, or None."""
    values = numbers(array)
    return values.min().item() if len(values) else None


def greatest(array: Any) -> Any:
    """The greatest value, or None."""
    values = numbers(array)
    return values.max().item() if len(values) else None


def any_true(array: Any) -> bool:
    """Whether one is true."""
    return bool(numbers(array).any())


def all_true(array: Any) -> bool:
    """Whether every one is true."""
    return bool(numbers(array).all())


def moments(array: Any) -> tuple[int, float, float]:
    """Number, mean, and sum of squared deviations."""
    values = numbers(array).astype(np.float64)
    if not len(values):
        return 0, 0.0, 0.0
    mean = float(values.mean())
    return len(values), mean, float(((values - mean) ** 2).sum())


def first_row(array: Any) -> Any:
    """The first value in a list, or an empty one."""
    return ak.to_list(array[:1])


def last_row(array: Any) -> Any:
    """The last value in a list, or an empty one."""
    return ak.to_list(array[-1:])


# -- merging ---------------------------------------------------------------------------------------------------------


def in_order(parts: Any, order: Any) -> list[Any]:
    """The answers of the chunks in the order of the dataset: by sample and file as `order` has them, then by entry.

    They are lists of one: of a file that is processed twice both answers count.
    """

    def place(key: Any) -> Any:
        sample, file, start = key
        return order.get((sample, file), len(order)), sample, file, start

    return [part for key in sorted(parts, key=place) for part in parts[key]]


def concatenated(parts: list[Any]) -> Any:
    """The columns of all chunks as one."""
    filled = [part for part in parts if len(part)] or parts[:1]
    return ak.concatenate(filled) if len(filled) > 1 else filled[0]


def merged_sum(parts: list[Any]) -> Any:
    """The sum of the sums."""
    if any(isinstance(part, complex) for part in parts):
        return sum(parts)
    exact = any(isinstance(part, float) for part in parts) and all(map(math.isfinite, parts))
    return math.fsum(parts) if exact else sum(parts)


def merged_least(parts: list[Any]) -> Any:
    """The least of those that exist; NaN wins, as in numpy."""
    found = [part for part in parts if part is not None]
    return next((part for part in found if isinstance(part, float) and math.isnan(part)), min(found)) if found else None


def merged_greatest(parts: list[Any]) -> Any:
    """The greatest of those that exist; NaN wins, as in numpy."""
    found = [part for part in parts if part is not None]
    return next((part for part in found if isinstance(part, float) and math.isnan(part)), max(found)) if found else None


def merged_any(parts: list[Any]) -> bool:
    """Whether it is true of one chunk."""
    return any(parts)


def merged_all(parts: list[Any]) -> bool:
    """Whether it is true of every chunk."""
    return all(parts)


def merged_first(parts: list[Any]) -> Any:
    """The first of all chunks."""
    return next((part[0] for part in parts if part), None)


def merged_last(parts: list[Any]) -> Any:
    """The last of all chunks."""
    return next((part[0] for part in reversed(parts) if part), None)


def merged_moments(parts: list[Any]) -> tuple[int, float, float]:
    """Moments of all chunks together."""
    number, mean, squares = 0, 0.0, 0.0
    for n, m, s in parts:
        if n:
            delta = m - mean
            number += n
            squares += s + delta**2 * n * (number - n) / number
            mean += delta * n / number
    return number, mean, squares


def merged_mean(parts: list[Any]) -> Any:
    """The mean of all chunks."""
    number, mean, _ = merged_moments(parts)
    if not math.isfinite(mean):  # infinities add, but have no difference
        mean = sum(n * m for n, m, _ in parts if n) / number
    return mean if number else None


def merged_var(parts: list[Any], ddof: int = 0) -> Any:
    """The variance of all chunks."""
    number, _, squares = merged_moments(parts)
    return squares / (number - ddof) if number > ddof else None


def merged_std(parts: list[Any], ddof: int = 0) -> Any:
    """The standard deviation of all chunks."""
    variance = merged_var(parts, ddof)
    return None if variance is None else math.sqrt(variance)


# -- histograms ------------------------------------------------------------------------------------------------------


def fill(histogram: Any, *values: Any, weight: Any = None, sample: Any = None) -> None:
    """Fill jagged values one by one; weights broadcast; a row where something is missing is left out."""
    given = [*values, *(extra for extra in (weight, sample) if extra is not None)]
    together = flat_together(given)
    filled = together[: len(values)]
    if any(isinstance(one, ak.Array) and leaves_out(axis.traits) for one, axis in zip(values, histogram.axes)):
        # boost-histogram loses the fill if the first value has no bin and a constant stands beside it
        rows = next(len(array) for array, one in zip(together, given) if isinstance(one, ak.Array))
        filled = [v if isinstance(one, ak.Array) else [v] * rows for v, one in zip(filled, values)]
    extras = iter(together[len(values) :])
    options = {}
    if weight is not None:
        options["weight"] = next(extras)
    if sample is not None:
        options["sample"] = next(extras)
    histogram.fill(*filled, **options)


def leaves_out(traits: Any) -> bool:
    """Whether there are values that have no bin on an axis."""
    return not traits.growth and not (traits.overflow and (traits.underflow or not traits.ordered))


def flat_together(values: list[Any]) -> list[Any]:
    """Values broadcast against each other and flat, without the rows in which one is missing; constants stay."""
    arrays = [value for value in values if isinstance(value, ak.Array)]
    deepest = max(arrays, key=lambda array: array.ndim)
    arrays = [flatten_rows(broadcast(array, deepest)) for array in arrays]
    maybe = [array for array in arrays if may_miss(array)]
    if maybe:
        present = ~ak.is_none(maybe[0])
        for array in maybe[1:]:
            present = present & ~ak.is_none(array)
        arrays = [array[present] for array in arrays]
    flat = iter(as_numpy(array) for array in arrays)
    return [next(flat) if isinstance(value, ak.Array) else value for value in values]


def may_miss(array: Any) -> bool:
    """Whether values or lists may be missing."""
    kind = str(array.type)
    return "?" in kind or "option[" in kind


def flatten_rows(array: Any) -> Any:
    """All lists as one; missing values stay."""
    for _ in range(array.ndim - 1):
        array = ak.flatten(array, axis=1)
    return array


def as_numpy(array: Any) -> Any:
    """A flat array as numpy has it; strings as a list."""
    if array.layout.is_numpy:
        return ak.to_numpy(array)
    if "string" in str(array.type):
        return ak.to_list(array)
    return ak.to_numpy(ak.drop_none(array, axis=0))


def ordered_categories(histogram: Any, known: Any) -> Any:
    """Categories of growing axes in a fixed order: the known ones as they were given, then the others sorted."""
    for position, names in known.items():
        axis = histogram.axes[position]
        wanted = [name for name in names if name in axis]
        wanted += sorted(name for name in axis if name not in wanted)
        if wanted == list(axis):
            continue
        axes = list(histogram.axes)
        axes[position] = type(axis)(wanted, growth=True, name=axis.name, label=axis.label)
        again = hist.Hist(*axes, storage=histogram.storage_type(), name=histogram.name, label=histogram.label)
        index = np.array([axis.index(name) for name in wanted], dtype=int)
        filled = np.moveaxis(histogram.view(flow=True), position, 0)
        np.moveaxis(again.view(flow=True), position, 0)[: len(wanted)] = filled[index]
        histogram = again
    return histogram


def of_known(function: Any, *values: Any, **options: Any) -> Any:
    """A function of dataset-wide values as a plain number; missing where one of them is."""
    if any(value is None for value in values):
        return None
    with np.errstate(all="ignore"):
        result = function(*values, **options)
    return result.item() if hasattr(result, "item") else result

"""What every awkward function means for recorded values: which are recorded, which are refused and why."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hep_tables_coffea.record.awkward_structure import STRUCTURE
from hep_tables_coffea.record.awkward_values import VALUES

__all__ = ["REFUSED", "TABLE"]

#: name -> the function that records it; its parameters are the arguments that it honours.
TABLE: dict[str, Callable[..., Any]] = {**VALUES, **STRUCTURE}

_NOW = ("it needs the values now", "call it on the answer of ht.make_local(...)")
_MERGE = ("the answers of two chunks do not merge", "take the columns with ht.make_local, or fill a histogram")
_LAYOUT = ("it changes the layout and not the values", "leave it out: layouts are chosen for you")
_KIND = ("it asks for the layout, which is chosen when the data are read", "x.type and x.fields tell the type")
_NAMED = ("axes have names already", 'x.type shows them; reducers take them: x.Sum(axis="Jet")')
_ROWS = ("the rows of the result have no identity", "ht.combinations, ht.cross, ht.concat and filters keep it")
_LISTS = ("it gives a list for each string", "ak.str.find_substring, ak.str.slice and ak.str.match_substring can")
_FROM = ("it makes an array in memory", "recorded values come from ht.dataset(...)")

#: name -> (why, what to use)
REFUSED: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        "to_list to_numpy to_arrow to_arrow_table to_json to_buffers to_cudf to_cupy to_dataframe to_jax to_layout "
        "to_raggedtensor to_rdataframe to_tensorflow to_torch almost_equal array_equal validity_error is_valid "
        "run_lengths strings_astype".split(),
        _NOW,
    ),
    **dict.fromkeys(
        "to_parquet to_parquet_dataset to_parquet_row_groups to_feather to_safetensors".split(),
        ("it would write a file now", "write the answer of ht.make_local(...)"),
    ),
    **dict.fromkeys("corr covar linear_fit moment".split(), _MERGE),
    **dict.fromkeys(
        "to_regular to_backend enforce_type without_parameters with_parameter merge_union_of_records "
        "to_categorical from_categorical str.to_categorical".split(),
        _LAYOUT,
    ),
    **dict.fromkeys("type backend parameters categories is_categorical is_tuple".split(), _KIND),
    **dict.fromkeys("with_named_axis without_named_axis".split(), _NAMED),
    **dict.fromkeys("unflatten transform zip_no_broadcast".split(), _ROWS),
    "broadcast_fields": ("fields of records broadcast by themselves", "ak.broadcast_arrays, or use the columns"),
    **{f"str.{name}": _LISTS for name in "split_pattern split_pattern_regex split_whitespace extract_regex".split()},
    **{f"str.{name}": ("it joins strings", "join them after ht.make_local") for name in ("join", "join_element_wise")},
}


def refusal(name: str) -> tuple[str, str]:
    """Why an awkward function is refused, and what to use."""
    if name.startswith("from_") or name == "metadata_from_parquet":
        return REFUSED.get(name, _FROM)
    return REFUSED.get(
        name, ("it has no meaning for rows with identity", "call it on the answer of ht.make_local(...)")
    )

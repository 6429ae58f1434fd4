"""Writing what a transformation made, in the formats of ServiceX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["TREE", "write"]

#: What the tree is called where the query does not say, and the column of an array without fields.
TREE, COLUMN = "servicex", "branch"


def write(path: str, file_format: str, tables: Mapping[str, Any], objects: Mapping[str, Any] | None = None) -> int:
    """Write tables by the names of their trees, and other ROOT objects; return the number of events of all.

    Raises `TypeError` or `ValueError` with a sentence where the format cannot hold them.
    """
    import awkward as ak

    for name, table in tables.items():
        if not isinstance(table, ak.Array):
            msg = f"the query gives one {type(table).__name__} for the whole file ({name}), not an array over events"
            raise TypeError(msg)
    if file_format == "parquet":
        _write_parquet(path, tables, objects or {})
    else:
        _write_root(path, file_format, tables, objects or {})
    return sum(len(table) for table in tables.values())


def _write_parquet(path: str, tables: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
    import awkward as ak
    import pyarrow.parquet as pq

    if len(tables) != 1 or objects:
        names = ", ".join([*tables, *objects]) or "nothing"
        msg = f"a Parquet file holds one table, and the query gives {names}: ask for root-file"
        raise ValueError(msg)
    (table,) = tables.values()
    pq.write_table(ak.to_arrow_table(table), path)


def _write_root(path: str, file_format: str, tables: Mapping[str, Any], objects: Mapping[str, Any]) -> None:
    import uproot

    with uproot.recreate(path) as file:
        for name, table in tables.items():
            if file_format == "root-file":
                # uproot's `file[name] = ...` would make an RNTuple
                file.mktree(name, _columns(table))
            else:
                file.mkrntuple(name, table if table.fields else _columns(table))
        for name, thing in objects.items():
            file[name] = thing


def _columns(table: Any) -> dict[str, Any]:
    return {field: table[field] for field in table.fields} if table.fields else {COLUMN: table}

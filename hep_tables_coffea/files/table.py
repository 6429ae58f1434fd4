"""What a file's metadata say about one of its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Column", "Kind", "Table"]

Kind = Literal["ttree", "rntuple", "parquet"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column that can be read by itself.

    >>> Column("Jet_pt", "float32", depth=1, counter="nJet").fixed
    ()
    """

    #: As it is stored, and unique in the table: "Jet_pt", "AnalysisElectronsAuxDyn.pt". A member of a record has the
    #: path to it: "Jet.pt".
    name: str
    #: "float32", "int32", "bool", "str", "bytes", "datetime64[us]", ...; "" where there is a problem.
    dtype: str
    #: List levels inside an event: 0 is one value in each event, 1 one list.
    depth: int = 0
    #: Sizes of the list levels that always have the same size, outermost first. They are counted in `depth` too.
    fixed: tuple[int, ...] = ()
    #: May hold nulls; then its arrays have option types.
    optional: bool = False
    #: The doc line that was written with it.
    title: str = ""
    #: What counts its outermost list. In a split collection the collection's own branch, which is no column.
    counter: str = ""
    #: Uncompressed bytes that reading all of it decodes, 0 if unknown. Members stored together each have the whole.
    nbytes: int = 0
    #: Why it cannot be read, "" if it can.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """One TTree, RNTuple or Parquet file, described without reading its data."""

    path: str
    #: Its name in the file, with folders and without cycle; "" in a Parquet file.
    tree: str
    kind: Kind
    #: What the file says it is: a ROOT file's UUID, a digest of a Parquet file's footer.
    uuid: str
    num_entries: int
    #: Where clusters begin, with 0 and `num_entries`: reading from one of these to another decodes nothing twice.
    clusters: tuple[int, ...]
    columns: Mapping[str, Column]

"""Describing and reading tables, whatever the kind of their file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hep_tables_coffea.files.handles import acquire, slot_of
from hep_tables_coffea.files.kept import shelf_of
from hep_tables_coffea.files.memory import keep_freed
from hep_tables_coffea.files.paths import fingerprint
from hep_tables_coffea.files.ttree import TreeSource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hep_tables_coffea.files.kept import Keep
    from hep_tables_coffea.files.table import Table

__all__ = ["describe", "read", "read_through", "trees"]


def describe(path: str, tree: str | None = None, names: Iterable[str] | None = None) -> Table:
    """The columns of a table, from the file's metadata only: no event is read.

    With `names` only those of them that it has, and the clusters that these have in common: of 1500 branches no others
    are parsed.

    Without `tree` it is the only TTree or RNTuple of the file, or the one with a usual name ("Events", ...). A Parquet
    file is one table, whatever the name.

    Raises `TreeNotFoundError` (a `KeyError`) if there is no such tree or no telling which, `OSError` if the file is
    missing, broken or of another kind.

    >>> import hep_tables_coffea as ht
    >>> table = describe(ht.samples.nanoaod("zll.root", events=40), "Events")
    >>> table.num_entries, table.columns["Jet_pt"].dtype, table.columns["Jet_pt"].depth
    (40, 'float32', 1)
    >>> list(describe(table.path, "Events", ["Jet_pt", "Jet_nope"]).columns)
    ['Jet_pt']
    """
    return acquire(path).source(tree).table(names)


def read(
    path: str, tree: str | None, names: Iterable[str], start: int, stop: int, keep: Keep | None = None
) -> dict[str, Any]:
    """Some columns for the entries from `start` up to `stop`, as awkward arrays of that length.

    A name that the table does not have is not in the result. The arrays are plain: numbers and strings in lists of any
    length, with option types only where the column is `optional`, without behavior or parameters. With `keep` they are
    kept on disk, and taken from there: the same arrays.

    Raises `ValueError` for a column with a `problem` or entries the table has not, else as `describe`.

    >>> read("nano_dy.root", "Events", ["Jet_pt"], 10, 20)["Jet_pt"]  # doctest: +SKIP
    <Array [[128, 84.6, 80, ..., 19.2, 17.1, 15.2], ...] type='10 * var * float32'>
    """
    keep_freed()
    if keep is None:
        return acquire(path).source(tree).read(names, start, stop)
    return _read_kept(keep, path, tree, names, start, stop)


def read_through(
    handle: Any, path: str, tree: str | None, names: Iterable[str], start: int, stop: int
) -> dict[str, Any]:
    """The same as `read`, of a file that somebody has opened with uproot: what is known of it need not be parsed again.

    Bytes come from `handle`, which counts them, where they are those of baskets that are read here.
    """
    keep_freed()
    source = acquire(path).source(tree)
    return (source.through(handle) if isinstance(source, TreeSource) else source).read(names, start, stop)


def _read_kept(keep: Keep, path: str, tree: str | None, names: Iterable[str], start: int, stop: int) -> dict[str, Any]:
    slot = slot_of(path, settled=True)
    source = slot.file(path).source(tree)
    wanted = source.wanted(names, start, stop)
    if start == stop or not slot.is_settled:
        return source.load(wanted, start, stop)
    shelf = shelf_of(keep, source, slot.mark)
    found = shelf.take(wanted, start, stop)
    missing = {name: at for name, at in wanted.items() if name not in found}
    if missing:
        due = shelf.is_due(missing, start, stop)
        found |= (read := source.load(missing, start, stop))
        if due and fingerprint(path) == slot.mark:
            shelf.put(missing, {name: read[name] for name in missing if name in due}, start, stop)
    return {name: found[name] for name in wanted}


def trees(path: str) -> list[str]:
    """The TTrees and RNTuples of a file, with their folders and without cycles. A Parquet file has one without a name.

    >>> trees("nano_dy.root")  # doctest: +SKIP
    ['Events', 'Runs']
    """
    return acquire(path).trees()

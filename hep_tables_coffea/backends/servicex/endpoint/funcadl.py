"""func_adl queries for uproot: checked and translated at submission, run on columns that are read at once.

func_adl_uproot translates a query into an expression on dask arrays of the whole tree; to make these takes seconds for
1500 branches. Here the same expression runs on awkward arrays of the columns that it names, and `dak` stands for the
functions of awkward with these names, whose lazy forms dask-awkward has.
"""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError, check_query
from hep_tables_coffea.backends.servicex.endpoint.names import Used, used_columns
from hep_tables_coffea.backends.servicex.endpoint.qastle_text import read_query
from hep_tables_coffea.backends.servicex.endpoint.sharing import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Translated", "run", "translate", "with_sizes"]

#: The functions of dask-awkward in what func_adl_uproot generates; awkward has them all under the same names.
LAZY = (
    "all any argsort cartesian combinations concatenate flatten full_like max min num singletons sum unzip where "
    "with_name zip Array"
).split()


@dataclass(frozen=True, slots=True)
class Translated:
    """A query that is ready to run."""

    #: The text of a lambda of one argument, the events.
    source: str
    #: As func_adl_uproot has it: a whole function, for what has to be read its way.
    plain: str
    #: The tree that it names, "" if it names none.
    tree: str
    used: Used


def translate(text: str) -> Translated:
    """Check a query and generate its code. Raises `QueryRefusedError` with a sentence for whatever is wrong."""
    import qastle

    try:
        query = qastle.insert_linq_nodes(read_query(text))
        check_query(query)
        tree, used = _tree_of(query), used_columns(query)
        source = share(f"lambda events: {_source(query)}")
    except QueryRefusedError:
        raise
    except RecursionError:
        raise QueryRefusedError("the query is nested too deeply") from None  # noqa: EM101
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise QueryRefusedError(reason) from error
    return Translated(source, text, tree, used)


def _tree_of(query: ast.AST) -> str:
    calls = [node for node in ast.walk(query) if isinstance(node, ast.Call)]
    datasets = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "EventDataset"]
    if not datasets:
        raise QueryRefusedError("the query has no EventDataset")  # noqa: EM101
    trees = {ast.literal_eval(node.args[1]) for node in datasets if len(node.args) > 1}
    if len(trees) > 1:
        msg = f"the query names several trees: {', '.join(sorted(map(str, trees)))}"
        raise QueryRefusedError(msg)
    return next(iter(trees), None) or ""


def _source(query: ast.AST) -> str:
    return str(_generator()().get_rep(query))


@functools.cache
def _generator() -> Any:
    """func_adl_uproot's own generator, with two of its texts replaced."""
    from func_adl_uproot.transformer import PythonSourceGeneratorTransformer

    class Eager(PythonSourceGeneratorTransformer):  # type: ignore[misc]
        def visit_Call(self, node: ast.Call) -> ast.AST:
            """The dataset is the argument of the lambda."""
            if isinstance(node.func, ast.Name) and node.func.id == "EventDataset":
                node.rep, node._depth = "events", 0  # type: ignore[attr-defined]
                return node
            return super().visit_Call(node)  # type: ignore[no-any-return]

        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            """`item` decides between a field and an element: the text has array and index once, not four times."""
            if getattr(node, "short_circuit", False):
                return super().visit_Subscript(node)  # type: ignore[no-any-return]
            if isinstance(node.slice, ast.Tuple):
                raise QueryRefusedError("Multidimensional slices are not supported")  # noqa: EM101
            index = self._slice(node.slice) if isinstance(node.slice, ast.Slice) else self.get_rep(node.slice)
            node.rep = f"item({self.get_rep(node.value)}, {index})"  # type: ignore[attr-defined]
            node._depth = node.value._depth  # type: ignore[attr-defined]
            return node

        def visit_OrderBy(self, node: Any, ascending: bool = True) -> ast.AST:
            """dask-awkward does not order events, so neither does a ServiceX."""
            made: ast.AST = super().visit_OrderBy(node, ascending)
            if node._depth == 0:
                raise QueryRefusedError("OrderBy goes over what is in an event, not over events")  # noqa: EM101
            return made

        def _slice(self, node: ast.Slice) -> str:
            ends = (node.lower, node.upper, node.step)
            return f"slice({', '.join(self.get_rep(end) or 'None' for end in ends)})"

    return Eager


def item(value: Any, index: Any) -> Any:
    """`value[index]` of func_adl: a number is the position of a column."""
    import awkward as ak

    if isinstance(value, ak.Array) and isinstance(index, (int, slice)):
        return value[value.fields[index]]
    return value[index]


def with_sizes(array: Any, depth: int, fixed: Sequence[int]) -> Any:
    """An array of which the innermost levels have fixed sizes, with these in its type, as uproot reads a `float x[3]`."""
    import awkward as ak

    return ak.Array(_sized(ak.to_layout(array), depth - len(fixed), tuple(fixed)))


def _sized(layout: Any, above: int, fixed: tuple[int, ...]) -> Any:
    import awkward as ak

    if not fixed:
        return layout
    lists = layout.to_ListOffsetArray64(True)
    content = lists.content[: lists.offsets[-1]]
    if above:
        return ak.contents.ListOffsetArray(lists.offsets, _sized(content, above - 1, fixed))
    return ak.contents.RegularArray(_sized(content, 0, fixed[1:]), fixed[0], zeros_length=len(lists))


def run(source: str, columns: Mapping[str, Any], entries: int) -> Any:
    """The arrays that a translated query makes of some columns of so many events."""
    import numpy as np

    with np.errstate(all="ignore"):
        return _compiled(source)(_events(columns, entries))


@functools.lru_cache(maxsize=64)
def _compiled(source: str) -> Any:
    import awkward as ak
    import numpy as np
    import vector

    vector.register_awkward()
    lazy = SimpleNamespace(**{name: getattr(ak, name) for name in LAZY})
    builtin: Iterable[Any] = (abs, dict, getattr, isinstance, len, slice, type, int, float, bool, str)
    names = {"__builtins__": {one.__name__: one for one in builtin}, "dak": lazy, "np": np}
    return eval(source, names | {"functools": functools, "item": item})


def _events(columns: Mapping[str, Any], entries: int) -> Any:
    """One record for each event. Events without columns are counted as well."""
    import awkward as ak

    contents = [array.layout for array in columns.values()]
    return ak.Array(ak.contents.RecordArray(contents, list(columns), length=entries))

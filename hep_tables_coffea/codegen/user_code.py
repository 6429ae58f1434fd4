"""Calls of the user's functions, and loops whose steps are functions of a state, written into `process`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.codegen.rows import rows_kernel
from hep_tables_coffea.codegen.source import Piece, atom, tuple_text
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.helpers import delta_r
from hep_tables_coffea.plan.needs import captured
from hep_tables_coffea.plugins.functions import provided
from hep_tables_coffea.types.elements import Number, Text

if TYPE_CHECKING:
    from hep_tables_coffea.codegen.columnar import Emitter

__all__ = ["entries", "write_loop", "write_user_call"]


def write_user_call(emitter: Emitter, node: g.UserCall) -> Piece:
    """A function of the user: its object stands in the module of the processor under its name."""
    declared = node.declared
    pieces = ", ".join(piece.text for piece in emitter.aligned(node, list(node.args)))
    function = declared.function
    if function is None:
        known = provided(declared.name)
        function = known.numpy if known is not None else None
        if function is delta_r:
            emitter.helpers.add("delta_r")
            return atom(f"delta_r({pieces})")
    assert function is not None
    emitter.helpers.add("call_with_arrays")
    name = _named(emitter, declared.name, function)
    if declared.function is not None and not declared.vectorized:
        name = _each_row(emitter, node, name)
    dtype = "str" if isinstance(declared.returns, Text) else declared.returns.dtype.name
    return atom(f'call_with_arrays({name}, "{dtype}", {pieces})')


def _each_row(emitter: Emitter, node: g.UserCall, name: str) -> str:
    """A function of single numbers as one of arrays: compiled, unless it is to be read by others."""
    function = node.declared.function
    assert function is not None
    emitter.helpers.add("each_row")
    made = None if emitter.embeds else rows_kernel(function, [arg.type for arg in node.args])
    if made is None:
        return f"each_row({name})"
    emitter.helpers |= {"compiled_rows", "ready_kernel"}
    text = next((known for known, text in emitter.texts.items() if text == made.text), None)
    if text is None:
        text = emitter.names.new(f"{name.upper()}_FOR_ROWS")
        emitter.texts[text] = made.text
    return f'compiled_rows(each_row({name}), {text}, "{made.digest}", {made.takes}, "{made.gives}")'


def _named(emitter: Emitter, wish: str, function: Callable[..., Any]) -> str:
    for name, known in emitter.functions.items():
        if known is function:
            return name
    name = emitter.names.new(wish)
    emitter.functions[name] = function
    return name


def entries(emitter: Emitter, node: g.Node) -> str:
    """The entry in the file of each event, for messages."""
    rows = build.restrict(build.row(emitter.demand.source), node.path[:1])
    return f'about["entrystart"] + {emitter.value(rows).within(12)}'


def write_loop(emitter: Emitter, node: g.Iterate) -> Piece:
    """A loop: its step and its condition are functions of the state, the rest is computed before."""
    for one in captured(node):
        emitter.value(one)
    n = node.size
    state = [emitter.names.new(f"state_{k + 1}") for k in range(n)]
    step = _function(emitter, "step", state, node, list(node.args[2 * n : 3 * n]))
    finished = _function(emitter, "finished", state, node, [node.args[-1]])
    begin = tuple_text(
        [_in_type(emitter.value(arg).text, arg, into) for arg, into in zip(node.args, node.args[n : 2 * n])]
    )
    emitter.helpers.add("iterate")
    call = f"iterate({step}, {finished}, {begin}, {node.bound}, {entries(emitter, node)})"
    return emitter.assign("last_state", atom(call), node)


def _in_type(text: str, begin: g.Node, parameter: g.Node) -> str:
    """What a loop begins with, in the type of its state: also for rows that it leaves as they are."""
    both = isinstance(begin.type, Number) and isinstance(parameter.type, Number)
    if not both or begin.type.dtype == parameter.type.dtype:  # type: ignore[union-attr]
        return text
    return f"ak.values_astype({text}, {parameter.type.dtype.name!r})"  # type: ignore[union-attr]


def _function(emitter: Emitter, wish: str, state: list[str], node: g.Iterate, results: list[g.Node]) -> str:
    """A function of the state, written where the loop is."""
    inner = emitter.inside(dict(zip(node.args[node.size : 2 * node.size], map(atom, state))))
    texts = [inner.value(result).text for result in results]
    answer = texts[0] if wish == "finished" else tuple_text(texts)
    name = emitter.names.new(wish)
    body = [*inner.lines, f"return {answer}"]
    emitter.lines += [f"def {name}({', '.join(state)}):", *(f"    {line}" for line in body)]
    return name

"""Systematic variations: a value with what it is under a nuisance, wherever the value goes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from hep_tables_coffea.errors import AxisError, ColumnNotFoundError, UsageError, hint_names
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Call, Field, Node
from hep_tables_coffea.graph.rows import beneath
from hep_tables_coffea.record.array import Array, wrap
from hep_tables_coffea.record.values import node_of, shown

__all__ = ["NOMINAL", "vary"]

#: What a value is called as it is without variations.
NOMINAL = "nominal"

#: How the names of stored columns end that are another column under a shift: `pt_jesUp`, `pt_JET_JER__1down`.
_SHIFTED = re.compile(r"(?P<nuisance>.+?)(_+1?(?=[ud])|_*1?(?=[UD]))(?P<way>up|down|Up|Down|UP|DOWN)")
#: How the name of the column ends that they shift, where it has an end of its own: `pt_NOSYS`.
_UNSHIFTED = re.compile(r"_(NOSYS|nominal|nom)$", re.IGNORECASE)


def vary(
    x: Any, name: str | None = None, *, up: Any = None, down: Any = None, variations: Mapping[str, Any] | None = None
) -> Array:
    """`x` with a systematic uncertainty: what it is when the nuisance `name` is shifted.

    It goes wherever `x` goes: a column (`jets["pt"] = ht.vary(jets.pt, "jes", ...)`), a weight, an argument of a cut.
    Cuts are made again under each shift, and all that is varied under one name shifts together. A histogram that a
    variation reaches has an axis `variation` before its own, another output is a dict, both by "nominal" and the names of
    the variations. Data are never varied: see `is_mc` in the metadata of a dataset.

    Args:
        x: a recorded value, or a constant.
        name: of the nuisance, as "jes". None: every shift of the stored column `x` that is stored beside it.
        up, down: `x` shifted, on the rows of `x`; they are called "jes_up" and "jes_down". Without any shift they are the
            columns that are stored for this nuisance, as `pt_jesUp` of `pt`, and `pt_JET_JER__1up` of `pt_NOSYS`.
        variations: any number of further shifts, by the names that they are to have.

    Returns:
        `x`, of a type that holds its shifts, too.

    Example:
        >>> import hep_tables_coffea as ht
        >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/zll.root", events=100), metadata={"is_mc": True})
        >>> pt = ht.vary(events.Jet.pt, "jes", up=events.Jet.pt * 1.03, down=events.Jet.pt * 0.97)
        >>> ht.make_local(events.Jet[pt > 30].Count(axis=None))  # doctest: +SKIP
        {'nominal': 113, 'jes_up': 117, 'jes_down': 109}
    """
    node = node_of(x, "vary")
    given = [(f"{name}_{way}", value) for way, value in (("up", up), ("down", down)) if value is not None]
    if variations is not None and not hasattr(variations, "items"):
        msg = f"variations are given by their names, and not as {shown(variations)}"
        raise UsageError(msg, hint='variations={"pdf_1": ..., "pdf_2": ...}')
    given += [(str(label), value) for label, value in (variations or {}).items()]
    if not given:
        return wrap(_stored_shifts(node, name))
    if not isinstance(name, str) or not name:
        msg = f"a variation needs the name of its nuisance, and not {shown(name)}"
        raise UsageError(msg, hint='ht.vary(x, "jes", up=..., down=...)')
    labels = [label for label, _ in given]
    for label in labels:
        if label == NOMINAL or labels.count(label) > 1:
            why = "there are two" if label != NOMINAL else "that is what the value without variations is called"
            msg = f"a variation of {name!r} cannot be called {label!r}: {why}"
            raise UsageError(msg, hint="choose another name")
    return wrap(_varied(node, name, {label: node_of(value, f"vary {name!r} of") for label, value in given}))


def _varied(node: Node, name: str, shifts: Mapping[str, Node]) -> Node:
    """The value with its shifts, which have no rows beside those of the value."""
    for label, shift in shifts.items():
        if type(shift.type) is not type(node.type):
            msg = f"the shift {label!r} is of another kind than what it shifts"
            raise UsageError(msg, values=[("value", node.text), (label, shift.text)], hint="shift columns by columns")
    options = {"nuisance": name, "variations": tuple(shifts)}
    made = functions.call(functions.VARY, [node, *shifts.values()], options, doing=f"vary {name!r} with")
    if made.path != node.path:
        label, shift = next((label, shift) for label, shift in shifts.items() if len(shift.path) >= len(made.path))
        msg = f"the shift {label!r} has other rows than what it shifts"
        hint = "a shift has one value for each row of the value: reduce it, or shift the value on the rows of the shift"
        raise AxisError(msg, values=[("value", node.text), (label, shift.text)], hint=hint)
    return made


# -- what is stored ----------------------------------------------------------------------------------------------------


def _stored_shifts(node: Node, name: str | None) -> Node:
    """The value with the shifts that are stored beside it, of one nuisance or of all."""
    found = _beside(node)
    if name is not None and name not in found:
        msg = f"no shift of {name!r} is given, and none is stored beside the value"
        raise UsageError(msg, values=[("value", node.text)], hint=_what_is_there(name, found))
    if not found:
        msg = "no shifts of the value are stored beside it"
        raise ColumnNotFoundError(msg, values=[("value", node.text)], hint='ht.vary(x, "jes", up=..., down=...)')
    made = node
    for nuisance, shifts in found.items():
        if name in (None, nuisance):
            made = _varied(made, nuisance, dict(sorted(shifts.items(), reverse=True)))  # up before down, as if given
    return made


def _what_is_there(name: str, found: Mapping[str, Any]) -> str:
    return hint_names(name, found) if found else f'ht.vary(x, "{name}", up=..., down=...)'


def _beside(node: Node) -> dict[str, dict[str, Node]]:
    """Nuisance -> name -> the columns of the same rows that are the value under a shift."""
    while isinstance(node, Call) and node.function == functions.VARY:  # by another nuisance
        node = node.args[0]
    column = node
    while (child := beneath(column)) is not None:
        column = child
    if not isinstance(column, Field):
        return {}
    record, stem = column.args[0], _UNSHIFTED.sub("", column.name)
    found: dict[str, dict[str, Node]] = {}
    for other in getattr(record.type, "fields", ()):
        told = _SHIFTED.fullmatch(other.removeprefix(f"{stem}_")) if other.startswith(f"{stem}_") else None
        if told is not None and other != column.name:
            shift = build.moved_all(node, build.field(record, other))
            found.setdefault(told["nuisance"], {})[f"{told['nuisance']}_{told['way'].lower()}"] = shift
    return found

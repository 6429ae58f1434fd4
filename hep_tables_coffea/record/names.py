"""Names after the dot: columns, references to other collections, methods of the schema."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hep_tables_coffea.errors import FieldNotFoundError, UsageError, hint_names
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph.nodes import Extend, Field, Node, Source
from hep_tables_coffea.graph.refer import ancestors, follow
from hep_tables_coffea.record.columns import as_record, base_record, defined_names
from hep_tables_coffea.record.named import named_value
from hep_tables_coffea.record.values import shown
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Reference

__all__ = ["attribute", "bank_of", "behavior_names", "known_names", "references"]

#: What every awkward or vector class has and no physicist means.
_PLUMBING = frozenset(
    "Mask MomentumClass ProjectionClass2D ProjectionClass3D ProjectionClass4D GenericClass attrs behavior cpp_type "
    "fields is_tuple layout lib mask named_axis nbytes ndim numba_type positional_axis show to_list to_numpy tolist "
    "type typestr add_kind add_systematic describe_variations explodes_how systematics azimuthal longitudinal "
    "temporal doc metadata".split()
)


def attribute(node: Node, name: str) -> Node | Callable[..., Node]:
    """The value of `x.name`, or the method to call."""
    if not isinstance(node.type, Record):
        msg = f"a value of type {node.type} has no {name!r}"
        reducer = _REDUCERS.get(name.lower())
        hint = f"did you mean .{reducer}()?" if reducer else "columns belong to collections: jets.pt"
        raise FieldNotFoundError(msg, values=[("value", node.text)], hint=hint)
    value = named_value(node, name)
    if value is not None:
        return value
    reference = references(node).get(name)
    if reference is not None:
        return follow(node, reference)
    if name == "ancestors" and _leads_up(node):
        return lambda max_iterations=100: ancestors(node, references(node)["parent"], max_iterations)
    found = _behavior(node, name)
    if found is not None:
        return found
    what = _called(node)
    msg = f"{what} has no {name!r}"
    raise FieldNotFoundError(msg, values=[(what, node.text)], hint=hint_names(name, known_names(node)))


def bank_of(node: Node, bank: str | None, options: Mapping[str, Any]) -> Node:
    """The stored collection of that name, with the options of the schema."""
    if isinstance(node, Field) and isinstance(node.args[0], Source):
        group: Any = node.args[0].type.group  # type: ignore[union-attr]
        given = ", ".join([*([repr(bank)] if bank is not None else []), *(f"{k}={v!r}" for k, v in options.items())])
        try:
            if f"{node.name}({given})" in group.fields:
                return build.field(node.args[0], f"{node.name}({given})")
        except ValueError as error:
            raise UsageError(str(error), values=[("value", node.text)]) from error
    if not options and bank == node.path[-1].base.name:
        return node
    msg = f"there is no bank {shown(bank)} of {node.path[-1].name}"
    if options:
        msg = f"{node.path[-1].name} takes no {next(iter(options))}="
    raise UsageError(msg, values=[("value", node.text)], hint=f"the bank of this file is {node.path[-1].name!r}")


_REDUCERS = {name.lower(): name for name in "Count Sum Min Max Mean Std Any All First Last ArgMin ArgMax".split()}


def _called(node: Node) -> str:
    """What a user calls a record: the name of its group or collection."""
    group = _group(node)
    if group is not None and group.name and not group.is_list:
        return str(group.name)
    return node.path[-1].name if node.path else "the record"


def _leads_up(node: Node) -> bool:
    """Whether rows have parents in their own collection."""
    parent = references(node).get("parent")
    group = _group(node)
    return parent is not None and parent.target == group.name and not parent.inverse


def references(node: Node) -> dict[str, Reference]:
    """The references to other collections that a value has."""
    group = _group(node)
    return dict(group.references) if group is not None else {}


def _group(node: Node) -> Any:
    node = base_record(node)
    while isinstance(node, Extend):
        node = base_record(node.args[0])
    return node.type.group if isinstance(node.type, Record) else None


def _class(node: Node) -> type | None:
    assert isinstance(node.type, Record)
    if not node.type.behavior:
        return None
    return infer.behavior_class(functions.behaviors_of(node), node.type.behavior)


def _behavior(node: Node, name: str) -> Node | Callable[..., Node] | None:
    found = _class(node)
    member = getattr(found, name, None) if found is not None and name not in _PLUMBING else None
    if member is None:
        return None
    if name == "sum":
        from hep_tables_coffea.record import reducers

        return lambda axis=-1: reducers.reduce("sum", node, axis)
    node = as_record(node)
    if not callable(member):
        return functions.behave(node, name, "property")

    def method(*others: Any, **options: Any) -> Node:
        from hep_tables_coffea.record.values import node_of

        return functions.behave(node, name, "method", [node_of(other) for other in others], options)

    return method


def behavior_names(node: Node) -> set[str]:
    """The methods and properties of the schema."""
    found = _class(node) if isinstance(node.type, Record) else None
    if found is None:
        return set()
    return {name for name in dir(found) if not name.startswith("_")} - _PLUMBING


def known_names(node: Node) -> set[str]:
    """Everything that may stand after the dot."""
    fields = set(node.type.fields) if isinstance(node.type, Record) else set()
    return (
        fields
        | set(defined_names(node))
        | set(references(node))
        | ({"ancestors"} if _leads_up(node) else set())
        | behavior_names(node)
    )

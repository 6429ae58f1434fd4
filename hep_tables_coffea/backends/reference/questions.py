"""What must be known before what: values, and of records the fields that somebody reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.types import infer
from hep_tables_coffea.types.elements import Record
from hep_tables_coffea.types.schema import Group, Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Question", "ask", "columns_of", "dataset_wide", "fields_of", "in_order", "needs", "stored"]

#: A node, and of a record the fields that are wanted; () for anything else.
Question = tuple[g.Node, tuple[str, ...]]


def ask(node: g.Node, fields: Iterable[str] | None = None) -> Question:
    """The question for a value; a record is asked for all that can be read of it unless fields are named."""
    if not isinstance(node.type, Record) or isinstance(node, (g.Behave, g.Fill)):
        return node, ()
    return node, tuple(fields_of(node) if fields is None else fields)


def fields_of(node: g.Node) -> tuple[str, ...]:
    """The fields of a record that can be read: not the stored columns that nobody can interpret."""
    element = node.type
    assert isinstance(element, Record)
    if isinstance(node, g.Extend):
        return tuple(dict.fromkeys((*fields_of(node.args[0]), *node.names)))
    group = element.group
    return tuple(n for n in element.fields if group is None or not _problem(group.fields.get(n)))


def _problem(member: Leaf | Group | None) -> bool:
    return isinstance(member, Leaf) and bool(member.problem)


def stored(node: g.Node) -> Leaf | None:
    """The description of a stored column, or None where the node is none."""
    if not isinstance(node, g.Field) or node.name == build.ROW:
        return None
    record = node.args[0].type
    member = record.group.fields[node.name] if isinstance(record, Record) and record.group is not None else None
    return member if isinstance(member, Leaf) else None


def needs(question: Question) -> list[Question]:
    """The questions that must be answered first."""
    node, fields = question
    if dataset_wide(node):
        return []
    if isinstance(node, g.Field):
        return _field_needs(node, fields)
    if isinstance(node, g.Iterate):
        return [ask(begin) for begin in node.args[: node.size]]
    if isinstance(node, (g.Source, g.Zip)):
        return [ask(build.field(node, name)) for name in fields]
    if isinstance(node, g.Extend):
        return _extend_needs(node, fields)
    if isinstance(node, g.Behave):
        return [ask(arg, touched(node, k)) for k, arg in enumerate(node.args)]
    if isinstance(node, g.Side):
        return [ask(arg, fields if k == node.slot else _little(arg)) for k, arg in enumerate(node.args)]
    if isinstance(node, g.Nest):
        return [ask(node.args[0], fields or None), ask(node.args[1], _little(node.args[1]))]
    if isinstance(node, (g.Restrict, g.Pick)):
        inner, *others = node.needs
        return [ask(inner, fields or None), *map(ask, others)]
    if fields:
        return [ask(arg, fields if isinstance(arg.type, Record) else None) for arg in node.args]
    return [ask(arg) for arg in node.args]


def dataset_wide(node: g.Node) -> bool:
    """Whether a value belongs to the dataset and not to events: constants, aggregates, what is computed from them."""
    return not node.path


def _field_needs(node: g.Field, fields: tuple[str, ...]) -> list[Question]:
    record = node.args[0]
    if isinstance(record, g.Behave):
        return [ask(record)]
    if isinstance(node.type, Record):
        return [ask(build.field(node, name)) for name in fields]
    leaf = stored(node)
    return [ask(build.field(record, leaf.like))] if leaf is not None and leaf.constant is not None else []


def _extend_needs(node: g.Extend, fields: tuple[str, ...]) -> list[Question]:
    base, *values = node.args
    own = [name for name in fields if name not in node.names]
    added = [ask(value) for name, value in zip(node.names, values, strict=True) if name in fields]
    return [ask(base, own or _little(base)), *added]


def _little(node: g.Node) -> tuple[str, ...] | None:
    """Where only the number of rows matters, one field of a record is enough."""
    return fields_of(node)[:1] if isinstance(node.type, Record) else None


def touched(node: g.Behave, k: int) -> tuple[str, ...] | None:
    """The fields that a behavior reads of its argument, and those that its class wants to see."""
    arg = node.args[k]
    if not isinstance(arg.type, Record) or isinstance(arg, g.Behave):
        return None
    fields = node.touched[k]
    if not arg.type.behavior:
        return tuple(sorted(fields))
    return infer.valid_fields(functions.behaviors_of(arg), arg.type.behavior, arg.type.fields, fields)


def in_order(roots: Iterable[Question]) -> Iterator[Question]:
    """Every question once, after those that it needs."""
    done: set[Question] = set()
    stack: list[tuple[Question, bool]] = [(root, False) for root in reversed(list(roots))]
    while stack:
        question, ready = stack.pop()
        if question in done:
            continue
        if ready:
            done.add(question)
            yield question
            continue
        stack.append((question, True))
        stack.extend((need, False) for need in reversed(needs(question)) if need not in done)


def columns_of(questions: Iterable[Question]) -> dict[str, Leaf]:
    """The stored columns that the questions read."""
    found: dict[str, Leaf] = {}
    for node in _with_steps(node for node, _ in questions):
        leaf = stored(node)
        if leaf is not None and leaf.constant is None:
            found[leaf.column] = leaf
        if isinstance(node, g.Field) and node.name == build.ROW and not isinstance(node.args[0], g.Source):
            found.update({one.column: one for one in counting(node.args[0])[:1]})
    return found


def _with_steps(nodes: Iterable[g.Node]) -> Iterator[g.Node]:
    """The nodes, and those in the steps of loops, which are computed as often as a loop goes around."""
    for node in nodes:
        yield from walk(node.args) if isinstance(node, g.Iterate) else ()
        yield node


def counting(record: g.Node) -> list[Leaf]:
    """Columns with one value for each row of a stored record: any of them says how many rows there are."""
    group = record.type.group if isinstance(record.type, Record) else None
    if group is None:
        return []
    depth = len(record.path) - 1
    leaves = [leaf for leaf in group.fields.values() if isinstance(leaf, Leaf)]
    return [leaf for leaf in leaves if leaf.depth == depth and not leaf.problem and leaf.constant is None]

"""The values of one event: what each node means, row by row."""

from __future__ import annotations

from itertools import combinations, combinations_with_replacement, product
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.backends.reference import behaviors
from hep_tables_coffea.backends.reference.elements import call_user, cast, compute
from hep_tables_coffea.backends.reference.lists import ARRANGED, REDUCED
from hep_tables_coffea.backends.reference.loops import followed, iterated
from hep_tables_coffea.backends.reference.nested import absent, at_depth, together
from hep_tables_coffea.backends.reference.questions import Question, ask, needs, stored
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hep_tables_coffea.backends.reference.tables import FileTable

__all__ = ["EventValues"]


class EventValues:
    """The values of one event: lists as deep as the path, the outermost one with the event itself as its only row.

    `constants` are the values of the whole dataset that an earlier pass has found.
    """

    def __init__(self, table: FileTable, entry: int, constants: Mapping[g.Node, Any]) -> None:
        self.table, self.entry, self.constants = table, entry, constants
        self._known: dict[Question, Any] = {}

    def value(self, node: g.Node, fields: Sequence[str] | None = None) -> Any:
        """The value of a node; of a record the fields that are wanted."""
        question = ask(node, fields)
        if question not in self._known:
            self._known[question] = self._answer(*question)
        return self._known[question]

    def _answer(self, node: g.Node, fields: tuple[str, ...]) -> Any:
        if isinstance(node, g.Literal):
            return functions.constant(node)
        if not node.path:
            return cast(self.constants[node], node.type)
        answers = [self.value(*need) for need in needs((node, fields))]
        return getattr(self, f"visit_{type(node).__name__}")(node, fields, answers)

    # -- what is stored --

    def visit_Source(self, node: g.Source, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return [dict(zip(fields, (answer[0] for answer in answers), strict=True))]

    def visit_Metadata(self, node: g.Metadata, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return [cast(node.values[self.table.sample_number], node.type)]

    def visit_Field(self, node: g.Field, fields: tuple[str, ...], answers: list[Any]) -> Any:
        depth = len(node.path)
        if isinstance(node.args[0], g.Behave):
            return at_depth(lambda record: None if record is None else record[node.name], depth, answers[0])
        if node.name == build.ROW:
            return [self.table.rows(node.args[0], self.entry)]
        leaf = stored(node)
        if leaf is None:
            return self._records_of(node, fields, answers)
        if leaf.constant is not None:
            return at_depth(lambda _: cast(leaf.constant, node.type), depth, answers[0])
        return [self.table.column(node.args[0], leaf, self.entry)]

    def _records_of(self, node: g.Field, fields: tuple[str, ...], answers: list[Any]) -> Any:
        """A stored group: a record for each of its rows."""
        depth = len(node.path)
        rows = [self.table.rows(node, self.entry)]
        return at_depth(lambda _, *members: dict(zip(fields, members, strict=True)), depth, rows, *answers)

    # -- records and structure --

    def visit_Zip(self, node: g.Zip, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return at_depth(lambda *members: dict(zip(fields, members, strict=True)), len(node.path), *answers)

    def visit_Extend(self, node: g.Extend, fields: tuple[str, ...], answers: list[Any]) -> Any:
        names = [name for name in node.names if name in fields]

        def extended(record: Any, *members: Any) -> Any:
            return None if record is None else {**record, **dict(zip(names, members, strict=True))}

        return at_depth(extended, len(node.path), *answers)

    def visit_Current(self, node: g.Current, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return answers[0]

    def visit_Restrict(self, node: g.Restrict, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return self.restricted(answers[0], node.args[0].path, node.path)

    def restricted(self, value: Any, old: Path, new: Path) -> Any:
        """The rows of the derived axes, outer axes first."""
        path = list(old)
        for k, target in enumerate(new):
            for step in steps(path[k], target):
                value = self._step(value, tuple(path), k, step)
                path[k] = step
        return value

    def _step(self, value: Any, path: Path, k: int, step: Axis) -> Any:
        missing = absent(len(path) - k - 1)
        if step.kind == "sliced":
            return at_depth(lambda rows: rows[slice(*step.params)], k, value)
        if step.kind == "padded":
            n, clip = step.params
            return at_depth(lambda rows: (rows[:n] if clip else rows) + [missing] * (n - len(rows)), k, value)
        assert step.node is not None
        choose: Callable[[Any, Any], Any] = _kept
        if step.kind == "ordered":

            def choose(rows: Any, index: Any) -> Any:
                return [missing if place is None else rows[place] for place in index]

        index, levels = self._along(step, path, k)
        return _descend(choose, value, index, k, levels)

    def _along(self, step: Axis, path: Path, k: int) -> tuple[Any, set[int]]:
        """The mask or order of a step, and which of the `k` outer axes of the path it goes along.

        A list that stands in every row of another collection is filtered by a mask that knows nothing of those rows.
        """
        node = step.node
        assert node is not None
        levels: list[int] = []
        for axis in node.path[:-1]:
            first = levels[-1] + 1 if levels else 0
            levels.append(next(level for level in range(first, k) if derives(path[level], axis)))
        own = step.parent if step.kind == "subset" else node.path[-1]
        assert own is not None
        target = (*(path[level] for level in levels), own)
        return self.restricted(self.value(node), node.path, target), set(levels)

    def visit_Nest(self, node: g.Nest, fields: tuple[str, ...], answers: list[Any]) -> Any:
        value, outer = answers
        more = len(node.args[1].path) - node.prefix

        def every(inner: Any, rows: Any) -> Any:
            return at_depth(lambda _: inner, more, rows)

        return at_depth(every, node.prefix, value, outer)

    def visit_Side(self, node: g.Side, fields: tuple[str, ...], answers: list[Any]) -> Any:
        def members(*lists: Any) -> Any:
            if node.axis.kind == "cross":
                return [rows[node.slot] for rows in product(*lists)]
            n, replacement = node.axis.params
            chosen = combinations_with_replacement if replacement else combinations
            return [rows[node.slot] for rows in chosen(lists[node.slot], n)]

        return at_depth(members, node.position, *answers)

    def visit_Join(self, node: g.Join, fields: tuple[str, ...], answers: list[Any]) -> Any:
        joined = at_depth(lambda *lists: [row for rows in lists for row in rows], node.position, *answers)
        return joined if fields else at_depth(lambda row: cast(row, node.type), len(node.path), joined)

    def visit_Listed(self, node: g.Listed, fields: tuple[str, ...], answers: list[Any]) -> Any:
        listed = at_depth(lambda *values: list(values), len(node.path) - 1, *answers)
        return listed if fields else at_depth(lambda row: cast(row, node.type), len(node.path), listed)

    def visit_Flatten(self, node: g.Flatten, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return at_depth(lambda lists: [row for rows in lists for row in rows], node.position - 1, answers[0])

    def visit_Pick(self, node: g.Pick, fields: tuple[str, ...], answers: list[Any]) -> Any:
        missing = absent(len(node.path) - node.position)

        def row(rows: Any, place: Any = node.constant) -> Any:
            if place is None or not -len(rows) <= place < len(rows) or (place < 0 and node.constant is None):
                return missing
            return rows[place]

        return at_depth(row, node.position, *answers)

    # -- functions --

    def visit_Call(self, node: g.Call, fields: tuple[str, ...], answers: list[Any]) -> Any:
        options = dict(node.options)

        def function(*arguments: Any) -> Any:
            return compute(node.function, arguments, options, node.type)

        values = [(answer, min(len(arg.path), len(node.path))) for arg, answer in zip(node.args, answers, strict=True)]
        return together(function, len(node.path), values)

    def visit_UserCall(self, node: g.UserCall, fields: tuple[str, ...], answers: list[Any]) -> Any:
        values = [(answer, len(arg.path)) for arg, answer in zip(node.args, answers, strict=True)]
        whole = [not arg.path for arg in node.args]
        return together(lambda *arguments: call_user(node.declared, arguments, whole), len(node.path), values)

    def visit_Iterate(self, node: g.Iterate, fields: tuple[str, ...], answers: list[Any]) -> Any:
        parameters = node.args[node.size : 2 * node.size]
        around = {question: value for question, value in self._known.items() if isinstance(question[0], g.Parameter)}

        def evaluate(wanted: list[g.Node], state: list[Any]) -> list[Any]:
            inside = EventValues(self.table, self.entry, self.constants)
            inside._known.update(around)
            inside._known.update({ask(one): value for one, value in zip(parameters, state, strict=True)})
            return [inside.value(one) for one in wanted]

        return iterated(node, answers, evaluate)

    def visit_Chain(self, node: g.Chain, fields: tuple[str, ...], answers: list[Any]) -> Any:
        return at_depth(
            lambda pointer: [[cast(place, node.type) for place in chain] for chain in followed(pointer, node.bound)],
            len(node.path) - 2,
            answers[0],
        )

    def visit_Behave(self, node: g.Behave, fields: tuple[str, ...], answers: list[Any]) -> Any:
        if node.how == "reduce":
            return at_depth(lambda records: behaviors.total(node, records), len(node.path), answers[0])
        values = [(answer, len(arg.path)) for arg, answer in zip(node.args, answers, strict=True)]
        return together(lambda *arguments: behaviors.behave(node, arguments), len(node.path), values)

    def visit_Reduce(self, node: g.Reduce, fields: tuple[str, ...], answers: list[Any]) -> Any:
        function, options = REDUCED[node.function], dict(node.options)
        return at_depth(lambda values: cast(function(values, **options), node.type), len(node.path), answers[0])

    def visit_Arrange(self, node: g.Arrange, fields: tuple[str, ...], answers: list[Any]) -> Any:
        function, options = ARRANGED[node.function], dict(node.options)
        return at_depth(lambda values: function(values, **options), len(node.path) - 1, answers[0])


def _kept(rows: Any, mask: Any) -> Any:
    """The rows that the mask keeps; a missing condition does not select."""
    return [row for row, keep in zip(rows, mask, strict=True) if keep]


def _descend(choose: Callable[[Any, Any], Any], value: Any, index: Any, levels: int, along: set[int]) -> Any:
    """`choose` of every list at a level, with the index of the outer rows that it goes along."""

    def visit(rows: Any, chosen: Any, level: int) -> Any:
        if level == levels:
            return choose(rows, chosen)
        if level in along:
            return [visit(row, one, level + 1) for row, one in zip(rows, chosen, strict=True)]
        return [visit(row, chosen, level + 1) for row in rows]

    return visit(value, index, 0)

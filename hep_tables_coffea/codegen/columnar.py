"""From nodes to readable awkward code: one statement for what is shared or named, expressions for the rest."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from hep_tables_coffea.codegen.hints import assigned
from hep_tables_coffea.codegen.source import ATOM, Names, Piece, atom, identifier, literal_text, quoted, tuple_text
from hep_tables_coffea.codegen.user_code import entries, write_loop, write_user_call
from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Path
from hep_tables_coffea.plan.cheaper import is_place
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plan.needs import any_column, gathers
from hep_tables_coffea.types.elements import Number, Record, Text
from hep_tables_coffea.types.schema import Leaf, Schema

__all__ = ["Emitter", "counter_of"]

#: ufunc -> (operator, how tightly it binds); Python's own table.
_BINARY = {
    "np.power": ("**", 14),
    "np.multiply": ("*", 12),
    "np.true_divide": ("/", 12),
    "np.divide": ("/", 12),
    "np.floor_divide": ("//", 12),
    "np.remainder": ("%", 12),
    "np.add": ("+", 11),
    "np.subtract": ("-", 11),
    "np.bitwise_and": ("&", 9),
    "np.bitwise_xor": ("^", 8),
    "np.bitwise_or": ("|", 7),
    "np.less": ("<", 6),
    "np.less_equal": ("<=", 6),
    "np.greater": (">", 6),
    "np.greater_equal": (">=", 6),
    "np.equal": ("==", 6),
    "np.not_equal": ("!=", 6),
}
_UNARY = {"np.negative": ("-", 13), "np.invert": ("~", 13), "np.logical_not": ("~", 13), "np.positive": ("+", 13)}
_LONG = 70


class Emitter:
    """Writes the statements that compute nodes in `process`."""

    def __init__(
        self,
        demand: Demand,
        names: Names,
        hints: Mapping[g.Node, str],
        constants: Mapping[g.Node, Any] | None = None,
        embeds: bool = False,
    ) -> None:
        self.demand, self.names = demand, names
        #: The user's names, of what is computed in place of what the user wrote.
        computed = demand.recorded()
        self.hints = {computed.get(node, node): name for node, name in hints.items()}
        self.constants = constants or {}
        self.lines: list[str] = []
        self.helpers: set[str] = set()
        self.imports: set[str] = set()
        self.columns: dict[str, Any] = {}
        self.functions: dict[str, Callable[..., Any]] = {}
        #: Whether the text is to hold the user's functions; and texts of kernels for them, where it is not.
        self.embeds = embeds
        self.texts: dict[str, str] = {}
        #: What is written already: nodes, columns and combinations, with the expressions that hold them.
        self._pieces: dict[Any, Piece] = {}
        self.origins: dict[int, g.Node] = {}

    def inside(self, values: Mapping[g.Node, Piece]) -> Emitter:
        """The writer of a function in `process`, that sees what is written up to now, and its own parameters."""
        inner = Emitter(self.demand, self.names, {}, self.constants, self.embeds)
        for shared in ("helpers", "imports", "columns", "functions", "texts"):
            setattr(inner, shared, getattr(self, shared))
        inner._pieces = {**self._pieces, **values}
        return inner

    def take(self, node: g.Node, variable: str) -> None:
        """A value that is computed elsewhere."""
        self._pieces[node] = atom(variable)

    # -- values --

    def value(self, node: g.Node) -> Piece:
        """The expression of a node: a variable where it is shared, named or long."""
        piece = self._pieces.get(node)
        if piece is None:
            node_now = self.demand.lowered(node)
            piece = self.value(node_now) if node_now is not node else self._keep(node, self._write(node))
            self._pieces[node] = piece
        return piece

    def _keep(self, node: g.Node, piece: Piece) -> Piece:
        simple = piece.text.isidentifier() or isinstance(node, (g.Literal, g.Metadata))
        named = node in self.hints
        if simple and not named:
            return piece
        if isinstance(node, g.UserCall):
            return self.assign(self.hints.get(node) or node.declared.name, piece, node)
        if not named and self.demand.uses.get(node, 2) < 2 and len(piece.text) < _LONG:
            return piece
        return self.assign(self.hints.get(node) or self.wish(node), piece, node)

    def assign(self, wish: str, piece: Piece, node: g.Node | None = None) -> Piece:
        """A variable that holds the expression."""
        name = self.names.new(wish)
        if node is not None:
            self.origins[len(self.lines)] = node
        self.lines.append(f"{name} = {piece.text}")
        return atom(name)

    def wish(self, node: g.Node) -> str:
        """A name that says what the value is."""
        if isinstance(node, g.Field):
            return _field_name(node)
        if isinstance(node, g.Call):
            if isinstance(node.type, Number) and node.type.dtype.kind == "b":
                return f"{node.path[-1].base.name}_mask" if node.path else "mask"
            return str(node.function).rpartition(".")[2]
        if isinstance(node, g.Behave):
            return str({"reduce": "total", "operator": "combined"}.get(node.how, node.method))
        if isinstance(node, (g.Reduce, g.Aggregate, g.Arrange)):
            return f"{self._short(node.args[0])}_{node.function}"
        if isinstance(node, g.Restrict):
            return self._selected(node)
        if isinstance(node, g.Side):
            return f"{self._short(node.args[node.slot])}_{node.slot + 1}"
        if isinstance(node, g.Pick):
            return f"picked_{self._short(node.args[0])}"
        if isinstance(node, g.Zip) and node.names[:4] == ("x", "y", "z", "t"):
            return f"{self._short(node.args[0])}_xyzt"
        return self._short(node.args[0]) if node.args else "value"

    def _selected(self, node: g.Restrict) -> str:
        """`good_pt` where the user wrote `good = jets[...]`."""
        step = last_step(node)[2]
        name = assigned(step.node.where) if step.node is not None else None
        field = node.args[0]
        if name and isinstance(field, g.Field):
            return f"{name}_{field.name.lstrip('#')}"
        return f"selected_{self._short(field)}"

    def _short(self, node: g.Node) -> str:
        while not isinstance(node, g.Field) and node.args:
            node = node.args[0]
        return _field_name(node) if isinstance(node, g.Field) else "value"

    def _write(self, node: g.Node) -> Piece:
        if not node.path and not isinstance(node, g.Literal):
            return self._constant(node)
        if isinstance(node.type, Record) and not isinstance(node, g.Behave):
            return self._record(node)
        twin = self.demand.twins.get(node)
        if twin is not None:
            return atom(f"{self.value(twin[0]).within(ATOM)}[{quoted(twin[1])}]")
        return getattr(self, f"visit_{type(node).__name__}")(node)  # type: ignore[no-any-return]

    def _constant(self, node: g.Node) -> Piece:
        """A dataset-wide value that an earlier pass has found."""
        if node not in self.constants:
            msg = "a value of the whole dataset is used for each event: that needs two passes over the data"
            hint = "ht.make_local makes both; for a processor, compute it first and put the number in"
            raise UsageError(msg, values=[("value", node.text)], where=node.where, hint=hint)
        value = self.constants[node]
        if isinstance(node.type, Number):
            return Piece(literal_text(float("nan") if value is None else value, node.type.dtype.name), 13)
        return atom(repr(str(value)))

    # -- records --

    def _record(self, node: g.Node) -> Piece:
        """A record with the fields that are needed: moved as a whole, or put together from its columns."""
        moved: dict[type, Callable[..., Piece]] = {
            g.Restrict: self.visit_Restrict,
            g.Pick: self.visit_Pick,
            g.Side: self.visit_Side,
            g.Nest: self.visit_Nest,
        }
        if isinstance(node, g.Call) and node.function == "ak.mask":
            return self.visit_Call(node)
        if type(node) in moved:
            return moved[type(node)](node)
        fields = self.demand.fields(node)
        assert isinstance(node.type, Record)
        members = {name: self.value(build.field(node, name)).text for name in fields}
        inside = "{" + ", ".join(f"{quoted(name)}: {text}" for name, text in members.items()) + "}"
        if list(members) == [str(number) for number in range(len(members))]:
            inside = tuple_text(list(members.values()))
        depth = "" if not self.demand.deep(node) else f", depth_limit={len(node.path)}"
        if self.demand.vector(node):
            module = functions.behaviors_of(node)
            name, _, schema = module.partition(":")
            self.imports.add(f"{name}.{schema.partition('.')[0]}" if schema else name)
            behavior = f"{schema}.behavior()" if schema else f"{name.rpartition('.')[2]}.behavior"
            return atom(f"ak.zip({inside}, with_name={quoted(node.type.behavior)}, behavior={behavior}{depth})")
        return atom(f"ak.zip({inside}{depth})")

    # -- kinds --

    def visit_Literal(self, node: g.Literal) -> Piece:
        text = literal_text(node.value, node.kind)
        return Piece(text, 13 if text.startswith("-") else ATOM)

    def visit_Metadata(self, node: g.Metadata) -> Piece:
        self.helpers.add("per_event")
        known = next(value for value in node.values if value is not None)
        like = {bool: "False", str: '""'}.get(type(known), "0.0" if str(node.type).endswith("float64") else "0")
        text = f"events.metadata.get({quoted(node.name)})"
        if isinstance(known, bool):
            self.helpers.add("truth")
            text = f"truth({text}, {quoted(node.name)})"
        return atom(f"per_event({text}, len(events), {like})")

    def visit_Field(self, node: g.Field) -> Piece:
        if isinstance(node.args[0], g.Behave):
            return atom(f"{self.value(node.args[0]).within(ATOM)}[{quoted(node.name)}]")
        if node.name == build.ROW:
            return self._rows(node.args[0])
        leaf: Any = _group(node.args[0]).fields[node.name]
        if leaf.constant is not None:
            like = self.value(build.field(node.args[0], leaf.like))
            return atom(f"ak.full_like({like.text}, {leaf.constant!r})")
        return self.column(
            leaf.column, leaf.dtype, leaf.depth, counter_of(node.args[0], leaf, self.columns), _field_name(node)
        )

    def column(self, name: str, dtype: str, depth: int, counter: str, wish: str) -> Piece:
        """A stored column, read and named once."""
        key = ("column", name)
        if key not in self._pieces:
            self.columns[name] = (dtype, depth, counter)
            variable = self.names.new(wish)
            self.lines.append(f"{variable} = column[{quoted(name)}]")
            self._pieces[key] = atom(variable)
        return self._pieces[key]

    def _rows(self, record: g.Node) -> Piece:
        """The positions of the rows of a stored collection, from a column that is read anyhow or from its counter."""
        if isinstance(record, g.Source):
            return atom("ak.Array(np.arange(len(events)))")
        counter = _group(record).counter
        column = self.demand.column_on(record.path)
        if column is None and counter:
            self.helpers.add("row_numbers")
            return atom(f"row_numbers({self.column(counter, 'int64', 0, '', counter).text})")
        column = column or any_column(record)
        return atom(f"ak.local_index({self.value(column).text}, axis={len(record.path) - 1})")

    def visit_Zip(self, node: g.Zip) -> Piece:
        return self._record(node)

    def visit_Restrict(self, node: g.Restrict) -> Piece:
        """The value before the last step, and that step."""
        if self._of_pairs(node):
            return atom(self._place(node))
        inner, k, step = last_step(node)
        piece = self.value(inner).within(ATOM)
        if step.kind in ("subset", "ordered"):
            assert step.node is not None
            index = self.value(build.restrict(step.node, inner.path[:k] + step.node.path[k:]))
            if step.kind == "subset" and k:
                self.helpers.add("rows_where")
                return atom(f"rows_where({self.value(inner).text}, {index.text})")
            if step.node.type.option:  # awkward wants an index with missing positions to be packed
                filled = "ak.fill_none({}, False)" if step.kind == "subset" else "ak.to_packed({})"
                return atom(f"{piece}[{filled.format(index.text)}]")
            return atom(f"{piece}[{index.text}]")
        if step.kind == "padded":
            padded = f"ak.pad_none({piece}, {step.params[0]}, axis={k}, clip={step.params[1]})"
            if step.params[1]:  # lists of one length are no columns of a matrix: a mask of them keeps lists
                padded = f"ak.from_regular({padded}, axis={k})"
            if len(node.path) == k + 1:
                return atom(padded)
            self.helpers.add("without_missing_lists")
            return atom(f"without_missing_lists({padded}, {k + 1})")
        start, stop, by = ("" if part is None else str(part) for part in step.params)
        return atom(f"{piece}[{':, ' * k}{start}:{stop}{f':{by}' if by else ''}]")

    def visit_Nest(self, node: g.Nest) -> Piece:
        self.helpers.add("every")
        outer = self._anchor(node.args[1], node.args[1].path)
        return atom(f"every({self.value(node.args[0]).text}, {self.value(outer).text}, {node.prefix})")

    def visit_Side(self, node: g.Side) -> Piece:
        if self._of_pairs(node):
            return atom(self._place(node))
        index = self._combination(node)
        return atom(f'{self.value(node.args[node.slot]).within(ATOM)}[{index}["{node.slot}"]]')

    def _of_pairs(self, node: g.Node) -> g.Side | None:
        """The pairs, where a value is the place of one of their members, in all of them or in some."""
        if isinstance(node, g.Restrict) and node.path[-1].kind == "subset" and node.path[:-1] == node.args[0].path[:-1]:
            node = node.args[0] if node.path[-1].parent is node.args[0].path[-1] else node
        if isinstance(node, g.Side) and is_place(node.args[node.slot]) and node.position:
            return node if len(node.path) == node.position + 1 else None
        return None

    def _place(self, node: g.Node) -> str:
        """The place of one member of pairs, by what is found once for all of their members."""
        pairs = self._of_pairs(node.args[0] if isinstance(node, g.Pick) else node)
        assert pairs is not None
        return f'{self._places(node)}["{pairs.slot}"]'

    def _places(self, node: g.Node) -> str:
        if isinstance(node, g.Side):
            return self._combination(node)
        inner = node.args[0]
        key = ("places", type(node), node.path, node.params, inner.path, node.args[1:])
        if key not in self._pieces:
            inside = self._places(inner)
            if isinstance(node, g.Pick):
                self.helpers.add("row_by")
                made, wish = f"row_by({inside}, {self.value(node.args[1]).text})", "picked"
            else:
                self.helpers.add("rows_where")
                step = node.path[-1].node
                assert step is not None
                mask = build.restrict(step, inner.path[:-1] + step.path[len(inner.path) - 1 :])
                made, wish = f"rows_where({inside}, {self.value(mask).text})", "selected"
            self._pieces[key] = self.assign(f"{wish}_{inside.removeprefix('selected_')}", atom(made), node)
        return self._pieces[key].text

    def _combination(self, node: g.Side) -> str:
        """The positions of the members of every pair, once for each axis."""
        axis, position = node.axis, node.position
        outer = node.path[:position]
        inputs = axis.inputs if axis.kind == "cross" else axis.inputs * axis.params[0]
        anchors = [self._anchor(arg, (*outer, axis)) for arg, axis in zip(node.args, inputs)]
        key = ("combination", axis, node.path[:position])
        if key not in self._pieces:
            texts = [self.value(anchor).text for anchor in anchors]
            if axis.kind == "pairs":
                n, replacement = axis.params
                more = ", replacement=True" if replacement else ""
                text = f"ak.argcombinations({texts[0]}, {n}{more}, axis={position})"
            else:
                text = f"ak.argcartesian([{', '.join(texts)}], axis={position})"
            self._pieces[key] = self.assign(identifier(axis.name) + "_index", atom(text))
        return self._pieces[key].text

    def _anchor(self, node: g.Node, path: Path) -> g.Node:
        """A plain column with the same lists, one that is needed anyhow where there is one."""
        return self.demand.column_on(path) or build.anchor(node)

    def visit_Join(self, node: g.Join) -> Piece:
        rows = node.path[: node.position + 1]
        beside = [n for n in self.demand.order if isinstance(n, g.Join) and n.path[: node.position + 1] == rows]
        if node.position == 1 and len(beside) > 1:
            self.helpers.add("joined")
            return atom(f"joined({', '.join([self._joined(node), *(self.value(arg).text for arg in node.args)])})")
        texts = ", ".join(self.value(arg).text for arg in node.args)
        return atom(f"ak.concatenate([{texts}], axis={node.position})")

    def _joined(self, node: g.Join) -> str:
        """The places of the rows of a collection in those that it is made of, once for all of its columns.

        Of other events they are others.
        """
        key = ("joined", *node.path[: node.position + 1])
        if key not in self._pieces:
            self.helpers.add("joined_rows")
            texts = ", ".join(self.value(self._anchor(arg, arg.path)).text for arg in node.args)
            self._pieces[key] = self.assign(identifier(node.axis.name) + "_rows", atom(f"joined_rows({texts})"))
        return self._pieces[key].text

    def visit_Listed(self, node: g.Listed) -> Piece:
        self.helpers.add("side_by_side")
        return atom(f"side_by_side({', '.join(self.value(arg).text for arg in node.args)})")

    def visit_Flatten(self, node: g.Flatten) -> Piece:
        return atom(f"ak.flatten({self.value(node.args[0]).text}, axis={node.position})")

    def visit_Pick(self, node: g.Pick) -> Piece:
        array = node.args[0]
        if node.constant is not None:
            if node.constant == 0 and len(array.path) == node.position + 1:
                return atom(f"ak.firsts({self.value(array).text}, axis={node.position})")
            self.helpers.add("row_at")
            return atom(f"row_at({self.value(array).text}, {node.constant}, {node.position})")
        index = node.args[1]
        if self._of_pairs(array):
            return atom(self._place(node))
        if gathers(node):
            self.helpers.add("rows_by")
            return atom(f"rows_by({self.value(array.args[0]).text}, {self.value(index).text})")
        self.helpers.add("row_by")
        return atom(f"row_by({self.value(array).text}, {self.value(index).text})")

    def visit_Call(self, node: g.Call) -> Piece:
        name, options = node.function, dict(node.options)
        if name == "ht.broadcast":
            return self._broadcast(node)
        node_args = list(node.args)
        pieces = self.aligned(node, node_args)
        if not options and name in _BINARY and len(pieces) == 2:
            sign, binding = _BINARY[name]
            left, right = (binding + 1, binding) if sign == "**" else (binding, binding + 1)
            left = binding + 1 if binding == 6 else left
            return Piece(f"{pieces[0].within(left)} {sign} {pieces[1].within(right)}", binding)
        truths = name != "np.logical_not" or _is_truth(node.args[0])
        if not options and name in _UNARY and truths:
            sign, binding = _UNARY[name]
            return Piece(f"{sign}{pieces[0].within(binding)}", binding)
        if name == "ak.fill_none" and (wider := _wider(node)):  # also in chunks where nothing is missing
            pieces[0] = atom(f"ak.values_astype({pieces[0].text}, {wider!r})")
        inside = [piece.text for piece in pieces] + [f"{key}={value!r}" for key, value in options.items()]
        return atom(f"{self._function(name)}({', '.join(inside)})")

    def _broadcast(self, node: g.Call) -> Piece:
        value, anchor = node.args
        if not value.path:
            rows = self._anchor(anchor, node.path)
            like = self.value(rows).text
            if rows.type.option or isinstance(rows.type, Text):  # a row is there even where its value is missing
                like = f"ak.is_none({like}, axis=-1)"
            if isinstance(node.type, Text):
                self.helpers.add("text_for_each")
                return atom(f"text_for_each({like}, {self.value(value).text})")
            return atom(f"ak.full_like({like}, {self.value(value).text}, dtype={node.type.dtype.name!r})")  # type: ignore[union-attr]
        self.helpers.add("broadcast")
        return atom(f"broadcast({self.value(value).text}, {self.value(self._anchor(anchor, node.path)).text})")

    def aligned(self, node: g.Node, args: list[g.Node]) -> list[Piece]:
        """The arguments. awkward makes whole lists missing where it broadcasts a missing value, so we repeat those."""
        pieces = [self.value(arg) for arg in args]
        for k, arg in enumerate(args):
            if self.constants.get(arg, 0) is None and isinstance(arg.type, Number):
                self.helpers.add("missing_like")
                rows = next(a for a in args if len(a.path) == len(node.path))
                like = self.value(build.anchor(rows)).text
                pieces[k] = atom(f"missing_like({like}, {arg.type.dtype.name!r})")
            makes_missing = arg.type.option or (isinstance(node, g.Call) and node.function == "ak.mask")
            if arg.path and len(arg.path) < len(node.path) and makes_missing:
                self.helpers.add("broadcast")
                rows = self.demand.column_on(node.path) or next(a for a in args if len(a.path) == len(node.path))
                pieces[k] = atom(f"broadcast({pieces[k].text}, {self.value(build.anchor(rows)).text})")
        return pieces

    def _function(self, name: str) -> str:
        module, _, function = name.rpartition(".")
        if module == "ht":
            self.helpers.add(function)
            return function
        if module not in ("np", "ak", "ak.str"):
            self.imports.add(module)
            return f"{module.rpartition('.')[2]}.{function}"
        return {"np.absolute": "abs"}.get(name, name)

    def visit_Behave(self, node: g.Behave) -> Piece:
        pieces = self.aligned(node, list(node.args))
        if node.how == "property":
            return atom(f"{pieces[0].within(ATOM)}.{node.method}")
        if node.how == "reduce":
            return atom(f"ak.sum({pieces[0].text}, axis=-1)")
        if node.how == "operator":
            sign, binding = (_BINARY | _UNARY)[f"np.{node.method}"] if node.method != "absolute" else ("abs", ATOM)
            if len(pieces) == 1:
                return atom(f"abs({pieces[0].text})") if sign == "abs" else Piece(f"{sign}{pieces[0].within(13)}", 13)
            return Piece(f"{pieces[0].within(binding)} {sign} {pieces[1].within(binding + 1)}", binding)
        inside = [piece.text for piece in pieces[1:]] + [f"{key}={value!r}" for key, value in node.options]
        return atom(f"{pieces[0].within(ATOM)}.{node.method}({', '.join(inside)})")

    def visit_UserCall(self, node: g.UserCall) -> Piece:
        return write_user_call(self, node)

    def visit_Chain(self, node: g.Chain) -> Piece:
        self.helpers.add("chains")
        return atom(f"chains({self.value(node.args[0]).text}, {node.bound}, {entries(self, node)})")

    def visit_Iterate(self, node: g.Iterate) -> Piece:
        key = ("loop", node.args, node.bound)
        if key not in self._pieces:
            self._pieces[key] = write_loop(self, node)
        return atom(f"{self._pieces[key].text}[{node.slot}]")

    def visit_Reduce(self, node: g.Reduce) -> Piece:
        inner = node.args[0]
        if node.function == "num":
            counted = self._counted(inner)
            if counted is not None:
                return counted
        name, fixed = functions.REDUCERS[node.function]
        options = {"axis": len(inner.path) - 1 if node.function == "num" else -1, **fixed, **dict(node.options)}
        inside = ", ".join(f"{key}={value!r}" for key, value in options.items())
        return atom(f"{name}({self.value(inner).text}, {inside})")

    def _counted(self, inner: g.Node) -> Piece | None:
        """The number of rows of a stored collection, from its counter."""
        if isinstance(inner, g.Field) and inner.name == build.ROW and len(inner.path) == 2:
            group = _group(inner.args[0])
            if group.counter:
                counter = self.column(group.counter, "int64", 0, "", group.counter)
                return atom(f'ak.values_astype({counter.text}, "int64")')
        return None

    def visit_Arrange(self, node: g.Arrange) -> Piece:
        options = "".join(f", {key}={value!r}" for key, value in node.options if (key, value) not in _DEFAULTS)
        return atom(f"ak.{node.function}({self.value(node.args[0]).text}, axis=-1{options})")


def counter_of(record: g.Node, leaf: Any, columns: dict[str, Any]) -> str:
    """The column that counts the rows of a leaf. It is read too where the leaf may be missing in a file."""
    group = record.type.group if isinstance(record.type, Record) else None
    counter = (group.counter if group is not None and group.is_list else "") or leaf.counter
    if leaf.optional and counter in stored_counters(build.source_of(record).dataset.schema):
        columns.setdefault(counter, ("int64", 0, ""))
    elif leaf.optional and group is not None and group.is_list and len(record.path) == 2:
        other = _beside(group, leaf, columns)
        if other is not None:
            columns.setdefault(other.column, (other.dtype, other.depth, ""))
            return str(other.column)
    return str(counter)


def _beside(group: Any, leaf: Any, columns: dict[str, Any]) -> Any:
    """Another column of the same rows, for where a file lacks this one: best one that all files have and that is read."""
    leaves = [one for one in group.fields.values() if isinstance(one, Leaf) and one is not leaf and one.depth > 0]
    stored = [one for one in leaves if not one.problem and one.constant is None]
    return min(stored, key=lambda one: (one.optional, one.column not in columns, one.depth), default=None)


def _wider(node: g.Call) -> str:
    """The type of the values of a call, where it is not that of its first argument."""
    one, other = node.args[0].type, node.type
    both = isinstance(one, Number) and isinstance(other, Number)
    return other.dtype.name if both and one.dtype != other.dtype else ""  # type: ignore[union-attr]


def _is_truth(node: g.Node) -> bool:
    return isinstance(node.type, Number) and node.type.dtype.kind == "b"


def _group(record: g.Node) -> Any:
    """The description of a stored record."""
    return record.type.group if isinstance(record.type, Record) else None


_DEFAULTS = {("ascending", True), ("stable", True)}


@functools.lru_cache(maxsize=64)
def stored_counters(schema: Schema) -> frozenset[str]:
    """The columns with one integer for each event, in all files."""
    leaves = schema.columns.items()
    return frozenset(name for name, leaf in leaves if leaf.depth == 0 and "int" in leaf.dtype and not leaf.optional)


def _field_name(node: g.Field) -> str:
    names = []
    record: g.Node = node
    while isinstance(record, g.Field):
        names.append("row" if record.name == build.ROW else record.name)
        record = record.args[0]
    return identifier("_".join(reversed(names)))

"""A program made again over the table that is delivered: what is after a cut is a program like any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis, Path, derives, steps
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.demand import Demand
from hep_tables_coffea.plan.lower import lower_counts
from hep_tables_coffea.plan.table import Clash, DeliveredTable, chain_of, made_rows, own_axes
from hep_tables_coffea.types.elements import Record

__all__ = ["Again", "Lacking"]


#: What makes rows: of combinations, of several collections, of values side by side.
_MAKERS = (g.Side, g.Join, g.Listed, g.Flatten, g.Chain, g.Nest)


class Lacking(Exception):
    """A column is needed here after all, or the number of rows of a collection: `node` is their position then."""

    def __init__(self, node: g.Node, what: str) -> None:
        super().__init__(f"{what} cannot be delivered, and is needed")
        self.node = node


class Again:
    """A program over a delivered table. `constants` are what stands in for values of the whole dataset."""

    def __init__(
        self, table: DeliveredTable, demand: Demand, halves: Callable[[g.Node], Sequence[g.Node]] = lambda node: ()
    ) -> None:
        self.table, self.demand, self._halves_of = table, demand, halves
        self.events = build.source(table.dataset)
        self.constants: dict[g.Node, g.Node] = {}
        axes: dict[Axis, Axis] = {}
        for base, names in table.groups.items():
            made = self._at(names)
            axes |= dict.fromkeys(table.tables[base].lineage(), made.path[-1])
        self.copy = Copy(axes)
        self._given: dict[g.Node, g.Node] = {}
        self._combined: set[Path] = set()
        #: Records of which all fields are needed.
        self._whole: set[g.Node] = set()
        for node, names in table.places.items():
            made = self._given[node] = self._at(names)
            self._combined.update(made_rows(node.path))
            for old, new in zip(own_axes(node.path)[2:], made.path[2:]):
                axes |= {axis: new for axis in old.lineage() if axis not in axes}

    def _at(self, names: Sequence[str]) -> g.Node:
        node = self.events
        for name in names:
            node = build.field(node, name)
        return node

    def _group(self, node: g.Node) -> g.Node:
        """The record with a row for each of a collection."""
        base = node.path[-1].base
        if base not in self.table.groups:
            raise Lacking(build.anchor(node), f"the number of rows of {base.name}")
        return self._at(self.table.groups[base])

    # -- outputs --

    def program(self, outputs: Mapping[str, g.Node]) -> dict[str, g.Node]:
        """The outputs over the table. Raises `Clash` or `Lacking` where the cut has to be made elsewhere."""
        self._whole.update(walk([node for node in outputs.values() if node.path], _records))
        return {name: self._output(node) for name, node in outputs.items()}

    def _output(self, node: g.Node) -> g.Node:
        if node.path:
            return self.value(node)
        made: dict[g.Node, g.Node] = {}
        for one in walk([node], _scalar_needs):
            if isinstance(one, g.Fill):
                args = tuple(map(self.value, one.args))
                self._refuse_clash(one.args, args)
                made[one] = g.Fill.make(args, one.params, one.path, one.type, one.where)
            elif isinstance(one, g.Aggregate):
                made[one] = functions.aggregate(one.function, self.value(one.args[0]), dict(one.options))
            else:
                made[one] = self.copy.again(one, [made[arg] for arg in one.args]) if one.args else one
            _same_place(made[one], one)
        return made[node]

    # -- values --

    def value(self, node: g.Node) -> g.Node:
        """A value over the table."""
        made = self.copy.made
        newest = self.events.serial
        for one in walk([node], self._needs):
            if one not in made:
                made[one] = self._make(one)
                if made[one].serial > newest:
                    _same_place(made[one], one)
        return made[node]

    def _delivered(self, node: g.Node) -> g.Node | None:
        if not node.path or isinstance(node.type, Record):
            return None
        found = self._given.get(node)
        if found is None:
            found = self._given.get(build.restrict(node, self._table_path(node.path)))
        return found

    def _table_path(self, path: Path) -> Path:
        """The rows of the table that a value on larger collections is asked of."""
        own = own_axes(path)
        found = [self.table.tables.get(axis.base, axis) for axis in own]
        return (*(rows if derives(rows, axis) else axis for rows, axis in zip(found, own)), *path[len(own) :])

    def _halves(self, node: g.Node) -> Sequence[g.Node]:
        """What is delivered in place of a value that may be missing."""
        halves = self._halves_of(node) if self.demand.uses[node] else ()
        return halves if all(self._delivered(half) is not None for half in halves) else ()

    def _needs(self, node: g.Node) -> Sequence[g.Node]:
        if node in self.copy.made or self._delivered(node) is not None or not node.path:
            return ()
        if self._halves(node):
            return self._halves(node)
        if isinstance(node, (g.Source, g.Metadata)) or _is_stored(node):
            return ()
        if lower_counts(node) is not node:
            return (lower_counts(node),)
        if isinstance(node, g.Restrict):
            return [*node.args, *self._masks(node.path)]
        if isinstance(node, (g.Zip, g.Extend)):
            return self._members(node)
        found: list[g.Node] = []
        for arg in node.args:
            found += self._masks(arg.path) if self._only_counts(node, arg) else [arg]
        return found

    def _masks(self, path: Path) -> list[g.Node]:
        """What selects rows of those of the table, or of those that are made here."""
        found = []
        for axis in path:
            rows = self.table.tables.get(axis.base, axis.base)
            if derives(axis, rows):
                found += [step.node for step in steps(rows, axis) if step.node is not None]
        return found

    def _members(self, node: g.Zip | g.Extend) -> list[g.Node]:
        """The values of a record that are asked for, in it or in others that are made of it."""
        names, uses = self.demand.fields(node), self.demand.uses
        values, whole = node.args if isinstance(node, g.Zip) else node.args[1:], node in self._whole
        found = [arg for name, arg in zip(node.names, values) if whole or name in names or uses[lower_counts(arg)]]
        if isinstance(node, g.Extend):
            return [node.args[0], *found]
        return found or list(node.args[:1])

    def _only_counts(self, node: g.Node, arg: g.Node) -> bool:
        """Whether of an argument only its rows matter."""
        if isinstance(node, g.Nest):
            return arg is node.args[1] and arg is not node.args[0]
        if isinstance(node, g.Side):
            return arg is not node.args[node.slot]
        if isinstance(node, g.Call) and node.function == "ht.broadcast":
            return arg is node.args[1] and arg is not node.args[0]
        return False

    def _make(self, node: g.Node) -> g.Node:
        given = self._delivered(node)
        if given is not None:
            return given
        if not node.path:
            return self._constant(node)
        if self._halves(node):
            return functions.call("ak.mask", [self.copy.made[half] for half in self._halves(node)])
        if isinstance(node, g.Source):
            return self.events
        if isinstance(node, g.Metadata):
            return build.metadata(self.events, node.name, node.values)
        if isinstance(node, g.Field) and _is_stored(node):
            return self._stored(node)
        if lower_counts(node) is not node:
            return self.copy.made[lower_counts(node)]
        if isinstance(node, (g.Zip, g.Extend)):
            return self._record(node)
        args = [self._rows(arg) if self._only_counts(node, arg) else self.copy.made[arg] for arg in node.args]
        self._check(node, args)
        if isinstance(node, g.Restrict):
            return build.restrict(args[0], self._selected(node, args[0].path))
        made = self.copy.again(node, args)
        if isinstance(node, g.Flatten):  # its axis has the name of the rows, which are filtered there and not here
            self.copy.axes[node.path[node.position - 1]] = made.path[node.position - 1]
        return made

    def _selected(self, node: g.Restrict, rows: Path) -> Path:
        """The path of a restriction of what has these rows: lists that were delivered by themselves have their own."""
        kept = zip(node.args[0].path, node.path, rows)
        path = tuple(mine if old is new else self.copy.axis(new) for old, new, mine in kept)
        for k, (new, mine) in enumerate(zip(path, rows), 1):
            if not derives(new, mine):
                raise _clash(_bases(node)[:k])
        return path

    # -- what cannot be made of what is delivered --

    def _check(self, node: g.Node, made: Sequence[g.Node]) -> None:
        self._refuse_clash(node.args, made)
        if isinstance(node, g.Behave):
            self._check_fields(node, made)
        if isinstance(node, _MAKERS):
            clashing = self._combined.intersection(made_rows(node.path))
            if clashing:
                raise _clash(min(clashing, key=len))

    def _check_fields(self, node: g.Behave, made: Sequence[g.Node]) -> None:
        """A computed record has been taken to pieces, some of which were delivered, and is needed as a whole after all."""
        for arg, one, touched in zip(node.args, made, node.touched):
            if isinstance(arg.type, Record) and not isinstance(arg, g.Behave):
                for name in functions.needed_fields(arg, touched):
                    if not build.has_field(one, name):
                        raise Lacking(build.field(arg, name), f"the column {name!r}")

    def _refuse_clash(self, nodes: Sequence[g.Node], made: Sequence[g.Node]) -> None:
        """Lists in lists that were delivered one by one are not known to have the same rows."""
        known: dict[Path, Path] = {}
        for rows, found in zip(map(_bases, nodes), map(_bases, made)):
            if len(rows) > 2 and known.setdefault(rows, found) != found:
                raise _clash(rows)

    # -- some kinds of nodes --

    def _stored(self, node: g.Field) -> g.Node:
        if node.name == build.ROW:
            return build.row(self._group(node))
        if isinstance(node.type, Record):
            is_list = len(node.path) > len(node.args[0].path)
            return self._group(node) if is_list else self._at(chain_of(node))
        raise Lacking(node, f"the column {node.name!r}")

    def _record(self, node: g.Zip | g.Extend) -> g.Node:
        made = self.copy.made
        values = node.args if isinstance(node, g.Zip) else node.args[1:]
        fields = {name: made[arg] for name, arg in zip(node.names, values) if arg in made}
        self._refuse_clash([arg for arg in values if arg in made], list(fields.values()))
        if isinstance(node, g.Zip):
            return build.zip_fields(fields, node.behavior, depth=len(node.path))
        return build.extend(made[node.args[0]], fields)

    def _rows(self, node: g.Node) -> g.Node:
        """Some value with the same rows."""
        if len(node.path) > 2 or node.path[-1].base not in self.table.groups:
            return self.value(node)
        return build.restrict(build.row(self._group(node)), tuple(map(self.copy.axis, node.path)))

    def _constant(self, node: g.Node) -> g.Node:
        """A constant; or what stands in for a value of the whole dataset that is known before."""
        if isinstance(node, g.Literal):
            return node
        params = ("num", (("of", node.digest),))
        made = g.Aggregate.make((build.row(self.events),), params, (), node.type, node.where)
        self.constants[made] = node
        return made


def _clash(rows: Path) -> Clash:
    return Clash(rows, "would be made here as well as there")


def _bases(node: g.Node) -> Path:
    return tuple(axis.base for axis in node.path)


def _is_stored(node: g.Node) -> bool:
    return isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave)


def _records(node: g.Node) -> Sequence[g.Node]:
    """The records that a record is made of."""
    return [arg for arg in node.args if isinstance(arg.type, Record)] if isinstance(node.type, Record) else ()


def _scalar_needs(node: g.Node) -> Sequence[g.Node]:
    return () if isinstance(node, (g.Aggregate, g.Fill)) else node.args


def _same_place(made: g.Node, node: g.Node) -> None:
    """Errors and names are those of the user's line."""
    if made.serial > node.serial:
        made.where = node.where

"""Making a program again with other values or axes in place of some: what leaves a lambda, what is read from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.axes import Axis

__all__ = ["Copy"]


class Copy:
    """Nodes made again. `axes` says what stands in place of some axes, `made` of some nodes; both grow."""

    def __init__(self, axes: dict[Axis, Axis]) -> None:
        self.axes = axes
        self.made: dict[g.Node, g.Node] = {}

    def axis(self, axis: Axis) -> Axis:
        """An axis with its parent, mask or order as they are in the copy.

        A mask that was not made again would select other rows than those of the copy, without a word.
        """
        if axis not in self.axes:
            parent = self.axis(axis.parent) if axis.parent is not None else None
            inputs = tuple(map(self.axis, axis.inputs))
            if axis.node is not None and axis.node not in self.made:
                msg = f"the rows of {axis.rows_text()} are made again before what selects them"
                raise AssertionError(msg)
            node = self.made[axis.node] if axis.node is not None else None
            self.axes[axis] = Axis(axis.kind, axis.name, parent=parent, node=node, params=axis.params, inputs=inputs)
        return self.axes[axis]

    def again(self, node: g.Node, args: Sequence[g.Node]) -> g.Node:
        """The node made again of other arguments."""
        args = list(args)
        if isinstance(node, g.Field):
            return build.field(args[0], node.name)
        if isinstance(node, g.Extend):
            return build.extend(args[0], dict(zip(node.names, args[1:])))
        if isinstance(node, g.Zip):
            return build.zip_fields(dict(zip(node.names, args)), node.behavior, depth=len(node.path))
        if isinstance(node, g.Restrict):
            return build.restrict(args[0], tuple(map(self.axis, node.path)))
        if isinstance(node, g.Nest):
            return build.nest(args[0], args[1], node.prefix)
        if isinstance(node, g.Side):
            return build.side(args, self.axis(node.axis), node.slot, node.position)
        if isinstance(node, g.Join):
            return build.join(args, self.axis(node.axis), node.position)
        if isinstance(node, g.Listed):
            return build.listed(args, self.axis(node.axis))
        if isinstance(node, g.Flatten):
            return build.flatten(args[0], node.position)
        if isinstance(node, g.Pick):
            return build.pick(args[0], args[1] if len(args) > 1 else node.constant, node.position)
        if isinstance(node, g.Parameter):
            path = tuple(map(self.axis, node.path))
            return g.Parameter.make((), (*node.params[:3], path), path, node.type, node.where)
        if isinstance(node, g.Current):
            return build.relabel(args[0], self.axis(node.axis), node.position)
        return _computed_again(node, args)


def _computed_again(node: g.Node, args: list[g.Node]) -> g.Node:
    if isinstance(node, g.Call):
        return functions.call_again(node, args)
    if isinstance(node, g.Iterate):
        n = node.size
        return functions.iterate(args[:n], args[n : 2 * n], args[2 * n : 3 * n], args[-1], node.bound, node.slot)
    if isinstance(node, g.Chain):
        return functions.chain(args[0], node.axis.name, node.bound)
    if isinstance(node, g.UserCall):
        return functions.user_call(node.declared, args)
    if isinstance(node, g.Reduce):
        return functions.reduce(node.function, args[0], dict(node.options))
    if isinstance(node, g.Arrange):
        return functions.arrange(node.function, args[0], dict(node.options))
    if isinstance(node, g.Aggregate):
        return functions.aggregate(node.function, args[0], dict(node.options))
    if isinstance(node, g.Behave):
        if node.how == "reduce":
            return functions.reduce("sum", args[0])
        return functions.behave(args[0], node.method, node.how, args[1:], dict(node.options))
    msg = f"a {type(node).__name__} cannot be made again"
    raise TypeError(msg)

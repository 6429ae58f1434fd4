"""Axes: which things a value has one entry for. An axis is an identity, so the same axis is the same object."""

from __future__ import annotations

import hashlib
from threading import RLock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hep_tables_coffea.graph.nodes import Node

__all__ = ["Axis", "Path", "derives", "path_text", "steps"]

#: Kinds of axes. A derived axis has rows of its parent: fewer of them, or in another order.
DERIVED = ("subset", "ordered", "sliced", "padded")

_axes: WeakValueDictionary[tuple[Any, ...], Axis] = WeakValueDictionary()
_making = RLock()


class Axis:
    """A set of rows: the events, a collection, what a filter left of one, the pairs of one, ...

    kind        parent      node              params
    `rows`      -           -                 (dataset uid, name of the collection)
    `subset`    what it filters    the mask   ()
    `ordered`   what it orders     the index  ()
    `sliced`    what it cuts       -          (start, stop, step)
    `padded`    what it fills up   -          (n, clip)
    `pairs`     -           -                 (n, with_replacement); inputs: the one collection
    `cross`     -           -                 (); inputs: one for each slot
    `joined`    -           -                 (origins); inputs: one for each part
    `flat`      -           -                 (); inputs: the two axes made one
    `listed`    -           -                 (name, n): n values side by side
    """

    __slots__ = ("__weakref__", "_digest", "inputs", "kind", "name", "node", "params", "parent")

    kind: str
    name: str
    parent: Axis | None
    node: Node | None
    params: tuple[Any, ...]
    inputs: tuple[Axis, ...]
    _digest: str

    def __new__(
        cls,
        kind: str,
        name: str,
        *,
        parent: Axis | None = None,
        node: Node | None = None,
        params: tuple[Any, ...] = (),
        inputs: tuple[Axis, ...] = (),
    ) -> Axis:
        key = (kind, name, id(parent), id(node), params, tuple(map(id, inputs)))
        with _making:
            known = _axes.get(key)
            if known is not None:
                return known
            axis = super().__new__(cls)
            axis.kind, axis.name, axis.parent, axis.node, axis.params, axis.inputs = (
                kind,
                name,
                parent,
                node,
                params,
                inputs,
            )
            axis._digest = ""
            _axes[key] = axis
            return axis

    def __repr__(self) -> str:
        return f"<axis {self.name}>"

    def __copy__(self) -> Axis:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Axis:
        return self

    def lineage(self) -> Iterator[Axis]:
        """The axis, its parent, and so on to the collection it comes from."""
        axis: Axis | None = self
        while axis is not None:
            yield axis
            axis = axis.parent

    @property
    def base(self) -> Axis:
        axis = self
        while axis.parent is not None:
            axis = axis.parent
        return axis

    @property
    def digest(self) -> str:
        if not self._digest:
            params = self.params[1:] if self.kind == "rows" else self.params
            parts = [self.kind, self.name, repr(params)]
            parts += [part.digest for part in (self.parent, self.node, *self.inputs) if part is not None]
            self._digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
        return self._digest

    def rows_text(self) -> str:
        """How the axis was made, for messages."""
        made = {"subset": "filtered", "ordered": "ordered", "sliced": "sliced"}.get(self.kind)
        if made is None or self.parent is None:
            return self.name
        at = f" at {self.node.where}" if self.node is not None else ""
        return f"{self.name} ({self.parent.name} {made}{at})"


Path = tuple[Axis, ...]


def path_text(path: Path) -> str:
    """`event * Jet`, as types are printed."""
    return " * ".join(axis.name for axis in path)


def derives(axis: Axis, ancestor: Axis) -> bool:
    """Whether the rows of `axis` are rows of `ancestor`."""
    return any(step is ancestor for step in axis.lineage())


def steps(ancestor: Axis, axis: Axis) -> list[Axis]:
    """The derived axes that lead from `ancestor` to `axis`, outermost first."""
    chain: list[Axis] = []
    for step in axis.lineage():
        if step is ancestor:
            return chain[::-1]
        chain.append(step)
    msg = f"{axis!r} does not come from {ancestor!r}"
    raise ValueError(msg)

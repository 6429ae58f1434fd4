"""The nodes of a recorded program: few kinds, hash-consed, each with its axis path, element type and user's line.

Writing the same thing twice gives the same node, so sharing is free and identity is equality. Nodes are made by the
functions of `graph.build`, which know the rules; the classes here only hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from threading import RLock
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import numpy as np
from typing_extensions import Self

from hep_tables_coffea.errors import Where, here
from hep_tables_coffea.graph.axes import Axis, Path, path_text, steps
from hep_tables_coffea.types.elements import Element

__all__ = [
    "Aggregate",
    "Arrange",
    "Behave",
    "Call",
    "Chain",
    "Current",
    "Declared",
    "Extend",
    "Field",
    "Fill",
    "Flatten",
    "Iterate",
    "Join",
    "Listed",
    "Literal",
    "Metadata",
    "Nest",
    "Node",
    "Parameter",
    "Pick",
    "Reduce",
    "Restrict",
    "Side",
    "Source",
    "UserCall",
    "Zip",
]

_nodes: WeakValueDictionary[tuple[Any, ...], Node] = WeakValueDictionary()
_serial = count()
_making = RLock()


class Node:
    """One recorded operation. `args` are nodes, `params` plain values; both together with the kind are the identity."""

    __slots__ = ("__weakref__", "_digest", "args", "params", "path", "serial", "type", "where")
    parameters: ClassVar[tuple[str, ...]] = ()

    args: tuple[Node, ...]
    params: tuple[Any, ...]
    path: Path
    type: Element
    where: Where
    serial: int
    _digest: str

    @classmethod
    def make(
        cls, args: tuple[Node, ...], params: tuple[Any, ...], path: Path, type_: Element, where: Where | None
    ) -> Self:
        """The node of this kind with these arguments: the one that exists already, or a new one."""
        key = (cls, tuple(map(id, args)), params)
        with _making:  # programs are recorded and planned in several threads
            node = _nodes.get(key)
            if node is None:
                node = object.__new__(cls)
                node.args, node.params, node.path, node.type = args, params, path, type_
                node.where, node.serial, node._digest = where or here(), next(_serial), ""
                _nodes[key] = node
        return node  # type: ignore[return-value]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.params[type(self).parameters.index(name)]
        except ValueError:
            msg = f"{type(self).__name__} has no {name!r}"
            raise AttributeError(msg) from None

    def __copy__(self) -> Node:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Node:
        return self

    @property
    def text(self) -> str:
        """`event * Jet * float32`."""
        return " * ".join([*(axis.name for axis in self.path), str(self.type)])

    @property
    def needs(self) -> tuple[Node, ...]:
        """Every node that must be known before this one: the arguments, and the masks and orders of derived axes."""
        return self.args

    @property
    def digest(self) -> str:
        """A hash of the content, the same in every process and for every opening of a dataset."""
        if not self._digest:
            from hep_tables_coffea.graph.traverse import walk

            for node in walk([self]):
                if not node._digest:
                    node._digest = node._hash()
        return self._digest

    def _hash(self) -> str:
        parts = [type(self).__name__, *map(_param_text, self.params), *(arg.digest for arg in self.args)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {path_text(self.path)} * {self.type}>"


def _param_text(param: Any) -> str:
    if isinstance(param, Axis):
        return param.digest
    if isinstance(param, tuple):
        return "(" + ",".join(map(_param_text, param)) + ")"
    if isinstance(param, frozenset):
        return "{" + ",".join(sorted(map(_param_text, param))) + "}"  # the order of a set differs between processes
    return repr(param)


class Source(Node):
    """The events of one dataset."""

    __slots__ = ()
    parameters = ("dataset",)

    def _hash(self) -> str:
        return hashlib.sha256(f"Source {self.params[0].schema.pack}".encode()).hexdigest()


class Literal(Node):
    """A constant. The text of the value is part of the identity: 1, 1.0 and True are three constants."""

    __slots__ = ()
    parameters = ("value", "kind", "text")


class Metadata(Node):
    """A value of the dataset's metadata, the same for every event of a dataset. args: source."""

    __slots__ = ()
    parameters = ("name", "values")


class Field(Node):
    """A stored column, a stored group, or a field of a computed record. args: the record."""

    __slots__ = ()
    parameters = ("name",)

    def _hash(self) -> str:
        """With what the schema says of it: two files may have a column of one name and two types."""
        group = getattr(self.args[0].type, "group", None)
        member: Any = None if group is None or self.name not in group.fields else group.fields[self.name]
        is_group = hasattr(member, "fields")
        stored = f"{member.is_list} {member.behavior} {member.counter}" if is_group else f"{member!r} {self.type}"
        parts = ["Field", self.name, stored, self.args[0].digest]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Zip(Node):
    """A record of values of one path. args: one for each name."""

    __slots__ = ()
    parameters = ("names", "behavior", "rows")


class Extend(Node):
    """A record with further fields, or other values of its fields. args: the record, one value for each name."""

    __slots__ = ()
    parameters = ("names",)


class Restrict(Node):
    """The rows of derived axes: filtered, ordered, sliced. args: the value on the parents."""

    __slots__ = ()
    parameters = ("target",)

    @property
    def needs(self) -> tuple[Node, ...]:
        found = list(self.args)
        for old, new in zip(self.args[0].path, self.path):
            found += [step.node for step in steps(old, new) if step.node is not None]
        return tuple(found)


class Nest(Node):
    """The whole list for every row of further outer axes. args: the value, any value on the outer path.

    The value's path is prefix + rest, the outer path is prefix + more, the result's is prefix + more + rest.
    """

    __slots__ = ()
    parameters = ("prefix",)


class Side(Node):
    """The value of one member of every pair, triple or cross product. args: one value for each slot.

    `position` is the place of the axis in the path.
    """

    __slots__ = ()
    parameters = ("axis", "slot", "position")


class Join(Node):
    """The rows of several collections as one. args: the same column of each part."""

    __slots__ = ()
    parameters = ("axis", "position")


class Listed(Node):
    """Values of one path side by side, as a list. args: the values."""

    __slots__ = ()
    parameters = ("axis",)


class Flatten(Node):
    """Two axes as one. args: the value."""

    __slots__ = ()
    parameters = ("position",)


class Current(Node):
    """A value on the axis of a lambda parameter; exists only while the lambda is traced. args: the value.

    `position` is the place of the axis in the path.
    """

    __slots__ = ()
    parameters = ("axis", "position")


class Pick(Node):
    """One row of a list, missing where there is none. args: the value, and the index unless it is a constant."""

    __slots__ = ()
    parameters = ("position", "constant")


class Call(Node):
    """A function of each element: a ufunc, `where`, `clip`, ... args: the arguments, aligned by their prefixes."""

    __slots__ = ()
    parameters = ("function", "options")


@dataclass(frozen=True, slots=True)
class Declared:
    """A function of the user: its name, its body or None where a back end must provide it, its result and arguments."""

    name: str
    function: Callable[..., Any] | None
    vectorized: bool
    returns: Element
    where: Where
    parameters: tuple[str, ...] = ()

    def __repr__(self) -> str:
        code = getattr(self.function, "__code__", None)
        body = "" if code is None else hashlib.sha256(code.co_code + repr(code.co_consts).encode()).hexdigest()
        return f"{self.name} {body} {self.vectorized} {self.returns}"


class UserCall(Node):
    """A call of a function of the user, for each element. args: the arguments, aligned by their prefixes."""

    __slots__ = ()
    parameters = ("declared",)


class Parameter(Node):
    """One value of the state of a loop: `number` tells the loops apart, `slot` the values of one.

    `level` counts the loops around; it tells a loop in a loop from the outer one wherever the program is recorded.
    """

    __slots__ = ()
    parameters = ("number", "slot", "level", "target")

    def _hash(self) -> str:
        return hashlib.sha256(f"Parameter {self.slot} {self.level} {self.type}".encode()).hexdigest()


class Iterate(Node):
    """One value of the last state of a loop. args: where the state begins, its parameters, the steps, the condition.

    There are as many beginnings, parameters and steps as the state has values; `slot` says which of them this is.
    """

    __slots__ = ()
    parameters = ("bound", "slot")

    @property
    def size(self) -> int:
        """The number of values of the state."""
        return (len(self.args) - 1) // 3


class Chain(Node):
    """The rows that a pointer leads to, one after the other, until it points nowhere. args: the pointer.

    The pointer holds positions in its own list; the result is a list of positions for each row.
    """

    __slots__ = ()
    parameters = ("axis", "bound")


class Behave(Node):
    """A method, property or operator of records: `.mass`, `delta_r`, the sum of vectors. args: self and the others.

    `touched` are the fields that each argument needs.
    """

    __slots__ = ()
    parameters = ("method", "how", "options", "touched", "form")


class Reduce(Node):
    """One value of each innermost list. args: the value."""

    __slots__ = ()
    parameters = ("function", "options")


class Arrange(Node):
    """A value for each row that depends on its whole list: the sorting index, the position. args: the value."""

    __slots__ = ()
    parameters = ("function", "options")


class Aggregate(Node):
    """One value of the whole dataset, with a merge law. args: the value."""

    __slots__ = ()
    parameters = ("function", "options")


class Fill(Node):
    """A histogram with its fills. args: every value of every fill; `fills` says which stands where."""

    __slots__ = ()
    parameters = ("maker", "fills", "view")


def literal_key(value: Any) -> tuple[Any, str]:
    """A constant as a plain Python value, and the name of its type: `float32` for a numpy scalar, else `float`."""
    if isinstance(value, np.generic):
        return value.item(), value.dtype.name
    return value, type(value).__name__

"""Methods of vectors as plain arithmetic: the formulas of the vector library, recorded on columns.

Arrays of vectors compute with the functions of `vector._compute`, whatever they are made of. Given recorded columns in
place of numbers, the same functions record what they would compute, in the same order and of the same types.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from hep_tables_coffea.codegen.fused.ir import Unfusable
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.types.elements import Record

__all__ = ["Vectors"]

_PROPERTIES = {name: name for name in "x y z t px py pz pt phi eta theta rho mass energy E e p p2 pt2 mass2 rapidity".split()} | {
    "r": "rho", "r2": "rho2", "m": "mass", "M": "mass", "mt": "Mt", "et": "Et",
}  # fmt: skip
_METHODS = {
    "delta_r": "deltaR",
    "deltaR": "deltaR",
    "delta_r2": "deltaR2",
    "delta_phi": "deltaphi",
    "deltaphi": "deltaphi",
    "deltaeta": "deltaeta",
    "add": "add",
    "subtract": "subtract",
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {"add": operator.add, "subtract": operator.sub}
_AZIMUTHAL = ((("x", "y"), "XY"), (("px", "py"), "XY"), (("pt", "phi"), "RhoPhi"), (("rho", "phi"), "RhoPhi"))
_LONGITUDINAL = (("z", "Z"), ("pz", "Z"), ("eta", "Eta"), ("theta", "Theta"))
_TEMPORAL = (("t", "T"), ("E", "T"), ("e", "T"), ("energy", "T"), ("mass", "Tau"), ("m", "Tau"), ("M", "Tau"), ("tau", "Tau"))  # fmt: skip
_PARTS = ("x", "y", "z", "t")
_CALLED = {"x": "px", "y": "py", "z": "pz", "t": "energy"}


class Vectors:
    """Expands the methods of vectors; each once."""

    def __init__(self) -> None:
        self._numbers: dict[g.Node, g.Node] = {}
        self._components: dict[g.Node, Mapping[str, g.Node]] = {}
        #: What the values are called in kernels.
        self.names: dict[g.Node, str] = {}

    def number(self, node: g.Behave) -> g.Node:
        """A property or method with one number for each record, as arithmetic."""
        if node not in self._numbers:
            made = self._numbers[node] = self._number(node)
            self.names.setdefault(made, node.method)
        return self._numbers[node]

    def component(self, node: g.Behave, name: str) -> g.Node:
        """A coordinate of a vector that a method gives."""
        return self.components(node)[name]

    def components(self, node: g.Node) -> Mapping[str, g.Node]:
        """The coordinates of a vector by their names."""
        if node not in self._components:
            self._components[node] = self._computed(node) if isinstance(node, g.Behave) else self._stored(node)
        return self._components[node]

    def _number(self, node: g.Behave) -> g.Node:
        known = _PROPERTIES if node.how == "property" else _METHODS
        if node.how not in ("property", "method") or node.method not in known or node.options:
            raise Unfusable(f"{node.method} of vectors has no formula here")
        vectors = [self._object(arg) for arg in node.args]
        try:
            if node.how == "property":
                made = getattr(vectors[0], known[node.method])
            else:
                made = getattr(vectors[0], known[node.method])(*vectors[1:])
        except Exception as error:
            raise Unfusable(f"{node.method} of vectors cannot be written as arithmetic") from error
        found = getattr(made, "_node", None)
        if found is None or found.type.dtype != node.type.dtype:  # type: ignore[union-attr]
            raise Unfusable(f"{node.method} of vectors gives another type")
        return found  # type: ignore[no-any-return]

    def _computed(self, node: g.Behave) -> Mapping[str, g.Node]:
        assert isinstance(node.type, Record)
        names = node.type.fields
        if not set(names) <= {*_PARTS, "charge"}:
            raise Unfusable(f"{node.method} of vectors gives other coordinates than x, y, z, t")
        if node.how == "reduce":
            made = {name: functions.reduce("sum", self._part(node.args[0], name)) for name in names}
        elif node.how in ("operator", "method") and node.method in _OPERATORS and len(node.args) == 2:
            combine = _OPERATORS[node.method]
            made = {name: self._combined(combine, node, name) for name in names}
        else:
            raise Unfusable(f"{node.method} of vectors has no formula here")
        return made

    def _combined(self, combine: Callable[[Any, Any], Any], node: g.Behave, name: str) -> g.Node:
        from hep_tables_coffea.record.array import wrap

        one, other = (wrap(self._part(arg, name)) for arg in node.args)
        found: g.Node = combine(one, other)._node
        return found

    def _part(self, node: g.Node, name: str) -> g.Node:
        """One Cartesian component, or the charge."""
        if name == "charge":
            return self.components(node)[name]
        found = getattr(getattr(self._object(node), name), "_node", None)
        if not isinstance(found, g.Node):
            raise Unfusable(f"a vector has no {name}")
        if not isinstance(found, g.Field):
            self.names.setdefault(found, _CALLED[name])
        return found

    def _stored(self, node: g.Node) -> Mapping[str, g.Node]:
        if not isinstance(node.type, Record):
            raise Unfusable("a method of vectors takes a number")
        wanted = {name for names, _ in _AZIMUTHAL for name in names} | {
            name for name, _ in (*_LONGITUDINAL, *_TEMPORAL)
        }
        names = [name for name in node.type.fields if name in wanted or name == "charge"]
        return {name: build.field(node, name) for name in names}

    def _object(self, node: g.Node) -> Any:
        """A vector of the library whose coordinates are recorded columns."""
        from vector.backends import object as plain

        from hep_tables_coffea.record.array import wrap

        found = {name: wrap(value) for name, value in self.components(node).items()}
        azimuthal: Any = next(
            (
                getattr(plain, f"AzimuthalObject{kind}")(*(found[name] for name in names))
                for names, kind in _AZIMUTHAL
                if set(names) <= set(found)
            ),
            None,
        )
        longitudinal, temporal = (
            next((getattr(plain, f"{which}Object{kind}")(found[name]) for name, kind in table if name in found), None)
            for which, table in (("Longitudinal", _LONGITUDINAL), ("Temporal", _TEMPORAL))
        )
        if azimuthal is None or (temporal is not None and longitudinal is None):
            raise Unfusable("the coordinates of a vector are not known")
        if temporal is not None:
            return plain.MomentumObject4D(azimuthal=azimuthal, longitudinal=longitudinal, temporal=temporal)
        if longitudinal is not None:
            return plain.MomentumObject3D(azimuthal=azimuthal, longitudinal=longitudinal)
        return plain.MomentumObject2D(azimuthal=azimuthal)

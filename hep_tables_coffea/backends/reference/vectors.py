"""Vectors of special relativity, one at a time: components from whatever coordinates a record has.

With transverse momentum pt, pseudorapidity eta, azimuth phi and mass m (see the review "Kinematics" of the Particle
Data Group): px = pt cos phi, py = pt sin phi, pz = pt sinh eta, E^2 = px^2 + py^2 + pz^2 + m^2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["METHODS", "OPERATORS", "PROPERTIES", "Vector", "added", "cartesian", "component", "expressed", "is_vector"]

Vector = Mapping[str, Any]

_ENERGY = ("t", "E", "e", "energy")
_MASS = ("mass", "m", "M", "tau")


def is_vector(record: Any) -> bool:
    """Whether a record has the coordinates of a direction in the transverse plane."""
    if not isinstance(record, Mapping):
        return False
    return any({x, y} <= set(record) for x, y in (("x", "y"), ("px", "py"), ("pt", "phi"), ("rho", "phi")))


def _given(vector: Vector, names: Iterable[str]) -> Any:
    return next((vector[name] for name in names if name in vector), None)


def px(vector: Vector) -> Any:
    own = _given(vector, ("x", "px"))
    return _given(vector, ("pt", "rho")) * np.cos(vector["phi"]) if own is None else own


def py(vector: Vector) -> Any:
    own = _given(vector, ("y", "py"))
    return _given(vector, ("pt", "rho")) * np.sin(vector["phi"]) if own is None else own


def pt(vector: Vector) -> Any:
    own = _given(vector, ("pt", "rho"))
    return np.sqrt(px(vector) ** 2 + py(vector) ** 2) if own is None else own


def phi(vector: Vector) -> Any:
    return vector["phi"] if "phi" in vector else np.arctan2(py(vector), px(vector))


def pz(vector: Vector) -> Any:
    own = _given(vector, ("z", "pz"))
    if own is not None:
        return own
    return pt(vector) * np.sinh(vector["eta"]) if "eta" in vector else pt(vector) / np.tan(vector["theta"])


def eta(vector: Vector) -> Any:
    if "eta" in vector:
        return vector["eta"]
    along, across = pz(vector), pt(vector)
    return along if along == 0 and across == 0 else np.arcsinh(along / across)


def p2(vector: Vector) -> Any:
    if "eta" in vector:
        return (pt(vector) * np.cosh(vector["eta"])) ** 2
    return pt(vector) ** 2 + pz(vector) ** 2


def mass2(vector: Vector) -> Any:
    """The squared mass, negative of a spacelike vector."""
    own = _given(vector, _MASS)
    if own is not None:
        return np.copysign(own**2, own)
    return _given(vector, _ENERGY) ** 2 - p2(vector)


def mass(vector: Vector) -> Any:
    """The mass, negative of a spacelike vector."""
    own = _given(vector, _MASS)
    if own is not None:
        return own
    square = mass2(vector)
    return np.copysign(np.sqrt(abs(square)), square)


def energy(vector: Vector) -> Any:
    own = _given(vector, _ENERGY)
    return np.sqrt(np.maximum(mass2(vector) + p2(vector), 0)) if own is None else own


def delta_phi(one: Vector, other: Vector) -> Any:
    """The difference of azimuths from -pi up to pi."""
    return (phi(one) - phi(other) + np.pi) % (2 * np.pi) - np.pi


def delta_r(one: Vector, other: Vector) -> Any:
    return np.sqrt(delta_phi(one, other) ** 2 + (eta(one) - eta(other)) ** 2)


_COMPONENTS: dict[str, Callable[[Vector], Any]] = {
    **dict.fromkeys(("x", "px"), px),
    **dict.fromkeys(("y", "py"), py),
    **dict.fromkeys(("z", "pz"), pz),
    **dict.fromkeys(_ENERGY, energy),
    **dict.fromkeys(_MASS, mass),
    **dict.fromkeys(("pt", "rho", "r"), pt),
    "phi": phi,
    "eta": eta,
    "charge": lambda vector: vector["charge"],
}


def component(vector: Vector, name: str) -> Any:
    """A component by any of its names."""
    return _COMPONENTS[name](vector)


def cartesian(vector: Vector) -> dict[str, Any]:
    """The Cartesian components, as many as the vector has, and the charge."""
    found = {"x": px(vector), "y": py(vector)}
    if {"z", "pz", "eta", "theta"} & set(vector):
        found["z"] = pz(vector)
    if {*_ENERGY, *_MASS} & set(vector):
        found["t"] = energy(vector)
    return found | ({"charge": vector["charge"]} if "charge" in vector else {})


def added(vectors: Sequence[Vector]) -> dict[str, Any]:
    """The sum of vectors; of none, zero in every component."""
    total: dict[str, Any] = dict.fromkeys(("x", "y", "z", "t", "charge"), 0)
    for vector in vectors:
        total = {name: value + total[name] for name, value in cartesian(vector).items()}
    return total


def expressed(vector: Vector, names: Iterable[str]) -> dict[str, Any]:
    """The vector in other coordinates."""
    return {name: component(vector, name) for name in names}


PROPERTIES: dict[str, Callable[[Vector], Any]] = {
    **_COMPONENTS,
    "pt2": lambda vector: pt(vector) ** 2,
    "mass2": mass2,
    "p2": p2,
    "p": lambda vector: np.sqrt(p2(vector)),
}

METHODS: dict[str, Callable[[Vector, Vector], Any]] = {
    **dict.fromkeys(("delta_phi", "deltaphi"), delta_phi),
    **dict.fromkeys(("delta_r", "deltaR"), delta_r),
}

#: ufunc -> a component of the result from those of the operands. All are linear, in Cartesian components.
OPERATORS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: one + other,
    "subtract": lambda one, other: one - other,
    "negative": lambda one: -one,
}

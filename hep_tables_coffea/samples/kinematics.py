"""Relativistic kinematics on arrays, and the spectra that the events are drawn from; everything in [GeV]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from hep_tables_coffea.samples.table import Array

COLLISION_ENERGY = 13_000.0


@dataclass(frozen=True, slots=True)
class Momentum:
    """Four-momenta, one for each entry of the arrays [GeV]."""

    px: Array
    py: Array
    pz: Array
    e: Array

    def __add__(self, other: Momentum) -> Momentum:
        return Momentum(self.px + other.px, self.py + other.py, self.pz + other.pz, self.e + other.e)

    def backward(self, energy: Array) -> Momentum:
        """The opposite momenta, with another energy."""
        return Momentum(-self.px, -self.py, -self.pz, energy)

    @property
    def pt(self) -> Array:
        return np.hypot(self.px, self.py)

    @property
    def phi(self) -> Array:
        return np.arctan2(self.py, self.px)

    @property
    def eta(self) -> Array:
        return np.arcsinh(self.pz / np.maximum(self.pt, 1e-12))


def from_rapidity(pt: Array, rapidity: Array, phi: Array, mass: Array) -> Momentum:
    """Momenta from transverse momentum, rapidity, azimuth and mass."""
    transverse = np.hypot(mass, pt)
    return Momentum(pt * np.cos(phi), pt * np.sin(phi), transverse * np.sinh(rapidity), transverse * np.cosh(rapidity))


def boost(momentum: Momentum, parent: Momentum, mass: Array) -> Momentum:
    """Take momenta from the rest frame of a parent of the given mass to the frame in which the parent is measured."""
    along = momentum.px * parent.px + momentum.py * parent.py + momentum.pz * parent.pz
    energy = (parent.e * momentum.e + along) / mass
    factor = (energy + momentum.e) / (parent.e + mass)
    return Momentum(
        momentum.px + factor * parent.px,
        momentum.py + factor * parent.py,
        momentum.pz + factor * parent.pz,
        energy,
    )


def decay(
    rng: np.random.Generator, parent: Momentum, mass: Array, first: Array, second: Array
) -> tuple[Momentum, Momentum]:
    """Decay parents into two bodies of masses `first` and `second`, isotropically in the rest frame.

    Momentum and energies in the rest frame: Particle Data Group, Review of Particle Physics, "Kinematics",
    section "Two-body decays".
    """
    number = len(mass)
    energy = (mass**2 + first**2 - second**2) / (2 * mass)
    length = np.sqrt(np.maximum(energy**2 - first**2, 0))
    cosine = rng.uniform(-1, 1, number)
    phi = rng.uniform(-np.pi, np.pi, number)
    transverse = length * np.sqrt(1 - cosine**2)
    one = Momentum(transverse * np.cos(phi), transverse * np.sin(phi), length * cosine, energy)
    return boost(one, parent, mass), boost(one.backward(mass - energy), parent, mass)


def breit_wigner(rng: np.random.Generator, size: int, mass: float, width: float, window: tuple[float, float]) -> Array:
    """Masses with the (non-relativistic) Breit-Wigner, or Cauchy, distribution between the limits of a window."""
    low, high = (np.arctan(2 * (edge - mass) / width) for edge in window)
    masses: Array = mass + width / 2 * np.tan(rng.uniform(low, high, size))
    return masses


def falling_pt(rng: np.random.Generator, size: int, scale: float, power: float) -> Array:
    """Transverse momenta that rise linearly, peak and fall as a power: dN/dpt^2 ~ (1 + (pt / scale)^2)^-power.

    This is Hagedorn's power law; the rarest one in 10^4 are left out.
    """
    uniform = rng.uniform(1e-4, 1, size)
    pts: Array = scale * np.sqrt(uniform ** (-1 / (power - 1)) - 1)
    return pts


def power_law(rng: np.random.Generator, size: int, threshold: float, power: float, highest: float) -> Array:
    """Values above a threshold that fall as x^-power, cut off at `highest`."""
    lowest = (highest / threshold) ** (1 - power)
    values: Array = threshold * rng.uniform(lowest, 1, size) ** (-1 / (power - 1))
    return values


def rapidity(rng: np.random.Generator, transverse_mass: Array, shape: float) -> Array:
    """Rapidities of a bump that ends where the beams have no more energy, at +-log(sqrt(s) / transverse mass).

    A larger `shape` makes it narrower: the variance, in units of that limit, is 1 / (2 shape + 1).
    """
    limit = np.log(COLLISION_ENERGY / transverse_mass)
    values: Array = limit * (2 * rng.beta(shape, shape, len(limit)) - 1)
    return values


def wrap(phi: Array) -> Array:
    """Azimuths brought back to [-pi, pi)."""
    wrapped: Array = (phi + np.pi) % (2 * np.pi) - np.pi
    return wrapped

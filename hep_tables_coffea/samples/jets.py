"""Jets: at generator level, and as a detector sees them, with those from pile-up and those that electrons make."""

from __future__ import annotations

import numpy as np

from hep_tables_coffea.samples import kinematics
from hep_tables_coffea.samples.kinematics import Momentum
from hep_tables_coffea.samples.table import Array, Table, join

REACH = 4.7
GENERATED_THRESHOLD, THRESHOLD = 10.0, 15.0
RADIATED = 1.3

# Parameters of the beta distributions of the b-tag score, by flavour (b, c, light).
BOTTOM_SCORE, CHARM_SCORE, LIGHT_SCORE = (3.0, 0.8), (1.0, 3.0), (0.6, 12.0)


def generate(rng: np.random.Generator, particles: Table) -> Table:
    """Generator jets, the hardest of each event first: the recoil of a Z boson, b quarks, and radiation.

    Columns: pt, eta, phi, mass and flavour (5, 4 or 0).
    """
    jets = join([_recoil(rng, particles), _bottom(rng, particles), _radiation(rng, particles.size)])
    jets = jets.take((jets["pt"] > GENERATED_THRESHOLD) & (np.abs(jets["eta"]) < REACH))
    return jets.add(mass=jets["pt"] * rng.uniform(0.08, 0.18, len(jets))).by_pt()


def reconstruct(rng: np.random.Generator, generated: Table, electrons: Table, pileup: Array) -> Table:
    """Reconstructed jets, the hardest of each event first.

    Columns: pt, eta, phi, mass, flavour, score (b-tag, in [0, 1]), hard (not from pile-up), luck (a random number in
    [0, 1) that decides about identification), and the rows `gen` of the generator jet and `electron` of the electron
    that it is, -1 if none.
    """
    jets = join([_measured(rng, generated), _from_electrons(rng, electrons), _from_pileup(rng, pileup)])
    jets = jets.take((jets["pt"] > THRESHOLD) & (np.abs(jets["eta"]) < REACH))
    return jets.add(score=_score(rng, jets["flavour"]), luck=rng.uniform(size=len(jets))).by_pt()


def _recoil(rng: np.random.Generator, particles: Table) -> Table:
    """A jet that balances the Z boson, roughly."""
    bosons = particles.take(particles["pdg_id"] == 23)
    number = len(bosons)
    columns = {
        "pt": bosons["pt"] * rng.uniform(0.7, 1.1, number),
        "eta": _rapidity(bosons) + rng.normal(0, 1.2, number),
        "phi": kinematics.wrap(bosons["phi"] + np.pi + rng.normal(0, 0.25, number)),
        "flavour": _flavour(rng, number),
    }
    return Table(bosons.size, bosons.event, columns)


def _bottom(rng: np.random.Generator, particles: Table) -> Table:
    """The jets of b quarks."""
    quarks = particles.take(np.abs(particles["pdg_id"]) == 5)
    number = len(quarks)
    columns = {
        "pt": quarks["pt"] * rng.uniform(0.8, 1.0, number),
        "eta": quarks["eta"] + rng.normal(0, 0.03, number),
        "phi": kinematics.wrap(quarks["phi"] + rng.normal(0, 0.03, number)),
        "flavour": np.full(number, 5),
    }
    return Table(quarks.size, quarks.event, columns)


def _radiation(rng: np.random.Generator, size: int) -> Table:
    """More jets: their number follows a Poisson distribution, their spectrum a power law."""
    event = np.repeat(np.arange(size), rng.poisson(RADIATED, size))
    number = len(event)
    columns = {
        "pt": kinematics.power_law(rng, number, GENERATED_THRESHOLD, 4.0, 2000.0),
        "eta": rng.triangular(-REACH, 0, REACH, number),
        "phi": rng.uniform(-np.pi, np.pi, number),
        "flavour": _flavour(rng, number),
    }
    return Table(size, event, columns)


def _measured(rng: np.random.Generator, generated: Table) -> Table:
    """Generator jets with the energy smeared: noise, 80 % / sqrt(pt) and 4 % in quadrature."""
    number = len(generated)
    pt = generated["pt"]
    resolution = np.sqrt((2.0 / pt) ** 2 + 0.64 / pt + 0.04**2)
    scale = np.maximum(1 + resolution * rng.standard_normal(number), 0.1)
    columns = {
        "pt": pt * scale,
        "eta": generated["eta"] + rng.normal(0, 0.02, number),
        "phi": kinematics.wrap(generated["phi"] + rng.normal(0, 0.02, number)),
        "mass": generated["mass"] * scale,
        "flavour": generated["flavour"],
        "hard": np.ones(number, bool),
        "gen": np.arange(number),
        "electron": np.full(number, -1),
    }
    return Table(generated.size, generated.event, columns)


def _from_electrons(rng: np.random.Generator, electrons: Table) -> Table:
    """Every electron is found by the jet algorithm as well: what overlap removal is for."""
    number = len(electrons)
    pt = electrons["pt"] * rng.normal(1.03, 0.03, number)
    columns = {
        "pt": pt,
        "eta": electrons["eta"] + rng.normal(0, 0.005, number),
        "phi": kinematics.wrap(electrons["phi"] + rng.normal(0, 0.005, number)),
        "mass": pt * rng.uniform(0.05, 0.12, number),
        "flavour": np.zeros(number, int),
        "hard": np.ones(number, bool),
        "gen": np.full(number, -1),
        "electron": np.arange(number),
    }
    return Table(electrons.size, electrons.event, columns)


def _from_pileup(rng: np.random.Generator, pileup: Array) -> Table:
    """Soft jets of other collisions, one for every fifty of them."""
    size = len(pileup)
    event = np.repeat(np.arange(size), rng.poisson(pileup / 50))
    number = len(event)
    pt = THRESHOLD + rng.exponential(6.0, number)
    columns = {
        "pt": pt,
        "eta": rng.uniform(-REACH, REACH, number),
        "phi": rng.uniform(-np.pi, np.pi, number),
        "mass": pt * rng.uniform(0.1, 0.2, number),
        "flavour": np.zeros(number, int),
        "hard": np.zeros(number, bool),
        "gen": np.full(number, -1),
        "electron": np.full(number, -1),
    }
    return Table(size, event, columns)


def _score(rng: np.random.Generator, flavour: Array) -> Array:
    """A b-tag score: near one for b jets, near zero for light ones."""
    conditions = [flavour == 5, flavour == 4]
    first, second = (
        np.select(conditions, [bottom, charm], light)
        for bottom, charm, light in zip(BOTTOM_SCORE, CHARM_SCORE, LIGHT_SCORE, strict=True)
    )
    scores: Array = rng.beta(first, second)
    return scores


def _flavour(rng: np.random.Generator, number: int) -> Array:
    """Flavours of jets that are not known to come from b quarks: 3 % b, 8 % c."""
    uniform = rng.uniform(size=number)
    return np.select([uniform < 0.03, uniform < 0.11], [5, 4], 0)


def _rapidity(particles: Table) -> Array:
    momentum = Momentum(particles["px"], particles["py"], particles["pz"], particles["e"])
    return np.arctanh(momentum.pz / momentum.e)

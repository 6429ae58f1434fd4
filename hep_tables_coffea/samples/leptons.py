"""Electrons and muons as a detector sees them: acceptance, efficiency, resolution, identification, and fakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hep_tables_coffea.samples.kinematics import wrap
from hep_tables_coffea.samples.table import Array, Table, join
from hep_tables_coffea.samples.truth import ELECTRON_MASS, MUON_MASS

if TYPE_CHECKING:
    from collections.abc import Callable

# Cumulative shares of the identification grades 0 (fail) to 3; what is left has grade 4 (tight).
PROMPT_GRADES = np.array([0.03, 0.08, 0.17, 0.30])
FAKE_GRADES = np.array([0.55, 0.75, 0.88, 0.95])


def electron_resolution(pt: Array, eta: Array) -> Array:
    """Relative resolution: 9 % / sqrt(pt) and 1.2 % in quadrature, worse beyond the barrel."""
    resolution: Array = np.hypot(0.09 / np.sqrt(pt), 0.012) * np.where(np.abs(eta) < 1.48, 1.0, 1.6)
    return resolution


def muon_resolution(pt: Array, eta: Array) -> Array:
    """Relative resolution: 1 %, and 0.01 % more for each GeV as the sagitta has it, worse beyond the barrel."""
    resolution: Array = (0.010 + 1e-4 * pt) * np.where(np.abs(eta) < 1.2, 1.0, 1.7)
    return resolution


@dataclass(frozen=True, slots=True)
class Detector:
    """How one kind of lepton is measured; momenta in [GeV], `fakes` and `wrong_charge` are a mean and a share."""

    pdg_id: int
    mass: float
    reach: float
    threshold: float
    turn_on: float
    plateau: float
    fakes: float
    wrong_charge: float
    resolution: Callable[[Array, Array], Array]


ELECTRONS = Detector(11, ELECTRON_MASS, 2.5, 5.0, 8.0, 0.93, 0.12, 0.004, electron_resolution)
MUONS = Detector(13, MUON_MASS, 2.4, 3.0, 4.0, 0.97, 0.10, 0.0, muon_resolution)


def reconstruct(rng: np.random.Generator, particles: Table, detector: Detector) -> Table:
    """Reconstructed leptons, the hardest of each event first: the true ones that were found, and fakes.

    Columns: pt, eta, phi, charge, pdg_id, grade (0 to 4), isolation, dxy, dz, online (a random number in [0, 1)
    that decides about triggers) and gen (the row of the particle, -1 for fakes).
    """
    leptons = join([_prompt(rng, particles, detector), _fakes(rng, particles.size, detector)])
    number = len(leptons)
    fake = leptons["gen"] < 0
    uniform = rng.uniform(size=number)
    grade = np.where(fake, np.searchsorted(FAKE_GRADES, uniform), np.searchsorted(PROMPT_GRADES, uniform))
    leptons = leptons.add(
        pdg_id=-leptons["charge"] * detector.pdg_id,
        grade=grade,
        isolation=rng.exponential(np.where(fake, 0.6, 0.03)),
        dxy=rng.normal(0, np.where(fake, 0.02, 0.003)),
        dz=rng.normal(0, np.where(fake, 0.05, 0.01)),
        online=rng.uniform(size=number),
    )
    return leptons.by_pt()


def _prompt(rng: np.random.Generator, particles: Table, detector: Detector) -> Table:
    """The true leptons that were found within the detector, with what was measured of them."""
    rows = np.flatnonzero(np.abs(particles["pdg_id"]) == detector.pdg_id)
    true = particles.take(rows)
    number = len(true)
    pt = true["pt"] * (1 + detector.resolution(true["pt"], true["eta"]) * rng.standard_normal(number))
    eta = true["eta"] + 5e-4 * rng.standard_normal(number)
    efficiency = detector.plateau / (1 + np.exp((detector.turn_on - true["pt"]) / 2))
    found = (rng.uniform(size=number) < efficiency) & (pt > detector.threshold) & (np.abs(eta) < detector.reach)
    flip = np.where(rng.uniform(size=number) < detector.wrong_charge, -1, 1)
    columns = {
        "pt": pt,
        "eta": eta,
        "phi": wrap(true["phi"] + 3e-4 * rng.standard_normal(number)),
        "charge": -np.sign(true["pdg_id"]) * flip,
        "gen": rows,
    }
    return Table(particles.size, true.event, columns).take(found)


def _fakes(rng: np.random.Generator, size: int, detector: Detector) -> Table:
    """Soft leptons that come from no boson: jets taken for electrons, muons from decays in flight."""
    event = np.repeat(np.arange(size), rng.poisson(detector.fakes, size))
    number = len(event)
    columns = {
        "pt": detector.threshold + rng.exponential(7.0, number),
        "eta": rng.uniform(-detector.reach, detector.reach, number),
        "phi": rng.uniform(-np.pi, np.pi, number),
        "charge": rng.choice([-1, 1], number),
        "gen": np.full(number, -1),
    }
    return Table(size, event, columns)

"""The hard process: what was produced, and which particle came from which."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from hep_tables_coffea.samples import kinematics
from hep_tables_coffea.samples.kinematics import Momentum
from hep_tables_coffea.samples.table import Array, Table, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ELECTRON_MASS = 0.000511
MUON_MASS = 0.10566
Z_MASS, Z_WIDTH, Z_WINDOW = 91.19, 2.5, (60.0, 120.0)
W_MASS, W_WIDTH, W_WINDOW = 80.4, 2.1, (65.0, 95.0)
TOP_MASS, BOTTOM_MASS = 172.5, 4.8

# Bits of NanoAOD's GenPart_statusFlags: isPrompt, isHardProcess, fromHardProcess, isFirstCopy, isLastCopy.
HARD = (1 << 0) | (1 << 7) | (1 << 8) | (1 << 12) | (1 << 13)


@dataclass(frozen=True, slots=True)
class Process:
    """What a sample is made of: the share of Z bosons (the rest are top pairs), and of Z -> e e among them."""

    z_share: float
    electron_share: float
    meaning: str


PROCESSES: Mapping[str, Process] = MappingProxyType(
    {
        "zll": Process(0.95, 0.5, "Z -> e e and Z -> mu mu in equal parts, with 5 % of top pairs below the peak"),
        "zee": Process(1.0, 1.0, "Z -> e e alone"),
        "zmumu": Process(1.0, 0.0, "Z -> mu mu alone"),
        "ttbar": Process(0.0, 0.5, "top pairs with two leptons: e e, mu mu and e mu"),
    }
)


def generate(rng: np.random.Generator, size: int, process: Process) -> Table:
    """The generator particles of `size` events: mothers before daughters, `mother` is a row or -1."""
    resonant = rng.uniform(size=size) < process.z_share
    z_bosons = _z_boson(rng, np.flatnonzero(resonant), size, process.electron_share)
    particles = join([z_bosons, _top_pair(rng, np.flatnonzero(~resonant), size)])
    first = particles.offsets[particles.event]
    mother = particles["place"]
    return particles.add(mother=np.where(mother < 0, -1, first + mother))


def _z_boson(rng: np.random.Generator, events: Array, size: int, electron_share: float) -> Table:
    """quark, antiquark -> Z -> lepton, antilepton."""
    number = len(events)
    mass = kinematics.breit_wigner(rng, number, Z_MASS, Z_WIDTH, Z_WINDOW)
    pt = kinematics.falling_pt(rng, number, 15.0, 2.2)
    phi = rng.uniform(-np.pi, np.pi, number)
    boson = kinematics.from_rapidity(pt, kinematics.rapidity(rng, np.hypot(mass, pt), 3.0), phi, mass)
    flavour = np.where(rng.uniform(size=number) < electron_share, 11, 13)
    lepton_mass = _lepton_mass(flavour)
    lepton, antilepton = kinematics.decay(rng, boson, mass, lepton_mass, lepton_mass)
    quark = rng.integers(1, 5, number)
    beams = _beams(boson)
    return _family(
        events,
        size,
        ids=[quark, -quark, np.full(number, 23), flavour, -flavour],
        momenta=[*beams, boson, lepton, antilepton],
        masses=[0.0, 0.0, mass, lepton_mass, lepton_mass],
        mothers=[-1, -1, 0, 2, 2],
        status=[21, 21, 62, 1, 1],
    )


def _top_pair(rng: np.random.Generator, events: Array, size: int) -> Table:
    """gluon, gluon -> t tbar, back to back; each t -> W b, and each W -> lepton and neutrino."""
    number = len(events)
    pt = kinematics.falling_pt(rng, number, 160.0, 3.5)
    phi = rng.uniform(-np.pi, np.pi, number)
    top, top_masses, lepton = _top(rng, pt, phi)
    antitop, antitop_masses, other = _top(rng, pt, phi + np.pi)
    gluon, t, w, b = (np.full(number, pdg_id) for pdg_id in (21, 6, 24, 5))
    return _family(
        events,
        size,
        ids=[gluon, gluon, t, w, b, -lepton, lepton + 1, -t, -w, -b, other, -(other + 1)],
        momenta=[*_beams(top[0] + antitop[0]), *top, *antitop],
        masses=[0.0, 0.0, *top_masses, *antitop_masses],
        mothers=[-1, -1, 0, 2, 2, 3, 3, 0, 7, 7, 8, 8],
        status=[21, 21, 62, 52, 23, 1, 1, 62, 52, 23, 1, 1],
    )


def _top(rng: np.random.Generator, pt: Array, phi: Array) -> tuple[list[Momentum], list[Array], Array]:
    """Momenta and masses of t, W, b, lepton and neutrino, and the lepton's flavour (11 or 13)."""
    number = len(pt)
    mass, bottom_mass, no_mass = np.full(number, TOP_MASS), np.full(number, BOTTOM_MASS), np.zeros(number)
    top = kinematics.from_rapidity(pt, kinematics.rapidity(rng, np.hypot(mass, pt), 6.0), phi, mass)
    w_mass = kinematics.breit_wigner(rng, number, W_MASS, W_WIDTH, W_WINDOW)
    boson, bottom = kinematics.decay(rng, top, mass, w_mass, bottom_mass)
    flavour = rng.choice([11, 13], number)
    lepton_mass = _lepton_mass(flavour)
    lepton, neutrino = kinematics.decay(rng, boson, w_mass, lepton_mass, no_mass)
    return [top, boson, bottom, lepton, neutrino], [mass, w_mass, bottom_mass, lepton_mass, no_mass], flavour


def _lepton_mass(flavour: Array) -> Array:
    return np.where(flavour == 11, ELECTRON_MASS, MUON_MASS)


def _beams(system: Momentum) -> tuple[Momentum, Momentum]:
    """Two massless partons along the beam that have the energy and the longitudinal momentum of the system."""
    zero = np.zeros_like(system.e)
    forward, backward = (system.e + system.pz) / 2, (system.e - system.pz) / 2
    return Momentum(zero, zero, forward, forward), Momentum(zero, zero, -backward, backward)


def _family(
    events: Array,
    size: int,
    ids: Sequence[Array],
    momenta: Sequence[Momentum],
    masses: Sequence[Array | float],
    mothers: Sequence[int],
    status: Sequence[int],
) -> Table:
    """One row for each member of each event, in the order of the lists."""
    members, number = len(ids), len(events)
    columns = {
        part: np.stack([getattr(momentum, part) for momentum in momenta], axis=1).ravel()
        for part in ("px", "py", "pz", "e")
    }
    columns["mass"] = np.stack([np.broadcast_to(mass, number) for mass in masses], axis=1).ravel()
    columns["pdg_id"] = np.stack(ids, axis=1).ravel()
    columns["place"] = np.tile(np.array(mothers), number)
    columns["status"] = np.tile(np.array(status), number)
    every = Momentum(*(columns[part] for part in ("px", "py", "pz", "e")))
    return Table(size, np.repeat(events, members), {**columns, "pt": every.pt, "eta": every.eta, "phi": every.phi})

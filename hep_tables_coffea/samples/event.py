"""Whole events, a block at a time, independent of the layout they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hep_tables_coffea.samples import jets, leptons, truth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hep_tables_coffea.samples.table import Array, Table

# Events are drawn in blocks of this many, each with its own random numbers: a longer file begins with the shorter one.
BLOCK = 5_000

EVENTS_PER_LUMINOSITY_BLOCK = 1_000
NEGATIVE_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Block:
    """The events of one block: tables of particles [GeV], and a column for each quantity of the whole event."""

    number: Array
    particles: Table
    electrons: Table
    muons: Table
    generated_jets: Table
    jets: Table
    whole: Mapping[str, Array]


def generate(seed: int, block: int, process: truth.Process) -> Block:
    """The events number `block` * BLOCK onwards of the sample with this seed."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,)))
    particles = truth.generate(rng, BLOCK, process)
    electrons = leptons.reconstruct(rng, particles, leptons.ELECTRONS)
    muons = leptons.reconstruct(rng, particles, leptons.MUONS)
    collisions = _collisions(rng)
    generated = jets.generate(rng, particles)
    found = jets.reconstruct(rng, generated, electrons, collisions["pileup"])
    missing = _missing(rng, particles, [electrons, muons, found], collisions["pileup"])
    number = block * BLOCK + np.arange(BLOCK)
    whole = {
        "luminosity_block": 1 + number // EVENTS_PER_LUMINOSITY_BLOCK,
        **collisions,
        **missing,
        **_weights(rng),
        **_triggers(electrons, muons),
    }
    return Block(number, particles, electrons, muons, generated, found, whole)


def _collisions(rng: np.random.Generator) -> dict[str, Array]:
    """Pile-up: its mean in this event, the collisions that took place, and the vertices found."""
    mean = rng.triangular(10, 32, 65, BLOCK)
    pileup = rng.poisson(mean)
    vertices = 1 + rng.binomial(pileup, 0.7)
    good = 1 + rng.binomial(vertices - 1, 0.8)
    return {"pileup_mean": mean, "pileup": pileup, "vertices": vertices, "good_vertices": good}


def _weights(rng: np.random.Generator) -> dict[str, Array]:
    """Weights near one; some are negative, as those of a generator at next-to-leading order."""
    sign = np.where(rng.uniform(size=BLOCK) < NEGATIVE_SHARE, -1, 1)
    return {"weight": sign * rng.normal(1, 0.05, BLOCK)}


def _missing(rng: np.random.Generator, particles: Table, seen: list[Table], pileup: Array) -> dict[str, Array]:
    """Missing transverse momentum: the neutrinos, smeared by half the root of the summed transverse energy."""
    invisible = particles.take(np.isin(np.abs(particles["pdg_id"]), (12, 14)))
    true_x, true_y = (invisible.total(invisible[part]) for part in ("px", "py"))
    sum_et = sum((table.total(table["pt"]) for table in seen), start=25.0 * pileup)
    sigma = 0.5 * np.sqrt(sum_et) + 1.0
    return {
        "true_missing_x": true_x,
        "true_missing_y": true_y,
        "missing_x": true_x + sigma * rng.standard_normal(BLOCK),
        "missing_y": true_y + sigma * rng.standard_normal(BLOCK),
        "sum_et": sum_et,
        "missing_sigma": sigma,
    }


def _triggers(electrons: Table, muons: Table) -> dict[str, Array]:
    """For each trigger, the events that fired it: isolated single leptons and pairs, 5 to 10 % inefficient."""
    good_muons = (muons["isolation"] < 0.2) & (muons["online"] < 0.92) & (muons["grade"] > 0)
    good_electrons = (electrons["grade"] > 1) & (electrons["online"] < 0.90)
    return {
        "HLT_IsoMu24": muons.any(good_muons & (muons["pt"] > 24)),
        "HLT_IsoMu27": muons.any(good_muons & (muons["pt"] > 27)),
        "HLT_Mu17_TrkIsoVVL_Mu8_TrkIsoVVL_DZ_Mass8": _pair(muons, good_muons, 17, 8),
        "HLT_Ele27_WPTight_Gsf": electrons.any(good_electrons & (electrons["pt"] > 27)),
        "HLT_Ele32_WPTight_Gsf": electrons.any(good_electrons & (electrons["pt"] > 32)),
        "HLT_Ele23_Ele12_CaloIdL_TrackIdL_IsoVL": _pair(electrons, good_electrons, 23, 12),
    }


def _pair(table: Table, good: Array, high: float, low: float) -> Array:
    """For each event: two good leptons above the lower threshold, one of them above the higher?"""
    return (table.count(good & (table["pt"] > low)) > 1) & table.any(good & (table["pt"] > high))

"""Decays, boosts and spectra against their formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from hep_tables_coffea.samples import kinematics

if TYPE_CHECKING:
    from hep_tables_coffea.samples.kinematics import Momentum

N = 20_000
#: Kolmogorov's distance that one sample in ten thousand exceeds.
FAR = 2.23 / np.sqrt(N)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture
def moving(rng: np.random.Generator) -> tuple[Momentum, np.ndarray]:
    """Parents of 91 GeV that fly about, and their masses."""
    mass = np.full(N, 91.0)
    pt, phi = rng.uniform(0, 200, N), rng.uniform(-np.pi, np.pi, N)
    return kinematics.from_rapidity(pt, rng.normal(0, 1, N), phi, mass), mass


def invariant_mass(momentum: Momentum) -> np.ndarray:
    return np.sqrt(np.maximum(momentum.e**2 - momentum.px**2 - momentum.py**2 - momentum.pz**2, 0))


def distance(values: np.ndarray, low: float, high: float) -> float:
    """Kolmogorov's distance from a uniform distribution."""
    expected = (np.sort(values) - low) / (high - low)
    return float(np.abs(expected - np.arange(len(values)) / len(values)).max())


def test_a_momentum_from_rapidity_has_the_mass_it_was_given(moving):
    parent, mass = moving
    np.testing.assert_allclose(invariant_mass(parent), mass, rtol=1e-9)


def test_a_decay_conserves_energy_and_momentum(rng, moving):
    parent, mass = moving
    first, second = kinematics.decay(rng, parent, mass, np.full(N, 0.1), np.full(N, 30.0))
    for part in ("px", "py", "pz", "e"):
        np.testing.assert_allclose(getattr(first + second, part), getattr(parent, part), rtol=1e-9, atol=1e-6)


def test_the_daughters_of_a_decay_have_their_masses(rng, moving):
    parent, mass = moving
    first, second = kinematics.decay(rng, parent, mass, np.full(N, 5.0), np.full(N, 30.0))
    np.testing.assert_allclose(invariant_mass(first), 5.0, rtol=1e-6)
    np.testing.assert_allclose(invariant_mass(second), 30.0, rtol=1e-6)


def test_a_decay_is_isotropic_in_the_frame_of_the_parent(rng, moving):
    parent, mass = moving
    first, _ = kinematics.decay(rng, parent, mass, np.zeros(N), np.zeros(N))
    at_rest = kinematics.boost(first, parent.backward(parent.e), mass)
    np.testing.assert_allclose(at_rest.e, mass / 2, rtol=1e-6)
    assert distance(at_rest.pz / at_rest.e, -1, 1) < FAR
    assert distance(at_rest.phi, -np.pi, np.pi) < FAR


def test_breit_wigner_masses_follow_their_distribution_within_the_window(rng):
    masses = kinematics.breit_wigner(rng, N, 91.19, 2.5, (60.0, 120.0))
    assert masses.min() >= 60
    assert masses.max() <= 120
    assert distance(np.arctan((masses - 91.19) / 1.25), np.arctan(-31.19 / 1.25), np.arctan(28.81 / 1.25)) < FAR


def test_a_power_law_falls_with_its_power_between_its_ends(rng):
    values = kinematics.power_law(rng, N, 10.0, 4.0, 2000.0)
    assert values.min() >= 10
    assert values.max() <= 2000
    assert distance(values**-3.0, 2000.0**-3, 10.0**-3) < FAR


def test_falling_transverse_momenta_follow_their_formula(rng):
    pts = kinematics.falling_pt(rng, N, 15.0, 2.2)
    assert distance((1 + (pts / 15) ** 2) ** -1.2, 1e-4, 1) < FAR


def test_rapidities_end_where_the_energy_of_the_beams_does(rng):
    values = kinematics.rapidity(rng, np.full(N, 130.0), 3.0)
    assert np.abs(values).max() < np.log(100)
    assert values.std() == pytest.approx(np.log(100) / np.sqrt(7), rel=0.02)


@pytest.mark.parametrize(("phi", "wrapped"), [(4.0, 4.0 - 2 * np.pi), (-4.0, 2 * np.pi - 4.0), (1.0, 1.0)])
def test_an_azimuth_is_brought_back_between_minus_pi_and_pi(phi, wrapped):
    assert kinematics.wrap(np.array([phi]))[0] == pytest.approx(wrapped)


def test_pseudorapidity_of_a_massless_particle_is_its_rapidity(rng):
    momentum = kinematics.from_rapidity(np.full(1, 20.0), np.full(1, 1.3), np.zeros(1), np.zeros(1))
    assert momentum.eta[0] == pytest.approx(1.3)

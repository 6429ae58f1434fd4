"""Reconstructed leptons and the true ones: who comes from a Z or W boson, and how well is the momentum measured.

NanoAOD stores for each lepton which generated particle it is; `matched_gen` follows that, `ancestors` walks up from there.

Example:
    >>> import hep_tables_coffea as ht
    >>> from hep_tables_coffea.processors import gen_matching
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/matching.root", events=100))
    >>> gen_matching.prompt(events.Muon).pt
    <Array event * Muon' * float32>
"""

from __future__ import annotations

from typing import Any

import hep_tables_coffea as ht

__all__ = ["from_boson", "histograms", "processor", "prompt", "response"]


def from_boson(particle: ht.Array) -> Any:
    """Whether a generated particle has a W or Z boson among its ancestors."""
    ancestors = particle.ancestors()
    return ((abs(ancestors.pdgId) == 23) | (abs(ancestors.pdgId) == 24)).Any()


def prompt(leptons: ht.Array) -> ht.Array:
    """The leptons whose generated particle comes from a W or Z boson."""
    return leptons[lambda one: from_boson(one.matched_gen) & one.matched_gen.exists]


def response(leptons: ht.Array) -> Any:
    """Measured over true transverse momentum; missing without a generated particle."""
    return leptons.pt / leptons.matched_gen.pt


def histograms(events: ht.Array) -> dict[str, Any]:
    """The response of prompt electrons and muons."""
    collections = {"electrons": events.Electron, "muons": events.Muon}
    return {
        name: ht.Hist.new.Reg(80, 0.8, 1.2, name="response", label="$p_T$ / true $p_T$")
        .Weight()
        .fill(response(prompt(of)))
        for name, of in collections.items()
    }


def processor(source: Any) -> Any:
    """A coffea processor that fills the histograms, for anybody's Runner.

    Args:
        source: events, or a NanoAOD file (or any source of `ht.nanoaod`) that shows which columns there are.
    """
    return ht.to_processor(histograms(source if isinstance(source, ht.Array) else ht.nanoaod(source)))

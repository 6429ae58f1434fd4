"""Events of ATLAS, and the text of queries of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

import awkward as ak
import numpy as np
import pytest
import qastle

import hep_tables_coffea as ht
from hep_tables_coffea.schemas.xaod import pack

#: Bank -> values of its rows, in the tables' types. Momenta are in MeV.
BANKS = {"AnalysisElectrons": "Electrons", "AnalysisJets": "Jets", "TruthParticles": "TruthParticles"}


def _particles(rng: np.random.Generator, events: int, mean: float) -> ak.Array:
    counts = rng.poisson(mean, events)
    size = int(counts.sum())
    columns = {
        "pt": rng.exponential(40_000, size) + 5_000,
        "eta": rng.normal(0, 1.5, size),
        "phi": rng.uniform(-np.pi, np.pi, size),
        "m": np.full(size, 105.7),
    }
    return ak.unflatten(ak.zip(columns), counts)


@pytest.fixture(scope="session")
def events() -> ak.Array:
    """Two hundred events: some have no electron, some no truth particle."""
    rng = np.random.default_rng(20)
    banks = {bank: _particles(rng, 200, mean) for bank, mean in zip(BANKS, (2.0, 3.0, 2.5))}
    truth = banks["TruthParticles"]
    codes = rng.choice([11, -11, 13, 22], size=int(ak.count(truth.pt)))
    banks["TruthParticles"] = ak.with_field(truth, ak.unflatten(codes, ak.num(truth)), "pdgId")
    return ak.zip(banks, depth_limit=1)


@pytest.fixture(scope="session")
def flat(events: ak.Array, tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    """The same numbers in a file of plain columns, as the library reads them: `flat.Electrons.pt`."""
    columns = {f"{name}_{field}": events[bank][field] for bank, name in BANKS.items() for field in events[bank].fields}
    path = tmp_path_factory.mktemp("flat") / "events.parquet"
    ak.to_parquet(ak.zip(columns, depth_limit=1), path)
    return ht.flat(path)


def _with_metadata(source: str, dictionaries: list[Mapping[str, Any]]) -> str:
    for one in dictionaries:
        text = qastle.python_ast_to_text_ast(ast.parse(repr(one), mode="eval").body)
        source = f"(call MetaData {source} {text})"
    return source


@pytest.fixture(scope="session")
def query() -> Callable[..., str]:
    """`query({"pt": "(call (attr ...))"}, uses=[column, ...])`: the text of a query, with what the pack says of columns.

    Each member is an expression of the event `e`. `keep` is a condition on it; `metadata` comes besides, and `rules` are
    those of the pack.
    """

    def text(
        members: Mapping[str, str],
        uses: tuple[str, ...] = (),
        keep: str = "",
        metadata: tuple[Mapping[str, Any], ...] = (),
        **rules: Any,
    ) -> str:
        known = pack.metadata(pack.build({}, **rules), uses)
        source = _with_metadata("(call EventDataset 'ServiceXDatasetSource')", [*known, *metadata])
        if keep:
            source = f"(call Where {source} (lambda (list e) {keep}))"
        names = " ".join(f"'{name}'" for name in members)
        return f"(call Select {source} (lambda (list e) (dict (list {names}) (list {' '.join(members.values())}))))"

    return text

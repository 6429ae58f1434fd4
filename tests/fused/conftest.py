"""A table with a column of every type, the kernels of this process, and answers by both engines."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused.helpers import ready_kernel
from hep_tables_coffea.codegen.processor import write_fused
from hep_tables_coffea.record.outputs import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path


def write(path: Path, columns: Mapping[str, Any]) -> ht.Array:
    """The events of a Parquet file with these columns."""
    ak.to_parquet(ak.zip(dict(columns), depth_limit=1), path)
    return ht.flat(path)


@pytest.fixture(scope="session")
def d(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    """Four events, with numbers of several types, strings, what is missing, and lists in lists."""
    columns = {
        "met": ak.Array([10.0, -30.0, 70.0, 45.5]),
        "weight": ak.Array(np.array([1.0, 0.5, 2.0, 0.25], np.float32)),
        "flag": ak.Array([True, False, True, True]),
        "small": ak.Array(np.array([1, -2, 3, 127], np.int8)),
        "name": ak.Array(["a", "b", "", "d"]),
        "maybe": ak.Array([1.5, None, 2.5, None]),
        "jets_pt": ak.values_astype(ak.Array([[50.0, 20.0], [], [31.0], [5.0, 35.0, 3.0]]), "float32"),
        "jets_ok": ak.Array([[True, False], [], [True], [False, False, True]]),
        "jets_maybe": ak.Array([[1.5, None], [], [None], [1.0, 2.0, 3.0]]),
        "jets_hits": ak.Array([[[1, 2], []], [], [[3]], [[], [4, 5, 6], [7]]]),
        "els_pt": ak.Array([[], [8.0, 9.0], [1.0], []]),
        "els_q": ak.values_astype(ak.Array([[], [1, -1], [1], []]), "int8"),
    }
    return write(tmp_path_factory.mktemp("small") / "small.parquet", columns)


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> ht.Array:
    """Forty events of NanoAOD in clusters of ten."""
    return ht.nanoaod(ht.samples.nanoaod(tmp_path_factory.mktemp("many") / "zll.root", events=40, cluster=10, seed=3))


@pytest.fixture
def keeper() -> Iterator[dict[str, Any]]:
    """The kernels of this process, digest -> Future: none yet, and those of before again after the test."""
    import types

    module = vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))
    kernels: dict[str, Any] = module.setdefault(f"kernels_{os.getpid()}", {})
    before = dict(kernels)
    kernels.clear()
    yield kernels
    kernels.clear()
    kernels.update(before)


class Fused(NamedTuple):
    """What a generated processor says of its first kernel: the text, its digest, and what is not in it."""

    kernel: str
    digest: str
    refused: dict[str, str]


def of_kernel(source: Any) -> Fused:
    text = source.text
    kernel = text.partition("KERNEL = r'''\n")[2].partition("'''")[0]
    found = re.search(r'ready_kernel\(KERNEL, "(\w+)"', text)
    return Fused(kernel, found[1] if found else "", dict(source.refused))


@pytest.fixture(scope="session")
def fused() -> Callable[[Any], Fused]:
    """The kernel of some outputs, or of a generated processor."""
    return lambda outputs: of_kernel(outputs if hasattr(outputs, "refused") else write_fused(named(outputs)))


@pytest.fixture(scope="session")
def compiled() -> Callable[[Fused], Any]:
    """The compiled kernel."""
    return lambda source: ready_kernel(source.kernel, source.digest, True)


@pytest.fixture(scope="session")
def same() -> Callable[[Any, Any], bool]:
    """Whether two answers are the same, types of arrays and all bits of histograms included."""

    def equal(one: Any, other: Any) -> bool:
        if isinstance(other, dict):
            return list(one) == list(other) and all(equal(one[key], other[key]) for key in other)
        if isinstance(other, ak.Array):
            return one.type == other.type and ak.array_equal(one, other, equal_nan=True, same_content_types=False)
        return type(one) is type(other) and one == other

    return equal


def program(many: ht.Array) -> dict[str, Any]:
    """A histogram of counts, columns and values, all fused: the same to the last bit in whatever order chunks are added."""
    jets = many.Jet[many.Jet.pt > 25]
    pairs = ht.pairs(many.Muon)
    return {
        "pt": ht.Hist.new.Reg(20, 0, 200, name="pt").Double().fill(jets.pt),
        "jets": jets.pt,
        "mass": (pairs.a + pairs.b).mass,
        "lead": jets.pt.Max(),
        "n": jets.Count(axis=None),
    }


@pytest.fixture(scope="module")
def outputs(many: ht.Array) -> dict[str, Any]:
    return program(many)

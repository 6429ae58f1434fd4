"""Small files, and coffea's Runner without its bars."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht


@pytest.fixture(scope="session")
def zll(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty simulated events of NanoAOD in clusters of ten."""
    return ht.samples.nanoaod(tmp_path_factory.mktemp("zll") / "zll.root", events=40, cluster=10)


@pytest.fixture(autouse=True)
def no_bars() -> Iterator[None]:
    from coffea.util import coffea_console

    before, coffea_console.quiet = coffea_console.quiet, True
    yield
    coffea_console.quiet = before


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write("a.root", x=[1.0])`: a file with the tree Events."""

    def make(name: str, **columns: Any) -> str:
        path = tmp_path / name
        arrays = {key: ak.Array(np.asarray(values)) for key, values in columns.items()}
        with uproot.recreate(path) as file:
            file.mktree("Events", {key: array.layout.form.type for key, array in arrays.items()}).extend(arrays)
        return str(path)

    return make


@pytest.fixture
def run() -> Callable[..., Any]:
    """`run(processor, fileset)`: what a stock Runner gives, with a fresh cache of metadata."""

    def go(processor: Any, fileset: Any, executor: Any = None, **options: Any) -> Any:
        from coffea import processor as coffea_processor
        from coffea.nanoevents import BaseSchema

        chosen = {"schema": BaseSchema, "metadata_cache": {}, **options}
        runner = coffea_processor.Runner(executor or coffea_processor.IterativeExecutor(), **chosen)
        return runner(fileset, processor_instance=processor)

    return go


@pytest.fixture
def same() -> Callable[[Any, Any], bool]:
    """Whether two dicts of answers are equal to the last bit, types included."""

    def equal(one: Any, other: Any) -> bool:
        if isinstance(one, dict):
            return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
        if isinstance(one, ak.Array):
            return one.type == other.type and ak.array_equal(one, other, equal_nan=True)
        return bool(one == other)

    return equal

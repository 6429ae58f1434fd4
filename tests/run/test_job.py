"""Scripts in the style of coffea 0.7, in all spellings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht


@pytest.fixture(autouse=True)
def no_bars() -> Iterator[None]:
    from coffea.util import coffea_console

    before, coffea_console.quiet = coffea_console.quiet, True
    yield
    coffea_console.quiet = before


@pytest.fixture
def path(tmp_path: Path) -> str:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("Events", {"x": "float64"}).extend({"x": np.arange(10.0)})
    return str(tmp_path / "a.root")


@pytest.fixture
def processor(path: str) -> Any:
    return ht.to_processor({"x": ht.dataset(path).x})


def futures_executor() -> None:
    """What coffea 0.7 had under this name."""


@pytest.mark.parametrize(
    ("executor", "arguments"),
    [
        ("iterative", {}),
        ("iterative", {"workers": 4, "status": False, "compression": 0, "nano": False, "flatten": True}),
        ("iterative_executor", {"schema": None}),
        ("futures", {"workers": 2}),
        (futures_executor, {"workers": 2, "retries": 1}),
        ("threads", {"workers": 2}),
    ],
)
def test_executor_is_found_by_its_name(path: str, processor: Any, executor: Any, arguments: dict[str, Any]) -> None:
    found = ht.run_uproot_job({"d": [path]}, "Events", processor, executor, arguments)
    assert found["x"].to_list() == [float(x) for x in range(10)]


def test_executor_can_be_a_class(path: str, processor: Any) -> None:
    from coffea.processor import IterativeExecutor

    found = ht.run_uproot_job({"d": [path]}, "Events", processor, IterativeExecutor, {"status": False}, 3)
    assert len(found["x"]) == 10


def test_executor_can_be_an_instance(path: str, processor: Any) -> None:
    from coffea.processor import IterativeExecutor

    found = ht.run_uproot_job({"d": [path]}, "Events", processor, IterativeExecutor(), {"compression": None})
    assert len(found["x"]) == 10


def test_executor_can_be_a_dask_client(path: str, processor: Any) -> None:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        found = ht.run_uproot_job({"d": [path]}, "Events", processor, "dask", {"client": client})
    assert len(found["x"]) == 10


def test_arguments_of_the_runner_are_sorted_out(path: str, processor: Any, tmp_path: Path) -> None:
    from coffea.nanoevents import BaseSchema

    arguments = {"schema": BaseSchema, "skipbadfiles": True, "savemetrics": True, "xrootdtimeout": 5}
    found, metrics = ht.run_uproot_job({"d": [path]}, "Events", processor, "iterative", arguments, chunksize=4)
    assert (len(found["x"]), metrics["entries"], metrics["chunks"]) == (10, 10, 2)


def test_maxchunks_limits_the_chunks(path: str, processor: Any) -> None:
    found = ht.run_uproot_job({"d": [path]}, "Events", processor, chunksize=2, maxchunks=2)
    assert found["x"].to_list() == [0.0, 1.0, 2.0, 3.0]


def test_processor_written_by_hand_runs_with_a_schema(path: str) -> None:
    from coffea.processor import ProcessorABC

    class Counts(ProcessorABC):  # type: ignore[misc]
        def process(self, events: Any) -> Any:
            return {"n": len(events)}

        def postprocess(self, accumulator: Any) -> Any:
            return accumulator

    assert ht.run_uproot_job({"d": [path]}, "Events", Counts()) == {"n": 10}


def test_rewritten_file_is_read_anew(path: str, processor: Any) -> None:
    ht.run_uproot_job({"d": [path]}, "Events", processor)
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": "float64"}).extend({"x": np.arange(3.0)})
    assert ht.run_uproot_job({"d": [path]}, "Events", processor)["x"].to_list() == [0.0, 1.0, 2.0]


def test_unknown_argument_names_the_closest_first(path: str, processor: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=r"takes 'skipbadfile'\n(.*\n)*Hint: did you mean skipbadfiles\?"):
        ht.run_uproot_job({"d": [path]}, "Events", processor, "iterative", {"skipbadfile": True})


def test_unknown_executor_names_the_closest_first(path: str, processor: Any) -> None:
    with pytest.raises(ht.HepTablesError, match=r"no executor 'future'\n(.*\n)*Hint: did you mean futures\?"):
        ht.run_uproot_job({"d": [path]}, "Events", processor, "future_executor")


def test_what_is_no_executor_is_refused(path: str, processor: Any) -> None:
    with pytest.raises(ht.HepTablesError, match="42 is no executor"):
        ht.run_uproot_job({"d": [path]}, "Events", processor, 42)

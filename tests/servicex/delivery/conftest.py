"""A real local endpoint, files for it, and how they are asked for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("servicex", reason="the extra servicex is not installed")
pytest.importorskip("aiohttp", reason="the extra servicex is not installed")

import uproot

from hep_tables_coffea.backends.servicex.delivery import Delivered, DeliveredFile, Deliveries, Pace, Request, Service
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint, local

#: MET of events with more than 20 GeV.
QUERY = (
    "(call Select (call Where (call EventDataset 'bogus' 'Events') (lambda (list e) (> (attr e 'MET_pt') 20)))"
    " (lambda (list e) (dict (list 'met') (list (attr e 'MET_pt')))))"
)
EVENTS = 10
#: So that trouble that does not pass is soon given up.
HASTY = Pace(first=0.05, longest=0.1, patience=0.3, grace=0.3)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files: `a.root` has MET of 15, 16, ..., 24 GeV, `b.root` of 18 and more, `c.root` of 21 and more."""
    made = tmp_path_factory.mktemp("inputs")
    for i, name in enumerate(("a.root", "b.root", "c.root")):
        write(made / name, 15 + 3 * i)
    return made


def write(path: Path, first: float) -> None:
    """A file with ten events. It is written as of a while ago: a new one could be written again unnoticed."""
    with uproot.recreate(path) as file:
        file.mktree("Events", {"MET_pt": "f4", "event": "i8"})
        file["Events"].extend({"MET_pt": np.arange(EVENTS, dtype="f4") + first, "event": np.arange(EVENTS)})
    while time.time_ns() - os.stat(path).st_ctime_ns < 150_000_000:
        time.sleep(0.02)


@pytest.fixture(scope="session")
def written() -> Callable[[Path, float], None]:
    return write


@pytest.fixture(scope="session")
def running(folder: Path) -> Iterator[LocalEndpoint]:
    catalog = {
        "rucio://user.me:met": f"{folder}/*.root",
        "cernopendata://1": [f"{folder}/b.root"],
        "root://eos.cern.ch//met/": str(folder),
    }
    with local(catalog, workers=1) as made:
        yield made


@pytest.fixture
def endpoint(running: LocalEndpoint) -> Iterator[LocalEndpoint]:
    """An endpoint without faults, whatever a test before did."""
    running.faults.set()
    yield running
    running.faults.set()


@pytest.fixture
def service(endpoint: LocalEndpoint) -> Service:
    return Service(endpoint.url)


@pytest.fixture
def files(folder: Path) -> Callable[[str], tuple[str, ...]]:
    """`files("ba")`: the paths of b.root and a.root."""
    return lambda letters: tuple(str(folder / f"{letter}.root") for letter in letters)


@pytest.fixture
def request_for(files: Callable[[str], tuple[str, ...]]) -> Callable[..., Request]:
    """`request_for("ba")` asks for files, `request_for("rucio://...")` for a data set."""

    def make(source: str, **more: Any) -> Request:
        about = {"query": QUERY, "codegen": "uproot", "title": "met", **more}
        return Request(source if "://" in source else files(source), **about)

    return make


@pytest.fixture
def ask(service: Service, tmp_path: Path) -> Callable[..., Delivered]:
    """`ask(request)`: what the endpoint delivers, kept in a folder of the test; `on_file` is told each file."""

    def asked(
        request: Request, to: Service = service, on_file: Callable[[DeliveredFile], Any] | None = None, **how: Any
    ) -> Delivered:
        with Deliveries([request], to, **{"cache": tmp_path / "kept", "pace": HASTY, **how}) as coming:
            for part in coming:
                for _, file in part if on_file else ():
                    on_file(file)
        return coming.delivered[0]

    return asked


@pytest.fixture
def hasty() -> Pace:
    return HASTY

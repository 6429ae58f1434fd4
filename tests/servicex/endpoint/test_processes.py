"""Nothing is left behind, however the program ends; a notebook's event loop is not touched."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hep_tables_coffea.backends.servicex.endpoint import local, shared

if TYPE_CHECKING:
    from collections.abc import Callable

#: How long the end of a process may take [s].
PATIENCE = 20.0

SCRIPT = """
import json, sys, time, urllib.request
from hep_tables_coffea.backends.servicex.endpoint import {start}
endpoint = {start}()
def get(path):
    return json.load(urllib.request.urlopen(endpoint.url + path))
get("/servicex")
while not endpoint.processes:
    pass
print(endpoint.processes[0], endpoint._folder, flush=True)
{then}
"""


def started(then: str, start: str = "local") -> tuple[subprocess.Popen[str], int, Path]:
    """A script with an endpoint, its worker and the endpoint's folder."""
    script = SCRIPT.format(start=start, then=then)
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker, folder = process.stdout.readline().split()
    return process, int(worker), Path(folder)


def is_gone(worker: int, folder: Path) -> bool:
    """Whether both are, in time."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not folder.exists() and not _runs(worker):
            return True
        time.sleep(0.05)
    return False


def _runs(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")


@needs_proc
def test_workers_end_with_the_script() -> None:
    process, worker, folder = started("", "shared")
    with process:
        assert process.wait(PATIENCE) == 0
    assert is_gone(worker, folder)


@needs_proc
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_workers_end_when_the_script_is_killed(number: signal.Signals) -> None:
    process, worker, folder = started("time.sleep(60)")
    with process:
        process.send_signal(number)
        process.wait(PATIENCE)
    assert is_gone(worker, folder)


def test_served_in_the_foreground_until_a_signal(tmp_path: Path) -> None:
    (tmp_path / "catalog.yaml").write_text("mc:dy: a.root\n")
    code = "import sys; from hep_tables_coffea.backends.servicex.endpoint import serve; serve(sys.argv[1])"
    arguments = [sys.executable, "-u", "-c", code, str(tmp_path / "catalog.yaml")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    url = lines[0].split()[5].rstrip(";")
    assert lines[0] == f"A local ServiceX answers at {url}; Ctrl-C ends it. In servicex.yaml:\n"
    assert "".join(lines[2:]) == f"api_endpoints:\n  - endpoint: {url}\n    name: local\n"
    assert (rest, process.returncode) == ("ended\n", 0)


def test_stopped_endpoint_has_no_processes_and_no_files(client_of: Callable[..., Any], events: dict[str, str]) -> None:
    with local(workers=1) as endpoint:
        client = client_of(endpoint)
        client.deliver([events["a"]])
        (worker,) = endpoint.processes
        folder = endpoint._folder
    endpoint.stop()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)
    assert repr(endpoint) == f"<LocalEndpoint {endpoint.url} (stopped)>"


def test_shared_endpoint_is_one_until_it_is_stopped() -> None:
    first = shared()
    assert shared() is first
    first.stop()
    second = shared()
    assert second.is_running
    assert second is not first
    second.stop()


def test_worker_is_kept_warm(client: Any, events: dict[str, str]) -> None:
    client.deliver([events["a"]])
    before = client.endpoint.processes
    client.deliver([events["a"]])
    assert client.endpoint.processes == before


def test_starts_inside_of_a_running_event_loop() -> None:
    async def start() -> bool:
        loop = asyncio.get_running_loop()
        with local() as endpoint:
            return endpoint.is_running and asyncio.get_running_loop() is loop

    assert asyncio.run(start())

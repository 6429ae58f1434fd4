"""Who stops a delivery stops the request on the server, and leaves nothing half-written."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hep_tables_coffea.backends.servicex.delivery import (
    Delivered,
    Deliveries,
    DeliveryError,
    IncompleteError,
    Request,
    Service,
)
from hep_tables_coffea.backends.servicex.delivery.server import Server
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


def states(endpoint: LocalEndpoint) -> list[str]:
    with urllib.request.urlopen(f"{endpoint.url}/servicex/transformation") as answer:
        return [one["status"] for one in json.load(answer)["requests"]]


def left_in(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file())


def test_error_of_who_is_told_is_raised_and_cancels_the_request(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:0.3")
    with (
        pytest.raises(ZeroDivisionError, match="by zero"),
        Deliveries([request_for("abc")], service, cache=tmp_path) as coming,
    ):
        sum(1 // 0 for _ in coming)
    assert states(endpoint)[-1] == "Canceled"
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("kept", [True, False])
def test_file_that_has_come_can_be_read_until_the_block_is_left(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path, kept: bool
) -> None:
    """Whatever becomes of the request: who reads a file does not see that it is gone, but why all ended."""
    endpoint.faults.set("slow:0.4")
    whole = request_for("a")
    broken = tmp_path / "broken.root"
    broken.write_bytes(Path(whole.listed[0]).read_bytes()[:1000])
    request, come = replace(whole, source=(*whole.listed, str(broken))), []
    with Deliveries([request], service, cache=tmp_path / "kept" if kept else False) as coming:
        with pytest.raises(IncompleteError, match=r"1 of 2 files"):
            come.extend(file.path for news in coming for _, file in news)
        assert len(come) == 1
        assert Path(come[0]).is_file()
    assert not Path(come[0]).exists()


def test_block_that_is_left_before_a_file_has_come_cancels_the_request(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:3")
    before = len(states(endpoint))
    with Deliveries([request_for("a")], service, cache=tmp_path):
        while len(states(endpoint)) == before:
            pass
    assert states(endpoint)[before:] == ["Canceled"]
    assert left_in(tmp_path) == []


def test_refused_answer_stops_the_request(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("fail:*a.root", "slow:2")
    with pytest.raises(DeliveryError, match="files of 'met' failed"):
        ask(request_for("abc"))
    assert states(endpoint)[-1] == "Canceled"
    assert left_in(tmp_path) == []


def test_error_of_one_request_leaves_the_others_to_the_next_run(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:0.5")
    before, good, bad = len(states(endpoint)), request_for("a"), request_for("rucio://user.me:none")
    with (
        pytest.raises(DeliveryError, match="there is no such data set"),
        Deliveries([good, bad], service, cache=tmp_path) as coming,
    ):
        list(coming)
    with Deliveries([good], service, cache=tmp_path) as coming:
        list(coming)
    assert coming.delivered[0].coverage == "1 of 1 files"
    assert sorted(states(endpoint)[before:]) == ["Bad Dataset", "Complete"]


PROGRAM = """
import sys
from hep_tables_coffea.backends.servicex.delivery import Deliveries, Request, Service
url, query, folder, *files = sys.argv[1:]
asked = [Request(tuple(files), query, "uproot", "met")]
with Deliveries(asked, Service(url), cache=folder, progress=False) as coming:
    for part in coming:
        print("first", flush=True)
"""


def test_interrupt_cancels_the_request(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:1.5")
    request = request_for("ab")
    command = [sys.executable, "-c", PROGRAM, service.url, request.query, str(tmp_path), *request.listed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "first\n"
        program.send_signal(signal.SIGINT)
        _, errors = program.communicate(timeout=30)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert states(endpoint)[-1] == "Canceled"
    assert left_in(tmp_path) == []


def test_killed_program_leaves_nothing_that_is_taken_for_whole(
    ask: Ask, service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:0.3")
    request = request_for("abc")
    command = [sys.executable, "-c", PROGRAM, service.url, request.query, str(tmp_path), *request.listed]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "first\n"
        program.kill()
    delivered = ask(request, cache=tmp_path)
    assert (delivered.cached, delivered.coverage) == (False, "3 of 3 files")
    assert all(os.path.getsize(file.path) == file.bytes for file in delivered.files)


def test_stopping_before_the_request_is_known_cancels_it_too(
    service: Service,
    request_for: RequestFor,
    endpoint: LocalEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint.faults.set("slow:3")
    before = len(states(endpoint))

    put = Server.submit_transform

    async def slowly(self: Server, request: object) -> str:
        request_id = await put(self, request)
        coming._task.cancel()  # as if the block were left now
        await asyncio.sleep(0)
        return request_id

    monkeypatch.setattr(Server, "submit_transform", slowly)
    with (
        pytest.raises(asyncio.CancelledError, match=r"^$"),
        Deliveries([request_for("a")], service, cache=tmp_path) as coming,
    ):
        list(coming)
    assert states(endpoint)[before:] == ["Canceled"]

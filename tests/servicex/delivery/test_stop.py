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
from pathlib import Path

import pytest

from hep_tables_coffea.backends.servicex.delivery import (
    Delivered,
    Deliveries,
    DeliveryError,
    Request,
    Service,
    deliver,
)
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


def states(endpoint: LocalEndpoint) -> list[str]:
    with urllib.request.urlopen(f"{endpoint.url}/servicex/transformation") as answer:
        return [one["status"] for one in json.load(answer)["requests"]]


def left_in(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.rglob("*") if path.is_file())


def test_canceled_task_cancels_the_request(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:0.3")

    async def stopped() -> None:
        first = asyncio.Event()
        task = asyncio.ensure_future(
            deliver(request_for("abc"), service, cache=tmp_path, on_file=lambda _: first.set())
        )
        await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(stopped())
    assert states(endpoint)[-1] == "Canceled"
    assert left_in(tmp_path) == []


def test_wait_for_is_understood(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:3")

    async def stopped() -> None:
        await asyncio.wait_for(deliver(request_for("a"), service, cache=tmp_path), 0.4)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(stopped())
    assert states(endpoint)[-1] == "Canceled"


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
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:3")
    before = len(states(endpoint))

    async def stopped() -> None:
        from hep_tables_coffea.backends.servicex.delivery.server import Server

        put = Server.submit_transform

        async def slowly(self: Server, request: object) -> str:
            request_id = await put(self, request)
            task.cancel()
            await asyncio.sleep(0)
            return request_id

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Server, "submit_transform", slowly)
            task = asyncio.ensure_future(deliver(request_for("a"), service, cache=tmp_path))
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(stopped())
    assert states(endpoint)[before:] == ["Canceled"]

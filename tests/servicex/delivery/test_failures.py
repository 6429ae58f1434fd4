"""Whatever goes wrong is an exception in words: nothing hangs, and nothing is lost in silence."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hep_tables_coffea.backends.servicex.delivery import (
    AccessError,
    Delivered,
    DeliveredFile,
    DeliveryError,
    IncompleteError,
    OverdueError,
    Pace,
    Request,
    Service,
    UnreachableError,
)
from hep_tables_coffea.backends.servicex.delivery.check import refuse_broken
from hep_tables_coffea.backends.servicex.delivery.server import Row, Server
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint, local
from hep_tables_coffea.errors import HepTablesError

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


# -- files that fail --------------------------------------------------------------------------------------------------


def test_partial_answer_is_refused(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, files: Any) -> None:
    endpoint.faults.set("fail:*b.root")
    with pytest.raises(IncompleteError, match=r"1 of 3 files of 'met' failed on the server") as caught:
        ask(request_for("abc"))
    assert [failed.source for failed in caught.value.failures] == list(files("b"))
    assert f"  {files('b')[0]}: {caught.value.failures[0].reason}" in str(caught.value)


def test_every_failed_file_is_named(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, files: Any) -> None:
    endpoint.faults.set("fail")
    with pytest.raises(IncompleteError, match="3 of 3 files") as caught:
        ask(request_for("cab"))
    assert tuple(failed.source for failed in caught.value.failures) == files("cab")


def test_failure_says_what_the_server_says(ask: Ask, request_for: RequestFor) -> None:
    query = request_for("a").query.replace("'MET_pt'", "'MET_pz'")
    with pytest.raises(IncompleteError, match="MET_pz"):
        ask(request_for("a", query=query))


def test_file_that_does_not_exist_is_named(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.root")
    with pytest.raises(IncompleteError, match=r"missing.root"):
        ask(Request((missing,), request_for("a").query, "uproot", "met"))


def test_partial_answer_is_reported_if_asked_for(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, files: Any
) -> None:
    endpoint.faults.set("fail:*b.root")
    delivered = ask(request_for("abc"), on_error="report")
    assert tuple(file.source for file in delivered.files) == files("ac")
    assert [failed.source for failed in delivered.failures] == list(files("b"))
    assert delivered.coverage == "2 of 3 files"


def test_reported_answer_may_be_empty(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("fail")
    delivered = ask(request_for("ab"), on_error="report")
    assert (delivered.files, delivered.coverage, len(delivered.failures)) == ((), "0 of 2 files", 2)


def test_partial_answer_is_not_taken_for_the_whole_later(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.set("fail:*b.root")
    ask(request_for("ab"), on_error="report")
    endpoint.faults.set()
    delivered = ask(request_for("ab"))
    assert (delivered.cached, delivered.coverage) == (False, "2 of 2 files")


def test_server_that_lists_no_failures_is_understood(ask: Ask, request_for: RequestFor, files: Any) -> None:
    with (
        local(workers=1, legacy=True, faults=["fail:*b.root"]) as endpoint,
        pytest.raises(IncompleteError, match=r"1 of 2 files") as caught,
    ):
        ask(request_for("ab"), Service(endpoint.url))
    assert tuple(failed.source for failed in caught.value.failures) == files("b")


# -- requests that fail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "source", "message"),
    [
        ("fatal", "a", "the request 'met' failed on the server\n.*a fault that was asked for"),
        ("bad-dataset", "rucio://user.me:met", "the data set of 'met' cannot be had: there is no such data set"),
        ("empty", "rucio://user.me:met", "the data set of 'met' has no files"),
        ("lost", "ab", "the server is done with 'met', and a result is missing"),
        ("restart:1", "a", "the server does not know the request .* any more"),
    ],
)
def test_request_that_ends_badly_is_an_error(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, fault: str, source: str, message: str
) -> None:
    endpoint.faults.set(fault, "slow:0.2")
    with pytest.raises(DeliveryError, match=f"(?s){message}"):
        ask(request_for(source))


def test_request_that_somebody_cancels_is_an_error(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("slow:0.3")

    def tell(_: DeliveredFile) -> None:
        with urllib.request.urlopen(f"{endpoint.url}/servicex/transformation") as answer:
            request_id = json.load(answer)["requests"][-1]["request_id"]
        urllib.request.urlopen(f"{endpoint.url}/servicex/transformation/{request_id}/cancel").close()

    with pytest.raises(DeliveryError, match="the request 'met' was canceled"):
        ask(request_for("abc"), on_file=tell)


def test_unknown_data_set_is_an_error(ask: Ask, request_for: RequestFor) -> None:
    with pytest.raises(DeliveryError, match="there is no such data set"):
        ask(request_for("rucio://user.me:mett"))


def test_unknown_code_generator_is_an_error(ask: Ask, request_for: RequestFor) -> None:
    with pytest.raises(DeliveryError, match=r"has no code generator 'uprot'\nHint: did you mean uproot\?"):
        ask(request_for("a", codegen="uprot"))


def test_bad_query_is_an_error_in_the_words_of_the_code_generator(ask: Ask, request_for: RequestFor) -> None:
    query = request_for("a").query.replace("(attr e 'MET_pt') 20", "(call sqrt (attr e 'MET_pt')) 20")
    with pytest.raises(DeliveryError, match=r"does not accept the query\n  it says: .*sqrt"):
        ask(request_for("a", query=query))


def test_bad_query_prints_nothing(ask: Ask, request_for: RequestFor, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeliveryError, match="does not accept the query"):
        ask(request_for("a", query="(call"))
    assert capfd.readouterr() == ("", "")


# -- trouble of the server and the store ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        "info-503:1",
        "info-500:1",
        "submit-503:1",
        "status-500:1",
        "status-502:2",
        "results-503:1",
        "s3-503:1",
        "s3-503:3",
    ],
)
def test_trouble_that_passes_is_borne(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, fault: str) -> None:
    endpoint.faults.set(fault)
    assert len(ask(request_for("a"), pace=Pace(longest=0.1, patience=5)).files) == 1


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ("info-500", UnreachableError, "fails to answer /servicex\n  HTTP 500"),
        ("submit-503", DeliveryError, "does not take the request\n  HTTP 503"),
        ("submit-500", DeliveryError, "does not take the request\n  HTTP 500"),
        ("status-500", UnreachableError, "fails to answer /servicex/transformation/.*\n  HTTP 500"),
        ("results-500", UnreachableError, "fails to answer .*/results\n  HTTP 500"),
        ("s3-503", UnreachableError, "does not give the result .*a.root.parquet\n  it says: .*503"),
        ("s3-403", UnreachableError, "does not give the result .*a.root.parquet\n  it says: .*403"),
        ("short", DeliveryError, "has .* bytes, not the .* that the server announced"),
        ("info-401", AccessError, "does not accept you"),
    ],
)
def test_trouble_that_does_not_pass_is_an_error(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint, fault: str, kind: type[HepTablesError], message: str
) -> None:
    endpoint.faults.set(fault)
    with pytest.raises(kind, match=message):
        ask(request_for("a"))


def test_request_that_may_have_been_taken_up_is_not_put_again(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.set("submit-500:1")
    with pytest.raises(DeliveryError, match="HTTP 500"):
        ask(request_for("a"))


def test_object_that_is_short_once_is_fetched_again(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("short:1")
    assert len(ask(request_for("a")).files) == 1


def test_size_that_the_server_corrects_is_believed(
    ask: Ask, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is transformed twice has the size of the last time."""
    listed, asked = Server.rows_of, []

    async def first_wrong(self: Server, request_id: str, since: str = "") -> list[Row]:
        asked.append(since)
        rows = await listed(self, request_id, since)
        return [replace(row, bytes=row.bytes + 1) for row in rows] if len(asked) == 1 else rows

    monkeypatch.setattr(Server, "rows_of", first_wrong)
    (file,) = ask(request_for("a")).files
    assert os.path.getsize(file.path) == file.bytes


def test_result_that_cannot_be_written_is_an_error(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    first = ask(request_for("a"))
    path = Path(first.files[0].path)
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match=r"the result .*a\.root\.parquet cannot be written: .*\n  file: "):
        ask(request_for("a"))


def test_nobody_listening_is_an_error_at_once(ask: Ask, request_for: RequestFor) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"ServiceX at {url} cannot be reached"):
            ask(request_for("a"), Service(url))


def test_server_that_goes_away_is_an_error(ask: Ask, request_for: RequestFor) -> None:
    with (
        local(workers=1, delay=0.5) as endpoint,
        pytest.raises(UnreachableError, match=r"cannot be reached|does not answer"),
    ):
        ask(request_for("abc"), Service(endpoint.url), on_file=lambda _: endpoint.stop())


def test_what_is_not_servicex_is_an_error(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    command = [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    (tmp_path / "servicex").write_text("hello")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as other:
        assert other.stdout is not None
        port = other.stdout.readline().split("port ")[1].split()[0]
        try:
            with pytest.raises(DeliveryError, match=r"what answers at .* is not ServiceX\n  answer: 200 hello"):
                ask(request_for("a"), Service(f"http://127.0.0.1:{port}"))
        finally:
            other.terminate()


# -- time -------------------------------------------------------------------------------------------------------------


def test_request_without_end_is_an_error_that_says_how_far_it_is(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.set("slow:3")
    with pytest.raises(
        OverdueError, match=r"0.4 s have passed\n  status: Running\n  counts: 1 files, 0 done, 0 failed"
    ):
        ask(request_for("a"), timeout=0.4, cache=False)


def test_request_that_stands_still_is_an_error(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("slow:3")
    with pytest.raises(TimeoutError, match="nothing has changed for 0 s"):
        ask(request_for("a"), pace=Pace(first=0.05, still=0.3), cache=False)


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "file_format", "message"),
    [
        (b"PAR1 and no footer", "parquet", "is no parquet file"),
        (b"<html>no such page</html>", "root-ttree", "it starts with b'<htm'"),
        (b"root" + bytes(8) + (500).to_bytes(4, "big") + bytes(20), "root-ttree", "says that it ends at 500"),
    ],
)
def test_broken_file_is_an_error(tmp_path: Path, content: bytes, file_format: str, message: str) -> None:
    path = tmp_path / "delivered"
    path.write_bytes(content)
    with pytest.raises(DeliveryError, match=message):
        refuse_broken(str(path), os.path.getsize(path), file_format, "delivered")

"""What is delivered: which files, in which order, with which content, and what is said of them."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import uproot

from hep_tables_coffea.backends.servicex.delivery import (
    Delivered,
    DeliveredFile,
    Deliveries,
    Request,
    Service,
    discard,
)
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint, local
from hep_tables_coffea.errors import OptionError, UsageError

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


def all_of(requests: list[Request], service: Service, **how: Any) -> tuple[Delivered, ...]:
    """All that several requests give."""
    with Deliveries(requests, service, **how) as coming:
        for _ in coming:
            pass
    return coming.delivered


MET = {"a.root": [21.0, 22.0, 23.0, 24.0], "b.root": [float(x) for x in range(21, 28)], "c.root": None}


def met(file: DeliveredFile) -> list[float]:
    column = pq.read_table(file.path).column("met")
    return [float(one) for one in column.to_pylist()]


def known(endpoint: LocalEndpoint) -> list[Any]:
    """The requests that the server knows."""
    with urllib.request.urlopen(f"{endpoint.url}/servicex/transformation") as answer:
        return list(json.load(answer)["requests"])


def names(delivered: Delivered) -> list[str]:
    return [os.path.basename(file.source) for file in delivered.files]


def test_file_has_the_selected_events(ask: Ask, request_for: RequestFor) -> None:
    assert met(ask(request_for("a")).files[0]) == [21.0, 22.0, 23.0, 24.0]


def test_files_are_in_the_order_of_the_request(ask: Ask, request_for: RequestFor) -> None:
    delivered = ask(request_for("cab"))
    assert names(delivered) == ["c.root", "a.root", "b.root"]
    assert [len(met(file)) for file in delivered.files] == [10, 4, 7]


def test_file_that_is_listed_twice_is_there_twice(ask: Ask, request_for: RequestFor) -> None:
    delivered = ask(request_for("aba"))
    assert names(delivered) == ["a.root", "b.root", "a.root"]
    assert delivered.files[0] == delivered.files[2]


def test_file_that_is_listed_twice_is_told_twice(ask: Ask, request_for: RequestFor) -> None:
    told: list[DeliveredFile] = []
    ask(request_for("aa"), on_file=told.append)
    assert [os.path.basename(file.source) for file in told] == ["a.root", "a.root"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("rucio://user.me:met", ["a.root", "b.root", "c.root"]),
        ("rucio://user.me:met?files=2", ["a.root", "b.root"]),
        ("cernopendata://1", ["b.root"]),
        ("xrootd://root://eos.cern.ch//met/[bc].root", ["b.root", "c.root"]),
    ],
)
def test_data_set_is_looked_up(ask: Ask, request_for: RequestFor, source: str, found: list[str]) -> None:
    assert names(ask(request_for(source))) == found


def test_files_of_a_list_may_have_addresses(ask: Ask, request_for: RequestFor) -> None:
    source = ("root://eos.cern.ch//met/b.root", "root://eos.cern.ch//met/a.root")
    delivered = ask(Request(source, request_for("a").query, "uproot", "met"))
    assert tuple(file.source for file in delivered.files) == source
    assert [len(met(file)) for file in delivered.files] == [7, 4]


def test_root_is_delivered_on_request(ask: Ask, request_for: RequestFor) -> None:
    (file,) = ask(request_for("a", format="root-ttree")).files
    with uproot.open(file.path) as opened:
        (tree,) = [opened[key] for key in opened.keys(cycle=False)]
        assert tree["met"].array().to_list() == [21.0, 22.0, 23.0, 24.0]


def test_urls_are_given_without_a_copy(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    (file,) = ask(request_for("a"), copy=False).files
    with urllib.request.urlopen(file.path) as answer:
        content = answer.read()
    assert (content[:4], len(content)) == (b"PAR1", file.bytes)
    assert not list(tmp_path.rglob("*.parquet"))


def test_server_without_a_list_of_results_is_understood(request_for: RequestFor, ask: Ask, folder: Path) -> None:
    with local(workers=1, legacy=True) as endpoint:
        delivered = ask(request_for("ba"), Service(endpoint.url))
    assert names(delivered) == ["b.root", "a.root"]


def test_account_says_how_much_and_how_long(ask: Ask, request_for: RequestFor, files: Any) -> None:
    delivered = ask(request_for("ab"))
    assert delivered.bytes == sum(os.path.getsize(file.path) for file in delivered.files)
    assert delivered.input_bytes == sum(os.path.getsize(path) for path in files("ab"))
    assert list(delivered.seconds) == ["queue", "transform", "download"]
    assert (delivered.coverage, delivered.cached, len(delivered.request_id)) == ("2 of 2 files", False, 36)


def test_size_of_a_data_set_is_that_which_the_server_knows(ask: Ask, request_for: RequestFor, files: Any) -> None:
    assert ask(request_for("cernopendata://1")).input_bytes == os.path.getsize(files("b")[0])


def test_file_is_told_while_others_are_made(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("slow:1")
    states: list[str] = []

    def tell(_: DeliveredFile) -> None:
        states.append(known(endpoint)[-1]["status"])

    ask(request_for("ab"), on_file=tell)
    assert states[0] == "Running"


def test_requests_run_side_by_side(
    service: Service, request_for: RequestFor, endpoint: LocalEndpoint, tmp_path: Path
) -> None:
    endpoint.faults.set("slow:1")
    before = len(known(endpoint))
    with Deliveries([request_for("a"), request_for("b")], service, cache=tmp_path) as coming:
        put = [len(known(endpoint)) - before for _ in coming]
    assert put[0] == 2
    assert [names(one) for one in coming.delivered] == [["a.root"], ["b.root"]]


def test_equal_requests_are_put_once(service: Service, request_for: RequestFor, tmp_path: Path) -> None:
    first, second = all_of([request_for("a"), request_for("a")], service, cache=tmp_path)
    assert (first.cached, second.cached) == (False, True)
    assert first.request_id == second.request_id


def test_many_files_are_delivered_after_one_another(ask: Ask, folder: Path, request_for: RequestFor) -> None:
    source = tuple(f"root://eos.cern.ch//met/{'./' * i}a.root" for i in range(12))
    request = Request(source, request_for("a").query, "uproot", "met")
    for _ in range(2):
        assert len(ask(request, cache=False).files) == 12


def test_all_requests_are_delivered_inside_a_running_loop(
    service: Service, request_for: RequestFor, tmp_path: Path
) -> None:
    async def cell() -> tuple[Delivered, ...]:
        return all_of([request_for("b"), request_for("a")], service, cache=tmp_path)

    assert [names(one) for one in asyncio.run(cell())] == [["b.root"], ["a.root"]]


def test_all_requests_are_delivered_from_a_thread(service: Service, request_for: RequestFor, tmp_path: Path) -> None:
    found: list[Delivered] = []
    thread = threading.Thread(target=lambda: found.extend(all_of([request_for("a")], service, cache=tmp_path)))
    thread.start()
    thread.join()
    assert [names(one) for one in found] == [["a.root"]]


def test_request_is_told_with_its_file(service: Service, request_for: RequestFor, tmp_path: Path) -> None:
    requests = [request_for("a", title="first"), request_for("b", title="second")]
    with Deliveries(requests, service, cache=tmp_path) as coming:
        come = [(requests[k].title, os.path.basename(file.source)) for part in coming for k, file in part]
    assert sorted(come) == [("first", "a.root"), ("second", "b.root")]


def test_answer_that_is_not_kept_is_there_until_it_is_discarded(ask: Ask, request_for: RequestFor) -> None:
    delivered = ask(request_for("a"), cache=False)
    assert met(delivered.files[0]) == [21.0, 22.0, 23.0, 24.0]
    discard(delivered)
    assert delivered.folder is not None
    assert not os.path.exists(delivered.folder)


def test_nothing_is_printed_or_logged(
    ask: Ask, request_for: RequestFor, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    ask(request_for("a"))
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records if record.name.startswith(("httpx", "servicex"))] == []


def test_title_longer_than_the_server_takes_is_cut(ask: Ask, request_for: RequestFor) -> None:
    assert names(ask(request_for("a", title="t" * 20000))) == ["a.root"]


@pytest.mark.parametrize(
    ("source", "more", "message"),
    [
        ((), {}, "has no files"),
        ("events.root", {}, "is not the identifier of a data set"),
        (("a.root",), {"format": "csv"}, "format='csv' cannot be delivered"),
    ],
)
def test_impossible_request_is_refused(source: Any, more: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Request(source, "", "uproot", "met", **more)


def test_wrong_option_is_refused(ask: Ask, request_for: RequestFor) -> None:
    with pytest.raises(UsageError, match="on_error='ignore' is not possible"):
        ask(request_for("a"), on_error="ignore")
    with pytest.raises(OptionError, match="cache='' is not possible"):
        ask(request_for("a"), cache="")

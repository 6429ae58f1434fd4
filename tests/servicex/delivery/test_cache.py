"""What was delivered once is there again, without a server; and nothing stale, half or foreign is taken for it."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from hep_tables_coffea.backends.servicex.delivery import (
    Delivered,
    DeliveredFile,
    Deliveries,
    Request,
    Service,
    UnreachableError,
    root_of,
)
from hep_tables_coffea.backends.servicex.delivery.shelf import trim
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint, local
from hep_tables_coffea.files.room import clear, usage

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


def known(endpoint: LocalEndpoint) -> list[str]:
    """The ids of the requests that the server knows."""
    with urllib.request.urlopen(f"{endpoint.url}/servicex/transformation") as answer:
        return [one["request_id"] for one in json.load(answer)["requests"]]


def note_of(delivered: Delivered) -> Path:
    assert delivered.folder is not None
    return Path(delivered.folder, "answer.json")


def test_answer_is_there_again_without_a_server(ask: Ask, request_for: RequestFor) -> None:
    with local(workers=1) as endpoint:
        first = ask(request_for("ba"), Service(endpoint.url))
    again = ask(request_for("ba"), Service(endpoint.url))
    assert (again.cached, again.files, again.request_id) == (True, first.files, first.request_id)


def test_kept_files_are_told(ask: Ask, request_for: RequestFor) -> None:
    ask(request_for("ba"))
    told: list[DeliveredFile] = []
    assert ask(request_for("ba"), on_file=told.append).files == tuple(told)


def test_kept_answer_is_in_the_order_of_each_request(ask: Ask, request_for: RequestFor) -> None:
    first, again = ask(request_for("abc")), ask(request_for("cba"))
    assert (again.cached, again.files) == (True, first.files[::-1])


@pytest.mark.parametrize(
    "other", [{"query": "q"}, {"format": "root-ttree"}, {"codegen": "uproot-raw"}], ids=["query", "format", "codegen"]
)
def test_other_question_is_not_answered_with_it(
    ask: Ask, request_for: RequestFor, service: Service, tmp_path: Path, other: dict[str, str]
) -> None:
    from hep_tables_coffea.backends.servicex.delivery.shelf import shelf_of

    ask(request_for("a"))
    root = root_of(tmp_path / "kept")
    assert shelf_of(request_for("a"), service, root, None).find(request_for("a")) is not None
    asked = replace(request_for("a"), **other)
    assert shelf_of(asked, service, root, None).find(asked) is None


def test_title_is_no_part_of_the_question(ask: Ask, request_for: RequestFor) -> None:
    ask(request_for("a"))
    assert ask(request_for("a", title="another")).cached


def test_other_server_is_not_answered_for(ask: Ask, request_for: RequestFor, service: Service) -> None:
    ask(request_for("a"))
    with pytest.raises(UnreachableError, match="cannot be reached"):
        ask(request_for("a"), Service("http://127.0.0.1:9"))


def test_rewritten_file_is_asked_anew(
    ask: Ask, request_for: RequestFor, tmp_path: Path, written: Callable[[Path, float], None]
) -> None:
    path = tmp_path / "events.root"
    request = Request((str(path),), request_for("a").query, "uproot", "met")
    found = []
    for first in (15.0, 18.0):
        written(path, first)
        delivered = ask(request)
        found.append((delivered.cached, pq.read_metadata(delivered.files[0].path).num_rows))
    assert found == [(False, 4), (False, 7)]


def test_file_that_was_written_just_now_is_asked_for_again(
    ask: Ask, request_for: RequestFor, tmp_path: Path, written: Callable[[Path, float], None]
) -> None:
    path = tmp_path / "events.root"
    written(path, 15.0)
    # as of in a moment: what is written then could not be told from this
    later = os.stat(path).st_mtime_ns + 10**10
    os.utime(path, ns=(later, later))
    request = Request((str(path),), request_for("a").query, "uproot", "met")
    assert [ask(request).cached for _ in range(2)] == [False, False]


@pytest.mark.parametrize("harm", [os.unlink, lambda path: os.truncate(path, 10)], ids=["missing", "short"])
def test_kept_file_that_is_not_whole_is_fetched_again(ask: Ask, request_for: RequestFor, harm: Any) -> None:
    first = ask(request_for("ab"))
    harm(first.files[1].path)
    again = ask(request_for("ab"))
    assert (again.cached, again.files) == (False, first.files)
    assert [os.path.getsize(file.path) for file in again.files] == [file.bytes for file in first.files]


@pytest.mark.parametrize("text", ["{", "[]", '{"state": "complete", "files": [["a.root"]]}', '{"state": "complete"}'])
def test_note_that_cannot_be_read_is_no_answer(ask: Ask, request_for: RequestFor, text: str) -> None:
    first = ask(request_for("a"))
    note_of(first).write_text(text)
    assert not ask(request_for("a")).cached


def test_data_set_of_a_local_endpoint_is_kept_only_under_its_state(
    ask: Ask, request_for: RequestFor, service: Service
) -> None:
    request = request_for("rucio://user.me:met")
    assert [ask(request).cached for _ in range(2)] == [False, False]
    named = replace(service, state="catalogue of today")
    assert [ask(request, named).cached for _ in range(2)] == [False, True]
    assert not ask(request, replace(service, state="catalogue of tomorrow")).cached


def test_state_is_found_again_under_another_port(ask: Ask, request_for: RequestFor, service: Service) -> None:
    ask(request_for("a"), replace(service, state="local"))
    assert ask(request_for("a"), Service("http://127.0.0.1:9", state="local")).cached


def test_data_set_of_another_local_endpoint_is_another(
    ask: Ask, request_for: RequestFor, service: Service, folder: Path
) -> None:
    request = request_for("cernopendata://1")
    first = ask(request, replace(service, state="1"))
    with local({"cernopendata://1": str(folder / "a.root")}, workers=1) as other:
        second = ask(request, Service(other.url, state="1"))
    assert [os.path.basename(one.files[0].source) for one in (first, second)] == ["b.root", "a.root"]


def test_without_cache_it_is_asked_anew_and_nothing_is_kept(
    ask: Ask, request_for: RequestFor, tmp_path: Path, cache_folder: Path
) -> None:
    first = ask(request_for("a"))
    again = ask(request_for("a"), cache=False)
    assert (again.cached, again.request_id == first.request_id) == (False, False)
    assert again.folder is not None
    assert Path(again.folder).parent not in (tmp_path, cache_folder)


def test_urls_are_those_of_the_request_whose_answer_is_kept(ask: Ask, request_for: RequestFor) -> None:
    first = ask(request_for("a"))
    urls = ask(request_for("a"), copy=False)
    assert urls.request_id == first.request_id
    assert urls.files[0].path.startswith("http://")
    assert ask(request_for("a")).cached


def test_request_of_a_run_that_died_is_resumed(ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint) -> None:
    endpoint.faults.set("slow:0.5")
    with pytest.raises(TimeoutError, match=r"0.3 s have passed"):
        ask(request_for("ab"), timeout=0.3)
    assert ask(request_for("ab")).request_id == known(endpoint)[-1]


def test_request_that_the_server_has_forgotten_is_put_anew(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.set("slow:0.3")
    with pytest.raises(TimeoutError, match=r"0.1 s have passed|was not taken up"):
        ask(request_for("ab"), timeout=0.1)
    before = known(endpoint)[-1]
    endpoint.restart()
    assert ask(request_for("ab")).request_id not in ("", before)


def test_request_that_was_canceled_meanwhile_is_put_anew(
    ask: Ask, request_for: RequestFor, endpoint: LocalEndpoint
) -> None:
    endpoint.faults.set("slow:0.5")
    with pytest.raises(TimeoutError, match=r"0.3 s have passed"):
        ask(request_for("ab"), timeout=0.3)
    before = known(endpoint)[-1]
    urllib.request.urlopen(f"{endpoint.url}/servicex/transformation/{before}/cancel").close()
    assert len(ask(request_for("ab")).files) == 2


def test_answer_is_kept_in_the_folder_of_the_user_if_none_is_given(
    service: Service, request_for: RequestFor, cache_folder: Path
) -> None:
    with Deliveries([request_for("a")], service) as coming:
        list(coming)
    delivered = coming.delivered[0]
    assert delivered.folder is not None
    assert Path(delivered.folder).is_relative_to(cache_folder / "servicex")


def test_cache_is_cleared_as_that_of_columns(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    delivered = ask(request_for("ab"))
    root, note = root_of(tmp_path / "kept"), note_of(delivered).stat().st_size
    assert usage(root).tables == 1
    assert clear(root).nbytes == delivered.bytes + note
    assert not os.path.exists(root)


def test_oldest_answers_make_room(ask: Ask, request_for: RequestFor, tmp_path: Path) -> None:
    old, new = ask(request_for("a")), ask(request_for("b"))
    hours_ago = note_of(old).stat().st_mtime - 3 * 3600
    os.utime(note_of(old), (hours_ago, hours_ago))
    trim(root_of(tmp_path / "kept"), new.bytes)
    assert (os.path.exists(old.files[0].path), os.path.exists(new.files[0].path)) == (False, True)


def test_answer_of_the_last_hour_is_not_dropped(ask: Ask, request_for: RequestFor) -> None:
    first = ask(request_for("a"), cache_size=1)
    ask(request_for("b"), cache_size=1)
    assert os.path.exists(first.files[0].path)


def test_answer_that_cannot_be_kept_is_delivered_all_the_same(
    ask: Ask, request_for: RequestFor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "taken").write_text("")
    assert [os.path.exists(file.path) for file in ask(request_for("a"), cache=tmp_path / "taken").files] == [True]
    assert "answers of ServiceX are not kept" in caplog.text

"""Each switch makes it fail in its way, as the client or the status then tells."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from hep_tables_coffea.backends.servicex.endpoint import Faults
from hep_tables_coffea.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


def ended(client: Any, files: list[str], **more: Any) -> dict[str, Any]:
    status: dict[str, Any] = client.wait(client.submit(files, **more)[1]["request_id"])
    return status


def counts(status: dict[str, Any]) -> tuple[str, int, int]:
    return status["status"], status["files-completed"], status["files-failed"]


def test_file_that_fails_is_named_with_its_reason(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("fail:*b.root")
    status = ended(client, list(events.values()))
    assert counts(status) == ("Complete", 1, 1)
    assert status["failure-info"] == f"{events['b']}: a fault that was asked for"


def test_results_say_which_file_failed_and_the_client_takes_the_other(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("fail:*b.root")
    outcome = client.ask(list(events.values()), fail_if_incomplete=False)
    assert len(outcome.files) == 1
    results = client.get(f"/servicex/transformation/{outcome.status['request_id']}/results")["results"]
    found = {result["file-path"]: (result["transform_status"], result["failure-info"]) for result in results}
    assert found == {events["a"]: ("success", None), events["b"]: ("failure", "a fault that was asked for")}


def test_fatal_request_raises_in_the_client(client: Any, events: dict[str, str]) -> None:
    from servicex.query_core import ServiceXException

    client.endpoint.faults.set("fatal")
    with pytest.raises(ServiceXException, match="Fatal issue in ServiceX server"):
        client.ask([events["a"]], fetch=0.5)


def test_bad_dataset_and_empty_dataset_are_switches(client: Any) -> None:
    client.endpoint.faults.set("bad-dataset")
    assert ended(client, [], did="mc:dy")["status"] == "Bad Dataset"
    client.endpoint.faults.set("empty")
    assert counts(ended(client, [], did="mc:dy")) == ("Complete", 0, 0)


@pytest.mark.parametrize("route", ["submit", "status", "results", "info"])
def test_route_answers_with_an_error_as_often_as_asked(client: Any, events: dict[str, str], route: str) -> None:
    request = client.submit([events["a"]])[1]["request_id"]
    paths = {
        "info": ("GET", "/servicex"),
        "status": ("GET", f"/servicex/transformation/{request}"),
        "results": ("GET", f"/servicex/transformation/{request}/results"),
    }
    client.endpoint.faults.set(f"{route}-503:1")
    calls = [client.submit([events["a"]]) if route == "submit" else client.call(*paths[route]) for _ in range(2)]
    assert [code for code, _ in calls] == [503, 200]
    assert calls[0][1] == {"message": "a fault that was asked for"}


def test_error_without_a_number_stays(client: Any) -> None:
    client.endpoint.faults.set("info-500")
    assert {client.call("GET", "/servicex")[0] for _ in range(3)} == {500}


def test_client_survives_one_error_of_the_object_store(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("s3-503:1")
    assert len(client.ask([events["a"]]).files) == 1


def test_short_object_is_shorter_than_its_entry_says(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("short:1")
    (short,) = client.deliver([events["a"]])
    size = os.path.getsize(short)
    (whole,) = client.deliver([events["a"]])
    assert size == os.path.getsize(whole) // 2


def test_lost_result_is_counted_and_not_listed(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("lost:1")
    status = ended(client, list(events.values()))
    assert counts(status) == ("Complete", 2, 0)
    assert len(client.get(f"/servicex/transformation/{status['request_id']}/results")["results"]) == 1


def test_slow_file_takes_longer(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("slow:0.3")
    status = ended(client, [events["a"]])
    (result,) = client.get(f"/servicex/transformation/{status['request_id']}/results")["results"]
    assert result["transform_time"] > 0.3


def test_restart_forgets_the_request(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("restart:1")
    request = client.submit([events["a"]])[1]["request_id"]
    path = f"/servicex/transformation/{request}"
    assert [client.call("GET", path)[0] for _ in range(2)] == [200, 404]
    assert client.get("/servicex/transformation") == {"requests": []}


def test_file_goes_to_another_worker_when_one_is_lost(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("slow:0.5")
    request = client.submit([events["a"]])[1]["request_id"]
    while not client.endpoint.processes:
        pass
    for process in client.endpoint.processes:
        os.kill(process, signal.SIGKILL)
    assert counts(client.wait(request)) == ("Complete", 1, 0)


def test_file_that_kills_every_worker_fails(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("kill:*b.root")
    status = ended(client, list(events.values()))
    assert counts(status) == ("Complete", 1, 1)
    assert status["failure-info"].startswith(f"{events['b']}: the worker process ")
    assert status["failure-info"].endswith("ended in the middle (exit status -9)")


def test_cancelled_request_ends_at_once(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("slow:60")
    request = client.submit([events["a"]])[1]["request_id"]
    assert client.call("GET", f"/servicex/transformation/{request}/cancel")[0] == 200
    assert client.wait(request)["status"] == "Canceled"
    client.endpoint.faults.set()
    assert counts(ended(client, [events["a"]])) == ("Complete", 1, 0)


def test_files_of_a_cancelled_request_that_wait_for_a_worker_are_not_done(client: Any, events: dict[str, str]) -> None:
    client.endpoint.faults.set("slow:0.3")
    request = client.submit([events["a"], events["b"], events["a"], events["b"]])[1]["request_id"]
    client.call("GET", f"/servicex/transformation/{request}/cancel")
    client.endpoint.faults.set()
    ended(client, [events["a"]])  # the one worker had all four before it
    assert list((client.endpoint._folder / request).iterdir()) == []


def test_deleted_request_is_gone_with_its_objects(client: Any, events: dict[str, str]) -> None:
    status = ended(client, [events["a"]])
    path = f"/servicex/transformation/{status['request_id']}"
    folder = client.endpoint._folder / status["request_id"]
    assert len(list(folder.iterdir())) == 1
    assert [client.call(method, path)[0] for method in ("DELETE", "GET", "DELETE")] == [200, 404, 404]
    assert not folder.exists()


@pytest.mark.parametrize(
    ("switch", "text"),
    [("sloww", "there is no fault 'sloww'"), ("slow:much", "no number"), ("status-200", "no fault 'status-200'")],
)
def test_unknown_switch_is_refused(switch: str, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        Faults([switch])


def test_requests_of_a_client_are_listed(client: Any, events: dict[str, str]) -> None:
    request = client.submit([events["a"]])[1]["request_id"]
    assert request in [one["request_id"] for one in client.get("/servicex/transformation")["requests"]]


def test_results_are_later_than_the_last_that_was_seen(client: Any, events: dict[str, str]) -> None:
    status = ended(client, list(events.values()) * 3)
    path = f"/servicex/transformation/{status['request_id']}/results"
    moments = [result["created_at"] for result in client.get(path)["results"]]
    assert moments == sorted(set(moments))
    assert len(moments) == 6
    assert [result["created_at"] for result in client.get(f"{path}?later_than={moments[3]}")["results"]] == moments[4:]
    assert client.call("GET", f"{path}?later_than=noon")[0] == 400


def test_legacy_endpoint_serves_by_listing_the_bucket(
    client_of: Callable[..., Any], events: dict[str, str], met: dict[str, list[float]]
) -> None:
    import awkward as ak

    from hep_tables_coffea.backends.servicex.endpoint import local

    with local(legacy=True) as endpoint:
        client = client_of(endpoint)
        assert "capabilities" not in client.get("/servicex")
        (file,) = client.ask([events["a"]]).files
    assert ak.from_parquet(file).met.to_list() == met["a"]

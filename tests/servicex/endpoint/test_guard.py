"""A query reaches its inputs and nothing else; strangers reach nothing."""

from __future__ import annotations

import base64
import http.client
import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from hep_tables_coffea.backends.servicex.endpoint import local
from hep_tables_coffea.backends.servicex.endpoint.auth import Gate
from hep_tables_coffea.backends.servicex.endpoint.catalog import Catalog
from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError
from hep_tables_coffea.backends.servicex.endpoint.transform import prepare
from hep_tables_coffea.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

DATASET = "(call EventDataset 'x' 'Events')"


def over_events(body: str) -> str:
    return f"(call Select {DATASET} (lambda (list e) {body}))"


BAD = {
    "open": (over_events("(call open '/etc/passwd')"), "Unknown id: open"),
    "eval": (over_events("(call eval '1')"), "Unknown id: eval"),
    "import": (over_events("(call __import__ 'os')"), "Unknown id: __import__"),
    "getattr": (over_events("(call getattr e 'x')"), "Unknown id: getattr"),
    "builtin as a value": (over_events("(dict (list 'a') (list open))"), "Unknown id: open"),
    "class": (over_events("(attr e '__class__')"), "'__class__' is not allowed"),
    "attribute that is code": (over_events("(attr e 'pt + open')"), "is not allowed: a column of that name"),
    "numpy's files": (over_events("(call (attr np 'load') 'x')"), "np.load is not a function of single numbers"),
    "numpy's modules": (over_events("(attr (attr np 'lib') 'npyio')"), "np.lib is not a function"),
    "layout": (over_events("(attr e 'layout')"), "is one of every array"),
    "method of an array": (
        over_events("(call (attr e 'tofile') 'x')"),
        "'tofile' is not a function that can be called",
    ),
    "what a call gives": (over_events("(call (subscript e 0) 1)"), "cannot be called"),
    "argument named like a tool": (
        f"(call Select {DATASET} (lambda (list isinstance) 1))",
        "'isinstance' cannot be the argument",
    ),
    "lambda in a string": (f"(call Select {DATASET} 'lambda e: open(e)')", "Unknown id: open"),
    "default of a lambda": (f"(call Select {DATASET} 'lambda e, x=eval(1): 1')", "plain arguments only"),
    "comprehension in a string": (f"(call Select {DATASET} 'lambda e: [x for x in e]')", "ListComp is not allowed"),
    "format in a string": (f"(call Select {DATASET} 'lambda e: f\"{{e}}\"')", "JoinedStr is not allowed"),
    "files by code": ("(call Select (call EventDataset (call open 'x')) (lambda (list e) 1))", "takes names of files"),
    "Aggregate": (f"(call Aggregate {DATASET} 0 (lambda (list a b) a))", "Aggregate is not implemented"),
    "no dataset": ("(+ 1 2)", "has no EventDataset"),
    "no qastle": ("(call", "Unexpected end-of-input|unexpected"),
    "deep": ("(- " * 5000 + "1" + ")" * 5000, "nested too deeply"),
}


@pytest.mark.parametrize("name", BAD)
def test_query_that_names_more_than_columns_is_refused(name: str) -> None:
    text, why = BAD[name]
    with pytest.raises(QueryRefusedError, match=why):
        prepare("uproot", text)


def test_refusal_is_an_error_of_the_submission(client: Any, events: dict[str, str]) -> None:
    code, answer = client.submit([events["a"]], BAD["open"][0])
    assert code == 500
    assert answer["message"].startswith("Something went wrong (Failed to generate translation code: Unknown id: open")


def test_client_raises_what_was_refused(client: Any, events: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match=r"500 - Something went wrong .*Unknown id: open"):
        client.ask([events["a"]], BAD["open"][0])


@pytest.mark.parametrize(
    "expression",
    [
        "open('/etc/passwd')",
        "().__class__",
        "eval('1')",
        "[x for x in Jet_pt]",
        "__import__",
        "Jet_pt.__class__",
        "f'{a}'",
    ],
)
def test_expression_of_uproot_that_is_more_than_columns_is_refused(expression: str) -> None:
    for part in ({"expressions": expression}, {"cut": expression}, {"aliases": {"a": expression}}):
        with pytest.raises(QueryRefusedError, match=r"not allowed|not a function of uproot|no expression"):
            prepare("uproot-raw", json.dumps([{"treename": "Events", **part}]))


def test_python_functions_can_be_refused(client_of: Callable[..., Any], events: dict[str, str]) -> None:
    source = base64.b64encode(b"def run_query(path): pass").decode()
    with local(functions=False) as endpoint:
        client = client_of(endpoint)
        assert "python" not in client.get("/servicex")["code-gen-image"]
        code, answer = client.submit([events["a"]], source, "python")
    assert (code, answer["message"]) == (500, "Invalid Codegen Image Passed in Request: python")


@pytest.mark.parametrize("source", [b"def other(path): pass", b"def run_query(:"])
def test_python_without_the_function_is_refused(source: bytes) -> None:
    with pytest.raises(QueryRefusedError, match=r"defines no function run_query|syntax error in line 1"):
        prepare("python", base64.b64encode(source).decode())


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.2", "example.org", "::"])
def test_other_machines_cannot_reach_it(host: str) -> None:
    with pytest.raises(UsageError, match="does not listen on"):
        local(host=host)


def test_port_in_use_is_said(endpoint: Any) -> None:
    port = int(endpoint.url.rpartition(":")[2])
    with pytest.raises(UsageError, match=f"cannot listen on port {port}"):
        local(port=port)


def raw(endpoint: Any, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"))
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    status = connection.getresponse().status
    connection.close()
    return status


def test_name_that_a_stranger_lets_point_here_is_refused(endpoint: Any) -> None:
    assert raw(endpoint, "GET", "/servicex", Host="evil.example") == 403
    assert raw(endpoint, "GET", "/servicex", Host="localhost:1") == 200


def test_form_of_a_web_page_submits_nothing(endpoint: Any) -> None:
    assert raw(endpoint, "POST", "/servicex/transformation", b"{}", Content_Type="text/plain") == 400


def test_objects_need_the_key_of_the_status(client: Any, events: dict[str, str]) -> None:
    status = client.wait(client.submit([events["a"]])[1]["request_id"])
    bucket = f"/{status['request_id']}"
    assert client.call("GET", f"{bucket}?list-type=2")[0] == 403
    key = f"AWSAccessKeyId={status['minio-access-key']}"
    assert raw(client.endpoint, "GET", f"{bucket}?{key}") == 200
    assert raw(client.endpoint, "GET", f"{bucket}?AWSAccessKeyId=guess") == 403


@pytest.mark.parametrize("key", ["../../etc/passwd", "..%2F..%2Fetc%2Fpasswd", "%2Fetc%2Fpasswd", "0"])
def test_only_results_are_objects(client: Any, events: dict[str, str], key: str) -> None:
    status = client.wait(client.submit([events["a"]])[1]["request_id"])
    path = f"/{status['request_id']}/{key}?AWSAccessKeyId={status['minio-access-key']}"
    assert raw(client.endpoint, "GET", path) == 404


def test_refresh_token_is_asked_for(client_of: Callable[..., Any], events: dict[str, str]) -> None:
    from servicex.servicex_adapter import AuthorizationError

    with local(auth="open sesame") as endpoint:
        assert len(client_of(endpoint, "open sesame").ask([events["a"]]).files) == 1
        with pytest.raises(AuthorizationError, match=r"token request rejected \[401"):
            client_of(endpoint, "wrong").ask([events["a"]])
        with pytest.raises(AuthorizationError, match="Not authorized"):
            client_of(endpoint).ask([events["a"]])


def test_access_token_ends_and_cannot_be_changed() -> None:
    gate = Gate("secret")
    token = gate.token()
    assert gate.admits(f"Bearer {token}")
    assert not gate.admits(f"Bearer {gate.token(now=0)}")
    assert not gate.admits(f"Bearer {Gate('secret').token()}")
    assert not gate.admits(f"Bearer {token[:-4]}AAAA")
    assert not gate.admits("")


def test_connection_of_the_same_user_is_known(endpoint: Any) -> None:
    import os

    from hep_tables_coffea.backends.servicex.endpoint import peers

    host, _, port = endpoint.url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port))) as here:
        found = peers._user(here.getsockname(), here.getpeername())
    assert found in (os.getuid(), None)


def test_catalogue_of_a_path_that_is_no_file_has_no_files() -> None:
    from hep_tables_coffea.backends.servicex.endpoint.catalog import LookupFailure

    with pytest.raises(LookupFailure, match="has no files"):
        Catalog({"mc:x": "/etc"}).dataset("mc:x")

"""The real client of ServiceX against local endpoints, over HTTP, asking often."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint

#: What the client waits between two questions [s].
POLLS = 0.02
#: A client that waits for ever fails the test after this [s].
PATIENCE = 20.0
MET = "(call Select (call EventDataset 'bogus.root' 'Events') (lambda (list e) (dict (list 'met') (list (attr e 'MET_pt')))))"


@dataclass(slots=True)
class Outcome:
    """What the client gave back, and what the endpoint said of the request at last."""

    files: list[str]
    urls: list[str]
    status: dict[str, Any]


class Client:
    """ServiceXClient of the servicex package, for one endpoint and one cache."""

    def __init__(self, endpoint: LocalEndpoint, folder: Path, token: str | None = None) -> None:
        self.endpoint, self.folder = endpoint, folder
        self.config = folder / "servicex.yaml"
        lines = ["api_endpoints:", f"  - endpoint: {endpoint.url}", "    name: local"]
        lines += [f"    token: {token}"] if token else []
        self.config.write_text("\n".join([*lines, f"cache_path: {folder / 'cache'}", ""]))

    def ask(
        self,
        source: Any,
        query: Any = MET,
        codegen: str = "uproot",
        form: str = "parquet",
        urls: bool = False,
        **more: Any,
    ) -> Outcome:
        """Submit a query, wait for it and fetch what it delivers.

        With `fetch` seconds between looks for files a failure is seen before the client has given up on files.
        """
        from servicex.dataset_identifier import FileListDataset

        if isinstance(source, list):
            source = FileListDataset(source)
        return asyncio.run(asyncio.wait_for(self._ask(source, query, codegen, form, urls, more), PATIENCE))

    async def _ask(self, source: Any, query: Any, codegen: str, form: str, urls: bool, more: dict[str, Any]) -> Outcome:
        from servicex.models import ResultFormat
        from servicex.servicex_client import ServiceXClient

        fetch = more.pop("fetch", POLLS)
        client = ServiceXClient(backend="local", config_path=str(self.config))
        asked = client.generic_query(
            dataset_identifier=source,
            query=query,
            codegen=codegen,
            title="a test",
            result_format=ResultFormat(form),
            ignore_cache=True,
            **more,
        )
        asked.servicex_polling_interval, asked.minio_polling_interval = POLLS, fetch  # type: ignore[assignment]
        try:
            found = await (asked.as_signed_urls_async(False) if urls else asked.as_files_async(False))
        finally:
            client.query_cache.db.close()
        status = self.get(f"/servicex/transformation/{asked.request_id}", asked.servicex.token)
        return Outcome(list(found.file_list), list(found.signed_url_list), status)

    def get(self, path: str, token: str | None = None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self.call("GET", path, headers=headers)[1]

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and JSON of a request as any program could make it."""
        data = None if body is None else json.dumps(body).encode()
        kinds = {"Content-Type": "application/json"} if data else {}
        request = urllib.request.Request(self.endpoint.url + path, data, kinds | (headers or {}), method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            text = error.read()
            return error.code, json.loads(text) if text.startswith(b"{") else text.decode()

    def submit(self, files: list[str], selection: str = MET, codegen: str = "uproot", **more: Any) -> tuple[int, Any]:
        body = {"title": "a test", "selection": selection, "codegen": codegen, "result-destination": "object-store"}
        source = {} if "did" in more else {"file-list": files}
        return self.call("POST", "/servicex/transformation", body | source | {"result-format": "parquet"} | more)

    def deliver(self, files: list[str], query: Any = MET, codegen: str = "uproot", form: str = "parquet") -> list[str]:
        """What a request delivers, fetched without the client: it takes a twentieth of the time."""
        selection = query if isinstance(query, str) else query.generate_selection_string()
        code, answer = self.submit(files, selection, codegen, **{"result-format": form})
        assert code == 200, answer
        status = self.wait(answer["request_id"])
        assert status["failure-info"] is None
        results = self.get(f"/servicex/transformation/{answer['request_id']}/results")["results"]
        names = [result["s3-object-name"] for result in results]
        asked = {"request_id": answer["request_id"], "file_list": names}
        uris = self.call("POST", "/servicex/transformation/file-urls", asked)[1]["uris"]
        return [self._download(uris[name][0], number) for number, name in enumerate(names)]

    def _download(self, url: str, number: int) -> str:
        with urllib.request.urlopen(url) as answer:
            path = self.folder / f"delivered-{number}"
            path.write_bytes(answer.read())
        return str(path)

    def why(self, files: list[str], query: Any, codegen: str = "uproot") -> str:
        """The failure of a request with one file, without its name."""
        selection = query if isinstance(query, str) else query.generate_selection_string()
        status = self.wait(self.submit(files, selection, codegen)[1]["request_id"])
        text: str = status["failure-info"]
        return text.removeprefix(f"{files[0]}: ")

    def wait(self, request_id: str) -> dict[str, Any]:
        """The status of a request once it has ended."""
        while True:
            status: dict[str, Any] = self.get(f"/servicex/transformation/{request_id}")
            if status["status"] in ("Complete", "Fatal", "Canceled", "Bad Dataset"):
                return status


@pytest.fixture(scope="session", autouse=True)
def packages() -> None:
    """Without them the tests of this folder are skipped."""
    for name in ("servicex", "aiohttp", "qastle", "func_adl_uproot"):
        pytest.importorskip(name, reason="pip install 'hep_tables_coffea[servicex]'")


@pytest.fixture(scope="session")
def events(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Two small files of simulated events, in one folder."""
    folder = tmp_path_factory.mktemp("events")
    sizes = {"a": (30, 1), "b": (20, 2)}
    return {
        name: ht.samples.nanoaod(folder / f"{name}.root", events=number, seed=seed)
        for name, (number, seed) in sizes.items()
    }


@pytest.fixture(scope="session")
def endpoint(events: dict[str, str]) -> Iterator[LocalEndpoint]:
    """One endpoint for all tests that leave it as it was, with a catalogue of the two files."""
    from hep_tables_coffea.backends.servicex.endpoint import local

    folder = events["a"].removesuffix("a.root")
    catalog = {
        "rucio://mc:dy": f"{folder}*.root",
        "mc:none": f"{folder}*.nothing",
        "cernopendata://1": [events["b"]],
        "root://eos.example//data/": folder,
    }
    with local(catalog, workers=1) as running:
        yield running


@pytest.fixture
def client(endpoint: LocalEndpoint, tmp_path: Path) -> Iterator[Client]:
    """The client for that endpoint; the faults of a test end with it."""
    yield Client(endpoint, tmp_path)
    endpoint.faults.set()


@pytest.fixture
def client_of(tmp_path: Path) -> Callable[..., Client]:
    """A client for another endpoint."""
    return lambda endpoint, token=None: Client(endpoint, tmp_path, token)


@pytest.fixture(scope="session")
def met(events: dict[str, str]) -> dict[str, list[float]]:
    """What the files have in MET_pt, as uproot reads it."""
    import uproot

    found = {}
    for name, path in events.items():
        with uproot.open({path: "Events"}) as tree:
            found[name] = tree["MET_pt"].array().to_list()
    return found

"""Every kind of dataset finds its files, and each input gives an object of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest

from hep_tables_coffea.backends.servicex.endpoint import Catalog
from hep_tables_coffea.errors import FileMissingError, SourceError

if TYPE_CHECKING:
    from pathlib import Path


def values(files: list[str]) -> list[list[float]]:
    return sorted(ak.from_parquet(file).met.to_list() for file in files)


def test_file_list_may_have_plain_paths(client: Any, events: dict[str, str], met: dict[str, list[float]]) -> None:
    assert values(client.ask([events["a"], events["b"]]).files) == sorted(met.values())


def test_file_list_may_have_file_addresses(client: Any, events: dict[str, str], met: dict[str, list[float]]) -> None:
    assert values(client.ask([f"file://{events['a']}"]).files) == [met["a"]]


def test_file_list_may_have_addresses_of_the_catalogue(client: Any, met: dict[str, list[float]]) -> None:
    assert values(client.ask(["root://eos.example//data/b.root"]).files) == [met["b"]]


def test_rucio_dataset_has_the_files_of_the_catalogue(client: Any, met: dict[str, list[float]]) -> None:
    from servicex import dataset

    assert values(client.ask(dataset.Rucio("mc:dy")).files) == sorted(met.values())


def test_number_of_files_takes_the_first(client: Any, met: dict[str, list[float]]) -> None:
    from servicex import dataset

    assert values(client.ask(dataset.Rucio("mc:dy", num_files=1)).files) == [met["a"]]


def test_cern_open_data_has_the_files_of_the_catalogue(client: Any, met: dict[str, list[float]]) -> None:
    from servicex import dataset

    assert values(client.ask(dataset.CERNOpenData(1)).files) == [met["b"]]


def test_xrootd_pattern_is_looked_up_in_the_folder_that_stands_for_it(client: Any, met: dict[str, list[float]]) -> None:
    from servicex import dataset

    outcome = client.ask(dataset.XRootD("root://eos.example//data/[ab].root"))
    assert values(outcome.files) == sorted(met.values())
    sources = client.get(f"/servicex/transformation/{outcome.status['request_id']}/results")["results"]
    assert sorted(result["file-path"] for result in sources) == [
        f"root://eos.example//data/{name}.root" for name in "ab"
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the client leaves its cache open
def test_deliver_of_the_client_works_unchanged(
    client: Any, events: dict[str, str], met: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from servicex import ProgressBarFormat, dataset
    from servicex import query as q
    from servicex.query_core import Query
    from servicex.servicex_client import deliver_async

    made = Query.__init__

    def often(self: Query, *args: Any, **options: Any) -> None:
        made(self, *args, **options)
        self.servicex_polling_interval = self.minio_polling_interval = 0.02  # type: ignore[assignment]

    monkeypatch.setattr(Query, "__init__", often)
    query = q.FuncADL_Uproot().FromTree("Events").Select(lambda e: {"met": e.MET_pt})  # type: ignore[attr-defined]
    sample = {"Name": "dy", "Dataset": dataset.FileList([events["a"]]), "Query": query}
    spec = {"General": {"OutputFormat": "parquet"}, "Sample": [sample]}
    options = {"config_path": str(client.config), "progress_bar": ProgressBarFormat.none}
    found = asyncio.run(deliver_async(spec, **options))
    assert values(list(found["dy"])) == [met["a"]]
    gc.collect()


def test_input_that_is_listed_twice_gives_two_objects(client: Any, events: dict[str, str]) -> None:
    outcome = client.ask([events["a"], events["a"]])
    assert [outcome.status[key] for key in ("files", "files-completed")] == [2, 2]
    assert len(set(outcome.files)) == 2


def test_inputs_whose_names_differ_only_where_the_client_replaces_give_two_files(
    client: Any, events: dict[str, str], tmp_path: Path
) -> None:
    for name in ("x:y.root", "x;y.root", "X_y.root"):
        shutil.copy(events["b"], tmp_path / name)
    outcome = client.ask([str(tmp_path / name) for name in ("x:y.root", "x;y.root", "X_y.root")])
    assert len({file.casefold() for file in outcome.files}) == 3


def test_name_that_is_too_long_for_a_file_is_shortened(client: Any, events: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 150) / ("e" * 150)
    folder.mkdir(parents=True)
    outcome = client.ask([str(shutil.copy(events["b"], folder / "b.root"))])
    (name,) = [os.path.basename(file) for file in outcome.files]
    assert len(name) == 255
    assert name.endswith("_b.root.parquet")


def test_dataset_without_files_ends_with_the_reason(client: Any) -> None:
    request = client.submit([], did="rucio://mc:none")[1]["request_id"]
    status = client.wait(request)
    assert status["status"] == "Bad Dataset"
    assert status["failure-info"] == "the dataset rucio://mc:none has no files: none matches what it stands for"


def test_unknown_dataset_raises_in_the_client(client: Any) -> None:
    from servicex import dataset
    from servicex.query_core import ServiceXException

    with pytest.raises(ServiceXException, match="dataset problem: Dataset does not exist"):
        client.ask(dataset.Rucio("mc:nope"), fetch=0.5)


def test_unknown_scheme_is_refused(client: Any) -> None:
    assert client.submit([], did="ftp://x") == (400, {"message": "DID scheme is not supported: ftp"})


@pytest.mark.parametrize("rest", ["../secret.root", "x/../../secret.root", "/../secret.root"])
def test_address_does_not_lead_out_of_its_folder(client: Any, rest: str) -> None:
    address = f"root://eos.example//data/{rest}"
    status = client.wait(client.submit([address])[1]["request_id"])
    assert (status["files-failed"], status["files-completed"]) == (1, 0)
    assert "leads out of the folder" in status["failure-info"]
    status = client.wait(client.submit([], did=f"xrootd://{address}")[1]["request_id"])
    assert status["status"] == "Bad Dataset"


def test_datasets_are_listed_and_deleted(client: Any) -> None:
    client.wait(client.submit([], did="cernopendata://1")[1]["request_id"])
    (one,) = client.get("/servicex/datasets?did-finder=cernopendata")["datasets"]
    assert (one["name"], one["n_files"], one["lookup_status"]) == ("cernopendata://1", 1, "complete")
    assert client.call("DELETE", f"/servicex/datasets/{one['id']}")[1]["stale"] is True
    assert client.get("/servicex/datasets?did-finder=cernopendata")["datasets"] == []


def test_catalogue_is_read_from_a_file_beside_the_data(tmp_path: Path, events: dict[str, str]) -> None:
    shutil.copy(events["b"], tmp_path / "b.root")
    (tmp_path / "catalog.yaml").write_text("rucio://mc:dy: b.root\ncernopendata://7: [b.root]\n")
    catalog = Catalog.read(tmp_path / "catalog.yaml")
    assert [one.path for one in catalog.dataset("rucio://mc:dy")] == [str(tmp_path / "b.root")]
    assert [one.path for one in catalog.dataset("cernopendata://7")] == [str(tmp_path / "b.root")]


def test_catalogue_that_is_missing_or_no_mapping_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError, match=r"nope.yaml cannot be read: No such file"):
        Catalog.read(tmp_path / "nope.yaml")
    (tmp_path / "list.yaml").write_text("- a\n")
    with pytest.raises(SourceError, match=r"list.yaml is no mapping"):
        Catalog.read(tmp_path / "list.yaml")
    with pytest.raises(SourceError, match="has 2 folders"):
        Catalog({"root://x/": ["a", "b"]})

"""What is kept between reads, and when it is dropped."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from hep_tables_coffea import files
from hep_tables_coffea.files.handles import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_kept")


class Calls:
    """Counts the calls of a function that it stands in for."""

    def __init__(self, patch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        self.number = 0
        original = getattr(owner, name)

        def counting(*args: Any, **options: Any) -> Any:
            self.number += 1
            return original(*args, **options)

        patch.setattr(owner, name, counting)


def test_second_read_opens_and_parses_nothing(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Calls(monkeypatch, uproot, "open")
    parsed = Calls(monkeypatch, uproot.reading.ReadOnlyKey, "get_uncompressed_chunk_cursor")
    interpreted = Calls(monkeypatch, uproot.interpretation.identify, "interpretation_of")
    files.read(small_tree, "Events", ["Jet_pt"], 0, 4)
    assert (opened.number, parsed.number, interpreted.number) == (1, 1, 0)
    files.read(small_tree, "Events", ["Jet_pt", "weights"], 4, 8)
    assert (opened.number, parsed.number, interpreted.number) == (1, 1, 1)
    files.read(small_tree, "Events", ["Jet_pt", "weights"], 8, 9)
    assert (opened.number, parsed.number, interpreted.number) == (1, 1, 1)


def test_description_is_made_once(small_tree: str) -> None:
    assert files.describe(small_tree) is files.describe(small_tree, "Events")


def test_parquet_metadata_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(tmp_path / "a.parquet")
    pq.write_table(pa.table({"x": [1, 2]}), path)
    opened = Calls(monkeypatch, pq, "ParquetFile")
    files.describe(path)
    files.read(path, None, ["x"], 0, 1)
    files.read(path, None, ["x"], 1, 2)
    assert opened.number == 1


def test_path_from_another_folder_is_the_same_file(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(os.path.dirname(small_tree))
    assert files.describe("events.root") is files.describe(small_tree)


def test_rewritten_file_is_read_afresh(write_tree: Callable[..., str], small_events: dict[str, Any]) -> None:
    path = write_tree(small_events)
    assert files.read(path, None, ["event"], 0, 2)["event"].to_list() == [0, 1]
    write_tree({**small_events, "event": np.arange(10, dtype=np.int64) + 50})
    assert files.read(path, None, ["event"], 0, 2)["event"].to_list() == [50, 51]


def test_replaced_file_of_the_same_time_and_size_is_read_afresh(
    write_tree: Callable[..., str], small_events: dict[str, Any]
) -> None:
    path = write_tree(small_events)
    other = write_tree({**small_events, "event": np.arange(10, dtype=np.int64) + 50}, name="others.root")
    files.read(path, None, ["event"], 0, 2)
    shutil.copystat(path, other)
    assert os.path.getsize(path) == os.path.getsize(other)
    os.replace(other, path)
    assert files.read(path, None, ["event"], 0, 2)["event"].to_list() == [50, 51]


def test_file_that_was_removed_is_missing(small_tree: str) -> None:
    files.describe(small_tree)
    os.remove(small_tree)
    with pytest.raises(FileNotFoundError, match=r"events.root does not exist"):
        files.read(small_tree, None, ["event"], 0, 1)


def test_file_that_could_not_be_opened_is_tried_again(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(uproot, "open", lambda *_args, **_options: (_ for _ in ()).throw(TimeoutError("slow")))
        with pytest.raises(OSError, match=r"events.root cannot be opened as a ROOT file: TimeoutError: slow"):
            files.describe(small_tree)
    assert files.describe(small_tree).num_entries == 10


def test_forgotten_file_is_opened_again(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Calls(monkeypatch, uproot, "open")
    files.describe(small_tree)
    files.forget("another.root")
    files.describe(small_tree)
    assert opened.number == 1
    files.forget(small_tree)
    files.describe(small_tree)
    files.forget()
    files.describe(small_tree)
    assert opened.number == 3


def test_only_the_last_files_are_kept(small_tree: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copies = [shutil.copy(small_tree, tmp_path / f"{i}.root") for i in range(KEPT + 1)]
    opened = Calls(monkeypatch, uproot, "open")
    for path in copies:
        files.describe(str(path))
    files.describe(str(copies[-1]))
    assert opened.number == KEPT + 1
    files.describe(str(copies[0]))
    assert opened.number == KEPT + 2


def test_remote_file_is_kept_and_read_in_one_batch(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(small_tree, "rb") as file:
        fsspec.filesystem("memory").pipe("/remote.root", file.read())
    opened = Calls(monkeypatch, uproot, "open")
    requested = Calls(monkeypatch, uproot.source.fsspec.FSSpecSource, "chunks")
    names = list(files.describe("memory://remote.root").columns)
    remote = files.read("memory://remote.root", None, names, 3, 9)
    assert (opened.number, requested.number) == (1, 1)
    local = files.read(small_tree, None, names, 3, 9)
    assert {name: remote[name].to_list() for name in names} == {name: local[name].to_list() for name in names}


def test_remote_parquet_file_is_told_by_its_suffix(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "a.parquet")
    fsspec.filesystem("memory").pipe("/a.parquet", (tmp_path / "a.parquet").read_bytes())
    assert files.describe("memory://a.parquet").kind == "parquet"
    assert files.read("memory://a.parquet", None, ["x"], 1, 2)["x"].to_list() == [2]


@pytest.mark.parametrize("name", ["nano_dy.root", "nano_dy_rntuple.root", "nano_dy.parquet", "PHYSLITE_example.root"])
def test_threads_share_a_file(
    data: Callable[[str], str], same: Callable[[Any, Any], bool], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = data(name)
    opened = Calls(monkeypatch, uproot, "open")
    prefix = "AnalysisElectronsAuxDyn." if "PHYSLITE" in name else "Electron_"

    def read(task: int) -> dict[str, Any]:
        return files.read(path, None, electrons[task % 5 :: 5], task % 7, 40)

    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: files.describe(path), range(8)))
        electrons = [key for key, it in tables[0].columns.items() if key.startswith(prefix) and not it.problem]
        files.forget()
        got = list(pool.map(read, range(40)))
    assert all(table is tables[0] for table in tables)
    assert opened.number == (0 if name.endswith("parquet") else 2)
    for task, arrays in enumerate(got):
        again = read(task)
        assert list(arrays) == electrons[task % 5 :: 5]
        assert all(same(arrays[key], again[key]) for key in arrays)

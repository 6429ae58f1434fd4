"""Broken and missing files: builtin exceptions, each with one sentence that names the file."""

from __future__ import annotations

import pickle
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


@pytest.fixture
def many_trees(tmp_path: Path) -> str:
    path = tmp_path / "many.root"
    with uproot.recreate(path) as file:
        for name in ("Runs", "signal/tree", "Lumi"):
            file.mktree(name, {"x": "int32"}).extend({"x": np.arange(3, dtype=np.int32)})
        file["histogram"] = np.histogram([1, 2, 3])
    return str(path)


def test_missing_file_names_its_neighbours(small_tree: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"evnts.root does not exist: its folder has 'events.root'$"):
        files.describe(str(tmp_path / "evnts.root"))


def test_missing_file_without_neighbours_is_just_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"a.root does not exist$"):
        files.describe(str(tmp_path / "a.root"))


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no/a.root does not exist, nor does its folder /.*/no$"):
        files.describe(str(tmp_path / "no" / "a.root"))


def test_missing_remote_file_is_missing() -> None:
    with pytest.raises(FileNotFoundError, match=r"memory://none.root cannot be opened as a ROOT file: FileNotFound"):
        files.describe("memory://none.root")


def test_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match=rf"{tmp_path} is a directory: give its files, for example .*/\*.root"):
        files.describe(str(tmp_path))


def test_other_kind_of_file_shows_its_beginning(tmp_path: Path) -> None:
    path = write(tmp_path / "a.root", b"# ROOT")
    with pytest.raises(OSError, match=r"a.root is not a ROOT or Parquet file: it starts with b'# RO'"):
        files.describe(path)


def test_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"a.root is not a ROOT or Parquet file: it is empty \(0 bytes\)"):
        files.describe(write(tmp_path / "a.root", b""))


def test_kind_of_file_is_not_told_by_its_name(small_tree: str, tmp_path: Path) -> None:
    with open(small_tree, "rb") as file:
        path = write(tmp_path / "events.parquet", file.read())
    assert files.describe(path).kind == "ttree"


@pytest.mark.parametrize("size", [5, 200, 2000])
def test_truncated_root_file_is_refused(small_tree: str, tmp_path: Path, size: int) -> None:
    with open(small_tree, "rb") as file:
        path = write(tmp_path / "cut.root", file.read(size))
    with pytest.raises(
        OSError, match=r"cut.root (is truncated: it has \d+ of its \d+ bytes|cannot be opened as a ROOT)"
    ):
        files.describe(path)


def test_file_that_was_never_closed_is_refused(data: Callable[[str], str]) -> None:
    with pytest.raises(OSError, match=r"bad_delphes.root was not closed by the program that wrote it"):
        files.describe(data("bad_delphes.root"))


def test_broken_metadata_name_the_tree(small_tree: str, tmp_path: Path) -> None:
    with uproot.open(small_tree) as file:
        key = file.key("Events")
        start = key.data_cursor.index
    with open(small_tree, "rb") as file:
        content = bytearray(file.read())
    content[start : start + 200] = b"\xff" * 200
    with pytest.raises(OSError, match=r"bad.root: the metadata of 'Events' cannot be read: ") as caught:
        files.describe(write(tmp_path / "bad.root", bytes(content)))
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize("compression", [None, uproot.ZLIB(1)])
def test_broken_basket_names_column_and_entries(tmp_path: Path, compression: Any) -> None:
    with uproot.recreate(tmp_path / "bad.root", compression=compression) as file:
        file.mktree("Events", {"x": "float64", "y": "float64"}).extend({"x": np.zeros(9000), "y": np.ones(9000)})
    path = str(tmp_path / "bad.root")
    with uproot.open(path) as file:
        seek = file["Events/x"].member("fBasketSeek")[0]
    with open(path, "r+b") as file:
        file.seek(seek)
        file.write(b"\xff" * 200)
    with pytest.raises(OSError, match=r"bad.root: cannot read 'x', entries 5 to 8000: ") as caught:
        files.read(path, None, ["y", "x"], 5, 8000)
    assert caught.value.__cause__ is not None
    assert files.read(path, None, ["y"], 0, 2)["y"].to_list() == [1, 1]


def test_broken_page_names_columns_and_entries(tmp_path: Path) -> None:
    path = str(tmp_path / "bad.parquet")
    pq.write_table(pa.table({name: np.random.default_rng(1).random(3000) for name in "abcdefghij"}), path)
    with open(path, "r+b") as file:
        file.seek(pq.read_metadata(path).row_group(0).column(3).dictionary_page_offset)
        file.write(b"\xff" * 200)
    expected = r"bad.parquet: cannot read 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h' and 2 more, entries 5 to 8: "
    with pytest.raises(OSError, match=expected) as caught:
        files.read(path, None, "abcdefghij", 5, 8)
    assert caught.value.__cause__ is not None
    assert len(files.read(path, None, ["a"], 0, 2)["a"]) == 2


def test_malformed_parquet_file_is_refused(data: Callable[[str], str]) -> None:
    with pytest.raises(OSError, match=r"nano_dy_malformed.parquet cannot be opened as a Parquet file: ArrowInvalid: "):
        files.describe(data("nano_dy_malformed.parquet"))


def test_missing_tree_names_the_others_closest_first(many_trees: str) -> None:
    expected = r"many.root has no tree 'runs': it has 'Runs', 'Lumi', 'signal/tree'$"
    with pytest.raises(KeyError, match=expected):
        files.describe(many_trees, "runs")


@pytest.mark.parametrize("name", ["histogram", "Runs/x", "signal", "nowhere/tree", "Runs;7"])
def test_what_is_no_tree_is_a_missing_tree(many_trees: str, name: str) -> None:
    with pytest.raises(files.TreeNotFoundError, match=rf"many.root has no tree '{name}': it has 'Runs'|'Lumi'"):
        files.read(many_trees, name, ["x"], 0, 1)


def test_file_with_several_trees_wants_a_name(many_trees: str) -> None:
    with pytest.raises(KeyError, match=r"holds several trees, name one of them: 'Runs', 'signal/tree', 'Lumi'$"):
        files.describe(many_trees)


def test_file_without_trees_says_so(tmp_path: Path) -> None:
    with uproot.recreate(tmp_path / "none.root") as file:
        file["histogram"] = np.histogram([1, 2, 3])
    with pytest.raises(KeyError, match=r"none.root holds no TTree or RNTuple$"):
        files.describe(str(tmp_path / "none.root"))
    with pytest.raises(KeyError, match=r"none.root has no tree 'Events': it holds no TTree or RNTuple$"):
        files.describe(str(tmp_path / "none.root"), "Events")


def test_usual_tree_is_taken_among_others(data: Callable[[str], str]) -> None:
    assert files.trees(data("nano_dy.root")) == ["Events", "Runs"]
    assert files.describe(data("nano_dy.root")).tree == "Events"


def test_missing_tree_prints_as_a_sentence_and_travels_as_a_builtin() -> None:
    error = files.TreeNotFoundError("a.root has no tree 'x': it has 'y'")
    assert str(error) == "a.root has no tree 'x': it has 'y'"
    travelled = pickle.loads(pickle.dumps(error))
    assert (type(travelled), travelled.args) == (KeyError, error.args)


def test_messages_are_one_line(data: Callable[[str], str], many_trees: str) -> None:
    for path, tree in ((data("nano_dy_malformed.parquet"), None), (data("bad_delphes.root"), None), (many_trees, "x")):
        with pytest.raises((OSError, KeyError), match=re.escape(path)) as caught:
            files.describe(path, tree)
        assert "\n" not in str(caught.value)

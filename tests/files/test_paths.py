"""Which files a source names."""

from __future__ import annotations

from pathlib import Path

import pytest

from hep_tables_coffea import files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.root", "a.root", "c[1].root", "deep/d.root"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def names(found: list[str]) -> list[str]:
    return [Path(path).name for path in found]


def test_pattern_gives_its_files_sorted(folder: Path) -> None:
    assert names(files.expand(f"{folder}/?.root")) == ["a.root", "b.root"]


def test_pattern_reaches_into_folders(folder: Path) -> None:
    assert names(files.expand(f"{folder}/**/d.root")) == ["d.root"]


def test_path_is_itself_even_where_it_is_missing(folder: Path) -> None:
    assert files.expand("nowhere/a.root") == ["nowhere/a.root"]


def test_file_whose_name_looks_like_a_pattern_is_itself(folder: Path) -> None:
    assert files.expand(f"{folder}/c[1].root") == [f"{folder}/c[1].root"]


@pytest.mark.parametrize("url", ["root://eos//a.root", "https://host/*.root?x=1", "root://eos//*.root"])
def test_url_is_itself(url: str) -> None:
    assert files.expand(url) == [url]


def test_pattern_without_files_is_an_error(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^no file matches /.*/\*\.parquet$"):
        files.expand(f"{folder}/*.parquet")


def test_home_and_file_urls_are_local(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(Path(small_tree).parent))
    assert files.expand("~/*.root") == files.expand(f"file://{Path(small_tree).parent}/*.root") == [small_tree]
    for path in ("~/events.root", f"file://{small_tree}"):
        assert files.read(path, None, ["event"], 0, 2)["event"].to_list() == [0, 1]

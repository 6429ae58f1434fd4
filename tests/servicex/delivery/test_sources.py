"""Data sets as objects of the servicex package."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from servicex import dataset

from hep_tables_coffea.errors import SourceError
from hep_tables_coffea.record.catalogued import source_of


@pytest.mark.parametrize(
    ("given", "source"),
    [
        (dataset.Rucio("user.me:zee"), "rucio://user.me:zee"),
        (dataset.Rucio("user.me:zee", num_files=2), "rucio://user.me:zee?files=2"),
        (dataset.CERNOpenData(1507), "cernopendata://1507"),
        (dataset.XRootD("root://host//path/*.root"), "xrootd://root://host//path/*.root"),
        (dataset.FileList(["b.root", "a.root"]), ("b.root", "a.root")),
        (dataset.FileList("a.root"), ("a.root",)),
        ("events.root", None),
        (["events.root"], None),
    ],
    ids=["rucio", "rucio, two files", "open data", "xrootd", "files", "file", "path", "paths"],
)
def test_object_is_a_source(given: Any, source: Any) -> None:
    assert source_of(given) == source


@pytest.mark.parametrize(
    ("given", "message"),
    [(dataset.FileList([]), "has no files"), (dataset.Rucio("a:b", num_files=0), "num_files=0 is no file of a:b")],
    ids=["empty", "none"],
)
def test_object_without_files_is_refused(given: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        source_of(given)


def test_client_is_not_imported_to_look_at_a_path() -> None:
    code = (
        "import sys; from hep_tables_coffea.record.catalogued import source_of;"
        " print(source_of('events.root'), 'servicex' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "None False\n"

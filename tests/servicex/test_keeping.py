"""Delivered files are kept: the next run needs no server, and a file that was written again is asked anew."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.files.paths import fingerprint, is_settled

pytest.importorskip("servicex", reason="the extra servicex is not installed")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The requests that were put since the test began."""
    from hep_tables_coffea.backends.servicex.endpoint.work import Work

    put: list[Any] = []
    start = Work.start

    def noted(work: Work, request: Any, *rest: Any) -> None:
        put.append(request)
        start(work, request, *rest)

    monkeypatch.setattr(Work, "start", noted)
    return put


@pytest.fixture
def write(nano_files: list[str], tmp_path: Path) -> Callable[[int], str]:
    """`write(k)`: the k-th file again, under the same name; it is done when the clock has gone on."""
    path = str(tmp_path / "events.root")

    def written(k: int) -> str:
        shutil.copyfile(nano_files[k], path)
        while not is_settled(fingerprint(path)):
            time.sleep(0.02)
        return path

    return written


def pt(path: Any, cache: Any) -> Any:
    return ht.run(ht.nanoaod(path).Jet.pt, backend="servicex", cache=cache)


def expected(path: Any) -> Any:
    return ht.make_local(ht.nanoaod(path).Jet.pt).to_list()


def test_second_run_asks_nobody(write: Callable[[int], str], tmp_path: Path, asked: list[Any]) -> None:
    path = write(0)
    first, second = pt(path, tmp_path / "kept"), pt(path, tmp_path / "kept")
    assert first.value.to_list() == second.value.to_list() == expected(path)
    assert len(asked) == 1
    assert "kept from before" in second.report.notes[0]


def test_file_that_was_written_again_is_asked_anew(
    write: Callable[[int], str], tmp_path: Path, asked: list[Any]
) -> None:
    for k in (0, 1, 0):
        path = write(k)
        assert pt(path, tmp_path / "kept").value.to_list() == expected(path)
    assert len(asked) == 3


def test_other_query_is_asked(write: Callable[[int], str], tmp_path: Path, asked: list[Any]) -> None:
    events = ht.nanoaod(write(0))
    for cut in (10, 20):
        ht.make_local(events.Jet[events.Jet.pt > cut].pt, backend="servicex", cache=tmp_path / "kept")
    assert len(asked) == 2


def test_nothing_is_kept_if_that_is_asked_for(
    write: Callable[[int], str], tmp_path: Path, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in range(2):
        pt(write(0), cache=False)
    assert len(asked) == 2
    assert sorted(os.listdir(tmp_path)) == ["events.root"]


def test_files_of_an_older_state_stay_for_who_reads_them(write: Callable[[int], str], tmp_path: Path) -> None:
    outputs = {"pt": ht.nanoaod(write(0)).Jet.pt}
    (before,) = ht.servicex.fileset(outputs, cache=tmp_path / "kept").values()
    write(1)
    ht.servicex.fileset(outputs, cache=tmp_path / "kept")
    assert all(os.path.exists(path) for path in before["files"])


def test_named_dataset_is_asked_anew_by_another_catalogue(
    nano_files: list[str], tmp_path: Path, asked: list[Any]
) -> None:
    form = ht.save_form(ht.nanoaod(nano_files[0]), tmp_path / "form.json")
    events = ht.nanoaod("rucio://user.me:zll", form=form)
    for path in nano_files[:2]:
        with ht.servicex.local({"rucio://user.me:zll": path}, workers=1):
            found = [ht.make_local(events.Jet.pt, cache=tmp_path / "kept").to_list() for _ in range(2)]
        assert found == [expected(path)] * 2
    assert len(asked) == 2


def test_file_of_a_named_dataset_that_was_written_again(write: Callable[[int], str], tmp_path: Path) -> None:
    path = write(0)
    form = ht.save_form(ht.nanoaod(path), tmp_path / "form.json")
    events = ht.nanoaod("rucio://user.me:zll", form=form)
    with ht.servicex.local({"rucio://user.me:zll": path}, workers=1):
        for k in (0, 1):
            write(k)
            assert ht.make_local(events.Jet.pt, cache=tmp_path / "kept").to_list() == expected(path)

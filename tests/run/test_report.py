"""The account of a run, and what is shown while it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht

SHOWS = """
import sys
import hep_tables_coffea as ht
events = ht.dataset(sys.argv[1])
options = eval(sys.argv[2])
ht.make_local(events.x.Sum(), chunksize=2, **options)
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write("a.root", x=[1.0])`: a file with the tree Events."""

    def make(name: str, **columns: Any) -> str:
        path = tmp_path / name
        arrays = {key: np.asarray(values) for key, values in columns.items()}
        with uproot.recreate(path, compression=None) as file:
            file.mktree("Events", {key: array.dtype for key, array in arrays.items()}).extend(arrays)
        return str(path)

    return make


def test_report_counts_events_chunks_columns_and_bytes(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=np.arange(10.0), y=np.arange(10.0), z=np.arange(10.0)))
    report = ht.run(events.x + events.y, chunksize=3).report
    assert (report.events, report.chunks, report.columns, report.bytes) == (10, 4, ("x", "y"), 160)
    assert report.failures == ()
    assert report.coverage == 1.0


def test_report_has_the_time_of_each_stage(write: Callable[..., str]) -> None:
    report = ht.run(ht.dataset(write("a.root", x=[1.0])).x).report
    assert list(report.seconds) == ["opening", "running", "reading, all workers", "computing, all workers"]
    assert all(seconds >= 0 for seconds in report.seconds.values())


def test_report_says_which_files_lack_a_column(write: Callable[..., str]) -> None:
    one, two = write("a.root", x=[1.0], y=[1.0]), write("b.root", x=[1.0])
    report = ht.run(ht.dataset([one, two]).y).report
    assert dict(report.lacking) == {"y": (two,)}
    assert f"lacks y: {two}" in str(report)


def test_report_of_two_datasets_adds_up(write: Callable[..., str]) -> None:
    one, two = ht.dataset(write("a.root", x=[1.0, 2.0])), ht.dataset(write("b.root", y=[3.0]))
    result = ht.run({"x": one.x, "y": two.y.Sum()})
    assert (result.report.events, result.report.columns, result.value["y"]) == (3, ("x", "y"), 3.0)


def test_structure_of_the_outputs_is_that_of_the_value(write: Callable[..., str]) -> None:
    events = ht.dataset(write("a.root", x=[1.0, 2.0]))
    value = ht.run([events.Count(), {"top": (events.x.Max(),)}]).value
    assert value == [2, {"top": (2.0,)}]


def shown(path: str, options: str, tmp_path: Path) -> str:
    """What a run shows on a terminal."""
    import pty

    script = tmp_path / "shows.py"
    script.write_text(SHOWS)
    main, end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-W", "ignore", str(script), path, options]
    with subprocess.Popen(command, stdout=end, stderr=end, stdin=end, env=environment) as process:
        os.close(end)
        parts = []
        try:
            while part := os.read(main, 4096):
                parts.append(part)
        except OSError:  # the terminal is closed
            pass
    os.close(main)
    assert process.returncode == 0, b"".join(parts).decode()
    return b"".join(parts).decode()


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_bar_is_shown_on_a_terminal_where_there_is_something_to_wait_for(
    write: Callable[..., str], tmp_path: Path
) -> None:
    text = shown(write("a.root", x=np.arange(10.0)), "{}", tmp_path)
    assert "Processing" in text
    assert "5/5" in text


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
def test_progress_false_shows_nothing_on_a_terminal(write: Callable[..., str], tmp_path: Path, executor: str) -> None:
    options = f"{{'progress': False, 'executor': '{executor}', 'workers': 1}}"
    assert shown(write("a.root", x=np.arange(10.0)), options, tmp_path) == ""


def test_nothing_is_shown_where_there_is_no_terminal(write: Callable[..., str], tmp_path: Path) -> None:
    script = tmp_path / "shows.py"
    script.write_text(SHOWS)
    command = [sys.executable, "-W", "ignore", str(script), write("a.root", x=np.arange(10.0)), "{}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")

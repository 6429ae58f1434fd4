"""What goes wrong with ServiceX ends a run in words, or is in its report; nothing hangs and nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import hep_tables_coffea as ht

pytest.importorskip("servicex", reason="the extra servicex is not installed")

from hep_tables_coffea.backends.servicex.delivery import Pace

pytestmark = [
    pytest.mark.usefixtures("ended"),
    # of a download that is stopped while its file is opened nobody has the file: it is closed when it is collected
    pytest.mark.filterwarnings("ignore:Exception ignored in.*part:pytest.PytestUnraisableExceptionWarning"),
]

#: Switches of an endpoint that end a run, and what is said then.
FATAL = {
    "info-503": "fails to answer",
    "submit-500": "status 500|does not take",
    "status-500": "500",
    "results-503": "503",
    "s3-503": "does not give",
    "fatal": "failed on the server",
    "short": "bytes",
    "lost": "a result is missing",
    "restart": "does not know the request|request not found",
    "fail": "a fault that was asked for",
    "fail:*b.root": r"b\.root: .*a fault that was asked for",
    "kill": "(killed|ended|process)",
    "kill:*a.root": r"a\.root: .*(killed|ended|process)",
}
#: Switches that strike once, or slow it down: nobody notices.
PASSING = ["status-503:1", "results-503:2", "s3-503:1", "submit-503:1", "short:1", "slow:0.05"]


@pytest.fixture(scope="module")
def running(nano_files: list[str]) -> Iterator[Any]:
    """Local files are asked of the endpoint of the process, like everywhere: its switches are set here."""
    from hep_tables_coffea.backends.servicex.endpoint import shared

    return shared()


@pytest.fixture
def endpoint(running: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An endpoint that is given up soon."""
    hasty = partial(Pace, patience=0.5, grace=0.5)
    monkeypatch.setattr("hep_tables_coffea.backends.servicex.delivery.work.Pace", hasty)
    yield running
    running.faults.set()


@pytest.fixture
def events(nano_files: list[str]) -> ht.Array:
    return ht.nanoaod(nano_files)


def asked(events: ht.Array, **options: Any) -> Any:
    return ht.run(events.Jet.pt, events.Count(), backend="servicex", cache=False, **options)


@pytest.mark.parametrize("fault", FATAL)
def test_fault_is_an_error_in_words(endpoint: Any, events: ht.Array, fault: str) -> None:
    endpoint.faults.set(fault)
    with pytest.raises(ht.HepTablesError, match=FATAL[fault]) as told:
        asked(events)
    assert "Traceback" not in str(told.value)


@pytest.mark.parametrize("fault", PASSING)
def test_fault_that_passes_is_not_noticed(endpoint: Any, events: ht.Array, fault: str) -> None:
    endpoint.faults.set(fault)
    pt, number = asked(events).value
    assert number == 120
    assert pt.to_list() == ht.make_local(events.Jet.pt).to_list()


@pytest.mark.parametrize("fault", ["fail:*b.root", "kill:*b.root"])
def test_rest_is_processed_where_failures_are_reported(
    endpoint: Any, events: ht.Array, nano_files: list[str], fault: str
) -> None:
    endpoint.faults.set(fault)
    found = asked(events, on_error="report")
    a, b, c = nano_files
    assert found.value[0].to_list() == ht.make_local(ht.nanoaod([a, c]).Jet.pt).to_list()
    assert found.value[1] == 80
    assert list(found.report.failed_files) == [b]
    assert found.report.coverage is None


def test_nothing_is_left_to_report(endpoint: Any, events: ht.Array) -> None:
    endpoint.faults.set("fail")
    with pytest.raises(ht.HepTablesError, match=r"no file of the dataset could be processed\n.*a\.root: .*asked for"):
        asked(events, on_error="report")


def test_next_run_is_as_if_nothing_had_been(endpoint: Any, events: ht.Array) -> None:
    endpoint.faults.set("fatal")
    with pytest.raises(ht.HepTablesError):
        ht.make_local(events.Jet.eta, backend="servicex")
    endpoint.faults.set()
    assert len(ht.make_local(events.Jet.eta, backend="servicex")) == 120


def test_partial_answer_is_not_kept(endpoint: Any, events: ht.Array) -> None:
    endpoint.faults.set("fail:*b.root")
    assert (
        ht.make_local(events.Jet.phi.Count(axis=None), events.Count(), backend="servicex", on_error="report")[1] == 80
    )
    endpoint.faults.set()
    assert ht.make_local(events.Jet.phi.Count(axis=None), events.Count(), backend="servicex")[1] == 120


def test_missing_file_is_said(endpoint: Any, events: ht.Array, tmp_path: Path) -> None:
    path = Path(ht.samples.nanoaod(tmp_path / "gone.root", events=5))
    opened = ht.nanoaod(path)
    path.unlink()
    with pytest.raises(ht.HepTablesError, match=r"gone\.root"):
        ht.make_local(opened.Jet.pt, backend="servicex")


def test_broken_file_is_reported(endpoint: Any, nano_files: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.root"
    broken.write_bytes(Path(nano_files[0]).read_bytes()[:3000])
    with ht.options(on_error="report"):
        found = asked(ht.nanoaod([str(broken), nano_files[1]]))
    assert found.value[1] == 40
    assert list(found.report.failed_files) == [str(broken)]


def test_one_of_several_datasets_that_fails_stops_the_others(endpoint: Any, nano_files: list[str]) -> None:
    one, other = ht.nanoaod(nano_files[0]), ht.nanoaod(nano_files[1:])
    endpoint.faults.set("fail:*a.root")
    with pytest.raises(ht.HepTablesError, match=r"a\.root"):
        ht.make_local(one.Jet.pt, other.Jet.pt, backend="servicex", cache=False)


def test_error_of_a_user_function_stops_the_delivery(endpoint: Any, events: ht.Array) -> None:
    @ht.user_func
    def broken(x: float) -> float:
        return float(["no such number"][int(x) + 1])

    with pytest.raises(ht.HepTablesError, match=r"IndexError|list index"):
        ht.make_local(broken(events.Jet.pt), backend="servicex", cache=False)


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys
import hep_tables_coffea as ht
from hep_tables_coffea.backends.servicex.endpoint import local, shared

kind, *files = sys.argv[1:]
endpoint = shared() if kind == "shared" else ht.servicex.local({"rucio://user.me:zll": files}, workers=1)
endpoint.faults.set("slow:30")
events = ht.nanoaod(files)
if kind == "named":
    form = ht.save_form(events, files[0] + ".json")
    events = ht.nanoaod("rucio://user.me:zll", form=form)

def running():
    return [one for one in endpoint._parts.store.requests.values() if one.status == "Running"]

import threading
def tell():
    import time
    while not running():
        time.sleep(0.01)
    print("started", endpoint._folder, *endpoint.processes, flush=True)
threading.Thread(target=tell, daemon=True).start()
try:
    ht.make_local(events.Jet.pt, backend="servicex")
except KeyboardInterrupt:
    print("interrupted", len(running()), flush=True)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("kind", ["shared", "named"])
def test_interrupt_cancels_the_request_and_leaves_no_process(kind: str, nano_files: list[str], tmp_path: Path) -> None:
    files = [str(tmp_path / Path(path).name) for path in nano_files]
    for source, copy in zip(nano_files, files):
        Path(copy).write_bytes(Path(source).read_bytes())
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    process = subprocess.Popen(
        [sys.executable, str(script), kind, *files], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    _, folder, *workers = process.stdout.readline().split()
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=40)
    assert out.split() == ["interrupted", "0"], err
    assert process.returncode == 0
    assert time.monotonic() - began < 20
    assert not Path(folder).exists()
    assert not [worker for worker in workers if Path(f"/proc/{worker}/exe").exists()]

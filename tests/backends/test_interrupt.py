"""Ctrl-C while threads are at work: it is over in about a second, nothing is left behind, and the next run works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")

SCRIPT = """
import sys, threading, time
import hep_tables_coffea as ht
from coffea.processor import Runner, SimpleCheckpointer
from coffea.nanoevents import BaseSchema
from hep_tables_coffea.backends.coffea.threads import undisturbed

at_work, written = [], []

def at_length(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(0.01)

def working():
    at_work.append(1)
    try:
        at_length(30)
    finally:
        at_work.pop()

def by_hand(events):
    print("started", flush=True)
    working()
    return {}

@ht.user_func(vectorized=True)
def slow(x: float) -> float:
    by_hand(x)
    return x

def writing(item):
    with undisturbed():
        written.append("begun")
        print("started", flush=True)
        at_length(0.9)
        written.append("done")
    working()

path, kind = sys.argv[1:]
events = ht.dataset(path)
runner = Runner(ht.Executor(workers=2, status=False), schema=BaseSchema, chunksize=5, metadata_cache={})
fileset = {"d": {"files": {path: "Events"}}}
processor = ht.to_processor({"x": slow(events.x).Sum()})
runs = {
    "make_local": lambda: ht.make_local(slow(events.x), executor="threads", workers=2, chunksize=5, progress=False),
    "generated": lambda: runner(fileset, processor_instance=processor),
    "by_hand": lambda: runner(fileset, processor_instance=by_hand),
    "writing": lambda: ht.Executor(workers=2, status=False)(range(10), writing, None),
}
if kind in ("generated", "by_hand"):
    runner.processor_compression = None
try:
    runs[kind]()
except KeyboardInterrupt:
    print("interrupted", len(at_work), written.count("begun") - written.count("done"), flush=True)
print(ht.make_local(events.x.Sum(), executor="threads", workers=2, chunksize=5, progress=False), flush=True)
"""


@pytest.mark.parametrize("kind", ["make_local", "generated", "by_hand", "writing"])
def test_interrupt_leaves_nothing_behind(tmp_path: Path, write: Callable[..., str], kind: str) -> None:
    path = write("a.root", x=np.arange(40.0))
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    options: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen([sys.executable, str(script), path, kind], **options) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        found = process.stdout.readline().split()
        seconds = time.monotonic() - started
        rest, errors = process.communicate(timeout=60)
    assert found == ["interrupted", "0", "0"], errors
    assert seconds < 10  # about one, on a machine that has nothing else to do; a chunk takes 30
    assert (rest, process.returncode) == ("780.0\n", 0)

"""A worker that has coffea and not this library: it gets what it needs with its chunks."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING
from uuid import uuid4

import cloudpickle
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.coffea.chunks import Chunk, ChunkRunner

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import pickle, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hep_tables_coffea":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
with open(sys.argv[1], "rb") as file:
    runner, chunks = pickle.load(file)
for chunk in chunks:
    print({name: list(answer.values()) for name, answer in runner(chunk)["out"].items()})
"""


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_worker_without_the_library_runs_chunks(tmp_path: Path, engine: str) -> None:
    path = ht.samples.nanoaod(tmp_path / "zll.root", events=20)
    with ht.options(engine=engine):
        processor = ht.to_processor({"jets": ht.nanoaod(path).Jet.pt.Count(axis=None)})
    chunks = [Chunk("zll", path, "Events", start, start + 10) for start in (0, 10)]
    cloudpickle.register_pickle_by_value(ht)
    try:
        (tmp_path / "task").write_bytes(cloudpickle.dumps((ChunkRunner(processor, uuid4().hex, True), chunks)))
    finally:
        cloudpickle.unregister_pickle_by_value(ht)
    command = [sys.executable, "-c", WORKER, str(tmp_path / "task")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    counts = ht.make_local(ht.nanoaod(path).Jet.Count()).to_list()
    assert done.stdout.splitlines() == [f"{{'jets': [[{sum(part)}]]}}" for part in (counts[:10], counts[10:])]

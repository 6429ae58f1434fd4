"""A worker that has coffea and not this library: it gets what it needs with its chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.backends.coffea.chunks import Chunk, ChunkRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from subprocess import CompletedProcess

WORKER = """
import pickle, sys

with open(sys.argv[1], "rb") as file:
    runner, chunks = pickle.load(file)
for chunk in chunks:
    print({name: list(answer.values()) for name, answer in runner(chunk)["out"].items()})
"""


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_worker_without_the_library_runs_chunks(
    tmp_path: Path, without_us: Callable[..., CompletedProcess[str]], by_value: Callable[[object], str], engine: str
) -> None:
    path = ht.samples.nanoaod(tmp_path / "zll.root", events=20)
    with ht.options(engine=engine):
        processor = ht.to_processor({"jets": ht.nanoaod(path).Jet.pt.Count(axis=None)})
    chunks = [Chunk("zll", path, "Events", start, start + 10) for start in (0, 10)]
    done = without_us(WORKER, by_value((ChunkRunner(processor, uuid4().hex, True), chunks)))
    assert done.stderr == ""
    counts = ht.make_local(ht.nanoaod(path).Jet.Count()).to_list()
    assert done.stdout.splitlines() == [f"{{'jets': [[{sum(part)}]]}}" for part in (counts[:10], counts[10:])]

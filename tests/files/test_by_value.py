"""Workers get the library by value: without being able to import it, and anew for each task."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import cloudpickle

import hep_tables_coffea
from hep_tables_coffea import files

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import os, pickle, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hep_tables_coffea":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
import uproot

opened, original = [], uproot.open
uproot.open = lambda *args, **options: (opened.append(args), original(*args, **options))[1]

def once():
    with open(sys.argv[1], "rb") as file:
        return pickle.load(file)

read, describe = once()
print(read(sys.argv[2], "Events", ["event"], 0, 3)["event"].to_list())
read, describe = once()
print(read(sys.argv[2], "Events", ["event"], 3, 5)["event"].to_list())
print(describe(sys.argv[2]).num_entries, len(opened))
try:
    describe(sys.argv[2], "Evens")
except KeyError as error:
    print(pickle.loads(pickle.dumps(error)).args[0].partition(" ")[2])
"""


def test_worker_without_the_library_reads_and_keeps(small_tree: str, tmp_path: Path) -> None:
    cloudpickle.register_pickle_by_value(hep_tables_coffea)
    try:
        (tmp_path / "task").write_bytes(cloudpickle.dumps((files.read, files.describe)))
    finally:
        cloudpickle.unregister_pickle_by_value(hep_tables_coffea)
    command = [sys.executable, "-c", WORKER, str(tmp_path / "task"), small_tree]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[0, 1, 2]", "[3, 4]", "10 1", "has no tree 'Evens': it has 'Events'"]

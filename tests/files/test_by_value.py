"""Workers get the library by value: without being able to import it, and anew for each task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

WORKER = """
import pickle, sys
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


def test_worker_without_the_library_reads_and_keeps(
    small_tree: str, without_us: Callable[..., CompletedProcess[str]], by_value: Callable[[object], str]
) -> None:
    done = without_us(WORKER, by_value((files.read, files.describe)), small_tree)
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[0, 1, 2]", "[3, 4]", "10 1", "has no tree 'Evens': it has 'Events'"]

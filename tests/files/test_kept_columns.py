"""Columns that are kept on disk: the same arrays, never stale, bounded, and never in the way of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uproot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea import files
from hep_tables_coffea.backends.coffea.chunks import Chunk, Events
from hep_tables_coffea.files import kept, notes, pieces, room
from hep_tables_coffea.files.handles import acquire
from hep_tables_coffea.files.paths import COARSE, FINE, fingerprint, is_settled
from hep_tables_coffea.files.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTRIES = 40
HOURS = 3600


def settle(path: str) -> str:
    """Wait until a file is older than the ticks of the clock."""
    while not is_settled(fingerprint(path)):
        time.sleep(0.02)
    return path


def content(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, ENTRIES)
    jets = rng.normal(size=counts.sum())
    return {
        "event": rng.integers(0, 1000, ENTRIES),
        "flag": rng.random(ENTRIES) < 0.5,
        "met": rng.normal(size=ENTRIES).astype(np.float32),
        "Jet_pt": ak.unflatten(jets.astype(np.float32), counts),
        "Jet_id": ak.unflatten(np.arange(len(jets), dtype=np.int32), counts),
    }


def write_tree(path: Path, events: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        tree = file.mktree("Events", {key: ak.to_layout(array).form.type for key, array in events.items()})
        for start in range(0, ENTRIES, 16):
            tree.extend({key: array[start : start + 16] for key, array in events.items()})


def write_ntuple(path: Path, events: dict[str, Any]) -> None:
    with uproot.recreate(path) as file:
        file.mkrntuple("Events", events)


def write_parquet(path: Path, events: dict[str, Any]) -> None:
    """With nulls, strings, and lists of lists."""
    number = ak.to_list(events["event"])
    more = {
        "maybe": pa.array([None if n % 3 == 0 else n for n in number]),
        "name": pa.array([None if n % 5 == 0 else "x" * (n % 4) for n in number]),
        "nested": pa.array([[[n], []] * (n % 3) for n in number]),
        "gaps": pa.array([None if n % 4 == 0 else [n, None] * (n % 3) for n in number]),
    }
    plain = {
        key: pa.array(array if isinstance(array, np.ndarray) else ak.to_list(array)) for key, array in events.items()
    }
    pq.write_table(pa.table({**plain, **more}), path, row_group_size=16)


WRITERS = {"tree.root": write_tree, "ntuple.root": write_ntuple, "table.parquet": write_parquet}


@pytest.fixture(scope="module", params=WRITERS)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    made = tmp_path_factory.mktemp("events") / request.param
    WRITERS[request.param](made, content())
    return settle(str(made))


@pytest.fixture
def tree(tmp_path: Path) -> str:
    write_tree(tmp_path / "events.root", content())
    return settle(str(tmp_path / "events.root"))


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Nothing is remembered of folders and files of other tests."""
    for kind in ("room", "unwritable"):
        kept._known(kind).clear()
    yield
    files.forget()


@pytest.fixture
def keep(tmp_path: Path) -> files.Keep:
    return files.Keep(str(tmp_path / "kept"), at_once=True, limit=10**9)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The names of the columns of each read that went to the event file."""
    calls: list[list[str]] = []
    original = Source.load

    def load(self: Source, found: Any, start: int, stop: int) -> Any:
        calls.append(list(found))
        return original(self, found, start, stop)

    monkeypatch.setattr(Source, "load", load)
    return calls


def on_disk(keep: files.Keep) -> list[Path]:
    return sorted(Path(keep.place()).rglob("*.column"))


def agree(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    assert list(ours) == list(theirs)
    return all(str(ours[name].type) == str(theirs[name].type) and same(ours[name], theirs[name]) for name in ours)


def same(ours: Any, theirs: Any) -> bool:
    return bool(ak.array_equal(ours, theirs, equal_nan=True))


# -- the same arrays ---------------------------------------------------------------------------------------------------

ranges = st.lists(st.tuples(st.integers(0, ENTRIES), st.integers(0, ENTRIES)).map(sorted), min_size=1, max_size=6)
folders = count()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ranges=ranges, data=st.data())
def test_any_ranges_in_any_order_give_the_same_arrays(path: str, tmp_path: Path, ranges: Any, data: Any) -> None:
    names = list(files.describe(path, "Events").columns)
    keep = files.Keep(str(tmp_path / f"kept{next(folders)}"), at_once=True, limit=10**9)
    for start, stop in ranges:
        chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
        for _ in range(2):
            found = files.read(path, "Events", chosen, start, stop, keep)
            assert agree(found, files.read(path, "Events", chosen, start, stop))


def test_what_is_kept_is_not_decoded_again(path: str, keep: files.Keep, decoded: list[list[str]]) -> None:
    names = list(files.describe(path, "Events").columns)
    files.read(path, "Events", names, 0, 30, keep)
    files.read(path, "Events", names, 30, ENTRIES, keep)
    decoded.clear()
    files.forget()
    for start, stop in ((0, 30), (30, ENTRIES), (3, 7), (20, 38), (0, ENTRIES)):
        files.read(path, "Events", names, start, stop, keep)
    assert decoded == []


def test_only_what_is_missing_is_decoded(tree: str, keep: files.Keep, decoded: list[list[str]]) -> None:
    files.read(tree, None, ["met", "Jet_pt"], 0, ENTRIES, keep)
    files.read(tree, None, ["event", "Jet_pt", "met"], 0, ENTRIES, keep)
    assert decoded == [["met", "Jet_pt"], ["event"]]


def test_columns_of_a_collection_share_their_lists(tree: str, keep: files.Keep) -> None:
    files.read(tree, None, ["Jet_pt", "Jet_id"], 0, ENTRIES, keep)
    assert len(on_disk(keep)) == 3
    found = files.read(tree, None, ["Jet_pt", "Jet_id"], 0, ENTRIES, keep)
    assert found["Jet_pt"].layout.offsets.data is found["Jet_id"].layout.offsets.data


def test_longer_piece_takes_the_place_of_shorter_ones(tree: str, keep: files.Keep) -> None:
    for start, stop in ((0, 10), (20, 30), (0, ENTRIES)):
        files.read(tree, None, ["met"], start, stop, keep)
    assert [path.name.partition("-")[2] for path in on_disk(keep)] == [f"0-{ENTRIES}.column"]


def test_changing_an_array_does_not_change_what_is_kept(tree: str, keep: files.Keep) -> None:
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    found = files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"]
    np.asarray(found.layout.data)[:] = 0
    assert same(files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"], content()["met"])


def test_columns_and_ranges_that_are_not_there(tree: str, keep: files.Keep) -> None:
    assert list(files.read(tree, None, ["nope", "met"], 0, ENTRIES, keep)) == ["met"]
    with pytest.raises(ValueError, match="cannot read 0 to 41"):
        files.read(tree, None, ["met"], 0, ENTRIES + 1, keep)


# -- never stale -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", WRITERS)
def test_rewriting_in_place_with_the_same_size_and_time(name: str, tmp_path: Path, keep: files.Keep) -> None:
    path, other = tmp_path / name, tmp_path / f"other_{name}"
    events = content()
    WRITERS[name](path, events)
    WRITERS[name](other, events | {"met": -events["met"]})
    if name.endswith("root"):
        size = max(path.stat().st_size, other.stat().st_size)
        os.truncate(path, size)
        os.truncate(other, size)
    before = os.stat(settle(str(path)))
    assert same(files.read(str(path), "Events", ["met"], 0, ENTRIES, keep)["met"], events["met"])
    assert on_disk(keep)
    path.write_bytes(other.read_bytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        assert same(files.read(str(path), "Events", ["met"], 0, ENTRIES, keep)["met"], -events["met"])


def test_rewriting_many_times_in_a_second(tmp_path: Path, keep: files.Keep) -> None:
    path = tmp_path / "events.parquet"
    for seed in range(40):
        numbers = np.random.default_rng(seed).permutation(100)  # the same size, least, greatest, and so the same footer
        pq.write_table(pa.table({"x": numbers}), path, compression="none", use_dictionary=False)
        for _ in range(2):
            assert files.read(str(path), None, ["x"], 0, 100, keep)["x"].to_list() == numbers.tolist()


def test_file_of_just_now_is_not_kept_and_soon_it_is(tmp_path: Path, keep: files.Keep) -> None:
    path = str(tmp_path / "events.root")
    write_tree(tmp_path / "events.root", content())
    mark = fingerprint(path)
    os.utime(path, ns=(0, 5 * 10**18))  # written in the future, as far as the clock can tell
    files.read(path, None, ["met"], 0, ENTRIES, keep)
    assert not on_disk(keep)
    os.utime(path, ns=(0, mark[0]))
    files.read(settle(path), None, ["met"], 0, ENTRIES, keep)
    assert on_disk(keep)


def test_settled_is_older_than_a_tick() -> None:
    now = time.time_ns()
    odd = (now - 2 * FINE) // 10**7 * 10**7 + 1
    assert is_settled((odd, 1, 1, odd))
    assert not is_settled((odd - 1, 1, 1, odd - 1))
    assert is_settled((odd - 1 - COARSE, 1, 1, odd - 1 - COARSE))
    assert is_settled((odd - 1, 1, 1, odd))
    assert not is_settled((odd, 1, 1, now))
    assert is_settled(())


def test_file_that_changes_while_it_is_read_is_not_kept(
    tree: str, keep: files.Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Source.load

    def load(self: Source, *arguments: Any) -> Any:
        os.utime(tree)
        return original(self, *arguments)

    monkeypatch.setattr(Source, "load", load)
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    assert not on_disk(keep)


# -- when --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def second(keep: files.Keep, monkeypatch: pytest.MonkeyPatch) -> files.Keep:
    """Keeps what is read for the second time, however little that is."""
    monkeypatch.setattr(kept, "LEAST", 0)
    return replace(keep, at_once=False)


def test_kept_when_it_is_read_for_the_second_time(tree: str, second: files.Keep, decoded: list[list[str]]) -> None:
    for start in (0, 10, 20):
        files.read(tree, None, ["met"], start, start + 10, second)
    assert not on_disk(second)
    files.forget()  # another process has only the note
    files.read(tree, None, ["met", "event"], 5, 25, second)
    assert len(on_disk(second)) == 1
    files.read(tree, None, ["met", "event"], 5, 25, second)
    files.read(tree, None, ["met", "event"], 5, 25, second)
    assert decoded[3:] == [["met", "event"], ["event"]]


def test_short_ranges_are_not_kept_by_themselves(tree: str, keep: files.Keep) -> None:
    for _ in range(3):
        files.read(tree, None, ["met"], 0, ENTRIES, replace(keep, at_once=False))
    assert not os.path.exists(keep.folder)


def test_notes_survive_nonsense_and_stay_short(tree: str, second: files.Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    files.read(tree, None, ["met"], 0, 10, second)
    (noted,) = Path(second.folder).rglob(notes.NOTES)
    with noted.open("a") as file:
        file.write('[0, 10\n5\n[1, 2, 3, 4]\n"x"\n')
    files.read(tree, None, ["met"], 0, 10, second)
    assert len(on_disk(second)) == 1
    monkeypatch.setattr(notes, "LONGEST", 200)
    for start in range(30):
        files.read(tree, None, ["event"], start, start + 1, second)
    assert noted.stat().st_size < 300


# -- bounded -----------------------------------------------------------------------------------------------------------


def write_numbers(folder: Path, names: list[str]) -> str:
    path = folder / "numbers.parquet"
    pq.write_table(pa.table({name: np.arange(10_000) + i for i, name in enumerate(names)}), path)
    return settle(str(path))


def age(keep: files.Keep, seconds: float = 2 * HOURS) -> None:
    for path in on_disk(keep):
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - seconds))


def total(keep: files.Keep) -> int:
    return sum(path.stat().st_size for path in on_disk(keep))


def test_least_recently_used_are_dropped_first(tmp_path: Path, keep: files.Keep, decoded: list[list[str]]) -> None:
    path, small = write_numbers(tmp_path, list("abcd")), replace(keep, limit=250_000)
    for name in "abc":
        files.read(path, None, [name], 0, 10_000, small)
        age(small)
    files.read(path, None, ["a"], 0, 10_000, small)
    files.read(path, None, ["d"], 0, 10_000, small)
    assert total(small) <= 250_000
    decoded.clear()
    found = files.read(path, None, list("abcd"), 0, 10_000, small)
    assert decoded == [["b"]]
    assert [found[name][0] for name in "abcd"] == [0, 1, 2, 3]


def test_what_was_just_used_is_not_dropped_for_something_new(
    tmp_path: Path, keep: files.Keep, decoded: list[list[str]]
) -> None:
    path, small = write_numbers(tmp_path, list("abcdef")), replace(keep, limit=250_000)
    for _ in range(3):
        for name in "abcdef":
            files.read(path, None, [name], 0, 10_000, small)
    assert [names for names in decoded if names[0] in "abc"] == [["a"], ["b"], ["c"]]
    assert total(small) <= 250_000


def test_smaller_limit_holds_for_what_is_there(tmp_path: Path, keep: files.Keep) -> None:
    path = write_numbers(tmp_path, list("abcdef"))
    files.read(path, None, list("abcde"), 0, 10_000, keep)
    kept._known("room").clear()
    files.read(path, None, ["f"], 0, 10_000, replace(keep, limit=170_000))
    assert total(keep) <= 170_000


def test_what_is_old_or_left_over_is_dropped(tmp_path: Path, keep: files.Keep) -> None:
    path = write_numbers(tmp_path, list("ab"))
    files.read(path, None, ["a"], 0, 10_000, keep)
    (piece,) = on_disk(keep)
    os.utime(piece, (1, 1))
    leftover = piece.with_name("x.column.0.tmp")
    leftover.touch()
    os.utime(leftover, (1, 1))
    kept._known("room").clear()
    files.read(path, None, ["b"], 0, 10_000, keep)
    assert not piece.exists()
    assert not leftover.exists()
    assert len(on_disk(keep)) == 1


def test_arrays_outlive_their_files(tree: str, keep: files.Keep) -> None:
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    found = files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"]
    ht.clear_cache(keep.folder)
    assert not os.path.exists(keep.folder)
    assert same(found, content()["met"])


def test_default_limit_is_a_part_of_the_free_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=1000))
    assert not room.Room(str(tmp_path)).take(101, None)
    assert room.Room(str(tmp_path)).take(100, None)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=10**15))
    assert room.Room(str(tmp_path)).take(room.MOST, None)
    assert not room.Room(str(tmp_path)).take(room.MOST + 1, None)


def test_clearing_leaves_what_is_not_ours(tree: str, keep: files.Keep) -> None:
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    mine = Path(keep.folder) / "mine.txt"
    mine.write_text("precious")
    ht.clear_cache(keep.folder)
    assert [path for path in Path(keep.folder).rglob("*") if path.is_file()] == [mine]


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [b"", b"htcolumn", b"x" * 1000, None])
def test_damaged_file_is_ignored_and_written_anew(tree: str, keep: files.Keep, damage: bytes | None) -> None:
    names = ["met", "Jet_pt"]
    expected = files.read(tree, None, names, 0, ENTRIES, keep)
    whole = {path: path.read_bytes() for path in on_disk(keep)}
    for path, content in whole.items():
        path.write_bytes(content[: len(content) // 2] if damage is None else damage)
        assert agree(files.read(tree, None, names, 0, ENTRIES, keep), expected)
        assert path.read_bytes() == content


def test_file_with_zeros_at_its_end_is_ignored(tree: str, keep: files.Keep) -> None:
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    (path,) = on_disk(keep)
    whole = path.read_bytes()
    path.write_bytes(whole[:-100] + bytes(100))
    assert same(files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"], content()["met"])
    assert path.read_bytes() == whole


def test_folder_that_cannot_be_written(tree: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    keep = files.Keep(str(tmp_path / "file" / "kept"), at_once=True)
    for _ in range(3):
        assert same(files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"], content()["met"])
    assert [record.message.partition(" in ")[0] for record in caplog.records] == ["decoded columns are not kept"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder_is_read(tree: str, keep: files.Keep, decoded: list[list[str]]) -> None:
    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    (piece,) = on_disk(keep)
    piece.parent.chmod(0o500)
    files.read(tree, None, ["met", "event"], 0, ENTRIES, keep)
    assert decoded == [["met"], ["event"]]
    piece.parent.chmod(0o700)


def test_what_is_kept_is_read_where_nothing_can_be_written(
    tree: str, keep: files.Keep, decoded: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    files.read(tree, None, ["met"], 0, ENTRIES, keep)
    for name in ("utime", "replace", "makedirs", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(pieces, "TOUCHED", -1)
    files.read(tree, None, ["met", "event"], 0, ENTRIES, keep)
    files.read(tree, None, ["met", "event"], 0, ENTRIES, keep)
    assert decoded == [["met"], ["event"], ["event"]]


def test_full_disk_leaves_nothing_behind(
    tree: str, keep: files.Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pieces, "_write", full)
    for _ in range(2):
        assert same(files.read(tree, None, ["met"], 0, ENTRIES, keep)["met"], content()["met"])
    assert [path for path in Path(keep.folder).rglob("*") if path.is_file()] == []
    assert len(caplog.records) == 1


# -- many at once ------------------------------------------------------------------------------------------------------


def test_many_threads_at_once(path: str, keep: files.Keep) -> None:
    names = list(files.describe(path, "Events").columns)
    wanted = [(start, min(start + size, ENTRIES)) for size in (5, 16, 40) for start in range(0, ENTRIES, size)] * 3

    def one(piece: tuple[int, int]) -> bool:
        found = files.read(path, "Events", names, *piece, keep)
        return agree(found, acquire(path).source("Events").read(names, *piece))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, wanted))


READER = """
import sys
from hep_tables_coffea import files
from hep_tables_coffea.files.room import clear
keep = files.Keep(sys.argv[2], at_once=True, limit=20_000)
for again in range(30):
    for start in range(0, 40, 4 + again % 5):
        stop = min(start + 8, 40)
        kept = files.read(sys.argv[1], None, ["met", "Jet_pt"], start, stop, keep)
        plain = files.read(sys.argv[1], None, ["met", "Jet_pt"], start, stop)
        assert all(kept[name].to_list() == plain[name].to_list() for name in plain)
    if again % 10 == 9:
        clear(sys.argv[2])
"""


def test_two_processes_at_once(tree: str, keep: files.Keep) -> None:
    command = [sys.executable, "-c", READER, tree, keep.folder]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    assert [(process.communicate()[1], process.returncode) for process in running] == [("", 0), ("", 0)]
    assert not list(Path(keep.folder).rglob("*.tmp"))


# -- the option --------------------------------------------------------------------------------------------------------


@pytest.fixture
def sample(tmp_path: Path) -> str:
    return settle(ht.samples.nanoaod(tmp_path / "zll.root", events=200))


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
def test_runs_keep_their_columns(sample: str, tmp_path: Path, executor: str, decoded: list[list[str]]) -> None:
    pt = ht.nanoaod(sample).Jet.pt.Sum()
    options: dict[str, Any] = {"executor": executor, "workers": 2, "chunksize": 50, "cache": tmp_path / "kept"}
    first = ht.make_local(pt, **options)
    assert len(list((tmp_path / "kept").rglob("*.column"))) == 8
    decoded.clear()
    files.forget()
    second = ht.make_local(pt, **options)
    assert same(first, second)
    assert not decoded
    assert same(first, ht.make_local(pt, cache=False))


def test_true_is_the_folder_of_the_user(sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path / "mine"))
    ht.make_local(ht.nanoaod(sample).MET.pt, cache=True)
    assert list((tmp_path / "mine" / "columns").rglob("*.column"))
    ht.clear_cache()
    assert not (tmp_path / "mine" / "columns").exists()


@pytest.mark.parametrize("options", [{"cache": False}, {}])
def test_nothing_is_left_on_disk(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """With `cache=False`, and without where there is little to keep."""
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path / "mine"))
    for _ in range(3):
        ht.make_local(ht.nanoaod(sample).MET.pt, **options)
    assert not (tmp_path / "mine" / "columns").exists()


def test_executor_in_a_stock_runner(sample: str, tmp_path: Path, decoded: list[list[str]]) -> None:
    from coffea.nanoevents import BaseSchema
    from coffea.processor import Runner

    processor = ht.to_processor({"jets": ht.nanoaod(sample).Jet.pt.Count(axis=None)})
    executor = ht.Executor(status=False, cache=tmp_path / "kept", cache_size="1 GB")
    runner = Runner(executor, schema=BaseSchema, metadata_cache={})
    found = [runner({"zll": {"files": {sample: "Events"}}}, processor_instance=processor) for _ in range(2)]
    assert found[0] == found[1]
    assert len([names for names in decoded if names]) == 1
    assert list((tmp_path / "kept").rglob("*.column"))


def test_events_read_by_the_option(sample: str, keep: files.Keep) -> None:
    events = Events(Chunk("zll", sample, "Events", 0, 200), {}, keep=keep)
    events.read_columns(["MET_pt"])
    assert len(on_disk(keep)) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"cache": 3},
        {"cache": ""},
        {"cache_size": "many"},
        {"cache_size": -1},
        {"cache_size": True},
        {"cache_size": "5 G"},
    ],
)
def test_nonsense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ht.HepTablesError, match="is not possible"):
        ht.options(**options)
    with pytest.raises(ht.HepTablesError, match="is not possible"):
        ht.Executor(**options)


@pytest.mark.parametrize(
    ("size", "expected"), [(5, 5), ("5", 5), ("5 kB", 5000), ("2GB", 2 * 10**9), ("0.5 TB", 5 * 10**11), (None, None)]
)
def test_sizes(size: Any, expected: int | None) -> None:
    from hep_tables_coffea.config import size_in_bytes

    assert size_in_bytes(size) == expected

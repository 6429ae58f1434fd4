"""Writing: the same events from the same seed, clusters, errors, and files that appear when complete."""

from __future__ import annotations

import doctest
import tracemalloc
from pathlib import Path

import awkward as ak
import pytest
import uproot

from hep_tables_coffea import samples
from hep_tables_coffea.samples import files

TREES = {samples.nanoaod: "Events", samples.physlite: "CollectionTree"}


def read(write, path, **arguments):
    return uproot.open(write(path, **arguments))[TREES[write]].arrays()


@pytest.fixture(params=list(TREES), ids=lambda write: write.__name__)
def write(request):
    return request.param


def test_the_same_seed_gives_the_same_events(tmp_path, write):
    one, two = (read(write, tmp_path / name, events=300, seed=5) for name in ("a.root", "b.root"))
    assert ak.array_equal(one, two, same_content_types=True)


def test_another_seed_gives_other_events(tmp_path):
    one, two = (read(samples.nanoaod, tmp_path / "a.root", events=300, seed=seed) for seed in (1, 2))
    assert not ak.any(one.MET_pt == two.MET_pt)


@pytest.mark.parametrize("events", [1, 4_999, 5_000, 7_000])
def test_a_longer_file_begins_with_the_shorter_one(tmp_path, write, events):
    short = read(write, tmp_path / "short.root", events=events)
    long = read(write, tmp_path / "long.root", events=11_000)
    assert len(short) == events
    assert len(long) == 11_000
    assert ak.array_equal(short, long[:events], same_content_types=True)


@pytest.mark.parametrize("cluster", [700, 5_000, 6_000])
def test_the_cluster_does_not_change_the_events(tmp_path, write, cluster):
    one = read(write, tmp_path / "one.root", events=6_100)
    many = read(write, tmp_path / "many.root", events=6_100, cluster=cluster)
    assert ak.array_equal(one, many, same_content_types=True)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "zlib", None])
@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_every_compression_can_be_read(tmp_path, compression, suffix):
    path = samples.nanoaod(tmp_path / f"a.{suffix}", events=100, compression=compression)
    tree = ak.from_parquet(path) if suffix == "parquet" else uproot.open(path)["Events"].arrays()
    assert tree.event.tolist() == list(range(1, 101))


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_a_file_without_events_has_all_branches(tmp_path, suffix):
    empty, full = (samples.nanoaod(tmp_path / f"{events}.{suffix}", events=events) for events in (0, 10))
    if suffix == "parquet":
        assert ak.from_parquet(empty).type.content == ak.from_parquet(full).type.content
        assert len(ak.from_parquet(empty)) == 0
    else:
        assert uproot.open(empty)["Events"].typenames() == uproot.open(full)["Events"].typenames()
        assert uproot.open(empty)["Events"].num_entries == 0


def test_the_path_comes_back_as_a_string(tmp_path, write):
    assert write(tmp_path / "a.root", events=1) == str(tmp_path / "a.root")
    assert write(str(tmp_path / "a.root"), events=1) == str(tmp_path / "a.root")


def test_progress_is_called_after_each_cluster(tmp_path):
    calls: list[tuple[int, int]] = []
    samples.nanoaod(
        tmp_path / "a.root", events=25, cluster=10, progress=lambda done, events: calls.append((done, events))
    )
    assert calls == [(10, 25), (20, 25), (25, 25)]


@pytest.mark.parametrize("suffix", ["root", "parquet"])
def test_a_run_that_dies_leaves_the_old_file_as_it_was(tmp_path, suffix):
    path = Path(samples.nanoaod(tmp_path / f"a.{suffix}", events=5))
    before = path.read_bytes()

    def die(done: int, events: int) -> None:
        message = "out of patience"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="out of patience"):
        samples.nanoaod(path, events=100, cluster=10, progress=die)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [f"a.{suffix}"]


def test_memory_does_not_grow_with_the_number_of_events(tmp_path):
    def peak(events: int) -> int:
        tracemalloc.start()
        samples.nanoaod(tmp_path / "a.root", events=events, cluster=2_500)
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(40_000) < 1.2 * peak(10_000)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": -1}, "events is -1: a number of events, 0 or more"),
        ({"events": 1e3}, r"events is 1000\.0: a number of events, 0 or more"),
        ({"events": True}, "events is True: a number of events, 0 or more"),
        ({"seed": -3}, "seed is -3: a whole number, 0 or more"),
        ({"cluster": 0}, "cluster is 0: a number of events, 1 or more"),
        ({"process": "higgs"}, "unknown process 'higgs'; known: zll, zee, zmumu, ttbar"),
        ({"compression": "rar"}, "unknown compression 'rar'; known: zstd, lz4, zlib, None"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(tmp_path, write, arguments, message):
    with pytest.raises(ValueError, match=message):
        write(tmp_path / "a.root", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_name_with_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"'a\.csv' does not end in \.root or \.parquet"):
        samples.nanoaod(tmp_path / "a.csv")


def test_a_folder_that_does_not_exist_is_named(tmp_path, write):
    with pytest.raises(FileNotFoundError, match=r"no folder '.*nowhere' to write 'a\.root' into"):
        write(tmp_path / "nowhere" / "a.root")


def test_the_examples_in_the_documentation_run():
    results = doctest.testmod(files)
    assert results.attempted >= 8
    assert results.failed == 0

"""What is read straight from baskets is what uproot reads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from struct import pack
from typing import TYPE_CHECKING, Any

import awkward as ak
import cramjam
import numpy as np
import pytest
import uproot
from hypothesis import given, settings
from hypothesis import strategies as st

from hep_tables_coffea import files
from hep_tables_coffea.files.baskets import _unwrapped, read_baskets
from hep_tables_coffea.files.blocks import inflate
from hep_tables_coffea.files.handles import acquire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TREES = [
    ("PHYSLITE_example.root", "CollectionTree", 645),
    ("edm4hep.root", "events", 11),
    ("edm4hep.root", "podio_metadata", 7),
    ("missing_luminosityBlock.root", "Events", 1582),
    ("nano_dimuon.root", "Events", 1601),
    ("nano_dy.root", "Events", 1499),
    ("nano_dy.root", "Runs", 8),
    ("nano_dy_empty.root", "Events", 0),
    ("nano_tt_v12.root", "Events", 654),
    ("nano_tt_v15.root", "Events", 2656),
    ("treemaker.root", "PreSelection", 319),
    ("uproot-HZZ.root", "events", 51),
]
NUMBERS = ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
COMPRESSIONS = [None, uproot.ZLIB(1), uproot.ZLIB(9), uproot.LZ4(1), uproot.ZSTD(1), uproot.ZSTD(9), uproot.LZMA(1)]


def lean(path: str, tree: str, names: list[str], start: int, stop: int) -> dict[str, Any]:
    """What is read without uproot's own reading."""
    source: Any = acquire(path).source(tree)
    tables = source.plain_units(names)
    return read_baskets(source._lazy.tree.file.source, tables, [name for name in names if name in tables], start, stop)


def readable(path: str, tree: str) -> list[str]:
    """The branches that can be read whole."""
    units = acquire(path).source(tree).units
    return [name for name, column in files.describe(path, tree).columns.items() if not column.problem and name in units]


@st.composite
def events(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Any]:
    """Batches of events, each to become one basket a branch, and how they are compressed."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    single, first, second = draw(st.tuples(*[st.sampled_from(NUMBERS)] * 3))
    most = draw(st.sampled_from([0, 1, 6]))
    batches = []
    for size in draw(st.lists(st.integers(0, 90), min_size=1, max_size=4)):
        counts = rng.integers(0, most + 1, size)

        def values(dtype: str, number: int) -> Any:
            low = rng.integers(0, draw(st.sampled_from([2, 200, 2**31])), number)
            return low.astype(dtype)

        lists = {name: values(dtype, counts.sum()) for name, dtype in (("a", first), ("b", second))}
        jets = ak.zip({name: ak.unflatten(content, counts) for name, content in lists.items()})
        batches.append({"x": values(single, size), "fixed": values(second, size * 3).reshape(-1, 3), "Jet": jets})
    return batches, draw(st.sampled_from(COMPRESSIONS))


def written(path: Path, batches: list[dict[str, Any]], compression: Any = None, tree: str = "Events") -> str:
    with uproot.recreate(path, compression=compression) as file:
        made = file.mktree(tree, {key: ak.to_layout(array).form.type for key, array in batches[0].items()})
        for batch in batches:
            made.extend(batch)
    return str(path)


@settings(max_examples=60)
@given(events(), st.data())
def test_any_range_is_what_uproot_reads(
    tmp_path_factory: pytest.TempPathFactory, same: Callable[..., bool], made: Any, data: st.DataObject
) -> None:
    batches, compression = made
    path = written(tmp_path_factory.mktemp("baskets") / "events.root", batches, compression)
    number = sum(len(batch["x"]) for batch in batches)
    stop = data.draw(st.integers(0, number), "stop")
    start = data.draw(st.integers(0, stop), "start")
    with uproot.open(path) as file:
        names = file["Events"].keys()
        expected = file["Events"].arrays(entry_start=start, entry_stop=stop, library="ak", how=dict)
    got = files.read(path, "Events", names, start, stop)
    assert names == ["x", "fixed", "nJet", "Jet_a", "Jet_b"]
    assert [name for name in names if not same(got[name], ak.from_regular(expected[name], axis=None))] == []
    if start < stop:
        assert set(lean(path, "Events", names, start, stop)) == set(names)
    files.forget(path)


@pytest.mark.parametrize(("name", "tree", "number"), TREES)
def test_plain_columns_of_real_files_are_read_here(
    data: Callable[[str], str], name: str, tree: str, number: int
) -> None:
    """That they are what uproot reads is tested with all columns of these files."""
    path = data(name)
    source: Any = acquire(path).source(tree)
    entries = source.num_entries
    got = lean(path, tree, readable(path, tree), entries // 3, entries - entries // 4) if entries else {}
    assert len(got) == number


def test_counters_with_other_baskets_than_what_they_count(tmp_path: Path) -> None:
    """The same events twice, in other pieces: the lists of one are counted by the other."""
    counts, path = np.arange(100) % 4, str(tmp_path / "two.root")
    x = ak.unflatten(np.arange(counts.sum(), dtype=np.int32), counts)
    with uproot.recreate(path) as file:
        for tree, step in (("seven", 7), ("thirty", 30)):
            made = file.mktree(tree, {"x": "var * int32"})
            for start in range(0, 100, step):
                made.extend({"x": x[start : start + step]})
    source: Any = acquire(path).source("seven")
    other: Any = acquire(path).source("thirty")
    for a, b in ((source, other), (other, source)):
        tables = {"x": a.plain_units(["x"])["x"], "nx": b.plain_units(["nx"])["nx"]}
        for start, stop in ((0, 100), (29, 31), (65, 66), (13, 90)):
            got = read_baskets(a._lazy.tree.file.source, tables, ["x", "nx"], start, stop)
            assert got["x"].to_list() == x[start:stop].to_list()
            assert got["nx"].to_list() == counts[start:stop].tolist()


def two_collections(path: Path) -> str:
    counts = {"a": np.arange(9) % 3, "b": np.arange(9) % 2}
    return written(path, [{key: ak.unflatten(np.arange(each.sum()), each) for key, each in counts.items()}])


def test_lists_that_do_not_agree_with_their_counter_are_left_to_uproot(tmp_path: Path) -> None:
    source: Any = acquire(two_collections(tmp_path / "two.root")).source(None)
    tables = source.plain_units(["a", "b"])
    assert tables["a"].counter == "na"
    swapped = {**tables, "a": replace(tables["a"], counter="nb")}
    assert list(read_baskets(source._lazy.tree.file.source, swapped, ["a", "b"], 0, 9)) == ["b"]


def test_lists_whose_counter_fails_are_left_to_uproot(tmp_path: Path) -> None:
    source: Any = acquire(two_collections(tmp_path / "two.root")).source(None)
    tables = source.plain_units(["a", "b"])
    tables["nb"] = replace(tables["nb"], ranges=tables["a"].ranges)
    assert list(read_baskets(source._lazy.tree.file.source, tables, ["a", "b"], 0, 9)) == ["a"]


@pytest.mark.parametrize(("dtype", "start", "stop"), [(">f4", 0, 4), (">f8", 1, 3), ("u1", 0, 1), (">i2", 3, 3)])
def test_vectors_are_unwrapped(dtype: str, start: int, stop: int) -> None:
    vectors = [np.arange(number).astype(dtype) for number in (3, 0, 5, 1)]
    parts = [pack(">IHI", 6 + part.nbytes, 9, len(part)) + part.tobytes() for part in vectors]
    ends = np.cumsum([0, *map(len, parts)])[start : stop + 1]
    counts, numbers = _unwrapped(memoryview(b"".join(parts)), ends, np.dtype(dtype))
    assert counts.tolist() == [3, 0, 5, 1][start:stop]
    assert numbers.dtype == np.dtype(dtype)
    assert numbers.tolist() == [int(number) for part in vectors[start:stop] for number in part]


@pytest.mark.parametrize("ends", [[0, 9], [0, 13], [0, 14, 20]])
def test_vectors_without_room_for_whole_numbers_are_left_to_uproot(ends: list[int]) -> None:
    with pytest.raises(ValueError, match="a vector has no whole number of numbers"):
        _unwrapped(memoryview(bytes(30)), np.array(ends), np.dtype(">i4"))


def test_vectors_are_not_read_by_uproot(data: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    path, name = data("PHYSLITE_example.root"), "AnalysisElectronsAuxDyn.pt"
    with uproot.open(path) as file:
        expected = file["CollectionTree"][name].array(entry_start=3, entry_stop=90).to_list()
    monkeypatch.setattr(uproot.TTree, "arrays", lambda *_, **__: pytest.fail("uproot reads"))
    assert files.read(path, "CollectionTree", [name], 3, 90)[name].to_list() == expected
    source: Any = acquire(path).source("CollectionTree")
    table = source.plain_units([name])[name]
    assert (table.is_vector, table.counter) == (True, "")


def test_where_baskets_are_is_noted_once(small_tree: str) -> None:
    source: Any = acquire(small_tree).source(None)
    files.read(small_tree, None, ["Jet_pt"], 0, 1)
    noted = dict(source._tables)
    files.read(small_tree, None, ["Jet_pt"], 5, 9)
    assert set(noted) == set(source._tables) == {"nJet_pt", "Jet_pt"}
    assert all(source._tables[unit] is table for unit, table in noted.items())


def test_columns_share_the_offsets_of_their_counter(data: Callable[[str], str]) -> None:
    got = files.read(data("nano_dy.root"), "Events", ["Jet_pt", "Jet_eta"], 3, 9)
    offsets = [array.layout.offsets.data for array in got.values()]
    assert np.shares_memory(*offsets)
    assert offsets[0][0] == 0


def test_plain_columns_are_not_read_by_uproot(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uproot.TTree, "arrays", lambda *_, **__: pytest.fail("uproot reads"))
    got = files.read(small_tree, None, ["Jet_pt", "flag", "weights"], 2, 5)
    assert got["Jet_pt"].to_list() == [[1, 2], [], [3]]
    assert got["weights"].to_list() == [[6, 7, 8], [9, 10, 11], [12, 13, 14]]


def test_whatever_fails_here_is_read_by_uproot(small_tree: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hep_tables_coffea.files.baskets.inflate", lambda *_: 1 / 0)
    monkeypatch.setattr("hep_tables_coffea.files.baskets.Reader._content", lambda *_: 1 / 0)
    assert lean(small_tree, "Events", ["Jet_pt"], 2, 5) == {}
    assert files.read(small_tree, None, ["Jet_pt"], 2, 5)["Jet_pt"].to_list() == [[1, 2], [], [3]]


def test_wrong_checksum_names_column_and_entries(tmp_path: Path) -> None:
    path = written(tmp_path / "bad.root", [{"x": np.arange(9000) // 7, "y": np.arange(9000)}], uproot.LZ4(1))
    with uproot.open(path) as file:
        seek, size = (file["Events/x"].member(name)[0] for name in ("fBasketSeek", "fBasketBytes"))
    with open(path, "r+b") as file:
        file.seek(seek + size - 5000)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(OSError, match=r"bad.root: cannot read 'x', entries 0 to 9000: .*[Cc]hecksum"):
        files.read(path, None, ["y", "x"], 0, 9000)
    assert files.read(path, None, ["y"], 5, 7)["y"].to_list() == [5, 6]


def test_basket_of_another_branch_is_not_taken(tmp_path: Path) -> None:
    source: Any = acquire(
        written(tmp_path / "a.root", [{"x": np.arange(9), "y": np.arange(9, dtype=np.int16)}])
    ).source(None)
    tables = source.plain_units(["x", "y"])
    tables["x"] = replace(tables["x"], ranges=tables["y"].ranges)
    assert list(read_baskets(source._lazy.tree.file.source, tables, ["x", "y"], 0, 9)) == ["y"]


def blocks(compression: Any) -> tuple[Any, bytes]:
    """Two compressed blocks, one after the other, and what is in them."""
    content = [(np.arange(number, dtype=">i4") // 16).astype(">i4").tobytes() for number in (5000, 3000)]
    packed = b"".join(uproot.compression.compress(part, compression) for part in content)
    return memoryview(packed), b"".join(content)


@pytest.mark.parametrize("compression", COMPRESSIONS[1:])
@pytest.mark.parametrize("needed", [0, 1, 9, 100, 19_999, 20_000, 20_001, 20_020, 31_999, 32_000])
def test_no_more_than_needed_is_decompressed(compression: Any, needed: int) -> None:
    packed, content = blocks(compression)
    into = memoryview(bytearray(len(content)))
    inflate(packed, needed, into)
    assert bytes(into[:needed]) == content[:needed]


def test_decompression_stops_at_what_is_needed() -> None:
    packed, content = blocks(uproot.ZSTD(1))
    into = memoryview(bytearray(len(content)))
    inflate(packed, 16_000, into)
    assert not any(into[16_000:])


def test_decompressor_that_refuses_otherwise_decompresses_all(monkeypatch: pytest.MonkeyPatch) -> None:
    packed, content = blocks(uproot.ZSTD(1))
    decompress = cramjam.zstd.decompress_into

    def refuse(packed: Any, into: Any) -> int:
        if len(into) < 20_000:
            msg = "no room"
            raise cramjam.DecompressionError(msg)
        return int(decompress(packed, into))

    monkeypatch.setattr(cramjam.zstd, "decompress_into", refuse)
    into = memoryview(bytearray(len(content)))
    inflate(packed, 16_000, into)
    assert bytes(into[:20_000]) == content[:20_000]


@pytest.mark.parametrize("cut", [5, 9, 700])
def test_block_that_is_cut_is_refused(cut: int) -> None:
    packed, content = blocks(uproot.ZLIB(1))
    with pytest.raises(ValueError, match=r"a block of \d+ bytes begins with b'ZL' and the sizes \d+ and \d+"):
        inflate(packed[:cut], len(content), memoryview(bytearray(len(content))))


def test_old_decompressor_knows_no_length(monkeypatch: pytest.MonkeyPatch) -> None:
    def decompress_block_into(packed: Any, into: Any) -> int:
        return pytest.fail("the size would have to be in the block")

    monkeypatch.setattr(cramjam.lz4, "decompress_block_into", decompress_block_into)
    packed, content = blocks(uproot.LZ4(1))
    into = memoryview(bytearray(len(content)))
    inflate(packed, len(content), into)
    assert bytes(into) == content


def test_unknown_compression_is_refused() -> None:
    packed = memoryview(b"CS\x01\x05\0\0\x05\0\0hello")
    with pytest.raises(ValueError, match=r"a block of 14 bytes begins with b'CS' and the sizes 5 and 5"):
        inflate(packed, 5, memoryview(bytearray(5)))


def test_block_with_fewer_bytes_than_announced_is_refused() -> None:
    packed = memoryview(bytearray(blocks(uproot.ZLIB(1))[0]))
    packed[6] += 1
    with pytest.raises(ValueError, match="a block has 20000 bytes where 20001 were announced"):
        inflate(packed, 20_001, memoryview(bytearray(40_000)))


def test_threads_read_at_once(tmp_path: Path) -> None:
    path = written(tmp_path / "a.root", [{"x": np.arange(500) + 500 * i} for i in range(20)], uproot.ZSTD(1))
    started = threading.Barrier(4)

    def read(number: int) -> int:
        started.wait()
        return sum(
            int(ak.sum(files.read(path, None, ["x"], start, start + 700)["x"])) for start in range(number, 9000, 200)
        )

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(read, range(4)))
    assert got == [sum(sum(range(start, start + 700)) for start in range(number, 9000, 200)) for number in range(4)]

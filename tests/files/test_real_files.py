"""Every readable column of every real file is what uproot and awkward read themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest
import uproot

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TREES = [
    ("PHYSLITE_example.root", "CollectionTree"),
    ("edm4hep.root", "events"),
    ("edm4hep.root", "podio_metadata"),
    ("missing_luminosityBlock.root", "Events"),
    ("nano_dimuon.root", "Events"),
    ("nano_dy.root", "Events"),
    ("nano_dy.root", "Runs"),
    ("nano_dy_empty.root", "Events"),
    ("nano_tt_v12.root", "Events"),
    ("nano_tt_v15.root", "Events"),
    ("treemaker.root", "PreSelection"),
    ("uproot-HZZ.root", "events"),
]
NTUPLES = ["nano_dy_rntuple.root", "Run2012BC_DoubleMuParked_Muons_1000evts_rntuple_v1-0-0-0.root"]
PARQUETS = ["Run2012B_SingleMu-1000.parquet", "nano_dimuon.parquet", "nano_dy.parquet"]


def branches(tree: Any) -> Iterator[tuple[str, Any]]:
    """Leaf branches under the names that we give them."""
    seen = set()
    for path, branch in tree.iteritems(recursive=True, full_paths=True):
        if not len(branch.branches):
            yield (path if branch.name in seen else branch.name), branch
            seen.add(branch.name)


def opened(name: str, array: Any) -> Iterator[tuple[str, Any]]:
    """The columns in an array of records, down to their ends."""
    if not array.fields:
        yield name, ak.from_regular(array, axis=None) if "regular" in str(array.layout.form).lower() else array
    for field in array.fields:
        yield from opened(f"{name}.{field}", array[field])


def readable(path: str, tree: str | None) -> list[str]:
    return [name for name, column in files.describe(path, tree).columns.items() if not column.problem]


@pytest.fixture
def check(same: Callable[[Any, Any], bool]) -> Callable[[str, str | None, dict[str, Any]], None]:
    """All columns whole, and some of them in parts, each time with nothing known of the file."""

    def compare(path: str, tree: str | None, expected: dict[str, Any]) -> None:
        names, n = list(expected), files.describe(path, tree).num_entries
        for start, stop, some in [
            (0, n, names),
            (n // 3, n - n // 4, names[::-7]),
            (min(1, n), min(2, n), names[3::11]),
            (n // 2, n // 2, names[5::-11]),
        ]:
            files.forget(path)
            got = files.read(path, tree, some, start, stop)
            assert list(got) == some
            assert [name for name in some if not same(got[name], expected[name][start:stop])] == []
            assert {len(array) for array in got.values()} <= {stop - start}

    return compare


@pytest.mark.parametrize(("name", "tree"), TREES)
def test_tree_is_read_as_uproot_reads_it(
    data: Callable[[str], str], check: Callable[..., None], name: str, tree: str
) -> None:
    expected: dict[str, Any] = {}
    with uproot.open(data(name), array_cache=None) as file:
        for key, branch in branches(file[tree]):
            try:
                expected.update(opened(key, branch.array()))
            except (ValueError, uproot.interpretation.identify.UnknownInterpretation):
                # uproot cannot read it, and refuses the records without members of ATLAS's containers
                continue
        uuid = file.file.hex_uuid
    table = files.describe(data(name), tree)
    assert [key for key, column in table.columns.items() if not column.problem] == list(expected)
    assert all(bool(column.dtype) != bool(column.problem) for column in table.columns.values())
    assert all(key == column.name for key, column in table.columns.items())
    assert (table.uuid, table.clusters[0], table.clusters[-1]) == (uuid, 0, table.num_entries)
    check(data(name), tree, expected)


@pytest.mark.parametrize("name", NTUPLES)
def test_ntuple_is_read_as_uproot_reads_it(data: Callable[[str], str], check: Callable[..., None], name: str) -> None:
    with uproot.open(data(name), array_cache=None) as file:
        fields = [field for field in file["Events"].fields if not field.name.startswith("_collection")]
        # uproot looks through all fields for each one that it reads: a few stand for all
        expected = {field.name: field.array() for field in fields[:: 1 + len(fields) // 100]}
    assert readable(data(name), "Events") == [field.name for field in fields]
    check(data(name), "Events", expected)


@pytest.mark.parametrize("name", PARQUETS)
def test_parquet_file_is_read_as_awkward_reads_it(
    data: Callable[[str], str], check: Callable[..., None], name: str
) -> None:
    events = ak.from_parquet(data(name))
    assert readable(data(name), None) == events.fields
    check(data(name), None, {field: events[field] for field in events.fields})


@pytest.mark.parametrize("name", ["nano_dy.root", "nano_dy_rntuple.root", "nano_dy.parquet"])
def test_formats_agree_on_the_values(data: Callable[[str], str], same: Callable[[Any, Any], bool], name: str) -> None:
    names = ["event", "Jet_pt", "Muon_charge", "HLT_IsoMu24"]
    reference = files.read(data("nano_dy.root"), "Events", names, 5, 35)
    got = files.read(data(name), "Events", names, 5, 35)
    assert all(same(got[key], reference[key]) for key in names)

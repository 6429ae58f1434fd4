"""Every dialect and every format, with values that uproot reads itself."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest
import uproot

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

JETS = (
    "(call Select (call Where (call EventDataset 'x' 'Events') (lambda (list e) (> (attr e 'MET_pt') 20))) "
    "(lambda (list e) (dict (list 'met' 'jet_pt') (list (attr e 'MET_pt') (/ (attr e 'Jet_pt') 2)))))"
)


@pytest.fixture
def expected(events: dict[str, str]) -> ak.Array:
    with uproot.open({events["a"]: "Events"}) as tree:
        arrays = tree.arrays(["MET_pt", "Jet_pt"])
    arrays = arrays[arrays.MET_pt > 20]
    return ak.zip({"met": arrays.MET_pt, "jet_pt": arrays.Jet_pt / 2}, depth_limit=1)


def test_parquet_has_the_values_of_the_query(client: Any, events: dict[str, str], expected: ak.Array) -> None:
    (file,) = client.ask([events["a"]], JETS).files
    assert ak.from_parquet(file).to_list() == expected.to_list()


def test_root_file_has_a_tree(client: Any, events: dict[str, str], expected: ak.Array) -> None:
    (file,) = client.ask([events["a"]], JETS, form="root-file").files
    with uproot.open(file) as opened:
        assert opened.classnames(cycle=False) == {"servicex": "TTree"}
        found = opened["servicex"].arrays(["met", "jet_pt"])
    assert found.to_list() == expected.to_list()


def test_root_rntuple_has_an_rntuple(client: Any, events: dict[str, str], expected: ak.Array) -> None:
    (file,) = client.ask([events["a"]], JETS, form="root-rntuple").files
    with uproot.open(file) as opened:
        assert opened.classnames(cycle=False) == {"servicex": "ROOT::RNTuple"}
        assert opened["servicex"].arrays().to_list() == expected.to_list()


def test_urls_can_be_read_from_where_they_are(client: Any, events: dict[str, str], expected: ak.Array) -> None:
    (url,) = client.ask([events["a"]], JETS, urls=True).urls
    with urllib.request.urlopen(url) as answer:
        assert answer.read(4) == b"PAR1"


def test_uproot_raw_chooses_cuts_and_computes(client: Any, events: dict[str, str], expected: ak.Array) -> None:
    from servicex import query as q

    part = {
        "treename": "Events",
        "expressions": ["MET_pt", "half"],
        "aliases": {"half": "Jet_pt / 2"},
        "cut": "MET_pt>20",
    }
    query = q.UprootRaw([part])  # type: ignore[attr-defined]
    (file,) = client.deliver([events["a"]], query, "uproot-raw")
    found = ak.from_parquet(file)
    assert found.half.to_list() == expected.jet_pt.to_list()
    assert found.MET_pt.to_list() == expected.met.to_list()


def test_uproot_raw_stays_inside_of_an_event_unless_told_otherwise(client: Any, events: dict[str, str]) -> None:
    from servicex import query as q

    part = {"treename": "Events", "expressions": ["Jet_pt"], "cut": "any(Jet_pt > 50)"}
    (file,) = client.deliver([events["a"]], q.UprootRaw([part]), "uproot-raw")  # type: ignore[attr-defined]
    assert ak.all(ak.any(ak.from_parquet(file).Jet_pt > 50, axis=1))
    standard = q.UprootRaw([part | {"use_standard_awkward_axis": True}])  # type: ignore[attr-defined]
    assert "are valid indices for slicing, not np.True_" in client.why([events["a"]], standard, "uproot-raw")


def test_uproot_raw_delivers_several_trees_and_copies_histograms(client: Any, tmp_path: Path) -> None:
    import hist
    from servicex import query as q

    path = str(tmp_path / "in.root")
    with uproot.recreate(path) as file:
        file.mktree("one", {"x": [1, 2]})
        file.mktree("two", {"x": [3]})
        file["h"] = hist.Hist.new.Reg(2, 0, 1).Double()
    parts = [{"treename": {"one": "a", "two": "b"}}, {"copy_histograms": "h"}]
    (file,) = client.deliver([path], q.UprootRaw(parts), "uproot-raw", "root-file")  # type: ignore[attr-defined]
    with uproot.open(file) as opened:
        assert {name: opened[name].classname for name in opened.keys(cycle=False)} == {
            "a": "TTree",
            "b": "TTree",
            "h": "TH1D",
        }
    (file,) = client.deliver([path], q.UprootRaw(parts[:1]), "uproot-raw")  # type: ignore[attr-defined]
    assert ak.from_parquet(file).to_list() == [
        {"x": 1, "treename": "a"},
        {"x": 2, "treename": "a"},
        {"x": 3, "treename": "b"},
    ]


def test_python_function_runs_in_a_worker(client: Any, events: dict[str, str], met: dict[str, list[float]]) -> None:
    from servicex import query as q

    source = """
    def run_query(input_filenames=None):
        import awkward as ak, os, uproot
        with uproot.open({input_filenames: "Events"}) as tree:
            return ak.with_field(tree.arrays(["MET_pt"]), os.getpid(), "process")
    """
    query = q.PythonFunction().with_uproot_function(source)  # type: ignore[attr-defined]
    (file,) = client.deliver([events["a"]], query, "python")
    found = ak.from_parquet(file)
    assert found.MET_pt.to_list() == met["a"]
    assert set(found.process.to_list()) <= set(client.endpoint.processes)


def test_python_function_may_write_its_output_itself(client: Any, events: dict[str, str]) -> None:
    from servicex import query as q

    source = "def run_query(path, output):\n    open(output, 'w').write('mine')\n"
    query = q.PythonFunction().with_uproot_function(source)  # type: ignore[attr-defined]
    (file,) = client.deliver([events["a"]], query, "python")
    with open(file) as opened:
        assert opened.read() == "mine"


def test_error_of_a_python_function_is_the_text_of_its_file(client: Any, events: dict[str, str]) -> None:
    from servicex import query as q

    query = q.PythonFunction().with_uproot_function("def run_query(path):\n    raise SystemExit('enough')")  # type: ignore[attr-defined]
    assert client.why([events["a"]], query, "python") == "SystemExit: enough"


@pytest.mark.parametrize("name", ["nano_dy.parquet", "nano_dy_rntuple.root", "nano_dy.root"])
def test_input_may_be_of_any_kind_that_the_library_reads(client: Any, data: Callable[[str], str], name: str) -> None:
    query = (
        "(call Select (call EventDataset 'x' 'Events') (lambda (list e) (dict (list 'pt') (list (attr e 'Jet_pt')))))"
    )
    (file,) = client.deliver([data(name)], query)
    with uproot.open({data("nano_dy.root"): "Events"}) as tree:
        assert ak.from_parquet(file).pt.to_list() == tree["Jet_pt"].array().to_list()


def test_record_of_a_parquet_file_is_read_whole(client: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "records.parquet")
    ak.to_parquet(ak.Array([{"Jet": [{"pt": 1.5, "n": 1}]}, {"Jet": []}]), path)
    query = "(call Select (call EventDataset 'x' 'Events') (lambda (list e) (dict (list 'pt') (list (attr (attr e 'Jet') 'pt')))))"
    (file,) = client.deliver([path], query)
    assert ak.from_parquet(file).pt.to_list() == [[1.5], []]


def test_missing_column_fails_with_the_names_nearest_to_it(client: Any, events: dict[str, str]) -> None:
    query = (
        "(call Select (call EventDataset 'x' 'Events') (lambda (list e) (dict (list 'pt') (list (attr e 'Jet_ptt')))))"
    )
    assert client.why([events["a"]], query) == (
        f"KeyError: {events['a']} has no column 'Jet_ptt' in its tree 'Events': closest are 'Jet_pt', "
        "'MET_pt', 'GenJet_pt' and 83 more"
    )


def test_number_for_the_whole_file_is_refused_in_words(client: Any, events: dict[str, str]) -> None:
    query = "(call Sum (call Select (call EventDataset 'x' 'Events') (lambda (list e) (attr e 'MET_pt'))))"
    assert "gives one float32 for the whole file" in client.why([events["a"]], query)


def test_missing_file_fails_with_its_name(client: Any) -> None:
    status = client.wait(client.submit(["/nowhere/a.root"])[1]["request_id"])
    assert status["failure-info"] == "/nowhere/a.root: FileNotFoundError: /nowhere/a.root does not exist"
    assert (status["status"], status["files-failed"]) == ("Complete", 1)

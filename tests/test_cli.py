"""The command line, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import hist
import pytest
import uhi.io.json
from matplotlib.image import imread

import hep_tables_coffea as ht
from hep_tables_coffea import cli

if TYPE_CHECKING:
    from pathlib import Path

HISTOGRAMS = ["z_to_ee", "z_to_mumu", "electron_pt", "electron_pt_physlite", "met_of_z_events"]


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m hep_tables_coffea ...` in a folder."""
    command = [sys.executable, "-m", "hep_tables_coffea", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, encoding="utf-8")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a demonstration, and what it printed."""
    folder = tmp_path_factory.mktemp("demo")
    done = call(folder, "demo", "--events", "2000")
    assert done.returncode == 0, done.stderr
    return folder / "demo-output", done.stdout


@pytest.fixture(scope="module")
def expected(demo: tuple[Path, str]) -> dict[str, Any]:
    """The histograms of the same analysis, run here."""
    return ht.make_local(cli.analysis(str(demo[0] / "nanoaod.root"), str(demo[0] / "physlite.root")))


@pytest.fixture
def sample(tmp_path: Path) -> str:
    return ht.samples.nanoaod(tmp_path / "zll.root", events=10)


def test_demo_makes_every_histogram(expected: dict[str, Any]) -> None:
    assert list(expected) == HISTOGRAMS == list(cli.TITLES)


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_demo_draws_a_picture(demo: tuple[Path, str], name: str) -> None:
    picture = imread(demo[0] / f"{name}.png")
    assert picture.shape[0] > 400
    assert picture.std() > 0.05


@pytest.mark.parametrize("name", HISTOGRAMS)
def test_demo_saves_a_histogram_that_can_be_read_back(
    demo: tuple[Path, str], expected: dict[str, Any], name: str
) -> None:
    content = json.loads((demo[0] / f"{name}.json").read_text(), object_hook=uhi.io.json.object_hook)
    assert hist.Hist(content) == expected[name]


def test_demo_finds_the_z_boson(expected: dict[str, Any]) -> None:
    mass = expected["z_to_mumu"]
    assert mass.axes[0].centers[mass.values().argmax()] == pytest.approx(91.19, abs=2)


def test_demo_counts_the_same_electrons_in_both_formats(expected: dict[str, Any]) -> None:
    assert expected["electron_pt"].sum(flow=True).value > 0
    assert expected["electron_pt"] == expected["electron_pt_physlite"]


@pytest.mark.parametrize(
    "part",
    ["def analysis(", "reads 12 of", "AnalysisElectronsAuxDyn.pt", "4000 events", "z_to_mumu: Mass of the pair", "█", "z_to_ee.png"],
)  # fmt: skip
def test_demo_tells_what_it_does(demo: tuple[Path, str], part: str) -> None:
    assert part in demo[1]


def test_demo_leaves_a_processor_that_needs_no_library(demo: tuple[Path, str]) -> None:
    source = (demo[0] / "z_to_ee.py").read_text()
    assert "import hep_tables_coffea" not in source
    compile(source, "z_to_ee.py", "exec")


def test_demo_can_write_elsewhere_and_run_in_processes(tmp_path: Path) -> None:
    done = call(tmp_path, "demo", "--events=10", "--folder=a/b", "--executor=futures")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a" / "b" / "z_to_ee.png").exists()


@pytest.mark.parametrize("events", ["0", "-1", "many"])
def test_demo_refuses_a_number_that_makes_no_sense(
    events: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["demo", f"--events={events}", f"--folder={tmp_path}"])
    assert "a positive number is needed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_schemas_are_listed_with_what_they_are(tmp_path: Path) -> None:
    shown = call(tmp_path, "schemas").stdout
    assert all(name in shown for name in ("nanoaod", "physlite", "flat", "delphes", "treemaker", "edm4hep"))
    assert "CollectionTree" in shown


@pytest.mark.parametrize(
    "line", ["nanoaod", "Muon  event * Muon", "pt  event * Muon * float32", "matched_gen  GenPart", "run  event * "]
)
def test_show_has_collections_columns_and_references(sample: str, line: str) -> None:
    with cli.console.capture() as captured:
        assert cli.main(["show", sample]) == 0
    assert line in captured.get()


def test_show_tells_what_a_column_is(data: Any) -> None:
    with cli.console.capture() as captured:
        cli.main(["show", data("nano_dy.root"), "Electron"])
    assert "dxy (with sign) wrt first PV, in cm" in captured.get()
    assert "Muon_pt" not in captured.get()


def test_show_can_be_told_the_schema_and_the_tree(sample: str) -> None:
    with cli.console.capture() as captured:
        assert cli.main(["show", sample, "--schema=flat", "--tree=Runs"]) == 0
    assert "genEventCount" in captured.get()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.root"], "nowhere.root does not exist"),
        (["zll.root", "Jett"], "did you mean Jet"),
        (["zll.root", "--schema=nanoadd"], "did you mean nanoaod"),
        (["zll.root", "--tree=Eventss"], "Eventss"),
    ],
)
def test_mistake_is_a_message_and_no_traceback(
    sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    arguments: list[str], message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert cli.main(["show", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "recorded at" not in error


def test_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--version"])
    assert capsys.readouterr().out.strip() == ht.__version__


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main(["--help"])
    text = capsys.readouterr().out
    assert [name for name in ("demo", "schemas", "show") if name not in text] == []


def test_cache_is_shown_and_cleared(tmp_path: Path, sample: str, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "kept"
    time.sleep(0.2)  # a file of just now is not kept
    ht.make_local(ht.nanoaod(sample).MET.pt, cache=folder)
    for action, size in (
        ("show", "0.0 MB kept, 1 files"),
        ("clear", "0.0 MB dropped, 1 files"),
        ("show", "kept, 0 files"),
    ):
        assert cli.main(["cache", action, "--folder", str(folder)]) == 0
        assert size in capsys.readouterr().out
    assert cli.main(["cache"]) == 0
    assert "columns: " in capsys.readouterr().out


def test_servicex_serve_answers_until_it_is_ended(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hep_tables_coffea", "servicex", "serve"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        address = line.partition(" answers at ")[2].partition(";")[0]
        with urlopen(f"{address}/servicex") as answer:
            assert "uproot" in json.load(answer)["code-gen-image"]
        server.terminate()
        assert server.wait(30) == 0


def test_clearing_the_cache_drops_deliveries_too(sample: str, tmp_path: Path) -> None:
    ht.make_local(ht.nanoaod(sample).Jet.pt, backend="servicex", cache=tmp_path / "kept")
    os.utime(sample, (1, 1))  # it was written long ago
    ht.make_local(ht.nanoaod(sample).Jet.pt, backend="servicex", cache=tmp_path / "kept")
    kept = call(tmp_path, "cache", "show", "--folder", str(tmp_path / "kept")).stdout
    assert "0.0 MB kept, 0 files" not in kept
    call(tmp_path, "cache", "clear", "--folder", str(tmp_path / "kept"))
    assert "0 files" in call(tmp_path, "cache", "show", "--folder", str(tmp_path / "kept")).stdout

"""Bars in a notebook: text that is replaced, and no widget, for which a client that runs notebooks may wait for ever."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import uproot

if TYPE_CHECKING:
    from pathlib import Path

nbformat = pytest.importorskip("nbformat", reason="notebooks are run where nbclient is installed")
nbclient = pytest.importorskip("nbclient", reason="notebooks are run where nbclient is installed")
pytest.importorskip("ipykernel", reason="notebooks are run where ipykernel is installed")

BEGIN = "import hep_tables_coffea as ht; events = ht.dataset('a.root')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notebook")
    with uproot.recreate(folder / "a.root", compression=None) as file:
        file.mktree("Events", {"x": "f8"}).extend({"x": np.arange(10.0)})
    return folder


@pytest.fixture
def shown(folder: Path) -> Any:
    """What cells leave in a notebook: of each output its text, or its kinds where it is no text."""

    def run(*cells: str) -> list[list[str]]:
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (BEGIN, *cells)])
        nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
        return [[_text(output) for output in cell.outputs] for cell in notebook.cells[1:]]

    return run


def _text(output: Any) -> str:
    data = output.get("data", {"text/plain": output.get("text", "")})
    return str(data["text/plain"]) if set(data) == {"text/plain"} else f"not only text: {sorted(data)}"


@pytest.mark.parametrize("executor", ["auto", "iterative", "threads", "futures"])
def test_bar_is_text_in_the_output_of_the_cell(shown: Any, executor: str) -> None:
    ((bar, value),) = shown(f"ht.make_local(events.x.Sum(), chunksize=2, executor={executor!r}, workers=1)")
    assert re.search(r"Processing 100% ━+ 5/5 \[", bar)
    assert value == "45.0"


def test_bar_of_a_runner_with_our_executor_is_text(shown: Any) -> None:
    cell = """
from coffea.nanoevents import BaseSchema
from coffea.processor import Runner
runner = Runner(executor=ht.Executor(workers=1), schema=BaseSchema, chunksize=2, metadata_cache={})
runner({"a": {"files": {"a.root": "Events"}}}, ht.to_processor({"n": events.x.Count()}))["n"]
"""
    ((*bars, value),) = shown(cell)
    assert [re.sub(r" ━+ (\d+/\d+) .*", r" \1", bar) for bar in bars] == [
        "Preprocessing 100% 1/1",
        "Processing 100% 5/5",
    ]
    assert value == "10"


@pytest.mark.parametrize("executor", ["auto", "iterative", "futures"])
def test_without_progress_the_cell_has_the_value_alone(shown: Any, executor: str) -> None:
    given = f"chunksize=2, executor={executor!r}, workers=1, progress=False"
    assert shown(f"ht.make_local(events.x.Sum(), {given})") == [["45.0"]]


def test_what_a_function_prints_meanwhile_is_beside_the_bar(shown: Any) -> None:
    loud = "@ht.user_func(vectorized=True)\ndef loud(x: float) -> float:\n    print('said')\n    return x"
    ((bar, said, value),) = shown(f"{loud}\nht.make_local(loud(events.x).Sum(), chunksize=10, progress=True)")
    assert "1/1" in bar
    assert (said, value) == ("said\n", "45.0")


def test_bars_of_coffea_are_its_own_again_after_the_run(shown: Any) -> None:
    run = "ht.make_local(events.x.Sum(), chunksize=2)"
    assert shown(f"from coffea.util import rich_bar; {run}", "type(rich_bar()).__module__")[1] == ["'rich.progress'"]

"""Variations in processors: over simulation, data and both, in coffea's own Runner, without this library, after ServiceX."""

from __future__ import annotations

import pickle
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from coffea import processor
from coffea.nanoevents import BaseSchema

import hep_tables_coffea as ht
from hep_tables_coffea.testing.varied import Shifted, bits, in_variation, labels_of

MC, DATA = [10.0, 20.0, 30.0], [12.0, 22.0, 5.0, 40.0]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("both")
    for name, values in {"mc": MC, "data": DATA}.items():
        with uproot.recreate(folder / f"{name}.root") as file:
            file.mktree("events", {"met": "f8"}).extend({"met": np.array(values)})
    return {name: str(folder / f"{name}.root") for name in ("mc", "data")}


def fileset(files: Mapping[str, str], **metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"files": {files[name]: "events"}, "metadata": about} for name, about in metadata.items()}


def outputs(events: Any, vary: Callable[..., Any] = ht.vary) -> dict[str, Any]:
    met = vary(events.met, "jes", up=events.met * 2, down=events.met / 2)
    high = met[met > 15]
    return {
        "h": ht.Hist.new.Reg(4, 0, 80, name="x").Weight().fill(high, weight=vary(1.0, "lumi", up=1.25, down=0.75)),
        "high": high,
        "n": high.Count(),
        "span": met.Max() - met.Min(),
        "counts": np.histogram(met, bins=4, range=(0, 80))[0],
        "plain": events.met.Sum(axis=None),
    }


def in_runner(instance: Any, over: Mapping[str, Any]) -> Any:
    """Run by coffea, which otherwise keeps the metadata of a file from an earlier run."""
    run = processor.Runner(processor.IterativeExecutor(status=False), schema=BaseSchema, chunksize=2, metadata_cache={})
    return run(over, processor_instance=instance)


BOTH: dict[str, dict[str, Any]] = {
    "is_mc": {"mc": {"is_mc": True}, "data": {"is_mc": False}},
    "is_data": {"mc": {"is_data": False}, "data": {"is_data": True}},
    "numbers": {"mc": {"is_mc": 1}, "data": {"is_mc": 0}},
    "one of each": {"mc": {"is_mc": np.True_}, "data": {"is_data": np.True_}},
}


def check_both(answers: Mapping[str, Any]) -> None:
    """The data are in nominal only. Which sample comes first depends on where the processor was recorded."""
    assert {label: sorted(part.tolist()) for label, part in answers["high"].items()} == {
        "nominal": [20, 22, 30, 40],
        "jes_up": [20, 40, 60],
        "jes_down": [],
    }
    assert answers["n"] == {"nominal": 4, "jes_up": 3, "jes_down": 0}
    assert answers["span"] == {"nominal": 35, "jes_up": 40, "jes_down": 10}
    assert answers["counts"]["nominal"].tolist() == [3, 3, 1, 0]
    assert answers["counts"]["jes_up"].tolist() == [0, 1, 1, 1]
    assert answers["plain"] == sum(MC) + sum(DATA)
    sums = {label: answers["h"][{"variation": label}].sum().value for label in ("nominal", "jes_up", "lumi_up")}
    assert sums == {"nominal": 4, "jes_up": 3, "lumi_up": 2.5}


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("metadata", BOTH.values(), ids=BOTH)
def test_data_are_in_nominal_only(files: dict[str, str], metadata: dict[str, Any], engine: str) -> None:
    check_both(ht.make_local(outputs(ht.dataset(fileset(files, **metadata), schema="flat")), engine=engine))


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("metadata", BOTH.values(), ids=BOTH)
def test_processor_of_simulation_leaves_data_alone(
    files: dict[str, str], metadata: dict[str, Any], engine: str
) -> None:
    with ht.options(engine=engine):
        instance = ht.to_processor(outputs(ht.flat(files["mc"], tree="events", metadata={"is_mc": True})))
    check_both(in_runner(instance, fileset(files, **metadata)))


def test_processor_of_data_varies_simulation(files: dict[str, str]) -> None:
    instance = ht.to_processor(outputs(ht.flat(files["data"], tree="events", metadata={"is_data": True})))
    check_both(in_runner(instance, fileset(files, **BOTH["is_mc"])))


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_histograms_of_simulation_and_data_add_up(files: dict[str, str], engine: str) -> None:
    with ht.options(engine=engine):
        parts = [{name: about} for name, about in BOTH["is_mc"].items()]
        together, mc, data = (
            ht.make_local(outputs(ht.dataset(fileset(files, **one), schema="flat"))["h"])
            for one in (BOTH["is_mc"], *parts)
        )
    assert bits(mc + data) == bits(together)


def test_processor_over_parts_of_a_fileset_adds_up(files: dict[str, str]) -> None:
    instance = ht.to_processor(outputs(ht.flat(files["mc"], tree="events", metadata={"is_mc": True})))
    together, mc, data = (
        in_runner(instance, fileset(files, **one))["h"]
        for one in (BOTH["is_mc"], {"mc": {"is_mc": True}}, {"data": {"is_mc": False}})
    )
    assert bits(mc + data) == bits(together)


def test_processor_obeys_the_law(files: dict[str, str]) -> None:
    def recorded(vary: Callable[..., Any]) -> dict[str, Any]:
        return outputs(ht.flat(files["mc"], tree="events", metadata={"is_mc": True}), vary)

    over = fileset(files, mc={"is_mc": True})
    answers = in_runner(ht.to_processor(recorded(ht.vary)), over)
    for label in labels_of(outputs, ht.flat(files["mc"], tree="events")):
        expected = in_runner(ht.to_processor(recorded(Shifted(label))), over)
        assert bits(in_variation(answers, label, expected)) == bits(expected)


WITHOUT_US = """
import pickle, sys
from coffea import processor
from coffea.nanoevents import BaseSchema
from coffea.util import coffea_console
coffea_console.quiet = True
from written import WrittenProcessor
run = processor.Runner(processor.IterativeExecutor(), schema=BaseSchema, chunksize=2)
out = run({n: {"files": {p: "events"}, "metadata": {"is_mc": n == "mc"}} for n, p in zip(["mc", "data"], sys.argv[1:3])},
          processor_instance=WrittenProcessor())
pickle.dump(out, open(sys.argv[3], "wb"))
"""


def test_written_processor_varies_without_this_library(
    files: dict[str, str], tmp_path: Path, without_us: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    events = ht.flat(files["mc"], tree="events", metadata={"is_mc": True})
    ht.write_processor(outputs(events), tmp_path / "written.py")
    without_us(WITHOUT_US, files["mc"], files["data"], str(tmp_path / "out"))
    check_both(pickle.loads((tmp_path / "out").read_bytes()))


@pytest.mark.filterwarnings("ignore:Performed attempt")
@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("value", ["False", 2, [True]], ids=str)
def test_processor_refuses_metadata_that_are_not_true_or_false(files: dict[str, str], value: Any, engine: str) -> None:
    with ht.options(engine=engine):
        instance = ht.to_processor(outputs(ht.flat(files["mc"], tree="events", metadata={"is_mc": True})))
    with pytest.raises(Exception, match="Failed processing file") as raised:
        in_runner(instance, fileset(files, mc={"is_mc": value}))
    assert str(raised.value.__cause__) == f"the metadata 'is_mc' must be True or False, and not {value!r}"


def test_servicex_gives_what_a_local_run_gives(tmp_path: Path) -> None:
    pytest.importorskip("servicex", reason="the extra servicex is not installed")
    path = ht.samples.nanoaod(tmp_path / "zll.root", events=40)

    def of_jets() -> dict[str, Any]:
        events = ht.nanoaod(path, metadata={"is_mc": True})
        jets = events.Jet
        jets["pt"] = ht.vary(jets.pt, "jes", up=jets.pt * 1.25, down=jets.pt * 0.75)
        good = jets[jets.pt > 30]
        met = ht.vary(events.MET.pt, "jes", up=events.MET.pt + 5, down=events.MET.pt - 5)
        return {
            "pt": good.pt,
            "n": events[good.Count() > 1].Count(),
            "met": met[met > met.Mean()],
            "mass": good.Sum().mass,
            "h": ht.Hist.new.Reg(9, 0, 90, name="x").Weight().fill(good.pt, weight=met),
        }

    delivered = ht.run(of_jets(), backend="servicex", cache=False)
    assert delivered.plan.stages[0].cut is not None
    assert bits(delivered.value) == bits(ht.make_local(of_jets()))

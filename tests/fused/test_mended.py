"""What went wrong once with kernels, and does not any more."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused import helpers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_no_temporary_folder_is_made_where_the_cache_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("HEP_TABLES_COFFEA_CACHE", str(tmp_path / "cache"))
    helpers.kernel_file("x = 1", "one")
    assert list((tmp_path / "temporary").iterdir()) == []


def test_oldest_kernels_are_deleted_with_what_is_kept_of_them(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    for number in range(5):
        (tmp_path / f"kernel_{number}.py").write_text("x = 1")
        (tmp_path / "__pycache__" / f"kernel_{number}.kernel-1.py311.nbi").write_text("compiled")
        (tmp_path / "__pycache__" / f"kernel_{number}.0123456789abcdef.machine").write_text("compiled")
        os.utime(tmp_path / f"kernel_{number}.py", (number, number))
    helpers.forget_kernels(tmp_path, 2)
    assert sorted(path.name for path in tmp_path.glob("*.py")) == ["kernel_3.py", "kernel_4.py"]
    kept = sorted(path.name[:8] for path in (tmp_path / "__pycache__").iterdir())
    assert kept == ["kernel_3", "kernel_3", "kernel_4", "kernel_4"]


SCRIPT = """\
from hep_tables_coffea.codegen.fused.helpers import ready_kernel
print(ready_kernel("def kernel(:", "wrong", True))
"""


def test_failed_kernel_does_not_hang_where_warnings_are_errors(tmp_path: Path) -> None:
    environment = {**os.environ, "HEP_TABLES_COFFEA_CACHE": str(tmp_path)}
    command = [sys.executable, "-W", "error::UserWarning", "-c", SCRIPT]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, timeout=30, check=False)
    assert done.stdout == "None\n"


def test_record_that_may_be_missing_has_the_type_of_the_columnar_engine(d: ht.Array, same: Callable[..., bool]) -> None:
    answers: list[Any] = [ht.make_local(d.els[0], engine=engine) for engine in ("fused", "columnar")]
    assert str(answers[1].type) == "4 * ?{pt: float64, q: int8}"
    assert same(*answers)


def test_values_of_a_total_stay_in_lists_for_records_that_awkward_makes_of_them(
    d: ht.Array, same: Callable[..., bool]
) -> None:
    outputs = {"least": d.jets.hits.Min(axis=None), "jets": d.jets}
    fused, columnar = (ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar"))
    assert same(fused, columnar)


def test_values_of_a_total_stay_in_lists_for_a_column_of_another_kernel(
    d: ht.Array, same: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hep_tables_coffea.codegen.fused.stage.MOST", 1)
    outputs = {"least": d.els.pt.Min(axis=None), "pt": d.els.pt}
    fused, columnar = (ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar"))
    assert same(fused, columnar)


def test_each_kernel_of_several_counts_for_itself(
    d: ht.Array, same: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hep_tables_coffea.codegen.fused.stage.MOST", 1)
    categories = ht.Hist.new.StrCat([], growth=True, name="kind").Reg(2, 0, 100, name="pt").Double()
    outputs = {"pt": d.els.pt, "kinds": categories.fill("a", d.jets[d.jets.pt > 1e9].pt).fill("b", d.els.pt)}
    outputs |= {"few": d.jets[d.jets.pt > 30].pt, "met": d.met * 2}
    fused, columnar = (ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar"))
    assert same(fused, columnar)


def test_records_of_one_kernel_that_outputs_of_another_need_with_their_methods(
    many: ht.Array, same: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hep_tables_coffea.codegen.fused.stage.MOST", 1)
    pairs = ht.pairs(many.Muon)
    both = pairs.a + pairs.b
    outputs = {"both": both, "quarter": (both / 4.0).pt}
    fused, columnar = (ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar"))
    assert same(fused, columnar)


@pytest.mark.parametrize("column", ["ok", "q"])
def test_kernel_has_values_that_may_be_missing_along_an_axis_of_categories(
    column: str, d: ht.Array, same: Callable[..., bool], fused: Callable[..., Any], compiled: Callable[..., Any]
) -> None:
    filled = {"ok": ht.Hist.new.Bool(name="x"), "q": ht.Hist.new.IntCat([1, -1], name="x")}[column].Double()
    outputs = {"h": filled.fill(d.jets[0].ok if column == "ok" else d.els[0].q)}
    assert compiled(fused(outputs)) is not None
    assert same(ht.make_local(outputs, engine="fused"), ht.make_local(outputs, engine="columnar"))


def test_whole_numbers_without_a_fraction_are_not_rounded(tmp_path: Path) -> None:
    large = 2**53 + 1
    ak.to_parquet(ak.zip({"n": ak.Array([large, -large, 3])}, depth_limit=1), tmp_path / "large.parquet")
    events = ht.flat(tmp_path / "large.parquet")
    for engine in ("fused", "columnar"):
        for one in ht.make_local(np.floor(events.n), np.ceil(events.n), engine=engine):
            assert one.tolist() == [large, -large, 3]


def test_values_of_the_dataset_beside_what_is_left_to_the_columnar_engine(
    tmp_path: Path, same: Callable[..., bool]
) -> None:
    lists = ak.Array([[1.0], [2.0, 3.0]])
    columns = {"flag": ak.Array([False, False]), "els_pt": lists, "els_m": lists}
    ak.to_parquet(ak.zip(columns, depth_limit=1), tmp_path / "two.parquet")
    events = ht.flat(tmp_path / "two.parquet")
    some = events.els.pt[events.flag]
    few = some[events.flag & events.flag]
    none = few[events.flag & (events.els.pt != 1.5)].Count(axis=None)
    axes = ht.Hist.new.Var([0, 1, 2.5], overflow=False, name="a").IntCat([1], name="b").IntCat([0], name="c")
    left = axes.Weight().fill(events.els.Take(2).m, none, few.Count(axis=None))
    outputs = {"some": some.Count(axis=None), "few": few.Count(axis=None), "none": none, "left": left}
    answers: list[Any] = [ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar")]
    assert same(*answers)


@pytest.mark.parametrize("kind", ["int8", "uint8", "int32", "uint64"])
def test_powers_of_whole_numbers_of_every_size(kind: str, tmp_path: Path) -> None:
    ak.to_parquet(ak.zip({"n": ak.Array(np.array([0, 1, 2, 3], kind))}, depth_limit=1), tmp_path / "few.parquet")
    n = ht.flat(tmp_path / "few.parquet").n
    for engine in ("fused", "columnar"):
        found = ht.make_local(n**2, n**3, engine=engine)
        assert [one.tolist() for one in found] == [[0, 1, 4, 9], [0, 1, 8, 27]]


def test_value_made_with_one_of_the_dataset_has_the_type_of_the_columnar_engine(
    d: ht.Array, same: Callable[..., bool]
) -> None:
    largest, none = d.met.Max(axis=None), d.met[d.met > 1e9].Max(axis=None)
    outputs = {
        "share": d.met / largest,
        "list": d.jets.pt / largest,
        "none": d.met / none,
        "few": d.jets[0].pt / largest,
    }
    answers: list[Any] = [ht.make_local(outputs, engine=engine) for engine in ("fused", "columnar")]
    assert "?" not in f"{answers[0]['share'].type} {answers[0]['list'].type}"
    assert same(*answers)

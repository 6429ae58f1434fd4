"""Small files, and a comparison of arrays down to their buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

from hep_tables_coffea import files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Ten events with 0, 1, 2, 0, 1, ... jets.
JET_PT = ak.unflatten(np.arange(9, dtype=np.float32), np.arange(10) % 3)


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    """Real files are parsed once for all tests, but where a test looks at what is kept."""
    files.forget()
    yield
    files.forget()


@pytest.fixture
def small_events() -> dict[str, Any]:
    return {
        "event": np.arange(10, dtype=np.int64),
        "flag": np.arange(10) % 2 == 0,
        "Jet_pt": JET_PT,
        "weights": np.arange(30, dtype=np.float64).reshape(10, 3),
    }


@pytest.fixture
def write_tree(tmp_path: Path) -> Callable[..., str]:
    """`write_tree(events)`: the path of a ROOT file with them in a TTree, in clusters of four."""

    def write(events: dict[str, Any], tree: str = "Events", name: str = "events.root") -> str:
        path = tmp_path / name
        with uproot.recreate(path) as file:
            made = file.mktree(tree, {key: ak.to_layout(array).form.type for key, array in events.items()})
            for start in range(0, 10, 4):
                made.extend({key: array[start : start + 4] for key, array in events.items()})
        return str(path)

    return write


@pytest.fixture
def small_tree(write_tree: Callable[..., str], small_events: dict[str, Any]) -> str:
    return write_tree(small_events)


def buffers(layout: Any) -> list[Any]:
    """Everything that tells two plain arrays apart."""
    if layout.is_list and layout.parameter("__array__") is None:
        lists = layout.to_ListOffsetArray64(True)
        return [lists.offsets.data, *buffers(lists.content[: lists.offsets[-1]])]
    if layout.is_list:
        return [np.array(layout.to_list(), dtype=object)]
    if layout.is_option:
        return [layout.mask_as_bool(), *buffers(layout.project())]
    if layout.is_indexed:
        return buffers(layout.project())
    assert layout.is_numpy, layout
    return [layout.data]


@pytest.fixture(scope="session")
def same() -> Callable[[Any, Any], bool]:
    """Whether two arrays have the same values, lists and numbers of the same type; NaN is equal to NaN."""

    def equal(a: Any, b: Any) -> bool:
        return bool(a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))

    def compare(ours: Any, theirs: Any) -> bool:
        pairs = zip(buffers(ak.to_layout(ours)), buffers(ak.to_layout(theirs)), strict=True)
        return all(equal(a, b) for a, b in pairs)

    return compare

"""Three events, the second one nearly empty, small enough to know every answer by heart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht

TOY: dict[str, Any] = {
    "met": [10.0, -30.0, 70.0],
    "jets": {"pt": [[50.0, 20.0, 35.0], [], [31.0]], "eta": [[0.5, 1.0, -2.6], [], [0.2]]},
    "els": {
        "pt": [[45.0, 30.0], [60.0], []],
        "eta": [[0.5, 1.3], [0.1], []],
        "phi": [[0.0, 1.0], [0.1], []],
    },
    "mcs": {"pt": [[1.0, 2.0], [3.0], []], "eta": [[0.1, 0.2], [0.3], []]},
    "tracks": {"pt": [[5.0], [], [7.0, 8.0]], "eta": [[0.1], [], [0.1, 0.2]]},
}


def write_flat(path: Path, columns: dict[str, Any]) -> str:
    """A TTree `events` with flat names: `met`, `njets`, `jets_pt`, ..."""
    arrays = {
        name: ak.zip({field: ak.Array(values) for field, values in column.items()})
        if isinstance(column, dict)
        else np.asarray(column)
        for name, column in columns.items()
    }
    types = {name: array.type if isinstance(array, ak.Array) else array.dtype for name, array in arrays.items()}
    with uproot.recreate(path) as file:
        file.mktree("events", types)
        file["events"].extend(arrays)
    return str(path)


@pytest.fixture(scope="session")
def toy_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_flat(tmp_path_factory.mktemp("toy") / "toy.root", TOY)


@pytest.fixture
def toy(toy_path: str) -> Any:
    """The events, freshly opened."""
    return ht.flat(toy_path, tree="events")


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """`write(x=[1.0])`: a new file with these columns."""
    return lambda **columns: write_flat(tmp_path / "events.root", columns)


@pytest.fixture
def local() -> Callable[..., Any]:
    """`local(x, y)`: the values as plain Python, the same in chunks of one event."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, tuple):
            return tuple(map(plain, value))
        return value.tolist() if hasattr(value, "tolist") else value

    def go(*outputs: Any, **options: Any) -> Any:
        found = plain(ht.make_local(*outputs, **options))
        if not options:
            assert plain(ht.make_local(*outputs, chunksize=1)) == found
        return found

    return go


@pytest.fixture(autouse=True)
def no_aliases() -> Iterator[None]:
    yield
    ht.clear_aliases()

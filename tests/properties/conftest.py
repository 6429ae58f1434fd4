"""Fixtures of the property tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hep_tables_coffea.testing.strategies import Table


@pytest.fixture(scope="session")
def write(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Table], str]:
    """`write(table)`: the path of a new file of it."""
    from itertools import count

    from hep_tables_coffea.testing.strategies import write as write_table

    folder: Path = tmp_path_factory.mktemp("tables")
    numbers = count()
    return lambda table: write_table(table, folder / f"table{next(numbers)}")

"""The reference of the documentation names what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import hep_tables_coffea as ht

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "reference" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ht.__all__)
def test_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf"(\s|\.){name}\b", PAGE)

"""Kernels compiled by LLVM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hep_tables_coffea.codegen.fused import machine
from hep_tables_coffea.codegen.native.compile import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def native(tmp_path: Path) -> Callable[[str], Any]:
    """The kernel of a text, compiled without numba."""
    (tmp_path / "__pycache__").mkdir()

    def compiled(text: str) -> Any:
        path = str(tmp_path / f"kernel_{digest_of(text)}.py")
        machine.write_machine_code(path, text)
        kernel = machine.kept_kernel(path, text, lambda: pytest.fail("left to numba"))
        assert kernel is not None
        return kernel

    return compiled

"""The C library is told once to keep what is freed, unless the user has told it something."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

ASKED = "from hep_tables_coffea.files.memory import keep_freed; print(keep_freed())"


def asked(**environment: str) -> str:
    usual = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    done = subprocess.run(
        [sys.executable, "-c", ASKED], env={**usual, **environment}, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc can be told")
def test_freed_memory_is_kept() -> None:
    assert asked() == "True"


def test_settings_of_the_user_stay() -> None:
    assert asked(MALLOC_TRIM_THRESHOLD_="100000") == "False"

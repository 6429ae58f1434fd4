"""What a user gets from the wheel."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.metadata import version
from pathlib import Path

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["hep_tables_coffea", "processors", "schemas", "setup.cfg", "pyproject.toml", "README.md", "LICENSE"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built without network from a copy, so that nothing is left in the source."""
    if int(version("setuptools").split(".")[0]) < 77:
        pytest.skip("needs setuptools 77 or newer in this environment")
    source = tmp_path_factory.mktemp("source")
    for name in NAMES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    done = subprocess.run([*command, "--wheel-dir", target, source], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = target.glob("*.whl")
    return zipfile.ZipFile(file)


def test_wheel_holds_every_module(wheel: zipfile.ZipFile) -> None:
    folders = {"hep_tables_coffea": "", "processors": "hep_tables_coffea/", "schemas": "hep_tables_coffea/"}
    modules = {
        prefix + path.relative_to(ROOT).as_posix()
        for folder, prefix in folders.items()
        for path in (ROOT / folder).rglob("*.py")
    }
    shipped = {name for name in wheel.namelist() if name.endswith(".py")}
    assert shipped == modules


def test_wheel_says_that_it_is_typed(wheel: zipfile.ZipFile) -> None:
    assert "hep_tables_coffea/py.typed" in wheel.namelist()


def test_metadata_are_complete(wheel: zipfile.ZipFile) -> None:
    (file,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    metadata = Parser().parsestr(wheel.read(file).decode())
    version_file = (ROOT / "hep_tables_coffea" / "_version.py").read_text(encoding="utf-8")
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert f'"{metadata["Version"]}"' in version_file
    assert set(metadata.get_all("Provides-Extra")) == {"dask", "notebook", "parsl", "servicex", "test"}


def test_extra_and_dependency_group_for_tests_agree() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    assert config["options.extras_require"]["test"].split() == groups["test"]

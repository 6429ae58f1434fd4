"""Plug-ins: found by name, checked when registered, with errors that say who, where, and what differs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

import hep_tables_coffea as ht
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import Support
from hep_tables_coffea.types.schema import Group, Leaf, Schema

PACKAGE = """
from hep_tables_coffea.types.schema import Group, Schema

class Upper:
    name = "upper"
    description = "every column in capital letters"
    trees = ("tree",)

    def matches(self, columns):
        return 0

    def build(self, columns, **rules):
        return Schema("upper", Group("", {name.upper(): leaf for name, leaf in columns.items()}))

upper = Upper()
"""


class Pack:
    """A schema pack of a test: every column under another name."""

    name = "renamed"
    description = "a prefix for every column"
    trees = ("Events",)

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        return 0

    def build(self, columns: Mapping[str, Leaf], *, prefix: str = "my_") -> Schema:
        return Schema(self.name, Group("", {prefix + name: leaf for name, leaf in columns.items()}))


class Refuses:
    """A back end that runs nothing."""

    name = "refuses"

    def supports(self, node: Any) -> Support:
        return Support(False, "it is closed today")

    def compile(self, outputs: Any, constants: Any, title: str) -> Any:
        raise AssertionError

    def execute(self, program: Any, dataset: Any, options: Any) -> Any:
        raise AssertionError


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = {kind: dict(known) for kind, known in registry._known.items()}
    yield
    for kind, known in before.items():
        registry._known[kind].clear()
        registry._known[kind].update(known)


@pytest.fixture
def path(tmp_path: Path) -> str:
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree("Events", {"x": "float64"}).extend({"x": np.arange(3.0)})
    return str(tmp_path / "a.root")


def test_registered_pack_is_used_by_its_name(path: str) -> None:
    ht.register_schema(Pack())
    assert ht.make_local(ht.dataset(path, schema="renamed").my_x).to_list() == [0.0, 1.0, 2.0]


def test_pack_can_be_given_as_an_object(path: str) -> None:
    assert ht.dataset(path, schema=Pack()).fields == ["my_x"]


def test_options_of_a_pack_are_passed_on(path: str) -> None:
    assert ht.dataset(path, schema=Pack(), prefix="the_").fields == ["the_x"]


def test_unknown_option_of_a_pack_names_the_pack(path: str) -> None:
    with pytest.raises(ht.HepTablesError, match=r"the schema 'renamed' cannot be built: .*unexpected keyword.*'prefx'"):
        ht.dataset(path, schema=Pack(), prefx="the_")


def test_registered_pack_has_an_opener_of_its_name(path: str) -> None:
    ht.register_schema(Pack())
    assert ht.renamed(path).fields == ["my_x"]


@pytest.mark.parametrize("attribute", ["description", "trees"])
def test_pack_without_an_attribute_is_refused(attribute: str) -> None:
    members = {name: value for name, value in vars(Pack).items() if name != attribute}
    wrong = type("Wrong", (), {**members, "__annotations__": {}})()
    with pytest.raises(ht.HepTablesError, match=f"the schema plug-in 'renamed' has no attribute '{attribute}'"):
        ht.register_schema(wrong)


def test_pack_without_a_method_is_told_its_signature() -> None:
    members = {name: value for name, value in vars(Pack).items() if name != "build"}
    with pytest.raises(
        ht.HepTablesError, match=r"'renamed' has no method 'build'\n(.*\n)*Hint: def build\(self, columns\)"
    ):
        ht.register_schema(type("Wrong", (), members)())


def test_method_with_other_arguments_is_shown_beside_what_it_should_be() -> None:
    wrong = type("Wrong", (Pack,), {"matches": lambda self, names: 0})()
    message = r"'renamed': matches\(names\) does not take columns\n(.*\n)*Hint: def matches\(self, columns\): \.\.\."
    with pytest.raises(ht.HepTablesError, match=message):
        ht.register_schema(wrong)


def test_backend_without_a_method_is_refused() -> None:
    members = {name: value for name, value in vars(Refuses).items() if name != "supports"}
    with pytest.raises(ht.HepTablesError, match="the backend plug-in 'refuses' has no method 'supports'"):
        ht.register_backend(type("Wrong", (), members)())


def test_refusal_of_a_backend_gives_its_reason_and_the_line(path: str) -> None:
    ht.register_backend(Refuses())
    x = ht.dataset(path).x
    message = r"the back end 'refuses' cannot run this: it is closed today\n(.*\n)*  recorded at .*test_registry.py:\d+"
    with pytest.raises(ht.HepTablesError, match=message):
        ht.make_local(x, backend="refuses")


def test_unknown_backend_names_the_closest_first(path: str) -> None:
    with pytest.raises(ht.HepTablesError, match=r"there is no backend 'coffee'\n(.*\n)*Hint: did you mean coffea\?"):
        ht.make_local(ht.dataset(path).x, backend="coffee")


def test_packs_that_ship_are_found() -> None:
    assert {"nanoaod", "physlite", "flat", "treemaker", "delphes", "edm4hep"} <= set(registry.names("schema"))


def install(folder: Path, target: str = "upper_pack:upper") -> None:
    """A package with an entry point, as pip would leave it."""
    (folder / "upper_pack.py").write_text(PACKAGE)
    about = folder / "upper_pack-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: upper-pack\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[hep_tables_coffea.schemas]\nupper = {target}\n")


def in_process(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    start = f"import sys; sys.path.insert(0, {str(folder)!r}); import hep_tables_coffea as ht\n"
    return subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=False)


def test_pack_of_an_installed_package_is_found(tmp_path: Path, path: str) -> None:
    install(tmp_path)
    done = in_process(tmp_path, f"print(ht.make_local(ht.upper({path!r}, tree='Events').X).to_list())")
    assert (done.stdout, done.stderr) == ("[0.0, 1.0, 2.0]\n", "")


@pytest.mark.parametrize("target", ["no_such_module:upper", "upper_pack:no_such_name"])
def test_package_that_cannot_be_loaded_is_named(tmp_path: Path, path: str, target: str) -> None:
    install(tmp_path, target)
    code = f"try:\n    ht.dataset({path!r}, schema='upper')\nexcept ht.HepTablesError as error:\n    print(error)"
    done = in_process(tmp_path, code)
    assert f"the schema plug-in 'upper' ({target}) of the package upper-pack cannot be loaded" in done.stdout


def test_broken_package_does_not_hinder_files_of_others(tmp_path: Path, path: str) -> None:
    install(tmp_path, "no_such_module:upper")
    done = in_process(tmp_path, f"print(ht.dataset({path!r}).fields)")
    assert done.stdout == "['x']\n"
    assert "the schema plug-in 'upper' (no_such_module:upper) of the package upper-pack cannot be loaded" in done.stderr


def test_back_ends_that_ship_are_found() -> None:
    assert {"coffea", "reference"} <= set(registry.names("backend"))

"""The house keeps its floors: who may import whom, what is shipped, what an import costs."""

from __future__ import annotations

import ast
import configparser
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "hep_tables_coffea"
SHIPPED = {
    f"{PACKAGE}.processors": ROOT / "processors",
    f"{PACKAGE}.schemas": ROOT / "schemas",
    PACKAGE: ROOT / PACKAGE,
}

#: A module imports its own floor or a lower one. docs/architecture.md draws the same picture.
FLOORS = {
    "_version": 0,
    "errors": 0,
    "config": 0,
    "files": 1,
    "graph": 1,
    "types": 1,
    "plugins": 2,
    "record": 3,
    "plan": 4,
    "codegen": 5,
    "backends": 6,
    "run": 7,
    "show": 8,
    "__init__": 9,
    "__main__": 9,
    "cli": 9,
}
#: Beside the house. What each may import of the package; `face` is the package itself, with its public names.
BESIDE = {
    "testing": {*FLOORS, "face", "samples", "testing"},
    "samples": {"errors", "samples"},
    "processors": {"face", "types", "processors"},
    "schemas": {"face", "types", "schemas"},
}
#: Only the public face and the command line reach out of the house: to the sample files, and to the face itself.
REACHES_OUT = {"__init__": {"samples"}, "cli": {"face", "samples"}}
#: Two doors of the surface lead up, and are opened only when used: how a value shows itself, and `peek`.
DOORS = {f"{PACKAGE}.record.array": {"show", "run"}, f"{PACKAGE}.plan.explain": {"show"}}
HEAVY = ["coffea", "dask", "distributed", "func_adl", "matplotlib", "mplhep", "numba", "pandas", "scipy", "servicex"]

CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg", encoding="utf-8")


def modules() -> dict[str, Path]:
    """Every shipped module: its name once installed, and its file."""
    return {
        ".".join([package, *path.relative_to(folder).with_suffix("").parts]): path
        for package, folder in SHIPPED.items()
        for path in sorted(folder.rglob("*.py"))
        if "__pycache__" not in path.parts
    }


MODULES = modules()


def part(module: str) -> str:
    """The floor's name: `hep_tables_coffea.graph.nodes` is of `graph`."""
    return module.split(".")[1] if "." in module else "face"


def imports(path: Path) -> list[tuple[int, str]]:
    """(line, absolute name) of everything that is imported, at any depth of the file."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                member = f"{node.module}.{alias.name}"
                is_module = member in MODULES or f"{member}.__init__" in MODULES
                found.append((node.lineno, member if is_module else node.module))
    return found


def own_imports(path: Path) -> list[tuple[int, str]]:
    return [(line, name) for line, name in imports(path) if name.split(".")[0] == PACKAGE]


def allowed(module: str) -> set[str]:
    """The parts of the package that a module may import."""
    here = part(module)
    if here in BESIDE:
        return BESIDE[here]
    own_or_lower = {name for name, floor in FLOORS.items() if floor <= FLOORS[here]}
    return own_or_lower | REACHES_OUT.get(here, set()) | DOORS.get(module, set())


@pytest.mark.parametrize("module", MODULES)
def test_module_stands_on_a_known_floor(module: str) -> None:
    assert part(module) in {*FLOORS, *BESIDE}, f"{module}: give it a floor here and in docs/architecture.md"


@pytest.mark.parametrize(("module", "path"), MODULES.items(), ids=MODULES)
def test_module_imports_its_own_floor_or_a_lower_one(module: str, path: Path) -> None:
    upward = [
        f"{path.name}:{line} imports {name}" for line, name in own_imports(path) if part(name) not in allowed(module)
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith(f"{PACKAGE}.backends.")])
def test_back_end_does_not_import_another(module: str) -> None:
    own = ".".join(module.split(".")[:3])
    names = [name for _, name in own_imports(MODULES[module]) if part(name) == "backends"]
    assert [name for name in names if not f"{name}.".startswith(f"{own}.")] == []


@pytest.mark.parametrize("path", MODULES.values(), ids=MODULES)
def test_imports_are_absolute(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    relative = [node.lineno for node in nodes if isinstance(node, ast.ImportFrom) and node.level]
    assert not relative, (
        f"relative imports in lines {relative}: they break in the folders that are mapped into the package"
    )


def test_every_folder_with_modules_is_shipped() -> None:
    listed = set(CONFIG["options"]["packages"].split())
    assert {name.removesuffix(".__init__") for name in MODULES if name.endswith("__init__")} == listed
    assert {name.rpartition(".")[0] for name in MODULES} <= listed


def test_every_third_party_import_is_declared() -> None:
    lines = CONFIG["options"]["install_requires"] + "".join(CONFIG["options.extras_require"].values())
    declared = {re.split(r"[^\w-]", line)[0].lower().replace("-", "_") for line in lines.split("\n") if line}
    distributions = packages_distributions()
    undeclared = {}
    for module, path in MODULES.items():
        for _, name in imports(path):
            top = name.split(".")[0]
            if top in sys.stdlib_module_names or top == PACKAGE:
                continue
            providers = {provider.lower().replace("-", "_") for provider in distributions.get(top, [top])}
            if not providers & declared:
                undeclared[top] = module
    assert not undeclared


def test_entry_points_name_modules_that_exist() -> None:
    lines = [line for group in CONFIG["options.entry_points"].values() for line in group.split("\n") if line]
    targets = [line.partition("=")[2].strip().partition(":")[0] for line in lines]
    assert [name for name in targets if name not in MODULES and f"{name}.__init__" not in MODULES] == []


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, {PACKAGE}; print(*sorted(set({HEAVY}) & {{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_picture_in_the_documentation_shows_every_floor() -> None:
    picture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    missing = [name for name in {*FLOORS, *BESIDE} - {"_version", "__main__"} if not re.search(rf"\b{name}\b", picture)]
    assert not missing

"""Fixtures of the ServiceX tests: queries of ATLAS events run without the software of ATLAS, and whole programs.

The C++ that the code generator of ServiceX writes for a query is compiled, as it is, against a small event model
(xaod/event_model.h), and run over events that the test gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.files.paths import fingerprint, is_settled
from hep_tables_coffea.testing.comparing import difference

if TYPE_CHECKING:
    from collections.abc import Iterable

MODEL = Path(__file__).parent / "xaod"
FLAGS = ("-std=c++17", "-O0")
#: Headers of the standard library, which the compiler has; all others are in the event model.
STANDARD = re.compile(r"[a-z_]+(\.h)?")


class XaodJob:
    """Generated code as a program: compiled once for each query, in a folder of its own."""

    def __init__(self, folder: Path, compiler: str) -> None:
        self.folder, self.compiler = folder, compiler
        self.programs: dict[str, Path] = {}
        (folder / "include").mkdir()
        shutil.copy(MODEL / "event_model.h", folder / "include")
        self._compile("-x", "c++-header", "include/event_model.h", "-o", "include/event_model.h.gch")
        self._compile("-c", str(MODEL / "main.cxx"), "-o", "main.o")

    def __call__(self, query: str, events: Iterable[Any]) -> dict[str, list[Any]]:
        """The rows of a query's tree, as columns.

        Args:
            query: qastle text.
            events: for each event its banks: the rows of a collection, or one mapping where an event has one object.
                Values are named as the methods that give them, in MeV and mm. Also an awkward array of such records.

        Raises:
            RuntimeError: the code does not compile, or the job fails; with what the compiler or the job says.
        """
        program = self.programs.get(query) or self._build(query)
        data = self.folder / "events.txt"
        data.write_text("\n".join(_event_lines(events)) + "\n")
        rows = [json.loads(line) for line in self._run(str(program), str(data)).splitlines()]
        return {name: [row[name] for row in rows] for name in (rows[0] if rows else self._columns(program))}

    def generate(self, query: str, folder: Path) -> None:
        """The code that ServiceX would write for the query: `query.cxx`, `query.h` and the scripts of the job."""
        import qastle
        from func_adl_xAOD.atlas.xaod.executor import atlas_xaod_executor

        generator = atlas_xaod_executor()
        generator.reset()  # what an earlier query said of types is in the generator's globals
        tree = qastle.text_ast_to_python_ast(query).body[0].value
        generator.write_cpp_files(generator.apply_ast_transformations(tree), folder)

    def _build(self, query: str) -> Path:
        folder = self.folder / hashlib.sha256(query.encode()).hexdigest()[:16]
        (folder / "analysis").mkdir(parents=True, exist_ok=True)
        self.generate(query, folder)
        shutil.move(folder / "query.h", folder / "analysis")
        self._provide_headers((folder / "query.cxx").read_text() + (folder / "analysis" / "query.h").read_text())
        unit = '#include "query.cxx"\nstd::unique_ptr<EL::AnaAlgorithm> make_algorithm() '
        (folder / "unit.cxx").write_text(unit + '{ return std::make_unique<query>("query", nullptr); }\n')
        self._compile(f"-I{folder}", str(folder / "unit.cxx"), "main.o", "-o", str(folder / "job"))
        self.programs[query] = folder / "job"
        return self.programs[query]

    def _provide_headers(self, code: str) -> None:
        """Every header of ATLAS or ROOT is there, and empty: the event model is included before all."""
        for name in re.findall(r'#include [<"](.+?)[>"]', code):
            header = self.folder / "include" / name
            if name != "analysis/query.h" and not STANDARD.fullmatch(name) and not header.exists():
                header.parent.mkdir(parents=True, exist_ok=True)
                header.write_text("#pragma once\n")

    def _columns(self, program: Path) -> list[str]:
        return re.findall(r'myTree->Branch\("(.+?)"', (program.parent / "query.cxx").read_text())

    def _compile(self, *arguments: str) -> None:
        header = [] if "c++-header" in arguments else ["-include", "event_model.h"]
        self._run(self.compiler, *FLAGS, "-Iinclude", *header, *arguments)

    def _run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
        return done.stdout


def _event_lines(events: Iterable[Any]) -> Iterable[str]:
    for event in events.to_list() if hasattr(events, "to_list") else events:
        yield "row"
        for bank, content in event.items():
            yield from _object_lines(bank, [content] if isinstance(content, Mapping) else content)


def _object_lines(name: str, rows: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    yield f"objects\t{name}"
    for row in rows:
        yield "row"
        for key, value in row.items():
            if not isinstance(value, list):
                yield f"value\t{key}\t{_word(value)}"
            elif value and isinstance(value[0], Mapping):
                yield from _object_lines(key, value)
            else:
                # an empty list is one of numbers or one of objects: the method that asks knows which
                yield "\t".join(["list", key, *map(_word, value)])
                yield from [] if value else _object_lines(key, [])
    yield "end"


def _word(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


@pytest.fixture(scope="session")
def run_xaod(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, list[Any]]]:
    """`run_xaod(query, events)`: what a query of ATLAS events gives. Needs a C++ compiler; see `data` about CI."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if compiler is None:
        reason = "there is no C++ compiler: install g++, or set CXX"
        if "HT_REQUIRE_DATA" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    pytest.importorskip("func_adl_xAOD")
    return XaodJob(tmp_path_factory.mktemp("xaod"), compiler)


# -- programs through a local endpoint, as users run them --------------------------------------------------------------


@pytest.fixture(scope="session")
def nano_files(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Three small NanoAOD files. They are from a while ago: what was written just now is not kept."""
    folder = tmp_path_factory.mktemp("nano_files")
    made = [ht.samples.nanoaod(folder / f"{name}.root", events=20 * (k + 1), seed=k) for k, name in enumerate("abc")]
    while not all(is_settled(fingerprint(path)) for path in made):
        time.sleep(0.02)
    return made


@pytest.fixture
def agree() -> Callable[..., Any]:
    """`agree(outputs)`: run with ServiceX and without, and hold one to the other, types and all. Gives ServiceX's result."""

    def check(*outputs: Any, **options: Any) -> Any:
        pytest.importorskip("servicex", reason="the extra servicex is not installed")
        found = ht.run(*outputs, backend="servicex", **{"cache": False, **options})
        assert all(stage.cut is not None for stage in found.plan.stages)
        _same(found.value, ht.make_local(*outputs))
        return found

    return check


def _same(found: Any, expected: Any) -> None:
    if isinstance(expected, dict):
        found, expected = [found[name] for name in expected], list(expected.values())
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for one, other in zip(found, expected):
            _same(one, other)
    elif isinstance(expected, ak.Array):
        assert str(found.type) == str(expected.type)
        assert not difference(found, expected, (0, 0))
    else:
        assert not difference(found, expected)


@pytest.fixture
def ended() -> Iterator[None]:
    """A test that hangs fails."""

    def late(*_: object) -> None:
        pytest.fail("it does not come to an end")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)

"""Whether the engines agree: generated programs, run by the fused engine, the columnar one and the reference.

`python -m hep_tables_coffea.testing.engines --examples 1000` prints what differs, how much was fused, and why not more.
With `NUMBA_DISABLE_JIT=1` kernels are plain Python: nothing is compiled, and an index beyond an array is an error.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.fused import stage
from hep_tables_coffea.codegen.fused.ir import WENT_WRONG
from hep_tables_coffea.plan.explain import Explanation
from hep_tables_coffea.record.outputs import named
from hep_tables_coffea.testing import lines
from hep_tables_coffea.testing.comparing import difference, tolerance_of, type_problem
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.testing.programs import Program, random_program
from hep_tables_coffea.testing.tables import random_table, write

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Account", "Case", "random_case", "run_cases"]

#: What is drawn more often than other lines, and how much more: what physicists write.
_FAVOURITES = {
    "histogram": 5, "category": 2, "selection": 4, "combination": 3, "reducer": 4, "mapped": 4, "order": 3,
    "arithmetic": 2, "vector": 2, "place": 2, "nearest": 2, "called": 5, "text": 2, "selections": 3, "cut_flow": 2,
}  # fmt: skip
_KINDS = [kind for kind in lines.KINDS for _ in range(_FAVOURITES.get(kind, 1))]
#: How many cases one after the other have the same files, and are run together: the way from a program to its answers has
#: more costs of its own than what a few more lines cost.
_TOGETHER = 10
#: Columns that a second file may lack.
_LACKING = ("met", "weight", "run", "flag", "maybe", "jets_number", "jets_tag", "hits_any", "hits_n", "marks_size")
#: Errors of the columnar engine, until they are mended: a mask that differs for rows of events that are filtered later,
#: and loops over flattened rows.
_OF_COLUMNAR = ("cannot fit jagged slice", "does not come from <axis event>")


@dataclass(frozen=True)
class Case:
    """A program over some files, and the size of the chunks."""

    seed: int
    program: Program
    chunksize: int | None

    def __str__(self) -> str:
        return f"seed {self.seed}, chunks of {self.chunksize}, {self.program.path}\n{self.program}"


@dataclass
class Account:
    """What came of some cases."""

    cases: int = 0
    #: How many programs were fused wholly, in part, not at all.
    fused: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    outputs: Counter[str] = field(default_factory=Counter)
    #: How many kernels were there as machine code, and how many numba has made.
    kernels: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.cases} programs: {', '.join(f'{n} fused {how}' for how, n in self.fused.most_common())}"]
        parts += [f"outputs: {', '.join(f'{n} {how}' for how, n in self.outputs.most_common())}"]
        parts += [f"kernels: {', '.join(f'{n} {how}' for how, n in self.kernels.most_common())}"]
        parts += [f"  {number:5} {reason}" for reason, number in self.reasons.most_common()]
        return "\n".join([*parts, *self.failures, f"{len(self.failures)} failures"])


def random_case(seed: int, folder: Path) -> Case:
    """The program of a seed, with files of its own in the folder."""
    paths, size = _files(seed // _TOGETHER, folder)
    random = Random(seed)
    program = random_program(random, paths, random.randint(2, 9), random.randint(1, 3), _KINDS, known)
    return Case(seed, program, size)


def _files(number: int, folder: Path) -> tuple[list[str], int | None]:
    """The files of some cases, and the size of the chunks."""
    random = Random(f"table {number}")
    table, size = random_table(random), random.choice([1, 2, 7, 7, None, None, None])
    parts = [table]
    if not random.randint(0, 3):
        cut = random.randint(0, 4)
        parts = [table.events(0, cut), table.events(cut).without([n for n in _LACKING if not random.randint(0, 2)])]
        if random.randint(0, 1):
            parts.insert(random.randint(0, 2), table.events(0, 0))
    paths = [folder / f"table{number}_{k}" for k in range(len(parts))]
    there = [path.with_suffix(f".{table.format}") for path in paths]
    return [str(old) if old.exists() else write(*one) for old, one in zip(there, zip(parts, paths), strict=True)], size


def together(cases: Sequence[Case]) -> Case:
    """Cases with the same files as one, whose outputs are those of all."""
    lines = [_numbered(line, number) for number, case in enumerate(cases) for line in case.program.lines]
    outputs = [_numbered(name, number) for number, case in enumerate(cases) for name in case.program.outputs]
    program = Program(cases[0].program.path, tuple(lines), tuple(outputs))
    return Case(cases[0].seed, program, cases[0].chunksize)


def _numbered(text: str, number: int) -> str:
    return re.sub(r"\b(v|new)(\d+)\b", rf"p{number}_\1\2", text)


def check(case: Case, account: Account) -> str | None:
    """What is wrong with a case, or ""; None where the columnar engine is known to fail."""
    recorded = case.program.record()
    expected = ht.make_local(recorded, backend="reference")
    columnar = _run(recorded, case.chunksize, "columnar")
    fused = _run(recorded, case.chunksize, "fused")
    if _not_compiled():
        return "a kernel could not be compiled"
    if columnar is None or fused is None:
        return None
    with ht.options(engine="fused"):
        explained: Explanation = ht.explain(recorded)
    problem = _differs(case, recorded, {"columnar": columnar, "fused": fused}, expected)
    if not problem:
        _count(recorded, _refused(explained), account)
    return problem


def _differs(case: Case, recorded: dict[str, Any], found: dict[str, Any], expected: dict[str, Any]) -> str:
    """The first output that is not as expected, or not of its type where it is of the columnar engine, or ""."""
    for engine, answers in found.items():
        for name, value in recorded.items():
            wrong = difference(answers[name], expected[name], tolerance_of(value._node))
            if wrong:
                return f"{engine}: {name} ({value!r}): {wrong}"
    for name, node in named(recorded).items():
        problem = type_problem(found["fused"][name], node)
        if problem and not type_problem(found["columnar"][name], node):
            return f"the type of {name}, fused: {problem}"
    return ""


def _run(recorded: dict[str, Any], size: int | None, engine: str) -> Any:
    """The answers of an engine; None where the columnar one is known to fail, alone or for what is left to it."""
    try:
        return ht.make_local(recorded, chunksize=size, engine=engine)
    except Exception as error:
        if not any(part in str(error) for part in _OF_COLUMNAR):
            raise
        return None


def _kernels() -> dict[str, Any]:
    """The kernels of this process, digest -> Future."""
    kept: dict[str, Any] = vars(sys.modules.get("_hep_tables_coffea_worker", os)).get(f"kernels_{os.getpid()}", {})
    return kept


def _not_compiled() -> bool:
    """Whether a kernel of this process has failed; the columnar engine would hide it."""
    kernels = _kernels()
    failed = [digest for digest, job in kernels.items() if job.done() and job.result() is None]
    for digest in failed:
        del kernels[digest]
    return bool(failed)


def _refused(explained: Explanation) -> dict[str, str]:
    """The outputs that are not fused, and why."""
    refused: dict[str, str] = {}
    for account in explained.accounts:
        for text in (line for line in account.engine if line.startswith("columnar for ")):
            names, _, reason = text.removeprefix("columnar for ").partition(": ")
            refused |= dict.fromkeys(names.split(", "), reason)
    return refused


def _count(recorded: dict[str, Any], refused: dict[str, str], account: Account) -> None:
    """Note how much of each program is fused."""
    wrong = [reason for reason in refused.values() if reason.startswith(WENT_WRONG)]
    assert not wrong, wrong
    account.reasons.update(refused.values())
    account.outputs.update(fused=len(recorded) - len(refused), columnar=len(refused))
    outputs = Counter(name.partition("v")[0] for name in recorded)
    left = Counter(name.partition("v")[0] for name in refused)
    for program, number in outputs.items():
        account.fused["wholly" if not left[program] else "not at all" if left[program] == number else "in part"] += 1


def run_cases(seeds: Sequence[int], seconds: float = 1e9) -> Account:
    """Run the cases of some seeds, for so long at most."""
    account = Account()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _, group in groupby(seeds, lambda seed: seed // _TOGETHER):
            if time.monotonic() > end:
                break
            _run_group(list(group), Path(folder), account)
    made = [job.result() for job in _kernels().values() if job.done()]
    account.kernels.update("from machine code" if hasattr(kernel, "engine") else "from numba" for kernel in made)
    return account


def _run_group(seeds: Sequence[int], folder: Path, account: Account) -> None:
    """Cases with the same files: together, and each by itself where something is wrong, to see whose fault it is.

    Together they may be in several kernels, as a program with hundreds of outputs is.
    """
    account.cases += len(seeds)
    cases = []
    for seed in seeds:
        try:
            cases.append(random_case(seed, folder))
        except Exception:
            account.failures.append(f"-- seed {seed}\n{traceback.format_exc(limit=-14)}")
    if not cases:
        return
    whole = together(cases)
    most = stage.MOST
    stage.MOST = Random(f"kernels {seeds[0]}").choice((1, 3, most, most, most))
    try:
        problem = _checked(whole, account)
    finally:
        stage.MOST = most
    if problem == "":
        return
    alone = [(case, _checked(case, account)) for case in cases]
    failures = [f"-- {case}\n{found}" for case, found in alone if found]
    if problem and not failures:
        failures = [f"-- {whole}\n{problem}"]
    account.failures += failures


def _checked(case: Case, account: Account) -> str | None:
    """What is wrong with a case, which may also be an error."""
    try:
        return check(case, account)
    except Exception:
        return traceback.format_exc(limit=-14)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=1e9)
    given = parser.parse_args()
    gc.set_threshold(50_000)  # programs are graphs of small objects, of which most stay
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HEP_TABLES_COFFEA_CACHE", folder)
        account = run_cases(range(given.first, given.first + given.examples), given.seconds)
    print(account)
    sys.exit(1 if account.failures else 0)


if __name__ == "__main__":
    main()

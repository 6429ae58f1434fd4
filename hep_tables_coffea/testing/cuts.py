"""Whether the answer depends on where a program is cut: generated programs, run whole and with a back end in between.

`python -m hep_tables_coffea.testing.cuts --examples 1000` prints what differs. The back end computes its columns with the
library itself, and takes what a seed says: so the cut is somewhere else each time.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import awkward as ak

import hep_tables_coffea as ht
from hep_tables_coffea import config
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.stages import make_plan
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.testing.comparing import difference, tolerance_of, type_problem
from hep_tables_coffea.testing.engines import Case, random_case, together
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.testing.nearby import Nearby, some_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = ["Account", "check", "run_cases", "selected"]


# -- cases -----------------------------------------------------------------------------------------------------------


#: What selects rows at the beginning of a program, and events.
_SELECTIONS = {
    "events.jets": "events.jets[events.jets.pt > 2]",
    "events.els": "events.els[events.els.charge > 0]",
    "events.hits": "events.hits[events.hits.n <= 2]",
}
_EVENTS = ("events.flag", "events.weight > 0", "events.jets.Count() > 0", "(events.els.pt > 2).Any()")


def selected(case: Case, random: Random) -> Case:
    """Now and then the same lines about fewer rows and events."""
    lines = list(case.program.lines)
    for whole, part in _SELECTIONS.items():
        if not random.randint(0, 2):
            lines = [line.replace(whole, part) if line.endswith(f" = {whole}") else line for line in lines]
    if not random.randint(0, 2):
        lines.insert(0, f"events = events[{random.choice(_EVENTS)}]")
    made = replace(case, program=replace(case.program, lines=tuple(lines)))
    try:
        nodes = [value._node for value in made.program.record().values()]
    except Exception:  # such lines cannot be about fewer rows
        return case
    return case if any(map(known, nodes)) else made


@dataclass
class Account:
    """What came of some cases."""

    cases: int = 0
    how: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [f"{self.cases} programs: {', '.join(f'{n} {how}' for how, n in self.how.most_common())}"]
        parts += [f"  {number:5} {reason}" for reason, number in self.reasons.most_common(30)]
        return "\n".join([*parts, *self.failures, f"{len(self.failures)} failures"])


def check(case: Case, backend: str, account: Account) -> str:
    """What differs where a case is cut, or ""."""
    recorded = case.program.record()
    nodes = {name: value._node for name, value in recorded.items()}
    expected = _answers(recorded, case, None)
    try:
        plan = make_plan(nodes, replace(config.current(), backend=backend))
    except ht.HepTablesError as error:
        if isinstance(expected, Exception) and type(error) is type(expected):
            return ""
        raise
    columns = [node for stage in plan.stages if stage.cut is not None for node in stage.cut.columns.values()]
    may_miss = any(node.type.option for node in columns)
    for stage in plan.stages:
        account.how["cut" if stage.cut is not None else "run here"] += 1
        if stage.cut is None:
            account.reasons.update(stage.refusals)
        else:
            account.how["filtered"] += stage.cut.events.parent is not None
            account.how["columns"] += len(stage.cut.columns)
    found = _answers(recorded, case, backend)
    if isinstance(expected, Exception) or isinstance(found, Exception):
        if type(expected) is type(found):
            account.how["errors"] += 1
            return ""
        if isinstance(found, Exception):
            return "".join(traceback.format_exception(found, limit=-14))
        return f"{found} without the error {expected!r}"
    for name, node in nodes.items():
        if isinstance(node, g.Fill) and not all(arg.path for arg in node.args):
            continue  # until boost-histogram fills all rows beside a constant where the first is outside of the axis
        if type_problem(expected[name], node) or (may_miss and type_problem(found[name], node)):
            continue  # until a value that may be missing has its type in files where none is
        wrong = difference(found[name], expected[name], tolerance_of(node)) or _other_type(found[name], expected[name])
        if wrong:
            return f"{name} ({recorded[name]!r}): {wrong}"
    return ""


def _answers(recorded: Mapping[str, Any], case: Case, backend: str | None) -> Any:
    try:
        return ht.make_local(dict(recorded), chunksize=case.chunksize, backend=backend, engine="columnar")
    except Exception as error:
        return error


def _other_type(found: Any, expected: Any) -> str:
    """What differs in the type; a value that may be missing need not be."""
    if not isinstance(expected, ak.Array):
        return "" if type(found) is type(expected) else f"{found!r} is no {type(expected).__name__}"
    if _surely(found) == _surely(expected):
        return ""
    return f"the type is {found.type}, not {expected.type}"


def _surely(array: ak.Array) -> str:
    return re.sub(r"option\[|\?|\]", "", str(array.type))


def run_cases(seeds: Sequence[int], seconds: float = 1e9, backend: str = "nearby", alone: bool = False) -> Account:
    """Run the cases of some seeds, for so long at most."""
    account = Account()
    end = time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in seeds:
            if time.monotonic() > end:
                break
            account.cases += 1
            problem = _run_case(seed, Path(folder), backend, alone, account)
            if problem:
                account.failures.append(problem)
    return account


def _run_case(seed: int, folder: Path, backend: str, alone: bool, account: Account) -> str:
    random = Random(f"cut {seed}")
    delivered = folder / "delivered"
    text = f"seed {seed}"
    try:
        first = seed - seed % 10
        others = (
            [] if alone else random.sample([n for n in range(first, first + 10) if n != seed], random.randint(0, 2))
        )
        case = random_case(seed, folder) if not others else together([random_case(n, folder) for n in [seed, *others]])
        case = selected(case, random)
        text = str(case)
        if backend == "nearby":
            registry.register_backend(Nearby("nearby", delivered, some_kinds(random)))
        found = check(case, backend, account)
    except Exception:
        found = traceback.format_exc(limit=-14)
    finally:
        shutil.rmtree(delivered, ignore_errors=True)
    return f"-- seed {seed}: {text}\n{found}" if found else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--backend", default="nearby")
    parser.add_argument("--alone", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HEP_TABLES_COFFEA_CACHE", folder)
        seeds = range(given.first, given.first + given.examples)
        account = run_cases(seeds, given.seconds, given.backend, given.alone)
    print(account)
    sys.exit(1 if account.failures else 0)


if __name__ == "__main__":
    main()

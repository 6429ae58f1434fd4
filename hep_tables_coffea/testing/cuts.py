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
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.plan.lower import last_step
from hep_tables_coffea.plan.stages import make_plan
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.plugins.protocol import Delivery, Support
from hep_tables_coffea.testing.comparing import difference, tolerance_of, type_problem
from hep_tables_coffea.testing.engines import Case, random_case, together
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.types.elements import Number, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hep_tables_coffea.config import Options
    from hep_tables_coffea.graph.axes import Axis
    from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["Account", "Nearby", "check", "columns_of", "kind_of", "run_cases", "some_kinds"]


# -- a back end that delivers ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Question:
    """What a back end near the data is asked."""

    columns: Mapping[str, g.Node]
    text: str


class Nearby:
    """A back end that delivers the columns that it `takes`: it computes them itself, and writes a file for each file.

    Args:
        name: as the back end is registered.
        folder: where it writes.
        takes: asked of each node: "" if it is taken, else the reason why not.
    """

    def __init__(self, name: str, folder: Path, takes: Callable[[g.Node], str] = lambda node: "") -> None:
        self.name, self.folder, self.takes = name, folder, takes

    def supports(self, node: g.Node) -> Support:
        if isinstance(node, (g.Aggregate, g.Fill)):
            return Support(False, "delivers columns, and no value of the whole dataset")
        if isinstance(node, g.Field) and _problem(node):
            return Support(False, f"cannot read {node.name}: {_problem(node)}")
        reason = self.takes(node)
        return Support(not reason, reason)

    def needs(self, node: g.Node) -> Iterable[g.Node]:
        return columns_of(node)

    def compile(self, columns: Mapping[str, g.Node], events: Axis, dataset: Dataset) -> _Question:
        wrong = [name for name, node in columns.items() if node.path[0] is not events]
        assert not wrong, f"{wrong} are not on the events that are delivered"
        return _Question(columns, "\n".join(f"{name}: {node.text}" for name, node in columns.items()))

    def deliver(self, program: _Question, dataset: Dataset, options: Options) -> _Delivering:
        return _Delivering(self.folder, program.columns, dataset, options)


def _problem(node: g.Field) -> str:
    record = node.args[0].type
    leaf = record.group.fields.get(node.name) if isinstance(record, Record) and record.group is not None else None
    return str(getattr(leaf, "problem", ""))


class _Delivering:
    """Files that are delivered one after the other."""

    def __init__(self, folder: Path, columns: Mapping[str, g.Node], dataset: Dataset, options: Options) -> None:
        self._folder, self._dataset = folder, dataset
        self._options = replace(options, backend=None)
        coffea: Any = registry.backend("coffea")
        self._program = coffea.compile(columns, {}, "delivered", "columnar")
        self._execute = coffea.execute
        self._done: list[Sample] = []

    def __enter__(self) -> _Delivering:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __iter__(self) -> Iterator[tuple[Sample, ...]]:
        for sample in self._dataset.samples:
            for file in sample.files:
                one = replace(sample, files=(file,))
                found = self._execute(self._program, replace(self._dataset, samples=(one,)), self._options)
                path = self._folder / f"{len(list(self._folder.iterdir()))}.parquet"
                ak.to_parquet(ak.zip(found.answers, depth_limit=1), str(path))
                self._done.append(replace(sample, files=((str(path), None),)))
                yield (self._done[-1],)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """All files, in the order of the dataset."""
        return tuple(
            replace(sample, files=tuple(file for one in self._done if one.name == sample.name for file in one.files))
            for sample in self._dataset.samples
        )

    def account(self, delivery: Delivery) -> Delivery:
        return delivery


def columns_of(node: g.Node) -> Sequence[g.Node]:
    """What a node is computed from, column by column."""
    if isinstance(node, g.Field):
        return [node.args[0]] if isinstance(node.args[0], g.Behave) else []
    if isinstance(node, g.Restrict):
        inner, k, step = last_step(node)
        mask = [] if step.node is None else [build.restrict(step.node, inner.path[:k] + step.node.path[k:])]
        return [inner, *mask]
    if isinstance(node, g.Reduce) and node.function == "num":
        return _rows_of(node.args[0])
    if isinstance(node, (g.Side, g.Nest)) or kind_of(node) == "Call ht.broadcast":
        slot = node.slot if isinstance(node, g.Side) else 0
        others = [arg for arg in node.args if arg is not node.args[slot]]
        return [node.args[slot], *(one for arg in others for one in _rows_of(build.anchor(arg)))]
    found: list[g.Node] = []
    touched = node.touched if isinstance(node, g.Behave) else [None] * len(node.args)
    for arg, fields in zip(node.args, touched, strict=True):
        if isinstance(arg, g.Literal) or (isinstance(node, g.Iterate) and arg in node.args[node.size :]):
            continue
        if not isinstance(arg.type, Record) or isinstance(arg, g.Behave):
            found.append(arg)
        elif fields is None:
            found.append(build.anchor(arg))
        else:
            found += [build.field(arg, name) for name in functions.needed_fields(arg, fields)]
    return found


def _rows_of(node: g.Node) -> Sequence[g.Node]:
    """What says which rows there are."""
    if isinstance(node, g.Field) and node.name == build.ROW:
        return []
    if isinstance(node, g.Restrict):
        return [*_rows_of(last_step(node)[0]), *columns_of(node)[1:]]
    return [node]


def kind_of(node: g.Node) -> str:
    """What a capability tells apart: the kind of a node, its function, the rows that it takes."""
    if isinstance(node, g.Restrict):
        return f"{last_step(node)[2].kind} rows"
    if isinstance(node, (g.Side, g.Join)):
        return f"{node.axis.kind} rows"
    if isinstance(node, (g.Call, g.Reduce, g.Arrange)):
        return f"{type(node).__name__} {node.function}"
    if isinstance(node, g.Behave):
        return f"Behave {node.method}"
    if isinstance(node, g.Field):
        return "position" if node.name == build.ROW else "column"
    return type(node).__name__


def some_kinds(random: Random) -> Callable[[g.Node], str]:
    """Some kinds of nodes are taken, and others refused; with few refusals most programs are cut late."""
    part = random.choice([0.0, 0.05, 0.15, 0.4, 0.8])
    options = random.random() < part
    known = {"column": False, "Reduce num": False}

    def takes(node: g.Node) -> str:
        kind = kind_of(node)
        if kind not in known:
            known[kind] = Random(f"{part} {kind} {options} {seed}").random() < part
        if options and isinstance(node.type, Number) and node.type.option:
            return "delivers no missing values"
        return f"has no {kind}" if known[kind] else ""

    seed = random.random()
    return takes


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

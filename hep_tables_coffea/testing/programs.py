"""Random programs over the tables of `testing.tables`: lines of Python as a user would write them, and what they give.

A program is text, so that a counterexample can be read, pasted and run. It is built by running it: each line is recorded
before the next one is drawn, and a line that the library refuses is left out. Whatever else a line raises is a failure.
"""

from __future__ import annotations

import pickle
import random
import re
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from hypothesis import strategies as st

import hep_tables_coffea as ht
from hep_tables_coffea.graph.axes import derives
from hep_tables_coffea.graph.nodes import Aggregate, Behave, Fill
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.testing import lines
from hep_tables_coffea.testing.user_functions import FUNCTIONS
from hep_tables_coffea.types.elements import Number, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hep_tables_coffea.graph.nodes import Node

__all__ = ["Program", "programs", "random_program"]

#: Deeper values are not built upon: their rows multiply.
DEEPEST = 4


@dataclass(frozen=True)
class Program:
    """Lines that record values of `events`, and the names of those that are asked for."""

    path: str | Sequence[str]
    lines: tuple[str, ...]
    outputs: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """The recorded outputs, of a dataset opened anew."""
        space = namespace(self.path)
        for line in self.lines:
            exec(line, space)  # noqa: S102 (the text is our own)
        return {name: space[name] for name in self.outputs}

    def digests(self) -> dict[str, str]:
        """The digest of each output."""
        return {name: value._node.digest for name, value in self.record().items()}

    def elsewhere(self, pickled: bytes) -> tuple[dict[str, str], dict[str, str], dict[str, Any]]:
        """For another process: the digests as recorded there and of the pickled outputs, and the values of those."""
        loaded = pickle.loads(pickled)
        digests = {name: value._node.digest for name, value in loaded.items()}
        return self.digests(), digests, ht.make_local(loaded)

    def __str__(self) -> str:
        return "\n".join([*self.lines, f"ht.make_local({', '.join(self.outputs)})"])


def with_column(rows: Any, name: str, value: Any) -> Any:
    """The rows, after a column of them has been defined."""
    rows[name] = value
    return rows


def namespace(path: str | Sequence[str]) -> dict[str, Any]:
    """The names that a program uses."""
    return {
        "ht": ht,
        "np": np,
        "ak": ak,
        **FUNCTIONS,
        "with_column": with_column,
        "events": ht.flat(path, tree="events", name="toy", metadata={"xsec": 2.5, "label": "a"}),
    }


@st.composite
def programs(
    draw: st.DrawFn,
    path: str | Sequence[str],
    kinds: Sequence[str] = tuple(lines.KINDS),
    max_lines: int = 9,
    leave_out: Callable[[Any], bool] = lambda outcome: False,
) -> Program:
    """A program over the table at a path; `kinds` are the kinds of lines that it is made of.

    The lines come from a seed, and how many there are is drawn: a shorter program is the beginning of a longer one, so
    a counterexample shrinks to the line that fails and those that it needs. `leave_out` is asked about each recorded
    value, and about each error that is not the library's; the line is dropped where it says so.
    """
    seed, length, size = draw(st.integers(0, 2**32)), draw(st.integers(1, max_lines)), draw(st.integers(1, 3))
    with _kept_random():
        return random_program(Random(seed), path, length, size, kinds, leave_out)


def random_program(
    random: Random,
    path: str | Sequence[str],
    length: int,
    size: int,
    kinds: Sequence[str] = tuple(lines.KINDS),
    leave_out: Callable[[Any], bool] = lambda outcome: False,
) -> Program:
    """A program of so many lines and outputs, like those of `programs`, without hypothesis."""
    pool = Pool(random, namespace(path), leave_out)
    for _ in range(length):
        drawn = lines.KINDS[pool.one_of(kinds)](pool)
        pool.add(*((drawn,) if isinstance(drawn, str) else drawn or ()))
    return pool.program(path, size)


@contextmanager
def _kept_random() -> Iterator[None]:
    """Opening a file imports modules that draw random numbers: hypothesis takes that for a strategy that does."""
    state = random.getstate()
    yield
    random.setstate(state)


#: What programs begin with; what only Parquet holds comes first, so that it is not taken more often than the rest.
_SOURCES = ("marks", "maybe", "word", "jets", "els", "hits", "met", "weight", "run", "flag")


class Pool:
    """The values that a program has up to now, and draws among them."""

    def __init__(
        self, random: Random, space: dict[str, Any], leave_out: Callable[[Any], bool] = lambda outcome: False
    ) -> None:
        self.random, self.space, self.leave_out = random, space, leave_out
        self.lines: list[str] = []
        self.names: list[str] = []
        #: The names of each line, or of several that belong together.
        self.steps: list[list[str]] = []
        for name in _SOURCES:
            self._add(f"events.{name}")
        self.sources = len(self.names)
        self.of_event = [name for name in self.names if _usable(self.node(name))]

    def add(self, *texts: str) -> None:
        """Record one more line, or several that belong together."""
        before = len(self.names)
        for text in texts:
            self._add(text)
        if len(self.names) > before:
            self.steps.append(self.names[before:])

    def _add(self, text: str) -> None:
        """Record a line, unless the library refuses it."""
        name = f"v{len(self.names)}"
        try:
            value = eval(text, self.space)  # the text is our own
        except ht.HepTablesError:
            return
        except Exception as error:
            if self.leave_out(error):
                return
            raise
        if hasattr(value, "_node") and not self.leave_out(value._node):
            self.space[name] = value
            self.names.append(name)
            self.lines.append(f"{name} = {text}")

    def program(self, path: str | Sequence[str], size: int) -> Program:
        """The program with what its last steps give as outputs, and only the lines that these need."""
        asked = [name for step in self.steps[-size:] for name in step] or self.names[-1:]
        return Program(path, tuple(_needed(self.lines, asked)), tuple(asked))

    # -- draws --

    def exact(self, node: Node) -> bool:
        return exact(node)

    def node(self, name: str) -> Node:
        found: Node = self.space[name]._node
        return found

    def one_of(self, choices: Sequence[Any]) -> Any:
        return self.random.choice(list(choices))

    def late(self, choices: Sequence[Any]) -> Any:
        """One of the last choices, more often than not: so that lines build upon each other."""
        return self.one_of(choices[-4:] if self.whole(0, 2) else choices)

    def whole(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def any_of(self, *tests: Callable[[Node], bool]) -> str | None:
        """The name of a value that passes the tests."""
        shallow = [name for name in self.names if 0 < len(self.node(name).path) <= DEEPEST]
        fitting = [name for name in shallow if all(test(self.node(name)) for test in tests)]
        return self.late(fitting) if fitting else None

    def number(self, *tests: Callable[[Node], bool]) -> str | None:
        """A number: a value that is one, or a column of a record."""
        shallow = [name for name in self.names if 0 < len(self.node(name).path) <= DEEPEST]
        for name in dict.fromkeys((self.late(shallow), *self.random.sample(shallow, len(shallow)))):
            found = self.column(name, *tests)
            if found is not None:
                return found
        return None

    def column(self, name: str, *tests: Callable[[Node], bool]) -> str | None:
        """A column of a value, on the same rows; the value itself where it is a number."""
        node = self.node(name)
        if not isinstance(node.type, Record):
            return name if _usable(node) and all(test(node) for test in tests) else None
        texts = [f'{name}["{field}"]' for field in self.fields(name)]
        found = [(text, eval(text, self.space)._node) for text in texts]
        fitting = [text for text, member in found if _usable(member) and all(test(member) for test in tests)]
        return self.one_of(fitting) if fitting else None

    def fields(self, name: str) -> list[str]:
        """The columns of a record, also those that lines of the program define for its rows."""
        stored = self.node(name).type.fields  # type: ignore[union-attr]
        kept = {found for line in self.lines for found in _DEFINED.findall(line)}
        return [field for field in self.space[name].fields if field in stored or field in kept]

    def of(self, text: str) -> Node:
        """The node of some text."""
        found: Node = eval(text, self.space)._node
        return found

    def beside(self, text: str, *tests: Callable[[Node], bool]) -> str | None:
        """A number on the rows of the text, on outer ones, or on a subset or superset of them; often of the same record."""
        target = self.of(text)
        fitting = [name for name in self.names if compatible(self.node(name), target)]
        name = self.late(fitting) if fitting else None
        return None if name is None else self.column(name, lambda node: compatible(node, target), *tests)

    def mask(self, text: str) -> str | None:
        """A condition for the rows of the text or outer ones."""
        target = self.of(text)
        ready = [name for name in self.names if _selects(self.node(name), target)]
        if ready and self.whole(0, 2):
            return str(self.late(ready))
        column = self.column(text) if isinstance(target.type, Record) else text
        if column is None or not _usable(self.of(column)):
            return None
        return f"({column} {self.one_of(['>', '<=', '!='])} {self.constant()})"

    def constant(self) -> str:
        """A number as a user writes it."""
        return str(self.one_of(["0", "1", "2", "0.5", "1.5", "-1", "2.25", "np.float32(0.5)", "True"]))


def exact(node: Node) -> bool:
    """Whether a value is the same to the last bit whoever computes it: not one of vectors, whose masses cancel, and no
    deviation of the whole dataset, which chunks add up in another way.

    What may differ a little is an answer, but no key, no condition, and nothing is computed from it.
    """
    return not any(isinstance(needed, Behave) or _is_deviation(needed) for needed in walk([node]))


def _is_deviation(node: Node) -> bool:
    return isinstance(node, Aggregate) and node.function in ("std", "var")


def _usable(node: Node) -> bool:
    return isinstance(node.type, Number) and len(node.path) <= DEEPEST and exact(node)


def compatible(one: Node, other: Node) -> bool:
    """Whether two values can be aligned; a histogram stands beside nothing."""
    return not isinstance(one, Fill) and all(
        derives(a, b) or derives(b, a) for a, b in zip(one.path, other.path, strict=False)
    )


def _selects(mask: Node, target: Node) -> bool:
    fits = _usable(mask) and mask.type.dtype.kind == "b" and 0 < len(mask.path) <= len(target.path)  # type: ignore[union-attr]
    return fits and all(derives(a, b) for a, b in zip(target.path, mask.path, strict=False))


#: The name of a column in the line that defines it.
_DEFINED = re.compile(r'with_column\(.*?, "(\w+)"')


def _needed(all_lines: Sequence[str], asked: Sequence[str]) -> list[str]:
    """The lines that the names need."""
    texts = {name: text for name, _, text in (line.partition(" = ") for line in all_lines)}
    columns = {column: name for name, text in texts.items() for column in _DEFINED.findall(text)}
    needed: set[str] = set()
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += re.findall(r"\bv\d+\b", texts[name])
            waiting += [columns[column] for column in re.findall(r'"(new\d+)"', texts[name])]
    return [line for line in all_lines if line.split(" = ", 1)[0] in needed]

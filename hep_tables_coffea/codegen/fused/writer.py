"""From scheduled loops to the text of a kernel."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from hep_tables_coffea.codegen.fused.ir import Effect, Inst
from hep_tables_coffea.codegen.fused.schedule import Body, Nest, Scope
from hep_tables_coffea.codegen.source import Names, Piece, atom

__all__ = ["Writer"]

_LONG = 90
_ZERO = {"b": "False"}
_START = {"sum": "0", "prod": "1", "any": "False", "all": "True"}


class Writer:
    """Writes loops, values and effects as lines of Python that numba could compile."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.lines: list[str] = []
        self._variables: dict[Inst, str] = {}
        self._uses: Counter[Inst] = Counter()
        self._places: dict[Inst, set[int]] = {}
        #: Of each search that is under way, the variables of the best value and of the place in the list.
        self._searches: dict[Effect, tuple[str, str]] = {}

    def write(self, items: Sequence[Inst | Nest]) -> list[str]:
        """The statements of a whole kernel."""
        self._count(_places(items))
        self._items(items, 1)
        return self.lines

    # -- which values become variables -------------------------------------------------------------------------------

    def _count(self, places: Iterator[tuple[int, list[Inst]]]) -> None:
        """How often each value is used in some blocks, and in which of them."""
        self._uses, self._places = Counter(), {}
        for place, used in places:
            for inst in used:
                self._uses[inst] += 1
                self._places.setdefault(inst, set()).add(place)

    def _is_inline(self, inst: Inst, place: int) -> bool:
        """Whether a value is written where it is used: only there, and in the same block."""
        if inst.op == "sort":
            return False
        once = self._uses[inst] < 2 and self._places.get(inst, {place}) == {place}
        return once or self._is_beside(inst)

    def _is_beside(self, inst: Inst) -> bool:
        """Whether a value is a position beside another one, which needs no name."""
        if inst.op != "call" or inst.info[0] not in ("{0} + {1}", "{0} - {1}") or inst.dtype.kind != "i" or inst.wish:
            return False
        return all(arg.op in ("const", "var", "name") or arg in self._variables for arg in inst.args)

    # -- blocks ------------------------------------------------------------------------------------------------------

    def _line(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def _items(self, items: Sequence[Inst | Nest], depth: int, place: int = 0) -> None:
        asked: tuple[Inst | None, int] = (None, 1)
        for item in items:
            if isinstance(item, Nest):
                before, asked = asked, (item.rows, item.least)
                self._nest(item, depth, asked != before)
            elif not self._is_inline(item, place):
                asked = (None, 1)
                self._assign(item, depth)
            # what stands in one expression is written there

    def _assign(self, inst: Inst, depth: int) -> None:
        text = self._text(inst).text
        name = self.names.new(inst.wish or _wish(inst))
        self._variables[inst] = name
        self._line(depth, f"{name} = {text}")

    def _nest(self, nest: Nest, depth: int, asks: bool) -> None:
        """A loop; `asks` where the loop before it does not stand behind the same condition."""
        for effect in nest.begun:
            self._begin(effect, depth)
        start, stop = self.text(nest.loop.start), self.text(nest.loop.stop)
        bounds = stop if start == "0" else f"{start}, {stop}"
        if nest.rows is not None:
            if asks:
                self._line(depth, f"if {self._piece(nest.rows).within(7)} >= {nest.least}:")
            depth += 1
        around = dict(self._variables), self._uses, self._places
        name = self._variables[nest.loop.var] = self.names.new(nest.loop.label)
        self._line(depth, f"for {name} in range({bounds}):")
        self._count(_in_scope(nest.body))
        before = len(self.lines)
        self._scope(nest.body.top, depth + 1)
        if len(self.lines) == before:
            self._line(depth + 1, "pass")
        self._variables, self._uses, self._places = around

    def _scope(self, scope: Scope, depth: int) -> None:
        self._items(list(scope.in_order()), depth, id(scope))
        for effect in scope.effects:
            self._effect(effect, depth)
        for guard, inner in scope.inner.items():
            self._line(depth, f"if {self.text(guard)}:")
            before = len(self.lines)
            self._scope(inner, depth + 1)
            if len(self.lines) == before:
                self._line(depth + 1, "pass")

    # -- values ------------------------------------------------------------------------------------------------------

    def text(self, inst: Inst) -> str:
        """A value as an expression."""
        return self._piece(inst).text

    def _piece(self, inst: Inst) -> Piece:
        name = self._variables.get(inst)
        if name is not None:
            return atom(name)
        if inst.op == "result":
            msg = f"the result {inst.wish} is used before its loop"
            raise AssertionError(msg)
        return self._text(inst)

    def _text(self, inst: Inst) -> Piece:
        if inst.op == "const":
            return _constant(inst)
        if inst.op in ("argument", "name"):
            return atom(inst.info[0])
        if inst.op == "load":
            index = self._piece(inst.args[0])
            text = f"{inst.info[0]}[{index.text}]"
            if len(inst.args) == 2 and inst.args[1].dtype.kind == "b":
                return Piece(f"{text} if {self._piece(inst.args[1]).within(3)} else {_zero(inst)}", 2)
            return atom(text)
        if inst.op == "sort":
            _, key, known, order, ascending = inst.info
            keys = f"{key}, {known}" if known else key
            name = "sort_known_rows" if known else "sort_rows"
            return atom(f"{name}({keys}, {order}, {self.text(inst.args[0])}, {ascending})")
        text, binding, *_ = inst.info
        if binding >= 20:
            return Piece(text.format(*(self._piece(arg).text for arg in inst.args)), 20)
        pieces = [self._piece(arg) for arg in inst.args]
        chained = binding in (11, 12) or " and " in text or " or " in text
        within = [piece.within(binding if chained and k == 0 else binding + 1) for k, piece in enumerate(pieces)]
        return Piece(text.format(*within), binding)

    # -- effects -----------------------------------------------------------------------------------------------------

    def _begin(self, effect: Effect, depth: int) -> None:
        """What is set before the loops of an effect."""
        if effect.kind == "put":
            return
        if effect.kind == "find":
            self._variables[effect.results[0]] = effect.wish
            self._line(depth, f"{effect.wish} = 0")
            return
        if effect.kind == "keep":
            listing = effect.info[0]
            if effect is listing.sources[0][0]:
                self._line(depth, f"{listing.counter} = 0")
            for result in effect.results:
                self._variables[result] = listing.counter
            return
        results = effect.results
        if effect.kind in ("best", "nth"):
            self._begin_search(effect, depth)
        elif results:
            kind, dtype = effect.kind, effect.info[0]
            name = self._variables[results[0]] = self.names.new(effect.wish)
            if kind in ("min", "max"):
                self._line(depth, f"{name} = {_limit(dtype, kind)}")
                found = self._variables[results[1]] = self.names.new(f"{effect.wish}_found")
                self._line(depth, f"{found} = False")
            elif dtype.kind == "b":
                self._line(depth, f"{name} = {_START[kind]}")
            else:
                self._line(depth, f"{name} = {_typed(_START[kind], dtype)}")

    def _begin_search(self, effect: Effect, depth: int) -> None:
        found = self.names.new(f"{effect.wish}_found" if effect.kind == "best" else effect.wish)
        for number, result in enumerate(effect.results):
            if number == 0:
                name = found
            else:
                name = self.names.new(f"{'best' if effect.kind == 'best' else 'found'}_{result.wish or 'row'}")
            self._variables[result] = name
            self._line(depth, f"{name} = {'False' if number == 0 else 0}")
        value, place = "", ""
        if effect.kind == "best":
            value = self.names.new(f"{effect.wish}_value")
            self._line(depth, f"{value} = {_typed('0', effect.values[0].dtype)}")
        if effect.kind == "nth" or len(effect.results) == len(effect.values):
            place = self.names.new("place")
            self._line(depth, f"{place} = 0")
        self._searches[effect] = (value, place)  # anew where the loop is written once more

    def _effect(self, effect: Effect, depth: int) -> None:
        getattr(self, f"_do_{effect.kind}")(effect, depth)

    def _do_sum(self, effect: Effect, depth: int) -> None:
        name, value = self._variables[effect.results[0]], effect.values[0]
        sign = "*" if effect.kind == "prod" else "+"
        if value.dtype.kind in "iu" and value.dtype.itemsize < 8:
            self._line(depth, f"{name} = np.{value.dtype.name}({name} {sign} {self._piece(value).within(12)})")
        else:
            self._line(depth, f"{name} {sign}= {self.text(value)}")

    _do_prod = _do_sum

    def _do_any(self, effect: Effect, depth: int) -> None:
        name, value = self._variables[effect.results[0]], effect.values[0]
        word, binding = ("or", 4) if effect.kind == "any" else ("and", 5)
        self._line(depth, f"{name} = {name} {word} {self._piece(value).within(binding + 1)}")

    _do_all = _do_any

    def _do_min(self, effect: Effect, depth: int) -> None:
        name, value = self._variables[effect.results[0]], effect.values[0]
        self._line(depth, f"{self._variables[effect.results[1]]} = True")
        sign = "<" if effect.kind == "min" else ">"
        text = self._named(value, depth)
        self._line(depth, f"if {text} {sign} {name}:")
        self._line(depth + 1, f"{name} = {text}")

    _do_max = _do_min

    def _named(self, inst: Inst, depth: int) -> str:
        """A value that is used twice, as a variable."""
        piece = self._piece(inst)
        if piece.text.isidentifier():
            return piece.text
        name = self.names.new(inst.wish or "value")
        self._line(depth, f"{name} = {piece.text}")
        return name

    def _do_best(self, effect: Effect, depth: int) -> None:
        value, ok, *rows = effect.values
        found, *others = (self._variables[result] for result in effect.results)
        (sign,) = effect.info
        best, place = self._searches[effect]
        places = [place] if place else []
        inner = depth
        if ok.op != "const" or ok.info[0] != "True":
            self._line(depth, f"if {self.text(ok)}:")
            inner += 1
        text = self._named(value, inner)
        self._line(inner, f"if not {found} or {text} {sign} {best}:")
        self._line(inner + 1, f"{best} = {text}")
        self._line(inner + 1, f"{found} = True")
        for name, row in zip(others, [*map(self.text, rows), *places]):
            self._line(inner + 1, f"{name} = {row}")
        for place in places:
            self._line(depth, f"{place} += 1")

    def _do_nth(self, effect: Effect, depth: int) -> None:
        found, *others = (self._variables[result] for result in effect.results)
        _, place = self._searches[effect]
        self._line(depth, f"if {place} == {self.text(effect.before[0])}:")
        self._line(depth + 1, f"{found} = True")
        for name, row in zip(others, map(self.text, effect.values)):
            self._line(depth + 1, f"{name} = {row}")
        self._line(depth, f"{place} += 1")

    def _do_keep(self, effect: Effect, depth: int) -> None:
        listing = effect.info[0]
        for kept, value in zip(listing.columns.values(), effect.values):
            self._line(depth, f"{kept.array}[{listing.counter}] = {self.text(value)}")
        self._line(depth, f"{listing.counter} += 1")

    def _do_find(self, effect: Effect, depth: int) -> None:
        """The next one takes the place of a row that does not pass: nobody can guess which of them do."""
        row, *asked = effect.values
        self._line(depth, f"{effect.info[0]}[{effect.wish}] = {self.text(row)}")
        texts = [self._piece(one).within(10 if len(asked) > 1 else 0) for one in asked]
        self._line(depth, f"{effect.wish} += np.int64({' & '.join(texts)})")

    def _do_put(self, effect: Effect, depth: int) -> None:
        place, value = map(self.text, effect.values)
        self._line(depth, f"{effect.info[0]}[{place}] = {value}")

    def _do_statement(self, effect: Effect, depth: int) -> None:
        """What stands at the end: a bin that is filled, a value that is appended to a column."""
        write: Callable[[list[str]], list[str]] = effect.info[0]
        for line in write([self.text(value) for value in effect.values]):
            self._line(depth, line)


def _places(items: Sequence[Inst | Nest], place: int = 0) -> Iterator[tuple[int, list[Inst]]]:
    """Every block with the values that its lines use."""
    for item in items:
        if isinstance(item, Nest):
            yield place, [item.loop.start, item.loop.stop, *([item.rows] if item.rows is not None else [])]
            yield from _in_scope(item.body)
        else:
            yield place, list(item.args)


def _in_scope(body: Body) -> Iterator[tuple[int, list[Inst]]]:
    waiting = [body.top]
    while waiting:
        scope = waiting.pop()
        yield from _places(list(scope.in_order()), id(scope))
        for effect in scope.effects:
            yield id(scope), [*effect.values, *(effect.before if effect.kind == "nth" else ())]
        for guard, inner in scope.inner.items():
            yield id(scope), [guard]
            waiting.append(inner)


def _constant(inst: Inst) -> Piece:
    text = inst.info[0]
    if text in ("nan", "inf", "-inf"):
        text = f"np.{text}" if text != "-inf" else "(-np.inf)"
    if inst.dtype.name in ("int64", "float64", "bool") and not text.startswith("-"):
        return atom(text)
    if inst.dtype.name in ("int64", "float64", "bool"):
        return Piece(text, 13)
    return atom(f"np.{inst.dtype.name}({text})")


def _typed(text: str, dtype: object) -> str:
    name = getattr(dtype, "name", "float64")
    if name == "bool":
        return str(bool(int(text)))
    return text if name == "int64" else f"np.{name}({text})"


def _zero(inst: Inst) -> str:
    return _ZERO.get(inst.dtype.kind) or _typed("0", inst.dtype)


def _limit(dtype: object, kind: str) -> str:
    """What every number is less, or greater, than."""
    name = getattr(dtype, "name", "float64")
    if name.startswith("float"):
        text = "np.inf" if kind == "min" else "-np.inf"
        return f"np.{name}({text})"
    limits = np.iinfo(name)
    return f"np.{name}({limits.max if kind == 'min' else limits.min})"


def _wish(inst: Inst) -> str:
    """A name for a value that has none."""
    if inst.op == "load":
        return str(inst.info[0])
    found = re.match(r"np\.(\w+)\(", str(inst.info[0]))
    if found and not re.fullmatch(r"u?int\d+|float\d+", found.group(1)):
        return f"{found.group(1)}_{inst.args[0].wish}" if inst.args and inst.args[0].wish else found.group(1)
    if inst.op == "sort":
        return inst.wish or "n"
    if inst.dtype.kind == "b":
        return "passes"
    return next((arg.wish for arg in inst.args if arg.wish), "value")

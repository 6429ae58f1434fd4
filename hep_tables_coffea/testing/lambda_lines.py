"""Lines of random programs with functions of a row: lambdas, loops, new columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.types.elements import Record

if TYPE_CHECKING:
    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.testing.programs import Pool

__all__ = ["defined", "loop", "mapped"]

Line = str | None


def is_list(node: Node) -> bool:
    return len(node.path) > 1


def is_record(node: Node) -> bool:
    return isinstance(node.type, Record)


def _of_row(pool: Pool, name: str, row: str) -> Line:
    """A number of one row of a value, called `row`."""
    depth = len(pool.node(name).path)
    column = pool.column(name, lambda node: len(node.path) == depth)
    return None if column is None else f"{row}{column[len(name) :]}"


def mapped(pool: Pool) -> Line:
    """Lambdas, that capture other collections, and filter, order and pick them by the current row."""
    one = pool.any_of(is_list, lambda node: len(node.path) < 4)
    other = pool.any_of(is_list, lambda node: len(node.path) < 3)
    if one is None or other is None:
        return None
    r, s = _of_row(pool, one, "r"), _of_row(pool, other, "s")
    if r is None or s is None:
        return None
    texts = [
        "{0}.map(lambda r: {r} * 2)",
        "{0}[lambda r: {r} > {c}]",
        "{0}.map(lambda r: {1}.map(lambda s: {r} - {s}))",
        "{0}.map(lambda r: {1}[lambda s: {s} < {r}])",
        "{0}.map(lambda r: {1}[{r} > {c}])",
        "{0}[lambda r: {1}[lambda s: {s} < {r}].Count() > 0]",
        "{0}.map(lambda r: {1}.MinBy(lambda s: abs({s} - {r})))",
        "{0}.map(lambda r: {1}.OrderBy(lambda s: abs({s} - {r})).First())",
        "{0}.map(lambda r: {1}.without({1}.MinBy(lambda s: abs({s} - {r}))))",
        '{0}.map(lambda r: {{"a": {r}, "b": {1}[lambda s: {s} > {r}]}})',
        "{0}.map(lambda r: {0}.map(lambda s: {r} - {t}))",
        "{0}.map(lambda r: ({r}, {1}.Count()))",
    ]
    return str(pool.one_of(texts)).format(one, other, r=r, s=s, t=f"s{r[1:]}", c=pool.constant())


def loop(pool: Pool) -> Line:
    """Steps until a condition holds, that ends for every row."""
    one = pool.number()
    if one is None:
        return None
    until = pool.one_of(["s[1] >= 3", "(s[1] >= 3) | (s[0] > 1)", "(s[1] >= 2) | (s[0] < 0)"])
    step = pool.one_of(["(s[0] * 2, s[1] + 1)", "(s[0] + s[1], s[1] + 1)", f"(s[0], s[1] + ({one} > 1) + 1)"])
    return f"ht.iterate(({one}, 0), lambda s: {step}, until=lambda s: {until})[{pool.one_of('01')}]"


def defined(pool: Pool) -> Line:
    """A new column, read through the collection or a selection of it, or with the whole record."""
    one = pool.any_of(is_record)
    if one is None:
        return None
    column = pool.column(one)
    if column is None:
        return None
    name = f"new{len(pool.names)}"
    value = pool.one_of([column, f"{column} * 2", pool.constant(), f"{column} > 1"])
    line = f'with_column({one}, "{name}", {value})'
    if is_list(pool.node(one)):
        line += pool.one_of(["", "[0]", "[:1]"])
    return f'{line}["{name}"]' if pool.whole(0, 2) else line

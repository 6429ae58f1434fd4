"""Lines of random programs with what no kernel computes: functions of the user, and strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.testing.user_functions import ONE, STRINGS, TWO
from hep_tables_coffea.types.elements import Record, Text

if TYPE_CHECKING:
    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.testing.programs import Pool

__all__ = ["called", "text"]

Line = str | None


def is_text(node: Node) -> bool:
    return isinstance(node.type, Text)


def has_text(node: Node) -> bool:
    return is_text(node) or (isinstance(node.type, Record) and "word" in node.type.fields)


def called(pool: Pool) -> Line:
    """A function of the user, and often something that is computed from it."""
    one = pool.number()
    if one is None:
        return None
    if pool.whole(0, 2):
        call = f"{pool.one_of(ONE)}({one})"
    else:
        call = f"{pool.one_of(TWO)}({one}, {pool.beside(one) or pool.constant()})"
    if "named_by" in call or pool.whole(0, 1):
        return call
    texts = ["{0} * {1}", "{1} + {0}", "({1})[{0} > 1]", "ht.where({0} > 0, {1}, {0})"]
    if len(pool.of(one).path) > 1:
        texts += ["{0}.Sum()", "{0}.Max()", "{0}[0]", "{0}.OrderBy({0})", "({1}).OrderByDescending({0})", "{0}.Count()"]
    return str(pool.one_of(texts)).format(call, one)


def text(pool: Pool) -> Line:
    """Strings: compared, chosen, given to functions, and rows that are selected by them."""
    name = pool.any_of(has_text)
    if name is None:
        return None
    word = name if is_text(pool.node(name)) else f"{name}.word"
    others = [other for other in pool.names if is_text(pool.node(other))]
    texts = [
        '{0} == "a"',
        '{0} != "b"',
        '"" == {0}',
        "{0} == {1}",
        '{2}[{0} == "a"]',
        "{2}[{0} != {1}]",
        "ak.str.length({0})",
        'ak.str.starts_with({0}, "a")',
        'ak.str.is_in({0}, ["a", ""])',
        'ht.where({0} == "a", 1, 2.5)',
        'ht.fill_missing({0}, "b")',
        "ht.is_missing({0})",
        *(f"{function}({{0}})" for function in STRINGS),
    ]
    return str(pool.one_of(texts)).format(word, pool.one_of(others or [word]), name)

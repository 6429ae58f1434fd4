"""Queries of uproot's own kind: names, expressions and a cut, as `uproot.TTree.arrays` takes them."""

from __future__ import annotations

import functools
import json
from typing import Any

from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError, check_expression

__all__ = ["as_one", "parse", "run"]

#: Functions of awkward that expressions may call, beside those of uproot's language.
AWKWARD = (
    "concatenate where flatten num count count_nonzero sum nansum prod nanprod any all min nanmin max nanmax argmin "
    "nanargmin argmax nanargmax moment mean nanmean var nanvar std nanstd softmax sort argsort mask is_none drop_none "
    "pad_none fill_none firsts singletons broadcast_arrays broadcast_fields cartesian argcartesian combinations "
    "argcombinations isclose almost_equal"
).split()
#: Those of them that go over the entries of an event unless told otherwise; awkward's own go over events.
INSIDE = (
    "concatenate count count_nonzero sum nansum prod nanprod any all min nanmin max nanmax argmin nanargmin argmax "
    "nanargmax moment mean var nanvar std nanstd softmax"
).split()


def parse(text: str) -> list[dict[str, Any]]:
    """The parts of a query, checked. Raises `QueryRefusedError`."""
    try:
        parts = json.loads(text)
    except ValueError as error:
        msg = f"the query is no JSON: {error}"
        raise QueryRefusedError(msg) from None
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise QueryRefusedError("Provided query is not a list")  # noqa: EM101
    for part in parts:
        if not part.get("treename") and not part.get("copy_histograms"):
            msg = f"At least one tree or histogram must be specified for query {part}"
            raise QueryRefusedError(msg)
        for expression in _expressions(part):
            check_expression(expression, frozenset(_language().functions))
    return parts


def _expressions(part: dict[str, Any]) -> list[str]:
    aliases = part.get("aliases") or {}
    listed = _list(part.get("expressions")) + _list(part.get("cut"))
    return [str(one) for one in [*listed, *aliases, *aliases.values()]]


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


@functools.cache
def _language(is_standard: bool = False) -> Any:
    """uproot's language with functions of awkward, which by default stay inside of an event."""
    import awkward as ak
    import uproot

    language = uproot.language.python.PythonLanguage()
    called = {name: getattr(ak, name) for name in AWKWARD}
    if not is_standard:
        called |= {name: functools.partial(called[name], axis=1) for name in INSIDE}
        called["flatten"] = functools.partial(ak.flatten, axis=2)
    language.functions.update(called)
    return language


def run(parts: list[dict[str, Any]], path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tables by the names of their trees, and the objects that are copied."""
    import uproot

    tables: dict[str, Any] = {}
    objects: dict[str, Any] = {}
    with uproot.open({path: None}) as file:
        for part in parts:
            if part.get("treename"):
                tables.update(_tables(file, part))
            else:
                names = file.keys(filter_name=part["copy_histograms"], cycle=False)
                objects.update({name: file[name] for name in names})
        if not tables and not objects:
            msg = f"{path} has nothing that the query names: it has {', '.join(file.keys(cycle=False))}"
            raise KeyError(msg)
    return tables, objects


def _tables(file: Any, part: dict[str, Any]) -> dict[str, Any]:
    trees = part["treename"]
    named = dict(trees) if isinstance(trees, dict) else {name: name for name in _list(trees)}
    missing = [name for name in named if name not in file]
    if missing and part.get("fail_on_missing_trees"):
        msg = f"{file.file_path} has no tree {missing[0]!r}: it has {', '.join(file.keys(cycle=False))}"
        raise KeyError(msg)
    chosen = {name: part.get(name) for name in ("expressions", "cut", "filter_name", "filter_typename", "aliases")}
    language = _language(bool(part.get("use_standard_awkward_axis")))
    return {new: file[name].arrays(language=language, **chosen) for name, new in named.items() if name not in missing}


def as_one(tables: dict[str, Any]) -> dict[str, Any]:
    """Several tables as one with a column `treename`, for formats that hold one.

    Raises `ValueError` if they have not the same columns.
    """
    import awkward as ak

    if len(tables) < 2:
        return tables
    forms = {name: str(ak.type(table).content) for name, table in tables.items()}
    if len(set(forms.values())) > 1:
        msg = f"the trees {', '.join(tables)} have different columns, and Parquet holds one table: ask for root-file"
        raise ValueError(msg)
    marked = [ak.with_field(table, [name] * len(table), "treename") for name, table in tables.items()]
    return {", ".join(tables): ak.concatenate(marked)}

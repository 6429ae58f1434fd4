"""Queries of uproot's own kind: names, expressions and a cut, as `uproot.TTree.arrays` takes them."""

from __future__ import annotations

import functools
import json
from typing import Any

from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError, check_expression

__all__ = ["parse", "run"]

#: Functions of awkward that expressions may call, beside those of uproot's language.
AWKWARD = (
    "concatenate where flatten num count count_nonzero sum nansum prod nanprod any all min nanmin max nanmax argmin "
    "nanargmin argmax nanargmax moment mean nanmean var nanvar std nanstd softmax sort argsort mask is_none drop_none "
    "pad_none fill_none firsts singletons broadcast_arrays broadcast_fields cartesian argcartesian combinations "
    "argcombinations isclose almost_equal"
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
def _language() -> Any:
    import awkward as ak
    import uproot

    language = uproot.language.python.PythonLanguage()
    language.functions.update({name: getattr(ak, name) for name in AWKWARD})
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
    return tables, objects


def _tables(file: Any, part: dict[str, Any]) -> dict[str, Any]:
    trees = part["treename"]
    named = dict(trees) if isinstance(trees, dict) else {name: name for name in _list(trees)}
    chosen = {name: part.get(name) for name in ("expressions", "cut", "filter_name", "aliases")}
    missing = [name for name in named if name not in file]
    if missing and part.get("fail_on_missing_trees") is not False:
        msg = f"{file.file_path} has no tree {missing[0]!r}: it has {', '.join(file.keys(cycle=False))}"
        raise KeyError(msg)
    return {
        new: file[name].arrays(language=_language(), **chosen) for name, new in named.items() if name not in missing
    }

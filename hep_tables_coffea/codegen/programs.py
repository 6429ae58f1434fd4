"""Programs that were written before: a cell of a notebook that runs again is planned, and not written again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from threading import Lock
from typing import Any

from hep_tables_coffea.codegen.processor import ProcessorSource, write, write_fused
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.plan.variations import Varied

__all__ = ["forget", "program"]

KEPT = 64
_known: OrderedDict[tuple[Any, ...], tuple[list[Any], ProcessorSource]] = OrderedDict()
#: The same by the nodes themselves, of which equal ones are one object: what was recorded once and runs again.
_same: OrderedDict[tuple[Any, ...], ProcessorSource] = OrderedDict()
_lock = Lock()


def program(
    outputs: Mapping[str, g.Node],
    constants: Mapping[g.Node, Any],
    title: str,
    engine: str,
    varied: Mapping[str, Varied] | None = None,
) -> ProcessorSource:
    """The processor of some outputs. `engine` is "columnar", or one that fuses what it can."""
    make = partial(write if engine == "columnar" else write_fused, varied=varied)
    about = (title, engine == "columnar", repr(varied or {}))
    nodes = (*outputs.items(), *about)
    if not constants and (found := _same.get(nodes)):
        return found
    key = _key(outputs, constants, about)
    if key is None:
        return make(outputs, title=title, constants=constants)
    schemas = [node.dataset.schema.columns for node in walk(list(outputs.values())) if isinstance(node, g.Source)]
    with _lock:
        known = _known.get(key)
        if known is not None and known[0] == schemas:  # columns of one name may have other types in other files
            _known.move_to_end(key)
    if known is None or known[0] != schemas:
        known = schemas, make(outputs, title=title, constants=constants)
        with _lock:
            _keep(_known, key, known)
    if not constants:
        with _lock:
            _keep(_same, nodes, known[1])
    return known[1]


def forget() -> None:
    """All programs are written anew."""
    with _lock:
        _known.clear()
        _same.clear()


def _keep(where: OrderedDict[tuple[Any, ...], Any], key: tuple[Any, ...], value: Any) -> None:
    where[key] = value
    while len(where) > KEPT:
        where.popitem(last=False)


def _key(
    outputs: Mapping[str, g.Node], constants: Mapping[g.Node, Any], about: tuple[Any, ...]
) -> tuple[Any, ...] | None:
    """What the text depends on: the program and the lines that recorded it. None with functions of the user."""
    places = []
    for node in walk(list(outputs.values())):
        if isinstance(node, g.UserCall):
            return None
        places.append(node.where)
    digests = tuple((name, node.digest) for name, node in outputs.items())
    values = tuple((node.digest, repr(value)) for node, value in constants.items())
    return digests, values, about, hash(tuple(places))

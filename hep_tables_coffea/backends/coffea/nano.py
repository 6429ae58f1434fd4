"""Events as a coffea schema class lays them out: opened on a file that is kept, read field by field."""

from __future__ import annotations

import sys
import threading
import types
import warnings
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["kept", "open_events", "read_fields"]

#: So many files stay open in each thread: reading from one in several threads is not safe with coffea's caches.
KEPT = 4


def kept() -> dict[str, Any]:
    """What this process keeps between chunks, whatever way this module came here."""
    return vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))


def open_events(path: str, tree: str | None, schema: type, start: int, stop: int) -> Any:
    """The events of an entry range, as coffea lays them out. Nothing but metadata is read."""
    from coffea.nanoevents import NanoEventsFactory

    from hep_tables_coffea.files.paths import is_parquet

    where: dict[str, Any] = {"schemaclass": schema, "entry_start": start, "entry_stop": stop, "mode": "virtual"}
    with _quietly():
        if is_parquet(path):
            return NanoEventsFactory.from_parquet(path, **where).events()
        return NanoEventsFactory.from_root(_directory(path), treepath=tree, **where).events()


def read_fields(path: str, tree: str | None, schema: type, names: list[str], start: int, stop: int) -> dict[str, Any]:
    """The fields of an entry range: `Jet/pt` is `events["Jet"]["pt"]`."""
    from hep_tables_coffea.codegen.reading import read_events
    from hep_tables_coffea.files.memory import keep_freed

    keep_freed()
    events = open_events(path, tree, schema, start, stop)
    with _quietly():
        return read_events(events, names)


def _directory(path: str) -> Any:
    """The open file, from the last time if it has not changed since."""
    import uproot

    from hep_tables_coffea.files.paths import fingerprint, is_url, local

    opened = kept().setdefault("directories", threading.local()).__dict__.setdefault("opened", OrderedDict())
    mark = fingerprint(path)
    if path not in opened or opened[path][0] != mark:
        where = path if is_url(path) else local(path)
        opened[path] = mark, uproot.open({where: None}, object_cache=8, array_cache="64 MB")
    opened.move_to_end(path)
    while len(opened) > KEPT:
        opened.popitem(last=False)
    return opened[path][1]


@contextmanager
def _quietly() -> Iterator[None]:
    """coffea warns of what a file lacks and of what its schemas overwrite: a layout says that already."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

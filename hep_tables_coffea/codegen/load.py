"""From text to a class: compiled once for each text, shown in tracebacks, sent to workers by value."""

from __future__ import annotations

import functools
import hashlib
import linecache
import os
import types
from collections.abc import Callable, Mapping
from typing import Any

from hep_tables_coffea import files

__all__ = ["FILE_PREFIX", "equip", "load_class"]

FILE_PREFIX = "<hep_tables_coffea "


def load_class(text: str, name: str, functions: Mapping[str, Callable[..., Any]] | None = None) -> type[Any]:
    """The class `name` that the text defines. `functions` are the user's, which the text calls by these names."""
    return _load(text, name, tuple((functions or {}).items()))


@functools.lru_cache(maxsize=512)
def _load(text: str, name: str, functions: tuple[tuple[str, Callable[..., Any]], ...]) -> type[Any]:
    """Compiled once for each text.

    Its module cannot be imported, so it travels by value: a worker needs nothing of this library. What travels is the
    text, which is quick to pickle, and quick to load where it has been seen; with functions of the user it is the class.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    file = f"{FILE_PREFIX}{digest}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": f"hep_tables_coffea_generated_{digest}"}
    namespace.update({key: _by_value(function, namespace["__name__"]) for key, function in functions})
    exec(compile(text, file, "exec"), namespace)  # noqa: S102 (the text is our own)
    equip(namespace)
    made: type[Any] = namespace[name]
    if not functions:
        again = _by_value(_again, namespace["__name__"])

        def reduced(self: Any) -> tuple[Any, ...]:
            return again, (text, name, vars(self))

        setattr(made, "__reduce__", reduced)  # noqa: B010 (a class of ours that no checker knows)
    return made


def _again(text: str, name: str, state: dict[str, Any]) -> Any:
    """An instance from the text of its class, which a worker compiles once. Knows nothing but what it imports."""
    import hashlib
    import linecache
    import sys
    import types

    keeper = vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))
    classes = keeper.setdefault("classes", {})
    if text not in classes:
        while len(classes) > 32:
            classes.pop(next(iter(classes)), None)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        file = f"<hep_tables_coffea {digest}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        namespace = {"__name__": f"hep_tables_coffea_generated_{digest}"}
        exec(compile(text, file, "exec"), namespace)  # noqa: S102 (the text is our own)
        library = sys.modules.get("hep_tables_coffea.codegen.load")
        if library is not None:
            library.equip(namespace)
        classes[text] = namespace[name]
    made = object.__new__(classes[text])
    vars(made).update(state)
    return made


def equip(namespace: dict[str, Any]) -> None:
    """Give a processor in coffea's Runner the reader of this library, which is faster than the one in its text."""
    if "read_chunk" in namespace:
        namespace["read_chunk"] = functools.partial(_read_chunk, namespace["read_chunk"])


def _read_chunk(otherwise: Callable[[Any, list[str]], Any], events: Any, names: list[str]) -> Any:
    """The columns of a chunk of a local file, of which is kept where they are; bytes come from the chunk's own handle."""
    about = events.metadata
    path, tree = about["filename"], about["treename"]
    if not os.path.exists(path):
        return otherwise(events, names)
    handle = events.attrs["@events_factory"].file_handle
    return files.read_through(handle, path, tree, names, about["entrystart"], about["entrystop"])


def _by_value(function: Callable[..., Any], module: str) -> Callable[..., Any]:
    """The function as one of the generated module, so that it travels with it."""
    if not isinstance(function, types.FunctionType):
        return function
    twin = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    twin.__module__, twin.__kwdefaults__ = module, function.__kwdefaults__
    return twin

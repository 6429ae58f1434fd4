"""From text to a class: compiled once for each text, shown in tracebacks, sent to workers by value."""

from __future__ import annotations

import functools
import hashlib
import linecache
from typing import Any

__all__ = ["FILE_PREFIX", "load_class"]

FILE_PREFIX = "<hep_tables_coffea "


@functools.lru_cache(maxsize=512)
def load_class(text: str, name: str) -> type[Any]:
    """The class `name` that the text defines.

    Its module cannot be imported, so it travels by value: a worker needs neither this library nor the text.
    """
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    file = f"{FILE_PREFIX}{digest}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {"__name__": f"hep_tables_coffea_generated_{digest}"}
    exec(compile(text, file, "exec"), namespace)  # noqa: S102 (the text is our own)
    made: type[Any] = namespace[name]
    return made

"""Plug-ins by name: found by entry points, loaded when asked for, checked when registered."""

from __future__ import annotations

import inspect
import warnings
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from hep_tables_coffea.errors import PluginError, SchemaError, hint_names
from hep_tables_coffea.plugins.protocol import Backend, SchemaPack, Upstream

__all__ = ["backend", "names", "register_backend", "register_schema", "schema_pack", "schema_packs", "upstream"]

_GROUPS = {"schema": "hep_tables_coffea.schemas", "backend": "hep_tables_coffea.backends"}
_CONTRACTS: dict[str, tuple[type, dict[str, tuple[str, ...]]]] = {
    "schema": (SchemaPack, {"matches": ("columns",), "build": ("columns",)}),
    "backend": (
        Backend,
        {
            "supports": ("node",),
            "compile": ("outputs", "constants", "title"),
            "execute": ("program", "dataset", "options"),
        },
    ),
    "upstream": (
        Upstream,
        {
            "supports": ("node",),
            "needs": ("node",),
            "compile": ("columns", "events", "dataset"),
            "deliver": ("program", "dataset", "options"),
        },
    ),
}
_known: dict[str, dict[str, Any]] = {"schema": {}, "backend": {}}


def _check(kind: str, plugin: Any) -> None:
    """The contract, with who, where, and the difference. A back end that delivers is one for others."""
    contract, methods = _CONTRACTS["upstream" if kind == "backend" and hasattr(plugin, "deliver") else kind]
    who = getattr(plugin, "name", None) or type(plugin).__name__
    for attribute in getattr(contract, "__annotations__", {}):
        if not hasattr(plugin, attribute):
            msg = f"the {kind} plug-in {who!r} has no attribute {attribute!r}"
            raise PluginError(msg, hint=f"{contract.__name__} lists what it needs")
    for name, arguments in methods.items():
        method = getattr(plugin, name, None)
        if not callable(method):
            msg = f"the {kind} plug-in {who!r} has no method {name!r}"
            raise PluginError(msg, hint=f"def {name}(self, {', '.join(arguments)}): ...")
        parameters = inspect.signature(method).parameters
        lacking = [a for a in arguments if a not in parameters]
        if lacking:
            msg = f"the {kind} plug-in {who!r}: {name}{inspect.signature(method)} does not take {', '.join(lacking)}"
            raise PluginError(msg, hint=f"def {name}(self, {', '.join(arguments)}): ...")


def _register(kind: str, plugin: Any) -> None:
    _check(kind, plugin)
    _known[kind][plugin.name] = plugin


def register_schema(pack: SchemaPack) -> None:
    """Register a schema pack for this process; a package does it with the entry point `hep_tables_coffea.schemas`."""
    _register("schema", pack)


def register_backend(plugin: Backend | Upstream) -> None:
    """Register a back end for this process."""
    _register("backend", plugin)


def names(kind: str) -> list[str]:
    return sorted({*_known[kind], *(point.name for point in entry_points(group=_GROUPS[kind]))})


def _get(kind: str, name: str) -> Any:
    if name not in _known[kind]:
        for point in entry_points(group=_GROUPS[kind]):
            if point.name == name:
                _register(kind, _loaded(kind, point))
    if name not in _known[kind]:
        msg = f"there is no {kind} {name!r}"
        raise SchemaError(msg, hint=hint_names(name, names(kind)))
    return _known[kind][name]


def _loaded(kind: str, point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        package = f" of the package {point.dist.name}" if point.dist is not None else ""
        msg = f"the {kind} plug-in {point.name!r} ({point.value}){package} cannot be loaded: {error}"
        raise PluginError(msg, hint="its package may be broken: install it again, or remove it") from error


def schema_pack(name: str) -> SchemaPack:
    """The schema pack of a name."""
    return _get("schema", name)  # type: ignore[no-any-return]


def schema_packs() -> list[SchemaPack]:
    """Every schema pack that works; a broken one must not hinder files that it has nothing to do with."""
    found = []
    for name in names("schema"):
        try:
            found.append(schema_pack(name))
        except PluginError as error:
            warnings.warn(error.summary, stacklevel=2)
    return found


def backend(name: str) -> Backend:
    """The back end of a name."""
    return _get("backend", name)  # type: ignore[no-any-return]


def upstream(name: str) -> Upstream | None:
    """The back end of a name, if it is one that delivers columns to others."""
    found = _get("backend", name)
    return found if hasattr(found, "deliver") else None

"""The classes of the ATLAS event model as fields: which methods are columns, of which type, and why others are none.

What is known of a class comes from the tables of `func_adl_servicex_xaodr22`, read when a collection is asked for.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from hep_tables_coffea.schemas._grouping import Fields, place
from hep_tables_coffea.schemas._vectors import coordinates, lorentz
from hep_tables_coffea.types.schema import Group, Leaf

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NUMBERS", "behavior_of", "class_fields", "collection_tables", "import_tables", "method_tables", "returned"]

_PACKAGE = "func_adl_servicex_xaodr22"

#: C++ -> numpy, for what a column can hold.
NUMBERS = {
    "bool": "bool",
    "char": "int8",
    "int8_t": "int8",
    "unsigned char": "uint8",
    "uint8_t": "uint8",
    "short": "int16",
    "int16_t": "int16",
    "unsigned short": "uint16",
    "uint16_t": "uint16",
    "int": "int32",
    "int32_t": "int32",
    "unsigned int": "uint32",
    "uint": "uint32",
    "uint32_t": "uint32",
    "long": "int64",
    "long long": "int64",
    "int64_t": "int64",
    "unsigned long": "uint64",
    "unsigned long long": "uint64",
    "uint64_t": "uint64",
    "float": "float32",
    "double": "float64",
}
#: Methods that every element has, and that tell of its store and not of the event.
_BOOKKEEPING = frozenset(
    "usingPrivateStore usingStandaloneStore hasStore hasNonConstStore clearDecorations trackIndices".split()
)
#: Methods that are energies, momenta or masses, with or without an ending such as `JetSeed`.
_MOMENTUM = re.compile(r"(pt|m|e|px|py|pz|et|met|mpx|mpy|sumet)([A-Z].*)?")
#: What behaviors take for a coordinate of a vector, and those of them that a particle keeps.
_COORDINATES = frozenset("x y z t px py pz pt rho eta phi theta e E energy m M mass tau".split())
_KEPT = frozenset(["pt", "eta", "phi", "m"])


@dataclass(frozen=True, slots=True)
class _Method:
    """A method of a class. `element` is set where it returns a list, `values` where it returns an enumeration."""

    name: str
    returns: str
    element: str = ""
    arguments: str = ""
    values: str = ""


class _Noted:
    """A stream of func_adl that only notes the metadata that are attached to it."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    def MetaData(self, metadata: dict[str, Any]) -> _Noted:
        self.found.append(metadata)
        return self


def import_tables(module: str = "") -> Any:
    """The package of tables, or a module of it. `ValueError` where it is not installed."""
    try:
        importlib.import_module(_PACKAGE)
    except ModuleNotFoundError as error:
        msg = (
            f"the types of xAOD events come from the package {_PACKAGE}, and {error.name} is not installed: "
            f"pip install 'hep_tables_coffea[servicex]'"
        )
        raise ValueError(msg) from error
    return importlib.import_module(f"{_PACKAGE}.{module}" if module else _PACKAGE)


def collection_tables() -> Mapping[str, Mapping[str, Any]]:
    """The collections of an event: name -> what the code generator has to be told of it."""
    return import_tables("event_collection")._collection_map  # type: ignore[no-any-return]


def method_tables(type_: str, name: str) -> list[dict[str, Any]]:
    """What the code generator has to be told of a method of a class."""
    module, method = _module(type_), _methods(type_)[name]
    noted = _Noted()
    module._add_method_metadata(noted, ast.parse(f"x.{name}()", mode="eval").body)
    return [_mended(table, method) for table in noted.found]


def _mended(table: dict[str, Any], method: _Method) -> dict[str, Any]:
    if table["metadata_type"] != "add_method_type_info":
        return table
    if method.element:
        # the table has `unsigned short` for the numbers of a list of int, and the job would cut them off
        return {**table, "return_type_element": _standard(method.element)}
    if method.returns == "string":
        return {**table, "return_type": _standard(method.returns)}
    return {**table, "tree_type": "int"} if method.values else table


def _standard(type_: str) -> str:
    """A type as it is written outside of the namespace `std`, where the job's own variables are declared."""
    return re.sub(r"(?<![\w:])(string|vector)\b", r"std::\1", type_)


def returned(type_: str, name: str) -> str:
    """The class of what a method gives, or of the rows of the list that it gives; "" for a number."""
    method = _methods(type_).get(name)
    type_ = _plain(method.element or method.returns) if method is not None else ""
    return type_ if _module(type_) is not None else ""


# -- methods ---------------------------------------------------------------------------------------------------------


def _plain(type_: str) -> str:
    """A type without `const`, pointers and `std::`."""
    return type_.replace("std::", "").removeprefix("const ").rstrip("*& ")


def _module(type_: str) -> Any:
    """The module that describes a class, None where there is none."""
    if type_.startswith("ElementLink<"):
        name = re.sub("::|[<>]", "_", type_).lower()
    elif re.fullmatch(r"xAOD::\w+", type_):
        name = f"xAOD.{type_.removeprefix('xAOD::').lower()}"
    else:
        return None
    try:
        module = import_tables(name)
    except ModuleNotFoundError:
        return None
    return module if hasattr(module, "_method_map") else None


def _methods(type_: str) -> dict[str, _Method]:
    module = _module(type_)
    class_ = getattr(module, re.sub("::|[<>]", "_", type_.removeprefix("xAOD::")))
    return {name: _method(module, class_, name, table) for name, table in module._method_map.items()}


def _method(module: Any, class_: type, name: str, table: Mapping[str, Any]) -> _Method:
    arguments = _arguments(getattr(class_, name, None))
    if "return_type" not in table:
        return _Method(name, table["return_type_collection"], _element(table), arguments)
    returns = _plain(table["return_type"]) if "*" not in table["return_type"] else table["return_type"]
    enums = module._enum_function_map.get(name, []) if hasattr(module, "_enum_function_map") else []
    matching = [e for e in enums if "::".join([*e["namespace"].split("."), e["name"]]) == returns]
    return _Method(name, returns, "", arguments, _values(class_, matching[0]) if matching else "")


def _element(table: Mapping[str, Any]) -> str:
    """The type of a list's rows, from that of the list: the tables are not exact about numbers."""
    match = re.fullmatch(r"vector<(.*)>", _plain(table["return_type_collection"]))
    return match.group(1).strip() if match else str(table["return_type_element"])


def _arguments(member: Any) -> str:
    if isinstance(member, property):
        return "a C++ type, a name"
    if member is None:
        return ""
    parameters = list(inspect.signature(member).parameters.values())[1:]
    return ", ".join(f"{p.name}: {str(p.annotation).rpartition('.')[2]}" for p in parameters)


def _values(class_: type, table: Mapping[str, Any]) -> str:
    """The names of an enumeration's values, with their numbers where the package knows them."""
    found = getattr(class_, table["name"], None)
    if isinstance(found, type) and issubclass(found, Enum):
        return ", ".join(f"{member.value} {member.name}" for member in found)
    return ", ".join(table["values"])


# -- fields ----------------------------------------------------------------------------------------------------------


def class_fields(type_: str, prefix: str, depth: int, inside: bool = True) -> Fields:
    """The fields of a class: its methods, as columns `prefix.method`; lists of objects only `inside` a collection."""
    fields: Fields = {}
    for method in _methods(type_).values():
        if method.name not in _BOOKKEEPING and not re.match("set[A-Z]", method.name):
            fields[method.name] = _field(method, f"{prefix}.{method.name}", depth, inside)
    _set_coordinates_aside(fields, depth)
    return fields


def _field(method: _Method, column: str, depth: int, inside: bool) -> Leaf | Group:
    element = _plain(method.element)
    doc = f"{method.values or element or method.returns}{' [MeV]' if _MOMENTUM.fullmatch(method.name) else ''}"
    problem = _problem(method, inside)
    if problem:
        return Leaf(column, "", depth, doc, problem=problem)
    if method.element and _module(element) is not None:
        fields = class_fields(element, column, depth + 1, False)
        return Group(method.name, fields, True, behavior_of(fields, depth + 1), doc=doc)
    type_ = element or ("int" if method.values else method.returns)
    return Leaf(column, "str" if type_ == "string" else NUMBERS[type_], depth + bool(element), doc)


def _problem(method: _Method, inside: bool) -> str:
    """Why a method is no column; "" where it is one."""
    if method.arguments:
        return (
            f"the method {method.name}({method.arguments}) takes arguments; the rule attributes= names what is stored"
        )
    if method.returns == "TLorentzVector":
        return "the record is itself this vector: jets.mass, jets.delta_r(other), jets + jets"
    type_, pointer = _plain(method.element or method.returns), method.returns.rstrip().endswith("*")
    if (type_ in NUMBERS and not pointer) or method.values or type_ == "string":
        return ""
    if method.element and _module(type_) is not None:
        return "" if inside else "it is a list of the objects of a link, and only the link itself is followed"
    if pointer or type_.startswith("ElementLink<"):
        return "it is one object that need not be there, and a job that asks a missing one ends"
    return f"{method.returns} is neither a number nor a list of numbers or objects"


def behavior_of(fields: Mapping[str, Leaf | Group], depth: int) -> str:
    """The record of coffea's candidate module for an object, "" if it is no particle."""
    seen = coordinates(fields, depth)
    return lorentz(seen) if "pt" in seen else ""


def _set_coordinates_aside(fields: Fields, depth: int) -> None:
    """Of a particle, keep pt, eta, phi and m: behaviors refuse a vector that has a coordinate twice.

    The others follow from them: `jets.e` and `jets.px` are computed. What the methods give is `jets.stored.e`.
    """
    if coordinates(fields, depth) >= _KEPT:
        aside = {name: fields.pop(name) for name in sorted(_COORDINATES - _KEPT) if name in fields}
        if aside:
            place(fields, "stored", Group("stored", aside))

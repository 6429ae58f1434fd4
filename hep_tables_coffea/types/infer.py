"""Element types of results: by running the function on arrays without entries, once for each signature."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.types.elements import Element, Number, Record, Text, number, optional

__all__ = ["behavior_class", "common", "element_of_form", "empty_of", "field_of_form", "list_type", "run_behavior"]

#: A constant among arguments: its value takes part in the inference, only its type in the key of the cache.
Constant = tuple[str, Any]


def empty_of(element: Element) -> ak.Array:
    """An array of the type without entries."""
    if isinstance(element, Text):
        array = ak.Array(["x"])[:0]
    elif isinstance(element, Number):
        array = ak.Array(np.empty(0, element.dtype))
    else:
        array = ak.zip({name: np.empty(0) for name in element.fields} or {"_": np.empty(0)})
    return ak.mask(array, np.empty(0, bool)) if element.option else array


def element_of_form(form: ak.forms.Form) -> Element | None:
    """The element type of a form, or None where it is none: a list, a union."""
    if form.is_option:
        inner = element_of_form(form.content)
        return None if inner is None else optional(inner)
    if form.is_indexed:
        return element_of_form(form.content)
    if form.parameter("__array__") == "string":
        return Text()
    if form.is_numpy and not form.inner_shape:
        return Number(np.dtype(form.primitive))
    if form.is_record:
        return Record(tuple(form.fields), form.parameter("__record__") or "")
    return None


@functools.lru_cache(maxsize=4096)
def _flat(function: Callable[..., Any], arguments: tuple[Element | Constant, ...], options: Any) -> Element | None:
    values = [a[1] if isinstance(a, tuple) else empty_of(a) for a in arguments]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = function(*values, **dict(options))
    return _element_of_result(result)


def _element_of_result(result: Any) -> Element | None:
    if isinstance(result, ak.Array):
        return element_of_form(result.layout.form)
    if isinstance(result, str):
        return Text()
    return number(np.asarray(result).dtype)


def flat_type(
    function: Callable[..., Any], arguments: Sequence[Element | Constant], options: tuple[Any, ...] = ()
) -> Element | None:
    """The element type of an elementwise call."""
    return _flat(function, tuple(arguments), options)


@functools.lru_cache(maxsize=1024)
def list_type(function: Callable[..., Any], element: Element, options: tuple[Any, ...] = ()) -> Element | None:
    """The element type of a function of lists: a reducer, or one that keeps the list."""
    lists = ak.unflatten(empty_of(element), np.empty(0, np.int64))
    result = function(lists, axis=-1, **dict(options))
    form = result.layout.form
    while form.is_list and form.parameter("__array__") != "string":
        form = form.content
    return element_of_form(form)


def common(elements: Sequence[Element]) -> Element:
    """The type that holds values of all the types."""
    option = any(element.option for element in elements)
    if all(isinstance(element, Number) for element in elements):
        dtypes = [element.dtype for element in elements if isinstance(element, Number)]
        return Number(np.result_type(*dtypes), option)
    if all(isinstance(element, Text) for element in elements):
        return Text(option)
    if all(isinstance(element, Record) for element in elements):
        first, *others = (element for element in elements if isinstance(element, Record))
        shared = tuple(name for name in first.fields if all(name in other.fields for other in others))
        behavior = first.behavior if all(other.behavior == first.behavior for other in others) else ""
        same_rows = all(other.rows is first.rows for other in others)
        return Record(shared, behavior, first.rows if same_rows else None, None, option)
    msg = " and ".join(sorted({str(element) for element in elements}))
    raise TypeError(msg)


# -- behaviors -------------------------------------------------------------------------------------------------------


@functools.cache
def behaviors(module: str) -> dict[Any, Any]:
    """The awkward behaviors of a module such as `coffea.nanoevents.methods.nanoaod`, or of a schema `module:Class`."""
    name, _, qualname = module.partition(":")
    owner: Any = import_module(name)
    for part in qualname.split(".") if qualname else ():
        owner = getattr(owner, part)
    found: dict[Any, Any] = dict(owner.behavior() if qualname else owner.behavior)
    return found


def behavior_class(module: str, name: str) -> type | None:
    """The class whose methods arrays of the record `name` have."""
    if not module or not name:
        return None
    found = behaviors(module).get(("*", name))
    return found if isinstance(found, type) else None


def record_form(members: dict[str, Element], behavior: str, option: bool) -> str:
    """The form of a record of plain columns, as text: what a behavior is tried on."""
    contents = [_member_form(element, name) for name, element in members.items()]
    form: ak.forms.Form = ak.forms.RecordForm(
        contents, list(members), parameters={"__record__": behavior} if behavior else None, form_key="#record"
    )
    if option:
        form = ak.forms.IndexedOptionForm("i64", form, form_key="#option")
    return str(form.to_json())


def _member_form(element: Element, name: str) -> ak.forms.Form:
    if isinstance(element, Text):
        inner = ak.forms.NumpyForm("uint8", parameters={"__array__": "char"}, form_key=f"{name}#char")
        form: ak.forms.Form = ak.forms.ListOffsetForm("i64", inner, parameters={"__array__": "string"}, form_key=name)
    else:
        assert isinstance(element, Number)
        form = ak.forms.NumpyForm(element.dtype.name, form_key=name)
    return ak.forms.IndexedOptionForm("i64", form, form_key=f"{name}#option") if element.option else form


def number_form(element: Element) -> str:
    """The form of a number or text, as text."""
    return str(_member_form(element, "#value").to_json())


@functools.lru_cache(maxsize=1024)
def run_behavior(
    module: str,
    method: str,
    how: str,
    arguments: tuple[str | Constant, ...],
    options: tuple[tuple[str, Any], ...] = (),
) -> tuple[str, tuple[frozenset[str], ...]]:
    """Try a behavior on typetracers: the form of the result as text, and the fields that each argument needs.

    `how` is "property", "method", "operator" (`method` is then the name of a ufunc) or "reduce" (of lists of records).
    """
    values: list[Any] = []
    reports: list[Any] = []
    for argument in arguments:
        if isinstance(argument, tuple):
            values.append(argument[1])
            reports.append(None)
            continue
        form = ak.forms.from_json(argument)
        if how == "reduce":
            form = ak.forms.ListOffsetForm("i64", form, form_key="#list")
        layout, report = ak.typetracer.typetracer_with_report(form)
        values.append(ak.Array(layout, behavior=behaviors(module)))
        reports.append(report)
    if how == "reduce":
        result = getattr(ak, method)(values[0], axis=-1)
    elif how == "operator":
        result = getattr(np, method)(*values, **dict(options))
    elif how == "property":
        result = getattr(values[0], method)
    else:
        result = getattr(values[0], method)(*values[1:], **dict(options))
    touched = tuple(frozenset() if r is None else frozenset(k for k in r.data_touched if "#" not in k) for r in reports)
    return str(result.layout.form.to_json()), touched


def element_of_json(form: str) -> Element | None:
    """The element type of a form given as text."""
    return element_of_form(ak.forms.from_json(form))


def field_of_form(form: str, name: str) -> Element:
    """The element type of a field of a record form given as text."""
    parsed = ak.forms.from_json(form)
    option = parsed.is_option
    while not parsed.is_record:
        parsed = parsed.content
    element = element_of_form(parsed.content(name))
    if element is None:
        msg = f"the field {name!r} is a list"
        raise TypeError(msg)
    return optional(element) if option else element


_COORDINATES = "pt eta phi mass charge energy m M e E x y z t px py pz rho theta tau pT tau1 charge covMatrix".split()


@functools.lru_cache(maxsize=1024)
def valid_fields(module: str, behavior: str, available: tuple[str, ...], touched: frozenset[str]) -> tuple[str, ...]:
    """The fields that a record of this behavior must have, so that what is `touched` can be used."""
    coordinates = [name for name in available if name in touched or name in _COORDINATES]
    for names in ([name for name in available if name in touched], coordinates, list(available)):
        contents = [ak.contents.NumpyArray(np.empty(0)) for _ in names]
        layout = ak.contents.RecordArray(contents, names, length=0, parameters={"__record__": behavior})
        try:
            ak.Array(layout, behavior=behaviors(module))
        except Exception:  # noqa: S112 (coffea's validation raises what it likes)
            continue
        if names:
            return tuple(names)
    return available

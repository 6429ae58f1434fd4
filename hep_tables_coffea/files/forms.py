"""From an awkward form to the columns in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Leaf", "leaves"]

#: What `__array__` says of lists that are one value.
TEXT = {"string": "str", "bytestring": "bytes"}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One column of a form: the record members that lead to it, and its type."""

    path: tuple[str, ...] = ()
    dtype: str = ""
    depth: int = 0
    fixed: tuple[int, ...] = ()
    optional: bool = False
    problem: str = ""


#: The event itself.
TOP = Leaf()


def leaves(form: Any, above: Leaf = TOP) -> Iterator[Leaf]:
    """Every column in a form; records are opened, so a record without members has none.

    >>> import awkward as ak
    >>> [leaf.path for leaf in leaves(ak.Array([[{"x": 1, "y": {"z": 2}}]]).layout.form)]
    [('x',), ('y', 'z')]
    """
    if form.is_record:
        for name in form.fields:
            yield from leaves(form.content(name), replace(above, path=(*above.path, name)))
    elif form.parameter("__array__") in TEXT:
        yield replace(above, dtype=TEXT[form.parameter("__array__")])
    elif form.is_list:
        fixed = (*above.fixed, form.size) if form.is_regular else above.fixed
        # a list that is missing has no rows, so what is in lists is not missing because they are
        yield from leaves(form.content, replace(above, depth=above.depth + 1, fixed=fixed, optional=False))
    elif form.is_option:
        yield from leaves(form.content, replace(above, optional=True))
    elif form.is_indexed:
        yield from leaves(form.content, above)
    elif form.is_numpy:
        fixed = (*above.fixed, *form.inner_shape)
        yield replace(above, dtype=form.primitive, depth=above.depth + len(form.inner_shape), fixed=fixed)
    else:
        yield replace(above, problem="it holds values of several types" if form.is_union else "it holds no values")

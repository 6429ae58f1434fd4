"""The kinds of lines that random programs are made of. Each draws one line, or None where nothing fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.testing.call_lines import called, text
from hep_tables_coffea.testing.histogram_lines import category, histogram, numpy_histogram, profile
from hep_tables_coffea.testing.lambda_lines import defined, loop, mapped
from hep_tables_coffea.testing.selection_lines import again, cut_flow, selections
from hep_tables_coffea.types.elements import Number, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.testing.programs import Pool

__all__ = ["KINDS"]

Line = str | None


def is_list(node: Node) -> bool:
    return len(node.path) > 1


def is_record(node: Node) -> bool:
    return isinstance(node.type, Record)


def is_float(node: Node) -> bool:
    return isinstance(node.type, Number) and node.type.dtype.kind == "f"


def is_bool(node: Node) -> bool:
    return isinstance(node.type, Number) and node.type.dtype.kind == "b"


def is_whole(node: Node) -> bool:
    return isinstance(node.type, Number) and node.type.dtype.kind in "iu"


def may_miss(node: Node) -> bool:
    return node.type.option


def is_vector(node: Node) -> bool:
    return isinstance(node.type, Record) and bool(node.type.behavior)


# -- numbers ---------------------------------------------------------------------------------------------------------


def arithmetic(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    other = pool.beside(one) if pool.whole(0, 1) else None
    sign = pool.one_of(["+", "-", "*", "/", "//", "%"])
    if other is None:
        constant = pool.constant()
        return f"{one} {sign} {constant}" if pool.whole(0, 2) else f"{constant} {sign} {one}"
    return f"{one} {sign} {other}"


def comparison(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    other = pool.beside(one) if pool.whole(0, 1) else None
    return f"{one} {pool.one_of(['>', '<', '>=', '<=', '==', '!='])} {other or pool.constant()}"


def logic(pool: Pool) -> Line:
    one = pool.number(is_bool)
    if one is None:
        return None
    other = pool.beside(one, is_bool)
    return f"~{one}" if other is None else f"({one}) {pool.one_of('&|^')} ({other})"


def unary(pool: Pool) -> Line:
    one = pool.number()
    names = "sqrt absolute exp sin arctan floor ceil rint sign isnan isfinite negative square log1p logical_not".split()
    return None if one is None else f"np.{pool.one_of(names)}({one})"


def binary(pool: Pool) -> Line:
    one = pool.number()
    other = pool.beside(one) if one is not None else None
    names = "hypot maximum minimum fmax fmin arctan2 copysign logical_and logical_or logical_xor".split()
    return None if other is None else f"np.{pool.one_of(names)}({one}, {other})"


def bits(pool: Pool) -> Line:
    one = pool.number(is_whole)
    if one is None:
        return None
    return f"{one} {pool.one_of(['& 3', '| 1', '^ 2', '// 2', '% 3', '<< 1', '>> 1'])}"


def tables(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    texts = [
        "np.clip({}, 0, 2)",
        "np.isin({}, [0, 1, 7])",
        "np.digitize({}, [0.0, 1.0, 2.5])",
        "np.interp({}, [0.0, 2.0], [1.0, 3.0])",
        "round({})",
        "round({}, 1)",
        "ak.nan_to_num({}, nan=0.5, posinf=9.0, neginf=-9.0)",
        "ak.nan_to_none({})",
        "ak.isclose({}, 1.5)",
        "ak.full_like({}, 2)",
        "ak.ones_like({})",
        "abs({})",
    ]
    return str(pool.one_of(texts)).format(one)


def conversion(pool: Pool) -> Line:
    # a float outside of the range of whole numbers becomes one that depends on the machine
    one = pool.number(lambda node: not is_float(node)) if pool.whole(0, 1) else pool.number(is_float)
    if one is None:
        return None
    targets = ["float32", "float64"] if is_float(pool.of(one)) else ["float32", "float64", "int64", "bool"]
    return f"ak.values_astype({one}, '{pool.one_of(targets)}')"


# -- missing values --------------------------------------------------------------------------------------------------


def choice(pool: Pool) -> Line:
    one = pool.number()
    mask = pool.mask(one) if one is not None else None
    if mask is None or one is None:
        return None
    other = (pool.beside(one) if pool.whole(0, 1) else None) or pool.constant()
    return str(pool.one_of([f"ht.where({mask}, {one}, {other})", f"ak.mask({one}, {mask})"]))


def missing(pool: Pool) -> Line:
    one = pool.any_of(may_miss) or pool.any_of()
    if one is None:
        return None
    if not isinstance(pool.node(one).type, Number):
        return str(pool.one_of([f"ht.is_missing({one})", f"{one}.exists", f"ak.drop_none({one})"]))
    texts = [
        "ht.is_missing({})",
        "{}.exists",
        "ht.fill_missing({}, {c})",
        "ak.drop_none({})",
        "ak.is_none({}, axis=-1)",
    ]
    return str(pool.one_of(texts)).format(one, c=pool.constant())


# -- rows ------------------------------------------------------------------------------------------------------------


def selection(pool: Pool) -> Line:
    one = pool.any_of()
    mask = pool.mask(one) if one is not None else None
    return None if mask is None else f"{one}[{mask}]"


def of_events(pool: Pool) -> Line:
    mask = pool.mask(pool.one_of(pool.of_event))
    one = pool.any_of()
    return None if mask is None or one is None else f"{one}[{mask}]"


def place(pool: Pool) -> Line:
    one = pool.any_of(is_list)
    if one is None:
        return None
    keys = ["0", "1", "-1", "-2", ":, 0", ":, -1", "0:2", "1:", "-2:", "::-1", "::2", ":, :1"]
    return f"{one}[{pool.one_of(keys)}]"


def order(pool: Pool) -> Line:
    one = pool.any_of(is_list)
    depth = len(pool.node(one).path) if one is not None else 0
    key = pool.column(one, lambda node: len(node.path) == depth) if one is not None else None
    if key is None:
        return None
    texts = [
        "{0}.OrderBy({1})",
        "{0}.OrderByDescending({1})",
        "{0}.MinBy({1})",
        "{0}.MaxBy({1})",
        "{0}.Take(2)",
        "ak.sort({1}, axis=-1)",
        "ak.sort({1}, axis=-1, ascending=False)",
        "ak.argsort({1}, axis=-1)",
        "{0}[ak.argsort({1}, axis=-1, ascending=False)]",
        "{0}[ak.argmax({1}, axis=-1, keepdims=True)]",
        "ak.local_index({1})",
    ]
    return str(pool.one_of(texts)).format(one, key)


def reducer(pool: Pool) -> Line:
    record = pool.any_of(is_list)
    one = pool.column(record, is_list) if record is not None else None
    if one is None:
        return None
    names = "Count Sum Min Max Mean Std Any All First Last ArgMin ArgMax".split()
    functions = [
        f"ak.{n}({{}}, axis=-1)" for n in "num count count_nonzero sum prod min max mean std var any all".split()
    ]
    functions += ["ak.ptp({}, axis=-1)", "ak.sum({}, axis=-1, keepdims=True)", "ak.var({}, axis=-1, ddof=1)"]
    functions += ["ak.nansum({}, axis=-1)", "ak.nanmax({}, axis=-1)"]
    return str(pool.one_of([f"{{}}.{name}()" for name in names] + functions)).format(one)


def structure(pool: Pool) -> Line:
    one = pool.any_of(is_list)
    if one is None:
        return None
    texts = ["ak.flatten({})", "ak.pad_none({}, 2)", "ak.pad_none({}, 1, clip=True)", "{}.Count()", "{}.First()"]
    texts += ["ak.flatten({}, axis=-1)", "ak.pad_none({}, 2, axis=-1)", "ak.flatten({}, axis=None)"]
    return str(pool.one_of([*texts, "ak.singletons({}, axis=-1)"])).format(one)


def combination(pool: Pool) -> Line:
    one = pool.any_of(is_list, lambda node: len(node.path) < 4)
    if one is None:
        return None
    texts = [
        "ht.pairs({0})",
        "ht.combinations({0}, 3)",
        "ak.combinations({0}, 2, replacement=True, axis=-1)",
        "ak.argcombinations({0}, 2, axis=-1)",
    ]
    other = pool.any_of(is_list, lambda node: len(node.path) < 4)
    texts += ["ht.cross(a={0}, b={1})", "ak.cartesian([{0}, {1}])", "ak.cartesian([{0}, {1}], nested=True)"]
    texts += ["ht.concat({0}, {1})", "{0}.without({0}[{0}.eta > 0])", "{0}.without({0}[0])"]
    return str(pool.one_of(texts)).format(one, other)


def nearest(pool: Pool) -> Line:
    one, other = pool.any_of(is_vector, pool.exact), pool.any_of(is_vector, is_list, pool.exact)
    if one is None or other is None:
        return None
    texts = ["{0}.nearest({1})", "{0}.nearest({1}, 1.5)", "{0}.nearest({1}).pt", "{0}.metric_table({1})"]
    texts += ["{0}.nearest({1}, return_metric=True)[1]", "{0}.delta_r({1})"]
    return str(pool.one_of(texts)).format(one, other)


def quoted(names: list[str]) -> str:
    """A list of names as text."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def record(pool: Pool) -> Line:
    one = pool.any_of(is_record)
    if one is not None and pool.whole(0, 1):
        fields = pool.fields(one)
        return f"{one}[{pool.one_of([quoted(fields[:2]), quoted(fields[-2:])])}]"
    number = pool.number()
    other = pool.beside(number) if number is not None else None
    if other is None:
        return None
    return str(pool.one_of([f'ak.zip({{"a": {number}, "b": {other}}})', f'ak.zip({{"p": {other}, "q": {number}}})']))


def field(pool: Pool) -> Line:
    one = pool.any_of(is_record)
    if one is None:
        return None
    return f'{one}["{pool.one_of(pool.fields(one))}"]'


def vector(pool: Pool) -> Line:
    """Components that rounding does not turn around: the azimuth of a difference may be anything."""
    one = pool.any_of(is_vector)
    other = pool.any_of(is_vector)
    texts = [
        "{0}.mass",
        "{0}.pt",
        "{0}.eta",
        "{0}.energy",
        "{0}.px",
        "{0}.pz",
        "{0}.p",
        "{0}.rho",
        "{0}.delta_phi({1})",
    ]
    texts += ["({0} + {1}).pt", "{0} + {1}", "({0} - {1}).energy", "(-{0}).px", "{0} * 2.0", "{0}.Sum().energy"]
    texts += ["({0} + {1}).mass", "{0}.Sum().px", "({0} * -2.0).pz", "({0} / 4.0).pt"]
    return None if one is None else str(pool.one_of(texts)).format(one, other)


# -- of the whole dataset --------------------------------------------------------------------------------------------


def dataset_wide(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    names = "Count Sum Min Max Mean Std Any All".split()
    texts = [f"{{}}.{name}(axis=None)" for name in names] + ["ak.count({}, axis=None)", "ak.var({}, axis=None)"]
    return str(pool.one_of([*texts, "{0}.Sum(axis=None) / {0}.Count(axis=None)"])).format(one)


def two_passes(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    return f"{one} {pool.one_of(['-', '>', '*'])} {one}.{pool.one_of(['Sum', 'Count', 'Any'])}(axis=None)"


def metadata(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    return str(pool.one_of(['ht.metadata(events, "xsec")', f'{one} * ht.metadata(events, "xsec")']))


#: What draws a line, or several that belong together.
KINDS: dict[str, Callable[[Pool], str | tuple[str, ...] | None]] = {
    function.__name__: function
    for function in (
        arithmetic, comparison, logic, unary, binary, bits, tables, conversion, choice, missing, selection, of_events,
        place, order, reducer, structure, combination, nearest, record, field, vector, mapped, loop, defined,
        dataset_wide, two_passes, metadata, histogram, numpy_histogram, category, profile,
        called, text, selections, cut_flow, again,
    )
}  # fmt: skip

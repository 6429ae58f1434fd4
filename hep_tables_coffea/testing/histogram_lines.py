"""Lines of random programs with histograms: every kind of axis and storage, with values on edges and beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.types.elements import Number, Text

if TYPE_CHECKING:
    from hep_tables_coffea.graph.nodes import Node
    from hep_tables_coffea.testing.programs import Pool

__all__ = ["STORAGES", "axis_for", "category", "histogram", "numpy_histogram", "profile", "weight_for"]

Line = str | None

#: Axes of numbers; their edges are among the numbers that tables hold.
_NUMBERS = (
    "Reg(4, -1, 3, name={name!r})",
    "Reg(7, -0.25, 3.25, name={name!r})",
    "Log(5, 0.125, 16.5, name={name!r})",
    "Sqrt(3, 0, 7, name={name!r})",
    "Reg(4, 0, 2, flow=False, name={name!r})",
    "Reg(4, 0, 2, circular=True, name={name!r})",
    "Reg(4, 0, 2, underflow=False, name={name!r})",
    "Var([0, 1, 2.5], name={name!r})",
    "Var([-1, 0, 1, 2], name={name!r})",
    "Var([-2.5, -0.25, 0.0, 0.125, 7.0, 16.5], name={name!r})",
    "Var([0.0, 0.1, 0.2, 0.30000000000000004, 0.4, 0.5], name={name!r})",
    "Var([0, 1, 2.5], overflow=False, name={name!r})",
)
#: Axes of whole numbers and truth values.
_WHOLE = (
    "Int(-1, 4, name={name!r})",
    "Int(0, 3, overflow=False, name={name!r})",
    "IntCat([0, 1, 7], name={name!r})",
    "IntCat([3, 1, -4], name={name!r})",
    "Bool(name={name!r})",
)
#: What kernels fill comes more often than the rest.
STORAGES = (*4 * ("Double()", "Int64()", "Weight()", "Weight()"), "AtomicInt64()", "Unlimited()")


def _is_whole(node: Node) -> bool:
    return isinstance(node.type, Number) and node.type.dtype.kind in "iub"


def axis_for(pool: Pool, text: str, name: str) -> str:
    """An axis that the value can go to."""
    whole = _is_whole(pool.of(text))
    choices = (*_WHOLE, *_NUMBERS[:2], *_NUMBERS[7:9]) if whole else _NUMBERS
    return str(pool.one_of(choices)).format(name=name)


def weight_for(pool: Pool, one: str, storage: str) -> str:
    """A weight for the rows, or none."""
    if "Int64" in storage or not pool.whole(0, 1):
        return ""
    weight = pool.beside(one, lambda node: len(node.path) <= len(pool.of(one).path))
    return f", weight={weight or pool.one_of(['events.weight', '0.5', '2'])}"


def histogram(pool: Pool) -> Line:
    """One to three axes, one to three fills."""
    one = pool.number()
    if one is None:
        return None
    values = [one]
    for _ in range(pool.one_of([0, 0, 1, 1, 2])):
        values.append(pool.beside(one) or one)
    axes = [axis_for(pool, value, f"axis{k}") for k, value in enumerate(values)]
    storage = pool.one_of(STORAGES)
    text = f"ht.Hist.new.{'.'.join(axes)}.{storage}"
    fills = [f".fill({', '.join(values)}{weight_for(pool, one, storage)})"]
    if not pool.whole(0, 2):  # the same values of other rows, the same rows once more
        mask = pool.mask(one)
        fills.append(fills[0] if mask is None else f".fill({', '.join(f'({value})[{mask}]' for value in values)})")
    return text + "".join(fills)


def category(pool: Pool) -> Line:
    """Categories: constants, what the metadata say, several of them in one histogram."""
    one = pool.number()
    if one is None:
        return None
    axis, storage = axis_for(pool, one, "x"), pool.one_of(STORAGES)
    growth = pool.one_of(["StrCat([], growth=True, name='s')", "StrCat(['b', 'a'], name='s')"])
    growth = pool.one_of([growth, "StrCat(['a'], growth=True, name='s')"])
    labels = ['ht.metadata(events, "label")', "'a'", "'b'", "'other'", *_words(pool, one)]
    weight = weight_for(pool, one, storage)
    first, second = pool.one_of(labels), pool.one_of(labels)
    text = f"ht.Hist.new.{growth}.{axis}.{storage}.fill({first}, {one}{weight})"
    if pool.whole(0, 1):
        return f"{text}.fill({second}, {one}{weight})"
    mask = pool.mask(one)
    return text if mask is None else f"{text}.fill({second}, ({one})[{mask}])"


def _words(pool: Pool, one: str) -> list[str]:
    """Strings that stand beside the value."""
    rows = pool.of(one).path
    return [name for name in pool.names if isinstance((node := pool.node(name)).type, Text) and node.path == rows]


def profile(pool: Pool) -> Line:
    """A storage that keeps a mean. The samples are finite, so that the order of rows decides of last bits alone."""
    one = pool.number(lambda node: len(node.path) == 1)
    if one is None:
        return None
    sample = pool.one_of(["events.weight", "events.run"])
    weight = pool.one_of(["", ", weight=2", ", weight=abs(events.weight) + 1"])
    storage = "WeightedMean()" if weight else pool.one_of(["Mean()", "WeightedMean()"])
    return f"ht.Hist.new.{axis_for(pool, one, 'x')}.{storage}.fill({one}, sample={sample}{weight})"


def numpy_histogram(pool: Pool) -> Line:
    one = pool.number()
    if one is None:
        return None
    other = pool.beside(one) or one
    texts = [
        "np.histogram({0}, bins=4, range=(-1, 3))[0]",
        "np.histogram({0}, bins=[0.0, 0.5, 2.0])[0]",
        "np.histogram2d({0}, {1}, bins=[[0.0, 0.5, 2.0], [-1.0, 1.0, 2.0]])[0]",
        'ht.Hist.new.Reg(3, -1, 2, name="x").Reg(2, 0, 2, name="y").Weight().fill({0}, {1}).fill({0}, {0})',
    ]
    return str(pool.one_of(texts)).format(one, other)

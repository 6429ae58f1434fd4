"""Lines of random programs with several outputs that differ in their selections: histograms, and the counts of a cut flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hep_tables_coffea.testing.histogram_lines import STORAGES, axis_for, weight_for

if TYPE_CHECKING:
    from hep_tables_coffea.testing.programs import Pool

__all__ = ["again", "cut_flow", "selections"]


def again(pool: Pool) -> str:
    """The same value under another name."""
    return str(pool.late(pool.names))


def _masks(pool: Pool, one: str) -> list[str]:
    """Conditions, some of which ask more than others, or the same once more."""
    made: list[str] = []
    for _ in range(pool.whole(2, 4)):
        mask = pool.mask(one)
        if mask is None:
            continue
        how = pool.whole(0, 3)
        if made and how == 0:
            mask = pool.one_of(made)
        elif made and how < 3:
            mask = f"({pool.one_of(made)}) {pool.one_of('&&|')} ({mask})"
        made.append(mask)
    return made


def selections(pool: Pool) -> tuple[str, ...] | None:
    """Histograms of one observable under several selections."""
    one = pool.number()
    masks = _masks(pool, one) if one is not None else []
    if one is None or not masks:
        return None
    values = [one, *([pool.beside(one) or one] if not pool.whole(0, 3) else [])]
    axes = ".".join(axis_for(pool, value, f"axis{k}") for k, value in enumerate(values))
    storage = pool.one_of(STORAGES)
    weight = weight_for(pool, one, storage) if not pool.whole(0, 2) else ""
    second = f".fill({', '.join(values)})" if not pool.whole(0, 5) else ""
    rows = [[f"({value})[{mask}]" for value in values] for mask in masks] + [values] * pool.whole(0, 1)
    pool.random.shuffle(rows)
    return tuple(f"ht.Hist.new.{axes}.{storage}.fill({', '.join(some)}{weight}){second}" for some in rows)


def cut_flow(pool: Pool) -> tuple[str, ...] | None:
    """How many rows are left after each of some conditions, and a histogram with a category for each."""
    one = pool.number()
    masks = _masks(pool, one) if one is not None else []
    if one is None or not masks:
        return None
    left, text = f"({one})", f"ht.Hist.new.StrCat([], growth=True, name='cut').{axis_for(pool, one, 'x')}.Int64()"
    text += f".fill('all', {one})"
    counts = []
    for number, mask in enumerate(masks):
        left = f"{left}[{mask}]"
        text += f".fill('cut{number}', {left})"
        counts.append(f"{left}.Count(axis=None)" if pool.whole(0, 1) else f"({mask}).Sum(axis=None)")
    return (text, *counts) if pool.whole(0, 2) else tuple(counts)

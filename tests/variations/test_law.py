"""Programs with variations: in each, an output is what the program gives with the shift in place of the value."""

from __future__ import annotations

import os
from random import Random
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.testing.tables import random_table, write
from hep_tables_coffea.testing.varied import Program, Shifted, bits, in_variation, labels_of

Vary = Any
PROGRAMS: dict[str, Program] = {}


def program(body: Program) -> Program:
    PROGRAMS[body.__name__] = body
    return body


def scaled(x: Any, vary: Vary, name: str = "jes") -> Any:
    return vary(x, name, up=x * 1.5, down=x * 0.75)


def filled(*values: Any, **options: Any) -> Any:
    return ht.Hist.new.Reg(12, 0, 60, name="x").Weight().fill(*values, **options)


# -- columns, filters --------------------------------------------------------------------------------------------------


@program
def column_of_a_collection(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    return e.jets.pt, e.jets[e.jets.pt > 10].eta, e.jets.Count()


@program
def column_with_earlier_and_later_filters(e: Any, vary: Vary) -> Any:
    early = e.jets[e.jets.eta > -1]
    e.jets["pt"] = scaled(e.jets.pt, vary)
    late = early[early.pt > 5]
    late["far"] = late.pt * late.phi
    return early.pt, late.pt, late.far, late.far[late.pt > 20].Sum(), late.Count(axis=None)


@program
def column_of_a_selection(e: Any, vary: Vary) -> Any:
    good = e.jets[e.jets.pt > 5]
    good["pt"] = scaled(good.pt, vary)
    return good[good.pt > 15].pt, good.pt.Max(), filled(good.pt)


@program
def varied_selection_with_a_column(e: Any, vary: Vary) -> Any:
    good = e.jets[scaled(e.jets.pt, vary) > 10]
    good["both"] = good.pt + good.eta
    return good.both, good[good.both > 12].Count(), good.both.Max()


@program
def event_filters(e: Any, vary: Vary) -> Any:
    met = scaled(e.met, vary, "met")
    chosen = e[met > 1.5]
    return chosen.met, chosen.jets.pt, chosen.jets.Count(), chosen.Count(), filled(chosen.jets.pt)


@program
def events_filtered_by_varied_jets(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    good = e.jets[e.jets.pt > 12]
    chosen = e[good.Count() >= 1]
    return (
        chosen.jets.pt,
        chosen.els.pt,
        chosen.jets[chosen.jets.pt > 30].eta,
        chosen.Count(),
        good[good.Count() > 1].pt,
    )


@program
def mask_used_twice(e: Any, vary: Vary) -> Any:
    mask = scaled(e.jets.pt, vary) > 12
    return e.jets[mask].pt, e.jets[~mask].pt, e.jets.pt[mask & (e.jets.eta > 0)], ht.where(mask, e.jets.pt, 0)


@program
def event_value_as_a_cut_on_jets(e: Any, vary: Vary) -> Any:
    met = scaled(e.met, vary, "met")
    return e.jets[e.jets.pt > met * 5].pt, e.jets[met > 1].pt, e.jets[(e.jets.pt > met) & (e.jets.eta > 0)].Count()


@program
def slices_and_positions(e: Any, vary: Vary) -> Any:
    good = e.jets[scaled(e.jets.pt, vary) > 5]
    return good[:1].pt, good[::-1].pt, good[0].pt, good[:, 1].eta, ak.pad_none(good.pt, 3)


# -- pairs, picks, order -----------------------------------------------------------------------------------------------


@program
def combinations(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    good = e.jets[e.jets.pt > 8]
    two, three = ht.pairs(good), ht.combinations(good, 3)
    return two.a.pt - two.b.pt, two[two.a.pt > 20].b.eta, three.c.pt, two.Count(), filled(two.a.pt)


@program
def cross(e: Any, vary: Vary) -> Any:
    good = e.jets[scaled(e.jets.pt, vary) > 8]
    both = ht.cross(a=good, b=e.els[scaled(e.els.pt, vary, "ees") > 8])
    return both.a.pt + both.b.pt, both[both.a.eta > both.b.eta].Count(), both.b.charge


@program
def picks(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    good = e.jets[pt > 8]
    return (
        good.First().pt,
        good.Last().pt,
        good.MinBy(good.pt).eta,
        e.jets.MaxBy(pt * e.jets.eta).pt,
        e.jets.MinBy(lambda j: abs(j.pt - e.met)).pt,
        e.jets.MinBy(lambda j: abs(j.pt - scaled(e.met, vary, "met"))).pt,
        good.without(good.MaxBy(good.pt)).pt,
    )


@program
def nearest(e: Any, vary: Vary) -> Any:
    e.jets["eta"] = vary(e.jets.eta, "shift", up=e.jets.eta + 1, down=-e.jets.eta)
    near = e.jets.nearest(e.els[scaled(e.els.pt, vary, "ees") > 8])
    return near.pt, ht.is_missing(near), e.jets.nearest(e.els, 0.8).charge, e.jets.metric_table(e.els)


@program
def order(e: Any, vary: Vary) -> Any:
    key = vary(e.jets.eta, "turn", up=-e.jets.eta, down=e.jets.phi)
    ordered = e.jets.OrderBy(key)
    return (
        ordered.pt,
        e.jets.OrderByDescending(key)[:1].pt,
        e.jets[ak.argsort(key, axis=-1)].pt,
        ak.sort(key, axis=-1),
        ak.argsort(key, axis=-1),
        ordered[ordered.pt > 8].eta,
        ak.argmax(key, axis=-1),
        e.jets[ak.argmax(key, axis=-1, keepdims=True)].pt,
    )


# -- reducers ----------------------------------------------------------------------------------------------------------


@program
def reducers(e: Any, vary: Vary) -> Any:
    x = scaled(e.hits.x, vary)
    kept = x[x > 0]
    return (
        x.Sum(),
        kept.Max(),
        kept.Count(),
        ak.mean(kept, axis=-1),
        (x > 1).Any(),
        (kept > 1).All(),
        ak.std(kept, axis=-1),
    )


@program
def dataset_wide(e: Any, vary: Vary) -> Any:
    w = scaled(e.weight, vary, "w")
    return (
        w.Sum(axis=None),
        w.Max(),
        w.Mean(),
        w[w > 1].Count(),
        ak.std(w, axis=None),
        w.First(),
        w.Last(),
        w.Max() - w.Min(),
        w.Sum() / w.Count(),
        (w > 2).Any(),
        (w > 2).All(),
    )


@program
def dataset_wide_per_event(e: Any, vary: Vary) -> Any:
    w = scaled(e.weight, vary, "w")
    return w[w > w.Max() / 2], e.jets[e.jets.pt > w.Max()].pt, e.weight / w.Max(), filled(w, weight=w / w.Max())


@program
def dataset_wide_twice(e: Any, vary: Vary) -> Any:
    w = scaled(e.weight, vary, "w")
    high = w[w > w.Mean()]
    return high[high > high.Mean()], high.Mean(), (w - high.Mean())


# -- histograms --------------------------------------------------------------------------------------------------------


@program
def numpy_histograms(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    return (
        np.histogram(pt, bins=7, range=(0, 70)),
        np.histogram(ak.flatten(pt), bins=[0, 10, 20, 40], weights=ak.flatten(pt)),
        np.histogram2d(pt, e.jets.eta, bins=(3, 4), range=((0, 60), (-3, 3))),
    )


@program
def several_fills(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    h = ht.Hist.new.StrCat([], growth=True, name="cut").Reg(10, 0, 50, name="x").Weight()
    flow = h.fill("all", e.jets.pt).fill("some", pt[pt > 10]).fill("more", e.jets[pt > 20].pt, weight=2.0)
    return flow, filled(pt).fill(e.els.pt).fill(scaled(e.els.pt, vary, "ees"))


@program
def storages(e: Any, vary: Vary) -> Any:
    pt, w = scaled(e.jets.pt, vary), scaled(e.weight, vary, "w")
    new = ht.Hist.new
    return (
        new.Reg(5, 0, 50, name="x").Int64().fill(pt),
        new.Var([0, 3, 9, 30], name="x", label="the x").Double().fill(pt),
        new.Reg(4, 0, 50, name="x").Mean().fill(pt, sample=e.jets.eta),
        new.Reg(4, 0, 50, name="x").WeightedMean().fill(pt, sample=pt, weight=w),
        new.Reg(4, 0, 50, name="x").Unlimited().fill(pt),
        new.Reg(4, 0, 50, name="x", flow=False).Bool(name="tag").Weight().fill(pt, e.jets.tag, weight=w),
        new.Int(-2, 6, name="n").Weight().fill(e.jets[pt > 9].Count(), weight=w),
        new.IntCat([], growth=True, name="n").Double().fill(e.jets[pt > 9].Count()),
        new.IntCat([0, 2], name="n").Double().fill(e.jets[pt > 9].Count()),
    )


@program
def growing_category_that_is_varied(e: Any, vary: Vary) -> Any:
    word = vary(e.word, "name", up=ht.fill_missing(ak.mask(e.word, e.met > 1), "none"))
    h = ht.Hist.new.StrCat([], growth=True, name="word").Double().fill(word)
    return h, word == "a", word


@program
def weights(e: Any, vary: Vary) -> Any:
    lumi = vary(1.0, "lumi", up=1.025, down=0.975)
    w = vary(e.weight, "sf", up=e.weight * 1.1, down=1.0)
    return (
        filled(e.jets.pt, weight=w * lumi),
        filled(e.met, weight=lumi * w),
        filled(e.met, weight=lumi),
        lumi * e.met,
        e.jets.pt * lumi,
        w,
        e.jets.pt * w,
        (lumi * ht.metadata(e, "xsec")) * e.weight,
        (e.weight * lumi).Sum(axis=None),
    )


# -- functions ---------------------------------------------------------------------------------------------------------


@program
def lambdas_with_vary_outside(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    els = e.els[scaled(e.els.pt, vary, "ees") > 8]
    return (
        e.jets.map(lambda j: j.pt * 2),
        e.jets[lambda j: j.pt > 12].eta,
        e.jets.map(lambda j: els.map(lambda s: j.pt - s.pt)),
        e.jets.map(lambda j: els[lambda s: s.pt < j.pt].pt.Sum()),
        e.jets[lambda j: els[lambda s: abs(s.eta - j.eta) < 1].Count() > 0].pt,
        els.map(lambda s: e.jets.OrderBy(lambda j: abs(j.pt - s.pt)).First().eta),
        e.jets.map(lambda j: (j.pt, els.Count())),
    )


@program
def lambdas_with_vary_inside(e: Any, vary: Vary) -> Any:
    return (
        e.jets.map(lambda j: scaled(j.pt, vary) * 2),
        e.jets[lambda j: scaled(j.pt, vary) > 12].eta,
        e.jets.map(lambda j: e.els[lambda s: scaled(s.pt, vary, "ees") < scaled(j.pt, vary)].pt),
        e.jets.map(lambda j: vary(j.pt, "out", up=j.pt + e.els.pt.Sum(), down=0.0)),
        e.jets.map(lambda j: {"a": scaled(j.pt, vary), "b": e.els[lambda s: s.pt > scaled(j.pt, vary)].eta}),
    )


@program
def loops(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)

    def until(s: Any) -> Any:
        return (s[1] >= 4) | (s[0] > 30)

    begins = ht.iterate((pt, 0), lambda s: (s[0] * 2, s[1] + 1), until=until)
    steps = ht.iterate((e.jets.pt, 0), lambda s: (s[0] + pt, s[1] + 1), until=until)
    ends = ht.iterate((e.jets.pt, 0), lambda s: (s[0] + 3, s[1] + 1), until=lambda s: (s[1] >= 4) | (s[0] > pt))
    good = e.jets[pt > 8]
    rows = ht.iterate((good.pt, 0), lambda s: (s[0] * 2, s[1] + 1), until=until)
    return begins[0], begins[1], steps[0], ends[0], ends[1], rows[0], filled(steps[0]), begins[0] - steps[0]


@program
def loop_in_a_loop(e: Any, vary: Vary) -> Any:
    w = scaled(e.weight, vary, "w")

    def inner(x: Any, n: Any) -> Any:
        return ht.iterate((x, 0), lambda s: (s[0] + w, s[1] + 1), until=lambda s: s[1] > n)[0]

    return ht.iterate((e.weight, 0), lambda s: (inner(s[0], s[1]), s[1] + 1), until=lambda s: s[1] >= 3)[0]


@program
def loop_that_begins_with_whole_numbers(e: Any, vary: Vary) -> Any:
    n = vary(e.run, "n", up=e.run * 1.5, down=e.run - 1)
    m = vary(e.run, "n", up=e.run + 2)
    begins = ht.iterate((m, 0), lambda s: (s[0] + 1, s[1] + 1), until=lambda s: s[1] >= 2)
    return n, n + 1, n // 2, begins[0], n.Sum(axis=None), filled(n), n == 2


@ht.user_func
def halved(x: float) -> float:
    return x / 2 if x > 10 else x


@ht.user_func(vectorized=True)
def farther(x: float, y: float) -> float:
    return np.sqrt(x * x + y * y)  # type: ignore[no-any-return]


@program
def user_functions(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    return (
        halved(pt),
        farther(pt, e.jets.eta),
        e.jets[halved(pt) > 6].eta,
        farther(pt, scaled(e.met, vary, "met")).Sum(),
    )


# -- records -----------------------------------------------------------------------------------------------------------


@program
def vectors(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    two = ht.pairs(e.jets)
    return (
        (two.a + two.b).mass,
        two.a.delta_r(two.b),
        (e.jets[e.jets.pt > 8].Sum()).pt,
        e.jets.px,
        e.jets[0].delta_phi(e.els[0]),
        (e.jets * 2.0).pt,
    )


@program
def whole_records(e: Any, vary: Vary) -> Any:
    jets = vary(e.jets, "jes", up=ak.with_field(e.jets, e.jets.pt * 1.5, "pt"), down=ak.with_field(e.jets, 3.0, "pt"))
    two = ht.pairs(jets)
    return (
        jets.pt,
        jets.eta,
        jets[jets.pt > 8].phi,
        jets[0].pt,
        (two.a + two.b).mass,
        jets[jets.pt > 8].Count(),
        jets.OrderBy(jets.pt).pt,
        e.els.nearest(jets).pt,
        jets.Sum().pt,
        jets.nearest(e.els).pt,
    )


@program
def records_that_are_made(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    other = ak.with_field(e.jets, pt, "pt")
    made = ak.zip({"x": pt, "y": e.jets.eta})
    chosen = ht.where(e.jets.eta > 0, other, e.jets)
    return other.pt, other[["pt", "eta"]], made, made[made.x > 8].y, made[0].x, chosen.pt, other[other.pt > 8].mass


@program
def records_as_answers(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    return e.jets[["pt", "eta"]], e.jets[e.jets.pt > 8][["pt", "tag"]], e.jets


# -- missing values, strings, concat -----------------------------------------------------------------------------------


@program
def missing_values(e: Any, vary: Vary) -> Any:
    maybe = vary(e.maybe, "m", up=ht.fill_missing(e.maybe, 2.0), down=ak.mask(e.maybe, e.met > 0))
    plain = vary(e.weight, "p", up=ak.mask(e.weight, e.met > 1))
    return (
        maybe,
        plain,
        ht.is_missing(maybe),
        ht.fill_missing(plain, -1.0),
        maybe + plain,
        ht.is_missing(plain),
        ak.drop_none(maybe),
        maybe.Sum(axis=None),
        filled(ak.drop_none(plain)),
        scaled(e.hits.maybe, vary)[scaled(e.hits.maybe, vary) > 0],
    )


@program
def strings(e: Any, vary: Vary) -> Any:
    word = vary(e.marks.word, "w", up="a", down=ht.where(e.marks.word == "a", "b", e.marks.word))
    return word, e.marks[word == "a"].size, (word == e.word).Any(), ak.str.length(word)


@program
def concat(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    good = e.jets[e.jets.pt > 8]
    both = ht.concat(good, e.els)
    return both.pt, both[both.pt > 20].eta, both.Count(), ht.concat(good.pt, e.hits.x), ak.flatten(good).pt


@program
def concat_of_other_events(e: Any, vary: Vary) -> Any:
    flag = vary(e.flag, "turn", up=~e.flag)
    both = ht.concat(e.hits[flag], e.els)
    return both.origin, both.Count(), ht.concat(e.hits[flag].x, e.els.pt), ht.concat(e.jets, e.els)[flag].pt


@program
def lists_in_lists(e: Any, vary: Vary) -> Any:
    cells = scaled(e.jets.cells, vary)
    return (
        cells,
        cells[cells > 1],
        cells.Sum(),
        e.jets[cells.Sum() > 1].pt,
        cells.Max().Max(),
        ak.flatten(cells, axis=2),
    )


# -- several nuisances and points --------------------------------------------------------------------------------------


@program
def two_nuisances_on_one_column(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary, "jes")
    e.jets["pt"] = vary(pt, "jer", up=pt + 2, down=pt - 2)
    return e.jets.pt, e.jets[e.jets.pt > 10].Count(), filled(e.jets.pt, weight=scaled(e.weight, vary, "sf"))


@program
def points_that_depend_on_the_same_nuisance(e: Any, vary: Vary) -> Any:
    pt = scaled(e.jets.pt, vary)
    met = vary(e.met, "jes", up=e.met - pt.Sum(), down=e.met + pt.Sum())
    again = vary(pt, "jes", up=pt * 2, down=pt / 2)
    partly = vary(pt, "jes", up=pt + met)
    return met, e[met > 2].jets.pt, again, partly, e.jets[pt > met].Count(), filled(again, weight=met)


@program
def many_points(e: Any, vary: Vary) -> Any:
    pdf = vary(e.weight, "pdf", variations={f"pdf_{k}": e.weight * (1 + k / 16) for k in range(9)})
    scale = vary(pdf, "scale", up=pdf * 2, variations={"other": pdf + 1.0, "half": 0.5})
    return filled(e.met, weight=scale), scale, scale.Sum(axis=None)


@program
def variation_of_what_a_varied_cut_leaves(e: Any, vary: Vary) -> Any:
    good = e.jets[scaled(e.jets.pt, vary) > 8]
    pt = vary(good.pt, "jer", up=good.pt + 1, down=5.0)
    event = vary(good.Count(), "n", up=good.Count() + 1, down=0)
    return pt, pt[pt > 15], event, e[event > 1].met, good[pt > 15].eta


@program
def answers_that_are_not_reached(e: Any, vary: Vary) -> Any:
    e.jets["pt"] = scaled(e.jets.pt, vary)
    return e.jets.eta, e.met, filled(e.met), e.jets.Count(), e.jets.pt


# -- the law -----------------------------------------------------------------------------------------------------------

#: All ways to compute it; those that compile kernels for each variation take long, so that few are usual.
ENGINES: dict[str, dict[str, Any]] = {
    "columnar, chunks of 7": {"engine": "columnar", "chunksize": 7},
    "fused": {"engine": "fused"},
}
THOROUGH: dict[str, dict[str, Any]] = {
    "columnar": {"engine": "columnar"},
    "columnar, one by one": {"engine": "columnar", "chunksize": 1},
    "fused, chunks of 7": {"engine": "fused", "chunksize": 7},
    "fused, one by one": {"engine": "fused", "chunksize": 1},
    "reference": {"backend": "reference"},
    "iterative": {"executor": "iterative", "chunksize": 7},
    "threads": {"executor": "threads", "chunksize": 7},
}
if os.environ.get("HT_HYPOTHESIS") == "thorough":
    ENGINES |= THOROUGH


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of events with lists, lists in lists, missing values and strings."""
    return write(random_table(Random(23), ("parquet",), 30), tmp_path_factory.mktemp("varied") / "events")


def opened(path: str) -> Any:
    return ht.flat(path, tree="events", name="toy", metadata={"is_mc": True, "xsec": 2.5})


def check(body: Program, path: str, **options: Any) -> None:
    """Hold each variation to the program with the shift, recorded of the events opened anew."""
    answers = ht.make_local(body(opened(path), ht.vary), **options)
    for label in labels_of(body, opened(path)):
        expected = ht.make_local(body(opened(path), Shifted(label)), **options)
        assert bits(in_variation(answers, label, expected)) == bits(expected), label


@pytest.mark.parametrize("options", ENGINES.values(), ids=ENGINES)
@pytest.mark.parametrize("body", PROGRAMS.values(), ids=PROGRAMS)
def test_a_variation_is_the_program_with_the_shift(body: Program, options: dict[str, Any], table: str) -> None:
    check(body, table, **options)


@pytest.mark.parametrize("executor", ["iterative", "threads", "futures"])
@pytest.mark.parametrize("body", [several_fills, dataset_wide_twice, event_filters], ids=lambda body: body.__name__)
def test_executors_do_not_change_variations(body: Program, executor: str, table: str) -> None:
    check(body, table, executor=executor, chunksize=7)


@pytest.mark.parametrize("body", [whole_records, dataset_wide, loop_in_a_loop], ids=lambda body: body.__name__)
def test_reference_obeys_the_law(body: Program, table: str) -> None:
    check(body, table, backend="reference")

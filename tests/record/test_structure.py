"""Structure: lists in lists, slices, orders, pairs, matches and what is left after filters, at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

CASES: dict[str, Any] = {
    "jets.vec": [[[1.0, 2.0], [], [3.0]], [], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "good.vec": [[[1.0, 2.0], [], [3.0]], [], [[4.0, 5.0, 6.0]], []],
    "jets[0].vec": [[1.0, 2.0], [], [4.0, 5.0, 6.0], []],
    "jets[0].vec[0]": [1.0, None, 4.0, None],
    "jets.vec[0]": [[1.0, None, 3.0], [], [4.0], [None, 7.0]],
    "jets.vec[:,0]": [[1.0, 2.0], [], [4.0, 5.0, 6.0], []],
    "jets.vec[:,:,0]": [[1.0, None, 3.0], [], [4.0], [None, 7.0]],
    "jets.vec[jets.vec>2]": [[[], [], [3.0]], [], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "jets.vec[jets.vec>jets.eta]": [[[1.0, 2.0], [], [3.0]], [], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "jets[(jets.vec>2).Any()].vec": [[[3.0]], [], [[4.0, 5.0, 6.0]], [[7.0]]],
    "jets[(jets.vec>2).Any()].pt": [[35.0], [], [31.0], [5.0]],
    "good.vec[good.vec>2].Count()": [[0, 0, 1], [], [3], []],
    "good.vec[jets.vec>2]": [[[], [], [3.0]], [], [[4.0, 5.0, 6.0]], []],
    "jets.vec.Sum()": [[3.0, 0.0, 3.0], [], [15.0], [0.0, 7.0]],
    "jets.vec.Sum().Sum()": [6.0, 0.0, 15.0, 7.0],
    "jets.vec.Count(axis=1)": [3, 0, 1, 2],
    "jets.vec.Count(axis='jets')": [3, 0, 1, 2],
    "jets.vec.Sum(axis=None)": 28.0,
    "jets.vec*jets.pt": [[[50.0, 100.0], [], [105.0]], [], [[124.0, 155.0, 186.0]], [[], [35.0]]],
    "jets.vec*met": [[[10.0, 20.0], [], [30.0]], [], [[280.0, 350.0, 420.0]], [[], [38.5]]],
    "jets.vec*jets[0].pt": [[[50.0, 100.0], [], [150.0]], [], [[124.0, 155.0, 186.0]], [[], [35.0]]],
    "ev.jets.vec": [[[1.0, 2.0], [], [3.0]], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "ev.jets[0].vec": [[1.0, 2.0], [4.0, 5.0, 6.0], []],
    "ak.flatten(jets.vec)": [[1.0, 2.0], [], [3.0], [4.0, 5.0, 6.0], [], [7.0]],
    "ak.flatten(jets.vec,axis=2)": [[1.0, 2.0, 3.0], [], [4.0, 5.0, 6.0], [7.0]],
    "ak.flatten(jets.vec,axis=2)[ak.flatten(jets.vec,axis=2)>2]": [[3.0], [], [4.0, 5.0, 6.0], [7.0]],
    "ak.flatten(jets)[ak.flatten(jets.pt)>30].pt": [50.0, 35.0, 31.0],
    "ak.flatten(jets).vec": [[1.0, 2.0], [], [3.0], [4.0, 5.0, 6.0], [], [7.0]],
    "jets[::-1].pt": [[35.0, 20.0, 50.0], [], [31.0], [5.0, 5.0]],
    "jets[::-1].vec": [[[3.0], [], [1.0, 2.0]], [], [[4.0, 5.0, 6.0]], [[7.0], []]],
    "jets[-2:].pt": [[20.0, 35.0], [], [31.0], [5.0, 5.0]],
    "jets[1::-1].n": [[-2, 1], [], [0], [7, 7]],
    "jets[1:][0].n": [-2, None, None, 7],
    "jets[0:2][jets.pt>30].n": [[1], [], [0], []],
    "jets[5:].n": [[], [], [], []],
    "jets[0:0].n": [[], [], [], []],
    "ak.pad_none(jets,2)[1].pt": [20.0, None, None, 5.0],
    "ak.pad_none(jets,2).vec": [[[1.0, 2.0], [], [3.0]], [[], []], [[4.0, 5.0, 6.0], []], [[], [7.0]]],
    "ak.pad_none(jets,2)[ak.pad_none(jets,2).pt>10].pt": [[50.0, 20.0, 35.0], [], [31.0], []],
    "ak.pad_none(jets,2).pt.Sum()": [105.0, 0.0, 31.0, 10.0],
    "ak.pad_none(jets,2).Count()": [3, 2, 2, 2],
    "jets.OrderBy(jets.pt).n": [[-2, 3, 1], [], [0], [7, 7]],
    "jets.OrderBy(jets.pt).Take(2)[jets.pt>30].n": [[3], [], [0], []],
    "jets.OrderByDescending(jets.pt).vec": [[[1.0, 2.0], [3.0], []], [], [[4.0, 5.0, 6.0]], [[], [7.0]]],
    "jets.OrderBy(jets.pt)[0].vec": [[], [], [4.0, 5.0, 6.0], []],
    "jets[ak.argsort(jets.pt)].n": [[-2, 3, 1], [], [0], [7, 7]],
    "good[ak.argsort(good.pt)].n": [[-2, 3, 1], [], [0], []],
    "ev.jets[ak.argsort(jets.pt)].n": [[-2, 3, 1], [0], [7, 7]],
    "jets.pt[ak.argsort(jets.pt)]": [[20.0, 35.0, 50.0], [], [31.0], [5.0, 5.0]],
    "jets[jets.pt>10][jets.eta>0][jets.n>0].n": [[1], [], [], []],
    "jets[jets.pt>10][jets[jets.pt>10].eta>0].n": [[1, -2], [], [0], []],
    "ev[ev.jets.Count()>1].jets[jets.pt>10].n": [[1, -2, 3], []],
    "ev[ev.w>0][ev.met<50].jets.pt": [[50.0, 20.0, 35.0]],
    "d[d.met>0].jets[jets.pt>10].pt - jets.pt": [[0.0, 0.0, 0.0], [0.0], []],
    "ht.pairs(jets).a.n": [[1, 1, -2], [], [], [7]],
    "ht.pairs(good).a.n": [[1, 1, -2], [], [], []],
    "ht.pairs(jets)[ht.pairs(jets).a.pt>30].b.n": [[-2, 3], [], [], []],
    "ht.pairs(jets).a.vec": [[[1.0, 2.0], [1.0, 2.0], []], [], [], [[]]],
    "ev.met*ht.pairs(ev.jets).a.n": [[10.0, 10.0, -20.0], [], [38.5]],
    "d[d.met>0].w*ht.pairs(d.jets)[d.met>0].a.n": [[1.0, 1.0, -2.0], [], [-7.0]],
    "ht.pairs(jets)[d.met>0].b.n": [[-2, 3, 3], [], [7]],
    "ht.pairs(jets)[0].a.n": [1, None, None, 7],
    "ht.is_missing(ht.pairs(jets)[0])": [False, True, True, False],
    "ht.pairs(jets).MaxBy(ht.pairs(jets).a.pt+ht.pairs(jets).b.pt).b.n": [3, None, None, 7],
    "ht.combinations(jets,3).c.n": [[3], [], [], []],
    "ht.combinations(jets,3,fields=['x','y','z']).z.n": [[3], [], [], []],
    "ht.cross(j=jets,e=el,m=mu).m.pt": [[4.0] * 6, [], [], []],
    "ht.cross(j=jets,e=el,m=mu).j.n": [[1, 1, -2, -2, 3, 3], [], [], []],
    "ht.cross(j=good,e=el[el.pt>10]).j.n": [[1, -2, 3], [], [], []],
    "ht.cross(j=jets,k=jets).k.n": [[1, -2, 3] * 3, [], [0], [7, 7, 7, 7]],
    "ht.cross(j=ev.jets,e=el).e.pt": [[40.0, 3.0] * 3, [], [1.0, 1.0]],
    "jets.without(good).n": [[], [], [], [7, 7]],
    "jets.without(jets[0]).n": [[-2, 3], [], [], [7]],
    "jets.without(ht.pairs(good)[0].a).n": [[-2, 3], [], [0], [7, 7]],
    "jets.without(ht.pairs(good)[0].a,ht.pairs(good)[0].b).n": [[3], [], [0], [7, 7]],
    "good.without(jets[jets.eta>0]).n": [[3], [], [], []],
    "ev.jets.without(jets[0]).n": [[-2, 3], [], [7]],
    "jets.nearest(el).pt": [[40.0, 3.0, 40.0], [], [None], [1.0, 1.0]],
    "good.nearest(el[el.pt>10]).pt": [[40.0, 40.0, 40.0], [], [None], []],
    "jets.nearest(el)[jets.pt>30].pt": [[40.0, 40.0], [], [None], []],
    "jets.nearest(el).pt.Sum()": [83.0, 0.0, 0.0, 2.0],
    "ht.concat(good,el).pt": [[50.0, 20.0, 35.0, 40.0, 3.0], [60.0], [31.0], [1.0]],
    "ht.concat(el,el[el.pt>10],mu).pt": [[40.0, 3.0, 40.0, 4.0], [60.0, 60.0], [6.0, 7.0], [1.0]],
    "ht.concat(el,mu)[ht.concat(el,mu).pt>5].origin": [["el"], ["el"], ["mu", "mu"], []],
    "ht.concat(el,mu)[ht.concat(el,mu).origin=='mu'].pt": [[4.0], [], [6.0, 7.0], []],
    "ak.singletons(jets[0].pt)": [[50.0], [], [31.0], [5.0]],
    "jets[:,0:2][:,0].n": [1, None, 0, 7],
    "jets.First().vec.Count()": [2, 0, 3, 0],
    "jets.Last().n": [3, None, 0, 7],
    "jets.MinBy(jets.pt).vec": [[], [], [4.0, 5.0, 6.0], []],
    "jets[jets.pt==jets.pt.Max()].n": [[1], [], [0], [7, 7]],
    "met.First()": 10.0,
    "jets.pt.First().First()": 50.0,
    "jets[ak.argmax(jets.pt,axis=1,keepdims=True)].n": [[1], [None], [0], [7]],
}

REFUSED = {
    "jets[jets.vec > 2]": r"^a mask with one value for each of the vec cannot select jets",
    "jets[::0]": r"^int 0 is no step of a slice",
    "jets['a':]": r"^str 'a' is no end of a slice",
    "good[ak.argsort(jets.pt)]": r"^the index array has positions in jets, not in jets'",
    "jets[ak.argsort(good.pt)]": r"^the index array has positions in jets', not in jets",
    "jets[jets.n]": r"^a value of type int32 is no mask",
    "jets.without(el)": r"^rows of el cannot be taken away from jets",
    "ht.concat(el, jets.pt)": r"^the rows of one list are of one kind",
    "ht.zip_rows(a=jets, b=met)": r"^rows at different levels cannot be aligned",
    "jets.First(axis=0)": r"^first over the events only would mix rows",
    "jets.OrderBy(jets[0].pt)": r"^the key must have one value for each of the jets",
    "jets[good.pt > 20]": r"^the mask was made on jets'(?s:.*)a selection of jets, and cannot select jets",
    "good.pt + jets[jets.eta > 0].pt": r"^cannot add values of two different selections of jets",
    "ht.pairs(met)": r"^combinations need a collection in each event",
    "jets.pt + el.pt": r"^cannot add values of two collections, jets and el",
    "jets[met.Max() > 60]": r"^one truth value of the whole dataset is no mask",
    "jets.OrderBy(jets.tag)": r"^a key of type string has no order",
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_rows_keep_their_identity(text: str, expected: Any, check: Callable[[str, Any], None]) -> None:
    check(text, expected)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_rows_that_do_not_fit_are_refused(text: str, message: str, record: Callable[[str], Any]) -> None:
    with pytest.raises(TypeError, match=message):
        record(text)


def test_rows_said_to_be_aligned_that_are_not_are_an_error_of_the_run(d: ht.Array) -> None:
    with pytest.raises(
        RuntimeError, match=r"the rows that were said to be aligned are not: the lists differ in length"
    ):
        ht.make_local(ht.zip_rows(a=d.jets.pt, b=d.el.pt))


def test_distance_of_the_nearest_is_the_least_distance(answer: Callable[[str], Any]) -> None:
    gaps = answer("ak.flatten(jets.nearest(el).delta_r(jets) - jets.metric_table(el).Min())")
    assert [gap and round(gap, 9) for gap in gaps] == [0.0, 0.0, 0.0, None, 0.0, 0.0]


def test_nearest_beyond_the_limit_is_missing(check: Callable[[str, Any], None]) -> None:
    check("jets.nearest(el, 1.0).pt", [[40.0, None, None], [], [None], [None, None]])

"""Nodes and axes: the same thing is the same object, everywhere and after a journey."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.nodes import Field, Restrict
from hep_tables_coffea.graph.traverse import find, sources, walk

if TYPE_CHECKING:
    from collections.abc import Callable


def test_same_expression_written_twice_is_one_node(d: ht.Array) -> None:
    assert (d.jets.pt * 2)._node is (d.jets.pt * 2)._node


def test_same_filter_written_twice_is_one_axis(d: ht.Array) -> None:
    assert d.jets[d.jets.pt > 1]._node.path[-1] is d.jets[d.jets.pt > 1]._node.path[-1]


def test_constants_of_different_types_are_different_nodes(d: ht.Array) -> None:
    assert len({(d.met * value)._node for value in (1, 1.0, True)}) == 3


def test_negative_zero_is_not_zero(d: ht.Array) -> None:
    assert (d.met * 0.0)._node is not (d.met * -0.0)._node


def test_filter_of_a_record_and_of_its_column_are_one_node(d: ht.Array) -> None:
    mask = d.jets.pt > 1
    assert d.jets[mask].eta._node is d.jets.eta[mask]._node


def test_opening_again_gives_another_dataset_with_the_same_digest(path: str) -> None:
    one, other = ht.flat(path).jets.pt._node, ht.flat(path).jets.pt._node
    assert one is not other
    assert one.digest == other.digest


def test_digest_tells_programs_apart(d: ht.Array) -> None:
    values = [d.met + 1, d.met + 2, d.met + 1.0, d.met - 1, d.jets[0].pt, d.jets[1].pt, d.jets[d.jets.pt > 1].pt]
    assert len({value._node.digest for value in values}) == len(values)


def test_digest_is_the_same_in_another_process(d: ht.Array, path: str) -> None:
    code = f"import hep_tables_coffea as ht; d = ht.flat({path!r}); print((d.jets[d.jets.pt > 1].pt * 2)._node.digest)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == (d.jets[d.jets.pt > 1].pt * 2)._node.digest


@pytest.mark.parametrize("travel", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copy_is_the_same_value(travel: Callable[[ht.Array], ht.Array], d: ht.Array) -> None:
    value = d.jets[d.jets.pt > 1].pt * 2
    assert travel(value) is value


def test_value_of_another_process_runs_here(path: str) -> None:
    code = f"""
import pickle, sys, hep_tables_coffea as ht
d = ht.flat({path!r})
sys.stdout.buffer.write(pickle.dumps(ht.pairs(d.jets[d.jets.pt > 0]).b.pt * d.met))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert ht.make_local(pickle.loads(done.stdout)).tolist() == [[2.0]]


def test_walk_gives_arguments_first_and_each_node_once(d: ht.Array) -> None:
    node = (d.jets.pt + d.jets.eta * d.jets.pt)._node
    order = list(walk([node]))
    assert len(order) == len(set(order))
    assert all(order.index(need) < order.index(one) for one in order for need in one.needs)


def test_find_gives_the_nodes_of_a_kind(d: ht.Array) -> None:
    assert {node.name for node in find([(d.jets.pt + d.met)._node], Field)} == {"jets", "pt", "met"}


def test_sources_are_those_of_the_roots(d: ht.Array, path: str) -> None:
    other = ht.flat(path)
    assert sources([d.met._node, other.met._node]) == [d._node, other._node]


def test_alignment_restricts_to_the_subset(d: ht.Array) -> None:
    good = d.jets[d.jets.pt > 1]
    target, nodes = build.align([d.jets.eta._node, good.pt._node])
    assert target == good._node.path
    assert [type(node) for node in nodes] == [Restrict, Restrict]


def test_alignment_of_a_prefix_keeps_it(d: ht.Array) -> None:
    target, nodes = build.align([d.met._node, d.jets.pt._node])
    assert [axis.name for axis in target] == ["event", "jets"]
    assert nodes[0] is d.met._node


def test_lineage_of_a_filtered_axis_ends_in_the_collection(d: ht.Array) -> None:
    jets = d.jets
    axis = jets[jets.pt > 1][0:2].OrderBy(jets[jets.pt > 1][0:2].pt)._node.path[-1]
    assert [step.kind for step in axis.lineage()] == ["ordered", "sliced", "subset", "rows"]
    assert axis.base is jets._node.path[-1]


@pytest.mark.parametrize(
    ("text", "expected"),
    {
        "d.met": "event * float64",
        "d.jets.pt": "event * jets * float64",
        "d.jets[0].pt": "event * ?float64",
        "d.jets[d.jets.pt > 1].pt": "event * jets' * float64",
        "d[d.met > 1].jets.pt": "event' * jets * float64",
        "ht.pairs(d.jets).a.pt": "event * jets_2 * float64",
        "ht.cross(j=d.jets, e=d.el).e.pt": "event * jets_el * float64",
        "d.met.Mean()": "?float64",
        "d.jets.Count()": "event * int64",
        "d.jets.pt > 1": "event * jets * bool",
    }.items(),
)
def test_type_tells_the_axes_and_the_element(text: str, expected: str, d: ht.Array) -> None:
    assert eval(text, {"d": d, "ht": ht}).type == expected

"""Nodes made again: filtered rows have the mask of the copy."""

from __future__ import annotations

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.graph.copy import Copy


def test_filtered_rows_have_the_mask_that_was_made_again(d: ht.Array) -> None:
    filtered, other = d.jets[d.jets.pt > 1]._node.path[-1], (d.jets.eta > 1)._node
    copy = Copy({})
    copy.made[(d.jets.pt > 1)._node] = other
    assert copy.axis(filtered) is d.jets[d.jets.eta > 1]._node.path[-1]


def test_filtered_rows_without_their_mask_are_refused(d: ht.Array) -> None:
    filtered = d.jets[d.jets.pt > 1]._node.path[-1]
    message = r"the rows of jets' \(jets filtered at .*test_copy.py.*\) are made again before what selects them"
    with pytest.raises(AssertionError, match=message):
        Copy({}).axis(filtered)


def test_pairs_of_filtered_rows_without_their_mask_are_refused(d: ht.Array) -> None:
    pairs = ht.pairs(d.jets[d.jets.pt > 1])._node.path[-1]
    with pytest.raises(AssertionError, match="are made again before what selects them"):
        Copy({}).axis(pairs)

"""Types of datasets that only a catalogue knows, asked of ServiceX."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("servicex", reason="the extra servicex is not installed")

import hep_tables_coffea as ht
from hep_tables_coffea.errors import DataError, TreeMissingError


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return ht.samples.nanoaod(tmp_path_factory.mktemp("structure") / "zll.root", events=20)


@pytest.fixture(scope="module")
def named(path: str) -> Iterator[str]:
    """The name of a dataset with that file."""
    with ht.servicex.local({"rucio://user.me:zll": path}):
        yield "rucio://user.me:zll"


def test_columns_have_the_types_of_the_file(named: str, path: str) -> None:
    assert ht.nanoaod(named).type == ht.nanoaod(path).type


def test_columns_have_the_doc_lines_of_the_file(named: str, path: str) -> None:
    leaves = [ht.nanoaod(one)._node.dataset.schema.columns for one in (named, path)]
    assert {name: leaf.doc for name, leaf in leaves[0].items()} == {name: leaf.doc for name, leaf in leaves[1].items()}


def test_schema_is_found_from_the_columns(named: str) -> None:
    assert ht.dataset(named)._node.dataset.schema.pack == "nanoaod"


def test_tree_that_is_not_there_is_refused(named: str) -> None:
    with pytest.raises(TreeMissingError, match=r"(?s)zll have no tree 'Event'.*tree= is one of .*Events"):
        ht.nanoaod(named, tree="Event")


def test_server_without_functions_is_an_error_with_a_way_out(path: str) -> None:
    with (
        ht.servicex.local({"rucio://user.me:zll": path}, functions=False),
        pytest.raises(DataError, match=r"(?s)the columns of rucio://user.me:zll are not known.*ht\.save_form"),
    ):
        ht.nanoaod("rucio://user.me:zll")


def test_saved_form_needs_no_server(path: str, tmp_path: Path) -> None:
    ht.save_form(ht.nanoaod(path), tmp_path / "form.json")
    assert ht.nanoaod("rucio://user.me:other", form=tmp_path / "form.json").type == ht.nanoaod(path).type

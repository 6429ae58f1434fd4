"""The leaf branches of a TTree under unique names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hep_tables_coffea.files.lazytree import LazyTree

__all__ = ["LeafBranches", "path_of"]


class LeafBranches(Mapping[str, Any]):
    """The branches without branches below them, each under its own name.

    Where two have the same name, one at the top keeps it, else the first in the file; others have their path for a
    name: "event/id". Looking up a name parses no more than it takes, iterating parses all.
    """

    def __init__(self, tree: LazyTree) -> None:
        self._tree = tree
        self._found: dict[str, Any] = {}
        self._below: dict[str, Any] | None = None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (self._tree.is_leaf(name) or self._look_up(name) is not None)

    def __getitem__(self, name: str) -> Any:
        branch = self._look_up(name)
        if branch is None:
            raise KeyError(name)
        return branch

    def __iter__(self) -> Iterator[str]:
        below = {id(leaf): name for name, leaf in self._all_below().items()}
        for top in self._tree.names():
            if self._tree.is_leaf(top):
                yield top
            else:
                yield from (below[id(leaf)] for leaf in _leaves(self._tree[top]))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _look_up(self, name: str) -> Any:
        if name not in self._found:
            branch = self._look_below(name)
            if branch is None:
                return None
            self._found[name] = branch
        return self._found[name]

    def _look_below(self, name: str) -> Any:
        """Nearly always the name of a leaf begins with that of the branch at the top: one is parsed instead of all."""
        if self._tree.is_leaf(name):
            return self._tree[name]
        for end in [len(name), *(found.start() for found in re.finditer(r"[./]", name))][::-1]:
            for top in (name[:end], name[: end + 1]):
                if self._tree.is_leaf(top):
                    return None
                if top in self._tree:
                    for leaf in _leaves(self._tree[top]):
                        if name in (leaf.name, path_of(leaf)):
                            return leaf
        return self._all_below().get(name)

    def _all_below(self) -> dict[str, Any]:
        """The leaves that are not at the top."""
        if self._below is None:
            self._below = {}
            for top in self._tree.names():
                for leaf in _leaves(self._tree[top]) if not self._tree.is_leaf(top) else ():
                    is_taken = leaf.name in self._below or self._tree.is_leaf(leaf.name)
                    self._below[path_of(leaf) if is_taken else leaf.name] = leaf
        return self._below


def path_of(branch: Any) -> str:
    """What finds exactly this branch in its tree: a branch may have the name of the one above it."""
    return str(branch.name) if branch.top_level else f"{path_of(branch.parent)}/{branch.name}"


def _leaves(branch: Any) -> Iterator[Any]:
    if not branch.branches:
        yield branch
    for below in branch.branches:
        yield from _leaves(below)

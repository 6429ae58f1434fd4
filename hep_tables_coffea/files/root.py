"""ROOT files: opening them, and choosing the tree."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

import uproot

from hep_tables_coffea.files.errors import TreeNotFoundError, failing_as_oserror, listed, missing_tree
from hep_tables_coffea.files.paths import is_url, local
from hep_tables_coffea.files.rntuple import NTupleSource
from hep_tables_coffea.files.ttree import TreeSource

if TYPE_CHECKING:
    from hep_tables_coffea.files.source import Source

__all__ = ["RootFile"]

NTUPLE = "ROOT::RNTuple"
CLASSES = ("TTree", "TNtuple", "TNtupleD", NTUPLE)

#: What experiments call the tree of events, for files that have others beside it. Folders do not count.
CONVENTIONAL = ("Events", "events", "CollectionTree", "Delphes", "PreSelection", "nominal", "reco", "analysis")


class RootFile:
    """An open ROOT file and the trees of it that were asked for."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._sources: dict[str, Source] = {}
        with failing_as_oserror(f"{path} cannot be opened as a ROOT file"):
            self._directory = _open(path)
        _refuse_unfinished(path, self._directory)

    def trees(self) -> list[str]:
        """The trees of the file with their folders, each once."""
        with failing_as_oserror(f"{self.path}: cannot list its trees"):
            named = self._directory.classnames(recursive=True, cycle=False)
        return [name for name, classname in named.items() if classname in CLASSES]

    def source(self, tree: str | None) -> Source:
        """One tree, opened when it is first asked for."""
        asked = (tree or "").strip("/")
        with self._lock:
            if asked not in self._sources:
                name = asked or self._only_tree()
                self._sources[asked] = self._sources.get(name) or self._make(name)
                self._sources[name] = self._sources[asked]
            return self._sources[asked]

    def _only_tree(self) -> str:
        trees = self.trees()
        if len(trees) == 1:
            return trees[0]
        for usual in CONVENTIONAL:
            found = [tree for tree in trees if tree.rpartition("/")[2] == usual]
            if len(found) == 1:
                return found[0]
        if not trees:
            msg = f"{self.path} holds no TTree or RNTuple"
            raise TreeNotFoundError(msg)
        msg = f"{self.path} holds several trees, name one of them: {listed(trees)}"
        raise TreeNotFoundError(msg)

    def _make(self, name: str) -> Source:
        classname = self._classname(name)
        if classname not in CLASSES:
            raise missing_tree(self.path, name, self.trees())
        with failing_as_oserror(f"{self.path}: the metadata of {name!r} cannot be read"):
            make = NTupleSource if classname == NTUPLE else TreeSource
            return make(self.path, self._directory, name)

    def _classname(self, name: str) -> str | None:
        """The class that the file's directory notes, without reading the object; None if nothing has that name."""
        folder, _, last = name.rpartition("/")
        try:
            directory = self._directory[folder] if folder else self._directory
            return str(directory.key(last).classname())
        except (KeyError, AttributeError):
            # no such key, or the "folder" is not one
            return None


def _open(path: str) -> Any:
    """The top directory. A mapping, because in a plain string uproot takes what follows a colon for a tree.

    uproot's caches are off: arrays are read once, and would pile up; the trees are kept by us.
    """
    caches = {"array_cache": None, "object_cache": None}
    if is_url(path):
        return uproot.open({path: None}, **caches)
    # Memory-mapped: any number of threads read at once, and no read opens the file again.
    return uproot.open({local(path): None}, handler=uproot.MemmapSource, **caches)


def _refuse_unfinished(path: str, directory: Any) -> None:
    """A file that was cut off or never closed opens well, then shows no trees or fails in the middle."""
    file = directory.file
    if not is_url(path) and file.fEND > (size := os.path.getsize(local(path))):
        msg = f"{path} is truncated: it has {size} of its {file.fEND} bytes"
        raise OSError(msg)
    if directory.fSeekKeys == 0:
        msg = f"{path} was not closed by the program that wrote it: the directory of its trees is missing"
        raise OSError(msg)

"""Which local files stand for a dataset or an address, as a data catalogue has it for the grid."""

from __future__ import annotations

import glob
import json
import os
import threading
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hep_tables_coffea.errors import FileMissingError, SourceError
from hep_tables_coffea.files.paths import fingerprint, is_url, local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SCHEMES", "Catalog", "Input", "LookupFailure"]

#: Finders of datasets that a ServiceX has; without a scheme it is the first.
SCHEMES = ("rucio", "cernopendata", "xrootd")


@dataclass(frozen=True, slots=True)
class Input:
    """One file of a request: its name as the request has it, and where it is here."""

    name: str
    path: str = ""
    #: Why it cannot be had, "" if it can.
    problem: str = ""


class LookupFailure(Exception):
    """A dataset that cannot be looked up. `status` is the word of the protocol for why."""

    def __init__(self, text: str, status: str) -> None:
        super().__init__(text)
        self.status = status


class Catalog:
    """Datasets and addresses, and the local files that stand for them.

    A key is a dataset with its finder ("rucio://mc20:dy", "cernopendata://1") or without ("mc20:dy"), whose value is a
    path or glob pattern or a list of them; or it is the beginning of addresses and ends with a slash
    ("root://eos.cern.ch//data/"), whose value is the folder that stands for it.

    >>> catalog = Catalog({"root://eos.cern.ch//data/": "/home/me/data"})
    >>> catalog.files(["root://eos.cern.ch//data/dy/1.root"])[0].path
    '/home/me/data/dy/1.root'

    Raises `SourceError` for what is no catalogue.
    """

    def __init__(self, entries: Mapping[str, str | os.PathLike[str] | Iterable[str | os.PathLike[str]]] | None = None):
        self._lock = threading.Lock()
        self._datasets: dict[str, tuple[str, ...]] = {}
        self._prefixes: dict[str, str] = {}
        for key, value in dict(entries or {}).items():
            self.add(key, value)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Catalog:
        """A catalogue in a YAML or JSON file, one mapping; relative paths in it begin at its folder."""
        import yaml

        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            msg = f"the catalogue {os.fspath(path)} cannot be read: {error.strerror}"
            raise FileMissingError(msg) from None
        try:
            entries = json.loads(text) if os.fspath(path).endswith(".json") else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError) as error:
            msg = f"the catalogue {os.fspath(path)} cannot be parsed: {error}"
            raise SourceError(msg) from None
        if not isinstance(entries, dict):
            msg = f"the catalogue {os.fspath(path)} is no mapping"
            raise SourceError(msg, hint="one line for each dataset: rucio://mc20:dy: data/dy_*.root")
        folder = os.path.dirname(os.path.abspath(path))
        catalog = cls()
        for key, value in entries.items():
            listed = value if isinstance(value, list) else [value]
            catalog.add(str(key), [os.path.join(folder, str(one)) for one in listed])
        return catalog

    def add(self, key: str, value: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> None:
        """One more entry, or another value for a key."""
        listed = [value] if isinstance(value, (str, os.PathLike)) else list(value)
        paths = tuple(os.path.abspath(os.path.expanduser(os.fspath(one))) for one in listed)
        if key.endswith("/"):
            if len(paths) != 1:
                msg = f"{key!r} is the beginning of addresses, and has {len(paths)} folders"
                raise SourceError(msg, hint="give the one folder that stands for it")
            with self._lock:
                self._prefixes[key] = paths[0]
        else:
            with self._lock:
                self._datasets[_named(str(key))] = paths

    @property
    def state(self) -> str:
        """Another text when an entry changes, or a file that one stands for: what was delivered before is then old."""
        with self._lock:
            entries = [*self._datasets.items(), *((key, (f"{folder}/**",)) for key, folder in self._prefixes.items())]
        files = [(key, path) for key, patterns in sorted(entries) for pattern in patterns for path in _glob(pattern)]
        marks = [(key, path, fingerprint(path)) for key, path in files if os.path.exists(path)]
        return blake2b(json.dumps([sorted(entries), marks]).encode(), digest_size=16).hexdigest()

    def __len__(self) -> int:
        return len(self._datasets) + len(self._prefixes)

    def __repr__(self) -> str:
        return f"Catalog({sorted([*self._datasets, *self._prefixes])})"

    def dataset(self, did: str) -> list[Input]:
        """The files of a dataset, always in the same order; of "rucio://mc20:dy?files=2" the first two.

        Raises `LookupFailure`.
        """
        name, _, query = did.partition("?")
        key = _named(name)
        scheme, _, rest = key.partition("://")
        if not rest:
            _refuse("bad_name", f"{did!r} names no dataset")
        with self._lock:
            patterns = self._datasets.get(key)
        found = self._matching(rest) if patterns is None and scheme == "xrootd" else self._listed(key, patterns)
        if not found:
            _refuse("does_not_exist", f"the dataset {name} has no files: none matches what it stands for")
        return found[: _files_wanted(query)]

    def files(self, names: Iterable[str]) -> list[Input]:
        """Files by their own names: local paths, `file://` addresses, and addresses that the catalogue knows."""
        return [self._file(str(name)) for name in names]

    def _listed(self, key: str, patterns: tuple[str, ...] | None) -> list[Input]:
        if patterns is None:
            known = ", ".join(sorted(self._datasets)) or "it is empty"
            _refuse("does_not_exist", f"the catalogue has no dataset {key} ({known})")
        paths = [path for pattern in patterns for path in _glob(pattern)]
        return [Input(path, path) for path in dict.fromkeys(paths)]

    def _matching(self, pattern: str) -> list[Input]:
        """The files whose addresses match, where a folder stands for the beginning of the pattern."""
        found = self._place(pattern)
        if found is None:
            known = ", ".join(sorted(self._prefixes)) or "it has none"
            _refuse("does_not_exist", f"no folder of the catalogue stands for {pattern} ({known})")
        prefix, folder, rest = found
        if not _stays_inside(rest):
            _refuse("bad_name", f"{pattern} leads out of the folder that stands for {prefix}")
        paths = _glob(os.path.join(glob.escape(folder), rest))
        return [Input(prefix + os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in paths]

    def _file(self, name: str) -> Input:
        if not is_url(name):
            return Input(name, local(name))
        with self._lock:
            paths = self._datasets.get(name)
        if paths is not None and len(paths) == 1:
            return Input(name, paths[0])
        found = self._place(name)
        if found is None:
            return Input(
                name, problem=f"no folder of the catalogue stands for {name}: a local endpoint reads local files"
            )
        prefix, folder, rest = found
        if not _stays_inside(rest):
            return Input(name, problem=f"{name} leads out of the folder that stands for {prefix}")
        return Input(name, os.path.join(folder, rest))

    def _place(self, address: str) -> tuple[str, str, str] | None:
        """The longest beginning of an address that a folder stands for, that folder, and the rest."""
        with self._lock:
            known = [prefix for prefix in self._prefixes if address.startswith(prefix)]
            prefix = max(known, key=len, default="")
            return (prefix, self._prefixes[prefix], address[len(prefix) :].lstrip("/")) if prefix else None


def _refuse(status: str, text: str) -> NoReturn:
    raise LookupFailure(text, status)


def _named(key: str) -> str:
    """A dataset with its finder. An address of a file stays as it is."""
    return key if "://" in key else f"{SCHEMES[0]}://{key}"


def _files_wanted(query: str) -> int | None:
    for part in query.split("&"):
        word, _, number = part.partition("=")
        if word == "files":
            if not number.isdigit() or not int(number):
                _refuse("bad_name", f"files={number}: not a number of files")
            return int(number)
    return None


def _glob(pattern: str) -> list[str]:
    return sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))


def _stays_inside(rest: str) -> bool:
    return not os.path.isabs(rest) and ".." not in rest.replace("\\", "/").split("/")

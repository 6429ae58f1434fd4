"""A TTree of which only those branches are parsed that are asked for.

uproot parses every branch of a tree before the first one can be read: 0.4 s and 16 MB where there are 1500. The stream
that they are parsed from gives the size of each, so it is quick to note where each begins and to let uproot parse that
one alone. What a branch refers to in another (its counter, classes that were named before) is parsed on the way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import UserDict
from struct import Struct, unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple

import uproot

from hep_tables_coffea.files.stream import CLASS_REFERENCE, HAS_SIZE, NEW_CLASS, after_object, class_at, sized, string

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LazyTree"]

#: Bytes before the version of the TBranch: its own size, after the header of the class that derives from it.
HEADERS = {"TBranch": 4, "TBranchElement": 10, "TBranchObject": 10, "TBranchClones": 10, "TBranchRef": 10}

#: Bytes of the numbers between a branch's attributes and the branches below it, by the version of TBranch. The newest
#: has its features in between.
NUMBERS = {12: 68, 13: 24}
WITH_FEATURES = 13
NUMBERS_AFTER_FEATURES = 44


class Span(NamedTuple):
    """Where a branch is in the stream of its tree."""

    start: int
    stop: int
    #: Of its class, and where the version of the TBranch in it is.
    classname: str
    body: int
    name: str


class LazyTree:
    """Gives the top-level branches of a TTree by name, as uproot's own objects.

    `tree` is uproot's object too, with the branches in it that were parsed up to now. Where the stream is not as
    expected (a very old file), or a later uproot parses otherwise, all branches are parsed.
    """

    def __init__(self, directory: Any, name: str) -> None:
        self._whole: Callable[[], Any] = lambda: directory[name]
        self._chunk: Any = None
        self._kinds: dict[str, bool] = {}
        try:
            self._index(_key(directory, name))
        except Exception:
            self._parse_all()

    def names(self) -> Iterator[str]:
        """The names of all top-level branches, in the order of the file."""
        yield from self._numbers

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def __getitem__(self, name: str) -> Any:
        try:
            return self._branch(self._numbers[name])
        except Exception:
            self._parse_all()
            return self.tree[name]

    def is_leaf(self, name: str) -> bool:
        """Whether there is such a branch at the top, without branches below it. Those of old versions count as none."""
        if name not in self._kinds and name in self._numbers:
            try:
                self._kinds[name] = _is_leaf(memoryview(self._chunk.raw_data), self.span(name).body)
            except Exception:
                self._parse_all()
        return self._kinds.get(name, False)

    def stream(self) -> tuple[memoryview, int] | None:
        """The stream of the tree, and where its references count from; None where all branches were parsed."""
        return (memoryview(self._chunk.raw_data), self._origin) if self._chunk is not None else None

    def span(self, name: str) -> Span:
        """Where in the stream a branch is."""
        return self._spans[self._numbers[name]]

    def _parse_all(self) -> None:
        self._chunk = None
        self.tree = self._whole()
        self._spans = [Span(0, 0, "", 0, branch.name) for branch in self.tree.branches]
        self._parsed: dict[int, Any] = dict(enumerate(self.tree.branches))
        self._number()
        self._kinds = {name: not self._parsed[i].branches for name, i in self._numbers.items()}

    def _number(self) -> None:
        self._numbers: dict[str, int] = {}
        for i, span in enumerate(self._spans):
            self._numbers.setdefault(span.name, i)

    def _index(self, key: Any) -> None:
        self._file = key._file
        self._chunk, cursor = key.get_uncompressed_chunk_cursor()
        self._origin = cursor.origin
        self._context = {"breadcrumbs": (), "TKey": key}
        passing = PassingOver(self._file)
        model = _model(self._file, key.fClassName, self._chunk, cursor, self._context)
        self.tree = model.read(self._chunk, cursor, self._context, passing, self._file, key)
        passing.check(self.tree)
        self._refs = References(self._origin, self._parse_at)
        self._spans = list(_spans(self._file, self._chunk, passing.starts[0], self._context, self._refs))
        self._starts = [span.start for span in self._spans]
        self._parsed = {}
        self._in_progress: set[int] = set()
        self._number()

    def _branch(self, i: int) -> Any:
        """Nothing can refer to a branch that is not complete, so one that is being parsed counts as unknown."""
        if i not in self._parsed and i not in self._in_progress:
            self._in_progress.add(i)
            try:
                self._parsed[i] = self._parse(self._spans[i])
            finally:
                self._in_progress.remove(i)
        return self._parsed.get(i)

    def _parse(self, span: Span) -> Any:
        cursor = uproot.source.cursor.Cursor(span.start, origin=self._origin, refs=self._refs)
        context = dict(self._context)
        branch = uproot.deserialization.read_object_any(self._chunk, cursor, context, self._file, self._file, self.tree)
        if branch.name != span.name or cursor.index != span.stop:
            msg = f"{span.name} is not where it was expected"
            raise ValueError(msg)
        self.tree.branches.append(branch)
        self.tree._lookup.setdefault(span.name, branch)
        return branch

    def _parse_at(self, position: int) -> None:
        """Parse the branch that a position is in, unless it is being parsed or was."""
        i = bisect_right(self._starts, position) - 1
        if i >= 0 and position < self._spans[i].stop:
            self._branch(i)


class References(UserDict[int, Any]):
    """What uproot has met in a stream, by its place. What it has not met yet is parsed when it is referred to."""

    def __init__(self, origin: int, parse_at: Callable[[int], None]) -> None:
        super().__init__()
        self._origin = origin
        self._parse_at = parse_at

    def __contains__(self, key: object) -> bool:
        if key not in self.data and isinstance(key, int):
            self._parse_at(key - uproot.const.kMapOffset + self._origin)
        return key in self.data


class PassingOver:
    """Stands for the file while the tree itself is parsed: passes over its two arrays, and notes where they are.

    The first has the branches, the second lists the leaves of all of them once more.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.starts: list[Any] = []
        self._instead: list[list[Any]] = []

    def class_named(self, name: str, version: Any = None) -> Any:
        return self if name == "TObjArray" else self._file.class_named(name, version)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, chunk: Any, cursor: Any, context: Any, *_: Any) -> list[Any]:
        """In place of an array: an empty list, to be filled."""
        self.starts.append(cursor.copy())
        start = cursor.index
        num_bytes, _version, _memberwise = uproot.deserialization.numbytes_version(chunk, cursor, context, move=False)
        cursor.move_to(start + num_bytes)
        self._instead.append([])
        return self._instead[-1]

    def check(self, tree: Any) -> None:
        """Models that uproot makes from a file's own description of a class do not ask that file for other classes."""
        if len(self._instead) != 2 or tree.branches is not self._instead[0]:
            msg = "the branches of the tree were not passed over"
            raise ValueError(msg)


def _key(directory: Any, name: str) -> Any:
    folder, _, last = name.rpartition("/")
    return (directory[folder] if folder else directory).key(last)


def _model(file: Any, classname: str, chunk: Any, cursor: Any, context: Any) -> Any:
    """uproot's model of the tree. For a TTree the one it ships: a broken file can make it replace that everywhere."""
    if classname != "TTree":
        return file.class_named(classname)
    _, version, _ = uproot.deserialization.numbytes_version(chunk, cursor, context, move=False)
    return getattr(uproot.models.TTree, f"Model_TTree_v{version}")


def _spans(file: Any, chunk: Any, cursor: Any, context: Any, refs: References) -> Iterator[Span]:
    """Each branch of an array. The classes that are named here are noted, since what follows refers to them."""
    start = cursor.index
    num_bytes, _version, _memberwise = uproot.deserialization.numbytes_version(chunk, cursor, context)
    uproot.models.TObject.Model_TObject.read(chunk, cursor, context, None, None, None)
    cursor.string(chunk, context)
    size, _lower_bound = cursor.fields(chunk, Struct(">ii"), context)
    raw = memoryview(chunk.raw_data)
    at = cursor.index
    classes: dict[int, str] = {}
    for _ in range(size):
        (count,) = unpack_from(">I", raw, at)
        (tag,) = unpack_from(">I", raw, at + 4)
        body = at + 8
        if tag == NEW_CLASS:
            classname, body = class_at(raw, at + 4)
            place = at + 4 - cursor.origin + uproot.const.kMapOffset
            classes[place] = classname
            refs[place] = file.class_named(classname)
        else:
            classname = classes[tag & ~CLASS_REFERENCE]
        stop = at + 4 + (count & ~HAS_SIZE)
        body += HEADERS[classname]
        yield Span(at, stop, classname, body, _name(raw, body))
        at = stop
    if at != start + num_bytes:
        msg = "the array of branches does not end where its last branch does"
        raise ValueError(msg)


def _name(raw: memoryview, at: int) -> str:
    """What a branch is called, from its first bytes: version, and TNamed."""
    return string(raw, after_object(raw, at + 8))[0]


def _is_leaf(raw: memoryview, at: int) -> bool:
    """Whether a branch has none below it: behind TNamed, TAttFill and numbers."""
    (version,) = unpack_from(">H", raw, at)
    if version not in NUMBERS:
        return False
    at = sized(raw, sized(raw, at + 2)) + NUMBERS[version]
    if version == WITH_FEATURES:
        at = sized(raw, at) + NUMBERS_AFTER_FEATURES
    _, at = string(raw, after_object(raw, at + 6))
    (number,) = unpack_from(">I", raw, at)
    return bool(number == 0)

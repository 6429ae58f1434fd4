"""What is asked of ServiceX, and what comes back: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.files.paths import is_url, local

__all__ = ["FORMATS", "Delivered", "DeliveredFile", "FailedFile", "Pace", "Request"]

#: Formats that can be delivered, each with the name that it has on the wire.
FORMATS = {"parquet": "parquet", "root-ttree": "root-file"}

#: Kinds of data sets that a server looks up.
SCHEMES = ("rucio", "cernopendata", "xrootd")


@dataclass(frozen=True, slots=True)
class Request:
    """A query over a data set.

    Args:
        source: the identifier of a data set, such as "rucio://ns:name?files=2", "cernopendata://1" or
            "xrootd://root://host//path/*.root", or a tuple of paths and URLs of files.
        query: what to select, in the language of the code generator.
        codegen: name of the code generator.
        title: how the request is called on the server's pages and in the progress line.
        format: "parquet" or "root-ttree".

    Raises `UsageError` if no server could take it.

    Example:
        >>> Request("rucio://user.me:zee?files=2", "(call EventDataset)", "uproot", "zee").is_list
        False
    """

    source: str | tuple[str, ...]
    query: str
    codegen: str
    title: str
    format: str = "parquet"

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            msg = f"format={self.format!r} cannot be delivered"
            raise UsageError(msg, hint=f"format is one of {', '.join(map(repr, FORMATS))}", located=False)
        if isinstance(self.source, str) and self.source.partition("://")[0] not in SCHEMES:
            msg = f"{self.source!r} is not the identifier of a data set"
            listed = ", ".join(f"{scheme}://..." for scheme in SCHEMES)
            raise UsageError(msg, hint=f"identifiers are {listed}; files are given as a tuple", located=False)
        if not self.source:
            msg = f"the request {self.title!r} has no files"
            raise UsageError(msg, hint="give paths or URLs of files, or the identifier of a data set", located=False)

    @property
    def is_list(self) -> bool:
        """Whether it names files, not a data set that the server looks up."""
        return not isinstance(self.source, str)

    @property
    def listed(self) -> tuple[str, ...]:
        """The files it names, as the server is told: local ones with their absolute path. Empty for a data set."""
        if isinstance(self.source, str):
            return ()
        return tuple(path if is_url(path) else local(path) for path in self.source)


@dataclass(frozen=True, slots=True)
class DeliveredFile:
    """One result. `path` is a file of this machine, or a URL if no copy was asked for."""

    source: str
    path: str
    bytes: int


@dataclass(frozen=True, slots=True)
class FailedFile:
    """An input file without a result, and why, in the server's words."""

    source: str
    reason: str

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Delivered:
    """All that came back, and an account of how.

    Attributes:
        files: in the order of the request, then by name. A file that is listed twice is there twice.
        failures: input files without a result; only `on_error="report"` lets them pass.
        total: number of input files.
        seconds: "queue" until the server began, "transform" until it was done, "download" until all was here.
        input_bytes: size of the input, where it is known.
        cached: whether it was kept from an earlier run.
        log_url: where the server shows what its workers wrote.
        folder: where the files are; None for URLs.
    """

    request: Request
    request_id: str
    files: tuple[DeliveredFile, ...]
    failures: tuple[FailedFile, ...] = ()
    total: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    input_bytes: int | None = None
    cached: bool = False
    log_url: str | None = None
    folder: str | None = None

    @property
    def bytes(self) -> int:
        """Size of all that was delivered."""
        return sum({file.path: file.bytes for file in self.files}.values())

    @property
    def coverage(self) -> str:
        """How much of the input the files stand for.

        >>> Delivered(Request("rucio://a:b", "", "uproot", "zee"), "1", (), total=3).coverage
        '0 of 3 files'
        """
        return f"{self.total - len(self.failures) if self.files else 0} of {self.total} files"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the server is asked, and how long trouble is borne [s].

    The pause between two questions is a tenth of the time that has passed, at least `first`, at most `longest`.
    """

    first: float = 0.1
    longest: float = 5.0
    #: So long errors of the server, of the store and of the network are tried again, once it has answered.
    patience: float = 30.0
    #: So long a result is waited for that the server counts and does not list, and more failures after the first.
    grace: float = 10.0
    #: So long a request may stand still.
    still: float = 3600.0

    def pause(self, elapsed: float) -> float:
        return min(max(self.first, elapsed / 10), self.longest)

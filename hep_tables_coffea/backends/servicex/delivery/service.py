"""Which ServiceX: from the files that its users have, or an address."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hep_tables_coffea.errors import BackendError, FileMissingError, UsageError, hint_names

__all__ = ["Service", "client"]

EXAMPLE = """\
a servicex.yaml, in this folder, one above it or your home, looks like
api_endpoints:
  - name: servicex-uc-af
    endpoint: https://servicex.af.uchicago.edu
    token: (from the page of the server)
default_endpoint: servicex-uc-af"""


def client() -> Any:
    """The servicex package. Raises `BackendError` if it is not installed."""
    try:
        import servicex
    except ImportError as error:
        msg = "the package servicex is not installed"
        raise BackendError(msg, hint="pip install 'hep_tables_coffea[servicex]'", located=False) from error
    return servicex


@dataclass(frozen=True, slots=True)
class Service:
    """A ServiceX server.

    Args:
        url: its address.
        name: its name in the configuration.
        token: what the server gave its user. BEARER_TOKEN_FILE may name a file with a token instead.
        config: the file that says so.
        state: for a server on this machine, what tells one state of its data sets from another. With it, answers for
            data sets are kept too, and those for local files are found whichever port it has.

    Example:
        >>> Service("http://localhost:5000/").url
        'http://localhost:5000'
    """

    url: str
    name: str = ""
    token: str = field(default="", repr=False)
    config: str = ""
    state: str = ""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            msg = f"{self.url!r} is not the address of a server"
            raise UsageError(msg, hint='an address is like "http://localhost:5000"', located=False)
        object.__setattr__(self, "url", self.url.rstrip("/"))

    @classmethod
    def from_config(cls, name: str | None = None, path: str | os.PathLike[str] | None = None) -> Service:
        """The server of that name in `servicex.yaml` or `.servicex`; without a name, the default one.

        The file is looked for as the servicex package does: in this folder, those above it, and the home folder.

        Raises:
            FileMissingError: there is no such file.
            UsageError: it does not name the server, or is no configuration.
        """
        found = _read(path)
        named = {endpoint.name: endpoint for endpoint in found.api_endpoints}
        wanted = name or found.default_endpoint or next(iter(named), "")
        where = found.config_file or ""
        if wanted not in named:
            msg = f"{where} has no endpoint {wanted!r}" if wanted else f"{where} has no endpoints"
            raise UsageError(msg, hint=hint_names(wanted, named) if named else EXAMPLE, located=False)
        chosen = named[wanted]
        return cls(chosen.endpoint, wanted, chosen.token or "", where)

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine."""
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1") or host.startswith("127.")

    @property
    def place(self) -> str:
        """What its answers are kept under: its address, or its state."""
        return f"local {self.state}" if self.is_local and self.state else f"{self.url} {self.state}"

    @property
    def slug(self) -> str:
        """A name for folders, of this place alone."""
        words = re.sub(r"[^\w.-]+", "_", self.place.partition("://")[2].split()[0] if "://" in self.place else "local")
        return f"{words[:40]}-{blake2b(self.place.encode(), digest_size=4).hexdigest()}"

    def __str__(self) -> str:
        return f"{self.name} ({self.url})" if self.name else self.url


def _read(path: str | os.PathLike[str] | None) -> Any:
    client()
    import yaml
    from servicex.configuration import Configuration

    if path is not None and not Path(path).is_file():
        msg = f"there is no file {os.fspath(path)}"
        raise FileMissingError(msg, hint=EXAMPLE, located=False)
    try:
        return Configuration.read(None if path is None else os.fspath(path))
    except NameError as error:
        msg = f"no ServiceX is configured: there is no servicex.yaml or .servicex in {Path.cwd()}, above it or at home"
        if path is not None:
            msg = f"{os.fspath(path)} is empty"
        raise FileMissingError(msg, hint=EXAMPLE, located=False) from error
    except (yaml.YAMLError, AttributeError, TypeError, ValueError) as error:
        msg = f"{'servicex.yaml or .servicex' if path is None else os.fspath(path)} is no configuration of ServiceX"
        told = " ".join(str(error).split())[:300]
        raise UsageError(msg, values=[("what is wrong", told)], hint=EXAMPLE, located=False) from error

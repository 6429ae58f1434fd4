"""Switches that make a local endpoint fail on purpose, so that clients can be tried against it."""

from __future__ import annotations

import fnmatch
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hep_tables_coffea.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FAULT", "ROUTES", "Faults"]

#: The routes whose answers can be replaced: "status-500", "s3-503:1".
ROUTES = ("info", "submit", "status", "results", "s3")
#: What answers say of a fault.
FAULT = "a fault that was asked for"
#: Switches with a number of times, those with a pattern of input names, those with seconds.
COUNTED = ("fatal", "bad-dataset", "empty", "short", "lost", "restart")
NAMED = ("fail", "kill")
TIMED = ("slow",)
_ROUTE = re.compile(rf"({'|'.join(ROUTES)})-([45]\d\d)")


@dataclass(slots=True)
class _Fault:
    name: str
    pattern: str = "*"
    #: How often it strikes; a negative number is for ever.
    times: int = -1
    seconds: float = 0.0


class Faults:
    """The switches that are on. They can be changed while the endpoint runs.

    A switch is a word with an optional argument: `word:argument`.

    * `submit-500`, `status-503:1`, `results-503:2`, `s3-503`, `info-503`: answer with that HTTP status, as many times
      as the argument says, else always;
    * `fail`, `fail:*b.root`: inputs whose name matches fail; `kill`, `kill:*b.root`: the worker process that has such
      an input is killed, each time that it is tried;
    * `fatal`, `bad-dataset`, `empty` (no files, and complete: as a ServiceX of today answers), `restart` (all requests
      are forgotten once the status has been asked for), `short` (objects end too early), `lost` (a file is counted as
      completed and never listed): as many times as the argument says, else always;
    * `slow:0.5`: each file takes so many seconds longer.

    >>> faults = Faults(["status-503:1"])
    >>> faults.status("status"), faults.status("status")
    (503, 0)

    Raises `UsageError` for a word that is no switch.
    """

    def __init__(self, switches: Iterable[str] | str = ()) -> None:
        self._lock = threading.Lock()
        self._faults: list[_Fault] = []
        self.set(*([switches] if isinstance(switches, str) else switches))

    def set(self, *switches: str) -> None:
        """Exactly these switches are on from now; without arguments none is."""
        faults = [_parse(switch) for switch in switches]
        with self._lock:
            self._faults = faults

    def status(self, route: str) -> int:
        """The HTTP status that a route has to answer with now, 0 for its own answer."""
        for code in range(400, 600):
            if self.strikes(f"{route}-{code}"):
                return code
        return 0

    def strikes(self, name: str, input_name: str = "") -> bool:
        """Whether a switch is on (for an input of that name): this uses up one of its times."""
        with self._lock:
            for fault in self._faults:
                if fault.name == name and fault.times and fnmatch.fnmatchcase(input_name, fault.pattern):
                    fault.times -= fault.times > 0
                    return True
        return False

    @property
    def seconds(self) -> float:
        """How much longer each file takes."""
        with self._lock:
            return sum(fault.seconds for fault in self._faults)


def _parse(switch: str) -> _Fault:
    name, _, argument = switch.partition(":")
    try:
        if name in COUNTED or _ROUTE.fullmatch(name):
            return _Fault(name, times=int(argument) if argument else -1)
        if name in NAMED:
            return _Fault(name, pattern=argument or "*")
        if name in TIMED:
            return _Fault(name, seconds=float(argument))
    except ValueError:
        msg = f"the fault {switch!r} has no number after the colon"
        raise UsageError(msg, hint="for example 'status-503:1' or 'slow:0.5'") from None
    msg = f"there is no fault {switch!r}"
    known = [*(f"{route}-503" for route in ROUTES), *COUNTED, *NAMED, *(f"{name}:0.5" for name in TIMED)]
    raise UsageError(msg, hint=f"there are {', '.join(known)}, and the other 4xx and 5xx")

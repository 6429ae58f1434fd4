"""Whose program is at the other end of a connection: on a machine with many users loopback belongs to all of them."""

from __future__ import annotations

import ipaddress
import os
from typing import Any
from weakref import WeakKeyDictionary

__all__ = ["is_own"]

TABLES = {4: "/proc/net/tcp", 6: "/proc/net/tcp6"}
#: Established.
STATE = "01"

_known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


def is_own(transport: Any) -> bool:
    """Whether a connection comes from the same user, or root. Where the system does not tell, it is taken to be so."""
    if transport is None:
        return True
    if transport not in _known:
        user = _user(transport.get_extra_info("peername"), transport.get_extra_info("sockname"))
        _known[transport] = user is None or user in (0, os.getuid())
    return _known[transport]


def _user(peer: Any, here: Any) -> int | None:
    """The user whose socket is bound to the other end's address, from the kernel's table of connections."""
    try:
        version = ipaddress.ip_address(peer[0]).version
        wanted = (_address(peer), _address(here))
        with open(TABLES[version], encoding="ascii") as table:
            next(table)
            for line in table:
                fields = line.split()
                if (fields[1], fields[2]) == wanted and fields[3] == STATE:
                    return int(fields[7])
    except (OSError, ValueError, TypeError, StopIteration):
        pass
    return None


def _address(end: Any) -> str:
    """As the kernel writes it: words in the order of the machine, in hexadecimal."""
    packed = ipaddress.ip_address(end[0]).packed
    words = [packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4)]
    return f"{''.join(words)}:{end[1]:04X}"

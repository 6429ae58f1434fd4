"""Memory that was freed stays with the process.

The columns of a chunk are some arrays of megabytes. By default the C library gives each of them back to the system when it
is freed, and gets zeroed pages for the next one: that is a third of the time of a quick query.
"""

from __future__ import annotations

import ctypes
import os
import sys

__all__ = ["keep_freed"]

#: Numbers of glibc's mallopt, see its manual page: what is larger comes from the system by itself, and how much may be free.
MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD = -3, -1, -2
LARGE, FREE, STEP = 32 << 20, 512 << 20, 64 << 20


#: What came of it, once it was tried. A cached function could not be sent to workers that lack the library.
_told: list[bool] = []


def keep_freed() -> bool:
    """Tell the C library to keep up to half a gigabyte; once, where it is glibc and nobody has told it otherwise."""
    if not _told:
        _told.append(_tell())
    return _told[0]


def _tell() -> bool:
    told = any(name.startswith("MALLOC_") or name == "GLIBC_TUNABLES" for name in os.environ)
    if not sys.platform.startswith("linux") or told:
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    settings = ((MMAP_THRESHOLD, LARGE), (TRIM_THRESHOLD, FREE), (TOP_PAD, STEP))
    return all(mallopt(number, value) == 1 for number, value in settings)

"""What ROOT's streams are made of: sizes, strings, the heads of objects and references to them."""

from __future__ import annotations

from struct import unpack_from

import uproot

__all__ = ["CLASS_REFERENCE", "HAS_SIZE", "NEW_CLASS", "after_object", "class_at", "place_of", "sized", "string"]

HAS_SIZE = 0x40000000
HAS_SIZE_SHORT = 0x4000
NEW_CLASS = 0xFFFFFFFF
CLASS_REFERENCE = 0x80000000
IS_REFERENCED = 1 << 4
LONG_STRING = 255
LONGEST_CLASS = 100


def sized(raw: memoryview, at: int) -> int:
    """Where something ends that begins with its size."""
    (size,) = unpack_from(">I", raw, at)
    if not size & HAS_SIZE:
        msg = f"there is no size at {at}"
        raise ValueError(msg)
    return at + 4 + int(size & ~HAS_SIZE)


def after_object(raw: memoryview, at: int) -> int:
    """Where the data of a TObject end."""
    (version,) = unpack_from(">H", raw, at)
    at += 6 if version & HAS_SIZE_SHORT else 2
    _unique, bits = unpack_from(">II", raw, at)
    return at + (10 if bits & IS_REFERENCED else 8)


def string(raw: memoryview, at: int) -> tuple[str, int]:
    """A string, and where it ends."""
    length = raw[at]
    at += 1
    if length == LONG_STRING:
        (length,) = unpack_from(">I", raw, at)
        at += 4
    return str(raw[at : at + length], "utf-8", errors="surrogateescape"), at + length


def class_at(raw: memoryview, at: int) -> tuple[str, int]:
    """The name of a class where it is met first, behind the tag that says so, and where it ends."""
    (tag,) = unpack_from(">I", raw, at)
    if tag != NEW_CLASS:
        msg = f"there is no class at {at}"
        raise ValueError(msg)
    end = bytes(raw[at + 4 : at + 4 + LONGEST_CLASS]).index(b"\0") + at + 4
    return str(raw[at + 4 : end], "ascii"), end + 1


def place_of(reference: int, origin: int) -> int:
    """Where that is what a reference means."""
    return reference - int(uproot.const.kMapOffset) + origin

"""ROOT's compressed blocks, decompressed into a buffer that is there.

What ROOT compresses it cuts into blocks of 16 MB, each behind nine bytes: two letters for the algorithm, one for its
version, and three each for the compressed and the uncompressed size. Everything here lets other threads run.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import cramjam
import uproot

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inflate"]

HEADER = 9
CHECKSUM = 8

#: What stands where nothing was decompressed to yet.
MARK = b"\xaa\x55\xc3\x3c\x96\x69\x5a\xa5"


def inflate(packed: memoryview, needed: int, into: memoryview) -> None:
    """Decompress the first `needed` bytes; `into` has room for all of them.

    What follows may be decompressed too, or not: the offset tables that nobody asks for are a third of many baskets.

    Raises `ValueError` for what is broken or of an unknown kind, or what cramjam and zlib raise.
    """
    at = filled = 0
    while filled < needed:
        kind = bytes(packed[at : at + 2])
        sizes = int.from_bytes(packed[at + 3 : at + HEADER], "little")
        size, unpacked = sizes & 0xFFFFFF, sizes >> 24
        at += HEADER
        if kind not in DECODERS or not unpacked or at + size > len(packed) or filled + unpacked > len(into):
            msg = f"a block of {len(packed)} bytes begins with {kind!r} and the sizes {size} and {unpacked}"
            raise ValueError(msg)
        DECODERS[kind](packed[at : at + size], into[filled : filled + unpacked], min(unpacked, needed - filled))
        at += size
        filled += unpacked


def _complete(number: int, expected: int) -> None:
    if number != expected:
        msg = f"a block has {number} bytes where {expected} were announced"
        raise ValueError(msg)


def _copy(content: Any, into: memoryview, expected: int) -> None:
    _complete(len(content), expected)
    into[:expected] = content


def _zstd(packed: memoryview, into: memoryview, needed: int) -> None:
    """Written piece by piece: a buffer that is too small is filled, and then there is an error, for which we wait.

    If it says something else, or the end of the buffer is as it was, everything is decompressed.
    """
    if len(MARK) < needed < len(into):
        first = into[:needed]
        first[-len(MARK) :] = MARK
        try:
            cramjam.zstd.decompress_into(packed, first)
        except cramjam.DecompressionError as error:
            if "write whole buffer" in str(error) and bytes(first[-len(MARK) :]) != MARK:
                return
    _complete(cramjam.zstd.decompress_into(packed, into), len(into))


def _zlib(packed: memoryview, into: memoryview, needed: int) -> None:
    """The decoder of the standard library is as fast as cramjam's."""
    if needed < len(into):
        _copy(zlib.decompressobj().decompress(packed, needed), into, needed)
    else:
        _copy(zlib.decompress(packed, bufsize=needed), into, needed)


def _lz4(packed: memoryview, into: memoryview, needed: int) -> None:
    """Behind a checksum of the compressed bytes, made by what uproot makes it with. Decoded whole: that is fast."""
    checksum, packed = packed[:CHECKSUM], packed[CHECKSUM:]
    if uproot.compression.xxhash.xxh64(packed).digest() != checksum:
        msg = "the checksum of a block is wrong"
        raise ValueError(msg)
    try:
        _complete(cramjam.lz4.decompress_block_into(packed, into, output_len=len(into)), len(into))
    except TypeError:  # an old cramjam
        _copy(cramjam.lz4.decompress_block(packed, output_len=len(into)), into, len(into))


def _lzma(packed: memoryview, into: memoryview, needed: int) -> None:
    """The decoder of the standard library is as fast as cramjam's. Few Pythons are built without it."""
    import lzma

    if needed < len(into):
        _copy(lzma.LZMADecompressor().decompress(packed, needed), into, needed)
    else:
        _copy(lzma.decompress(packed), into, needed)


DECODERS: dict[bytes, Callable[[memoryview, memoryview, int], None]] = {
    b"ZS": _zstd,
    b"ZL": _zlib,
    b"L4": _lz4,
    b"XZ": _lzma,
}

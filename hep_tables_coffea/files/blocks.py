"""ROOT's compressed blocks, decompressed into a buffer that is there.

What ROOT compresses it cuts into blocks of 16 MB, each behind nine bytes: two letters for the algorithm, one for its
version, and three each for the compressed and the uncompressed size. Everything here lets other threads run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cramjam
import xxhash

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["inflate"]

HEADER = 9
CHECKSUM = 8

#: What stands where nothing was decompressed to yet.
MARK = b"\xaa\x55\xc3\x3c\x96\x69\x5a\xa5"


def inflate(packed: Any, needed: int, into: Any) -> None:
    """Decompress the first `needed` bytes; `into` has room for all of them.

    What follows may be decompressed too, or not: the offset tables that nobody asks for are a third of many baskets.

    Raises `ValueError` for what is broken or of an unknown kind, or what cramjam and zlib raise.
    """
    at = filled = 0
    while filled < needed:
        kind = bytes(packed[at : at + 2])
        header = bytes(packed[at + 3 : at + HEADER])
        size, unpacked = int.from_bytes(header[:3], "little"), int.from_bytes(header[3:], "little")
        at += HEADER
        if kind not in DECODERS or not unpacked or at + size > len(packed) or filled + unpacked > len(into):
            msg = f"a block of {len(packed)} bytes begins with {kind!r} and the sizes {size} and {unpacked}"
            raise ValueError(msg)
        DECODERS[kind](packed[at : at + size], into[filled : filled + unpacked], min(unpacked, needed - filled))
        at += size
        filled += unpacked


def _complete(number: int, into: Any) -> None:
    if number != len(into):
        msg = f"a block has {number} bytes where {len(into)} were announced"
        raise ValueError(msg)


def _streamed(decompress_into: Callable[[Any, Any], int], packed: Any, into: Any, needed: int) -> None:
    """Decoders that write piece by piece fill a buffer that is too small, and then refuse: the rest was not wanted.

    If what they say then is not that, or the end of the buffer is as it was, everything is decompressed.
    """
    if len(MARK) < needed < len(into):
        first = into[:needed]
        first[-len(MARK) :] = bytearray(MARK)
        try:
            decompress_into(packed, first)
        except cramjam.DecompressionError as error:
            if "write whole buffer" in str(error) and bytes(first[-len(MARK) :]) != MARK:
                return
    _complete(decompress_into(packed, into), into)


def _zstd(packed: Any, into: Any, needed: int) -> None:
    _streamed(cramjam.zstd.decompress_into, packed, into, needed)


def _zlib(packed: Any, into: Any, needed: int) -> None:
    _streamed(cramjam.zlib.decompress_into, packed, into, needed)


def _lz4(packed: Any, into: Any, needed: int) -> None:
    """Behind a checksum of the compressed bytes. Decoded whole: it takes little more time than copying."""
    if xxhash.xxh64(packed[CHECKSUM:]).intdigest() != int.from_bytes(bytes(packed[:CHECKSUM]), "big"):
        msg = "the checksum of a block is wrong"
        raise ValueError(msg)
    _complete(cramjam.lz4.decompress_block_into(packed[CHECKSUM:], into, output_len=len(into)), into)


def _lzma(packed: Any, into: Any, needed: int) -> None:
    """The decoder of the standard library is as fast as others, and lets other threads run as they do."""
    import lzma

    content = lzma.decompress(packed)
    _complete(len(content), into)
    into[:] = memoryview(content)


DECODERS: dict[bytes, Callable[[Any, Any, int], None]] = {b"ZS": _zstd, b"ZL": _zlib, b"L4": _lz4, b"XZ": _lzma}

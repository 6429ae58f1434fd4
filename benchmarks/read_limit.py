"""The limit of reading: the baskets of the needed branches decompressed and byte-swapped, and nothing else.

Where the baskets are is looked up once, outside of what is timed. One process, one thread, cramjam and numpy only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from struct import unpack_from
from typing import Any

import cramjam
import numpy as np
import uproot

__all__ = ["COLUMNS", "Limit"]

MET = ("MET_pt",)
KINEMATICS = ("pt", "eta", "phi", "mass")


def _of(collection: str, *fields: str) -> tuple[str, ...]:
    return (f"n{collection}", *(f"{collection}_{field}" for field in fields))


#: The branches that a query cannot do without.
COLUMNS = {
    "q1": MET,
    "q2": _of("Jet", "pt"),
    "q3": _of("Jet", "pt", "eta"),
    "q4": (*_of("Jet", "pt"), *MET),
    "q5": (*_of("Muon", *KINEMATICS, "charge"), *MET),
    "q6": _of("Jet", *KINEMATICS, "btag"),
    "q7": (*_of("Jet", "pt", "eta", "phi"), *_of("Muon", "pt", "eta", "phi"), *_of("Electron", "pt", "eta", "phi")),
    "q8": (*_of("Muon", *KINEMATICS, "charge"), *_of("Electron", *KINEMATICS, "charge"), *MET, "MET_phi"),
}

#: A compressed block begins with its algorithm (2), method (1), compressed and uncompressed size (3 each, little-endian).
BLOCK_HEADER = 9


@dataclass(frozen=True, slots=True)
class Basket:
    """Where a basket is, and how its values are stored."""

    seek: int
    bytes: int
    dtype: np.dtype[Any]


class Limit:
    """Reads columns of a TTree whose baskets are ZSTD or not compressed."""

    def __init__(self, path: str, names: tuple[str, ...], tree: str = "Events") -> None:
        self._path = path
        with uproot.open(path, array_cache=None)[tree] as branches:
            self._baskets = {name: _baskets(branches[name]) for name in names}

    def read(self) -> dict[str, list[np.ndarray]]:
        """The values of each column, an array for each basket; those of jagged columns without their lists."""
        file = os.open(self._path, os.O_RDONLY)
        try:
            return {name: [_values(file, basket) for basket in baskets] for name, baskets in self._baskets.items()}
        finally:
            os.close(file)


def _baskets(branch: Any) -> list[Basket]:
    interpretation = branch.interpretation
    dtype = getattr(interpretation, "content", interpretation).from_dtype
    number = branch.num_baskets
    places = zip(branch.member("fBasketSeek")[:number], branch.member("fBasketBytes")[:number])
    return [Basket(int(seek), int(size), dtype) for seek, size in places]


def _values(file: int, basket: Basket) -> np.ndarray:
    raw = os.pread(file, basket.bytes, basket.seek)
    object_size, _date, key_size = unpack_from(">IIH", raw, 6)
    (last,) = unpack_from(">I", raw, key_size - 5)
    plain = _decompressed(memoryview(raw)[key_size : basket.bytes], object_size)
    count = (last - key_size) // basket.dtype.itemsize
    return plain[: count * basket.dtype.itemsize].view(basket.dtype).astype(basket.dtype.newbyteorder("="))


def _decompressed(packed: memoryview, size: int) -> np.ndarray:
    if len(packed) == size:
        return np.frombuffer(packed, np.uint8)
    plain, done, at = np.empty(size, np.uint8), 0, 0
    while done < size:
        if bytes(packed[at : at + 2]) != b"ZS":
            msg = f"a basket is compressed by {bytes(packed[at : at + 2])!r}; only ZSTD is read here"
            raise ValueError(msg)
        packed_size = int.from_bytes(packed[at + 3 : at + 6], "little")
        block = int.from_bytes(packed[at + 6 : at + 9], "little")
        start = at + BLOCK_HEADER
        cramjam.zstd.decompress_into(packed[start : start + packed_size], plain[done : done + block])
        done, at = done + block, start + packed_size
    return plain

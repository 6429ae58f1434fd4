"""Pieces: one column of an entry range as a file that is mapped into memory.

A file has a header of JSON with the form of the array, then the array's buffers as they are in memory, native numbers at
multiples of 64 bytes, then a digest of the header. Where the outermost lists begin is in a file of its own, named by what
is in it, which all columns of a collection share. Files are written beside and moved: none is ever half there.
"""

from __future__ import annotations

import json
import mmap
import os
import time
import uuid
from contextlib import suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SUFFIX", "Piece", "load", "save"]

MAGIC = b"htcolumn"
ALIGNED = 64
DIGEST = 16
SUFFIX = ".column"

#: The time of a file says when it was last used, to so many seconds.
TOUCHED = 60

#: The buffer that says where the outermost lists begin.
LISTS = "node0-offsets"

#: Bytes of a file by its parts, ready to be written.
Parts = list[Any]


class Piece:
    """An array that is about to be written, as the parts of its files by their names."""

    def __init__(self, name: str, array: Any) -> None:
        self.name = name
        self.files: dict[str, Parts] = {}
        form, length, buffers = ak.to_buffers(array)
        shared = ""
        if LISTS in buffers and form.parameter("__array__") is None and form.offsets == "i64":
            lists: Any = np.ascontiguousarray(buffers.pop(LISTS))
            shared = blake2b(lists, digest_size=DIGEST).hexdigest()
            known = ak.forms.NumpyForm("int64", form_key="node0")
            self.files[shared + SUFFIX] = _parts(known, len(lists), {"node0-data": lists}, "")
        self.files[name] = _parts(form, length, buffers, shared)

    def nbytes(self) -> int:
        return sum(sum(map(len, parts)) for parts in self.files.values())


def _parts(form: Any, length: int, buffers: Mapping[str, Any], lists: str) -> Parts:
    contiguous = {key: np.ascontiguousarray(buffer) for key, buffer in buffers.items()}
    sizes = {key: buffer.nbytes for key, buffer in contiguous.items()}
    about = {"form": form.to_dict(), "length": length, "buffers": sizes, "lists": lists}
    header = json.dumps(about).encode()
    head = MAGIC + len(header).to_bytes(8, "little") + header
    parts: Parts = [head, _padding(len(head))]
    for buffer in contiguous.values():
        parts += [buffer.view(np.uint8), _padding(buffer.nbytes)]
    return [*parts, _digest(header)]


def _padding(size: int) -> bytes:
    return bytes(-size % ALIGNED)


def _digest(header: bytes) -> bytes:
    return blake2b(header, digest_size=DIGEST).digest()


def save(folder: str, piece: Piece) -> None:
    """Write the files of a piece that are not there. Raises `OSError`, and leaves nothing behind then."""
    for name, parts in piece.files.items():
        target = os.path.join(folder, name)
        if name != piece.name and _is_whole(target):
            continue
        beside = f"{target}.{uuid.uuid4().hex}.tmp"
        try:
            with open(beside, "wb", buffering=0) as file:
                for part in parts:
                    _write(file, part)
            os.replace(beside, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise


def _write(file: Any, part: Any) -> None:
    """All of it: one call of the system writes at most 2 GB."""
    left = memoryview(part)
    while len(left):
        left = left[file.write(left) :]


def _is_whole(path: str) -> bool:
    try:
        _opened(path)
    except (OSError, ValueError):
        return False
    return True


def load(folder: str, name: str, lists: dict[str, Any]) -> Any:
    """The layout of a piece, over memory that is the file's until it is changed. `lists` are those loaded before.

    Raises `OSError` or `ValueError` if a file is missing or not whole.
    """
    about, buffers = _opened(os.path.join(folder, name))
    if shared := about["lists"]:
        if shared not in lists:
            _, found = _opened(os.path.join(folder, shared + SUFFIX))
            lists[shared] = ak.index.Index64(found["node0-data"].view(np.int64))
        buffers[LISTS] = lists[shared].data
        if len(lists[shared]) != about["length"] + 1:
            msg = f"{name} has {about['length']} lists, and {len(lists[shared])} places where they begin or end"
            raise ValueError(msg)
    form = about["form"]
    if shared and _is_numbers(form["content"]):
        numbers = _numbers(form["content"], buffers)
        if lists[shared].data[-1] != len(numbers):
            msg = f"{name} has {len(numbers)} numbers in lists of {lists[shared].data[-1]}"
            raise ValueError(msg)
        return ak.contents.ListOffsetArray(lists[shared], numbers)
    if _is_numbers(form):
        return _numbers(form, buffers)
    return ak.from_buffers(form, about["length"], buffers, highlevel=False)


def _is_numbers(form: Mapping[str, Any]) -> bool:
    return form["class"] == "NumpyArray" and not form["inner_shape"] and not form["parameters"]


def _numbers(form: Mapping[str, Any], buffers: Mapping[str, Any]) -> Any:
    """Made by hand: awkward's general way takes ten times as long, as long as reading some columns."""
    data = buffers[f"{form['form_key']}-data"]
    return ak.contents.NumpyArray(data.view(np.dtype(form["primitive"])))


def _opened(path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header of a file, and its buffers. Their time tells that they were used."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    try:
        mapped = mmap.mmap(file, 0, access=mmap.ACCESS_COPY)
        used = os.fstat(file).st_mtime
    finally:
        os.close(file)
    if abs(time.time() - used) > TOUCHED:
        with suppress(OSError):
            os.utime(path)
    size = int.from_bytes(mapped[8:16], "little")
    header = mapped[16 : 16 + size]
    if mapped[:8] != MAGIC or len(header) != size or mapped[-DIGEST:] != _digest(header):
        msg = f"{path} is not whole"
        raise ValueError(msg)
    about = json.loads(header)
    return about, _buffers(path, about, np.frombuffer(mapped, np.uint8), 16 + size)


def _buffers(path: str, about: Mapping[str, Any], content: Any, at: int) -> dict[str, Any]:
    buffers: dict[str, Any] = {}
    for key, size in about["buffers"].items():
        at += -at % ALIGNED
        buffers[key] = content[at : at + size]
        at += size
    if at + (-at % ALIGNED) + DIGEST != len(content):
        msg = f"{path} has {len(content)} bytes, which are not those of its header"
        raise ValueError(msg)
    return buffers

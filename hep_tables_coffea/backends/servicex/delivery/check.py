"""Whether a delivered file is whole."""

from __future__ import annotations

import os

from hep_tables_coffea.backends.servicex.delivery.problems import DeliveryError

__all__ = ["refuse_broken"]


def refuse_broken(path: str, size: int, file_format: str, name: str) -> None:
    """Raise `DeliveryError` for a file of another size than announced, or one that cannot be opened."""
    found = os.path.getsize(path)
    if found != size:
        msg = f"the result {name} has {found} bytes, not the {size} that the server announced"
        raise DeliveryError(msg, hint="the store gives half a file, or the server wrote it once more: ask again")
    reason = _not_parquet(path) if file_format == "parquet" else _not_root(path, size)
    if reason:
        msg = f"the result {name} ({size} bytes) is no {file_format} file: {reason}"
        raise DeliveryError(msg)


def _not_parquet(path: str) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        return " ".join(str(error).split())
    return ""


def _not_root(path: str, size: int) -> str:
    """A ROOT file says at its beginning where it ends."""
    with open(path, "rb") as file:
        head = file.read(20)
    if head[:4] != b"root" or len(head) < 20:
        return f"it starts with {head[:4]!r}"
    width = 8 if int.from_bytes(head[4:8], "big") >= 1_000_000 else 4
    end = int.from_bytes(head[12 : 12 + width], "big")
    return f"its header says that it ends at {end}" if end > size else ""

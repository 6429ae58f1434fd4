"""The dataset objects of the servicex package, as the names that a catalogue knows."""

from __future__ import annotations

import sys
from typing import Any

from hep_tables_coffea.errors import SourceError

__all__ = ["source_of"]


def source_of(dataset: Any) -> str | tuple[str, ...] | None:
    """The name of a dataset, or the files of a list, of `servicex.dataset.Rucio`, `FileList`, `XRootD` or `CERNOpenData`.

    None for everything else. The package is not imported: who has such an object has imported it.

    Raises `SourceError` if the object names no file.

    Example:
        >>> source_of("events.root") is None
        True
    """
    package = sys.modules.get("servicex.dataset_identifier")
    if package is None or not isinstance(dataset, (package.DataSetIdentifier, package.FileListDataset)):
        return None
    if isinstance(dataset, package.FileListDataset):
        if not dataset.files:
            msg = "the FileList has no files"
            raise SourceError(msg, hint='FileList(["root://host//path/events.root"])')
        return tuple(dataset.files)
    if dataset.num_files is not None and dataset.num_files < 1:
        msg = f"num_files={dataset.num_files} is no file of {dataset.dataset}"
        raise SourceError(msg, hint="leave num_files out to have all files")
    return str(dataset.did)

"""Event files: which columns they have, and those columns as arrays."""

from __future__ import annotations

from hep_tables_coffea.files.access import describe, read, read_through, trees
from hep_tables_coffea.files.errors import TreeNotFoundError
from hep_tables_coffea.files.handles import forget
from hep_tables_coffea.files.kept import Keep, clear_cache, default_folder, keeping
from hep_tables_coffea.files.paths import expand
from hep_tables_coffea.files.room import Usage, usage
from hep_tables_coffea.files.table import Column, Kind, Table

__all__ = [
    "Column",
    "Keep",
    "Kind",
    "Table",
    "TreeNotFoundError",
    "Usage",
    "clear_cache",
    "default_folder",
    "describe",
    "expand",
    "forget",
    "keeping",
    "read",
    "read_through",
    "trees",
    "usage",
]

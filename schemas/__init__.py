"""What the library knows of data formats, a module for each; imported as `hep_tables_coffea.schemas`."""

from __future__ import annotations

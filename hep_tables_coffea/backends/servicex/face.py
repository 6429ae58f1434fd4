"""`ht.servicex`: a ServiceX of your own, and what it delivers as files for coffea."""

from __future__ import annotations

from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.fileset import fileset
from hep_tables_coffea.backends.servicex.services import local

__all__ = ["Service", "fileset", "local"]

"""A local ServiceX: the same protocol over HTTP on loopback, for local files."""

from __future__ import annotations

from hep_tables_coffea.backends.servicex.endpoint.catalog import Catalog
from hep_tables_coffea.backends.servicex.endpoint.faults import Faults
from hep_tables_coffea.backends.servicex.endpoint.server import LocalEndpoint, local, serve, shared

__all__ = ["Catalog", "Faults", "LocalEndpoint", "local", "serve", "shared"]

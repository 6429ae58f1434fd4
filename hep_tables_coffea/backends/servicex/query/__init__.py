"""Queries for the code generators of func_adl: from columns of a program to qastle text."""

from __future__ import annotations

from hep_tables_coffea.backends.servicex.query.capability import supports
from hep_tables_coffea.backends.servicex.query.dialect import UPROOT, XAOD, Dialect
from hep_tables_coffea.backends.servicex.query.lowering import needs
from hep_tables_coffea.backends.servicex.query.text import as_func_adl
from hep_tables_coffea.backends.servicex.query.write import write_query

__all__ = ["UPROOT", "XAOD", "Dialect", "as_func_adl", "needs", "supports", "write_query"]

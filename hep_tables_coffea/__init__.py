"""hep_tables_coffea: write array code over collision events; run it as coffea processors.

Nothing runs while it is written: expressions are recorded with their types and rows, compiled into a coffea processor
when an answer is asked for, and run over the files in one pass.

Example:
    >>> import hep_tables_coffea as ht
    >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/zll.root", events=1000, seed=1))
    >>> muons = events.Muon[events.Muon.pt > 20]
    >>> pairs = ht.pairs(muons)
    >>> mass = ht.Hist.new.Reg(60, 60, 120, name="mass").Weight().fill((pairs.a + pairs.b).mass)
    >>> ht.make_local(mass).sum().value > 100
    True
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from hep_tables_coffea import samples
from hep_tables_coffea._version import __version__
from hep_tables_coffea.config import options
from hep_tables_coffea.errors import HepTablesError, hint_names
from hep_tables_coffea.files.kept import clear_cache
from hep_tables_coffea.plugins.functions import backend_function
from hep_tables_coffea.plugins.registry import register_backend, register_schema
from hep_tables_coffea.record.aliases import clear_aliases, define_alias
from hep_tables_coffea.record.array import Array
from hep_tables_coffea.record.dataset import dataset, metadata, opener, save_form, xaod_table
from hep_tables_coffea.record.elementwise import fill_missing, is_missing, where
from hep_tables_coffea.record.functions import combinations, concat, cross, pairs, zip_rows
from hep_tables_coffea.record.histogram import Hist
from hep_tables_coffea.record.lambdas import curry
from hep_tables_coffea.record.loops import iterate
from hep_tables_coffea.record.user_functions import user_func
from hep_tables_coffea.record.variation import vary
from hep_tables_coffea.run.api import (
    explain,
    make_local,
    make_local_async,
    run,
    to_processor,
    write_processor,
)
from hep_tables_coffea.run.job import run_uproot_job

if TYPE_CHECKING:
    from hep_tables_coffea.backends.coffea.own_executor import Executor
    from hep_tables_coffea.backends.servicex import face as servicex

nanoaod = opener("nanoaod")
physlite = opener("physlite")
flat = opener("flat")
treemaker = opener("treemaker")
edm4hep = opener("edm4hep")
delphes = opener("delphes")
xaod = opener("xaod")

__all__ = [
    "Array",
    "Executor",
    "HepTablesError",
    "Hist",
    "__version__",
    "backend_function",
    "clear_aliases",
    "clear_cache",
    "combinations",
    "concat",
    "cross",
    "curry",
    "dataset",
    "define_alias",
    "delphes",
    "edm4hep",
    "explain",
    "fill_missing",
    "flat",
    "is_missing",
    "iterate",
    "make_local",
    "make_local_async",
    "metadata",
    "nanoaod",
    "options",
    "pairs",
    "physlite",
    "register_backend",
    "register_schema",
    "run",
    "run_uproot_job",
    "samples",
    "save_form",
    "servicex",
    "to_processor",
    "treemaker",
    "user_func",
    "vary",
    "where",
    "write_processor",
    "xaod",
    "xaod_table",
    "zip_rows",
]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    """`ht.<schema>(source)` for schema packs of other packages, and what needs coffea or servicex to be loaded."""
    if name == "servicex":
        return importlib.import_module("hep_tables_coffea.backends.servicex.face")
    if name == "Executor":
        from hep_tables_coffea.backends.coffea.own_executor import Executor

        return Executor
    from hep_tables_coffea.plugins.registry import names

    if not name.startswith("_") and name in names("schema"):
        return opener(name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg if name.startswith("_") else f"{msg}: {hint_names(name, __all__)}")

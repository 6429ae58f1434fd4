"""A look at the first rows, which reads no more than it needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hep_tables_coffea import config
from hep_tables_coffea.plan.stages import Plan, make_plan
from hep_tables_coffea.plan.variations import nominal
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.run.api import make_local
from hep_tables_coffea.run.driver import run_plan

__all__ = ["peek"]


def peek(array: Any, n: int) -> Any:
    """The first n rows of a recorded value without variations; a dataset-wide value is computed as a whole."""
    node = nominal(array._node)
    if not node.path:
        return make_local(wrap(node))
    options = replace(config.current(), backend=None)
    stage = make_plan({"rows": node}, options).stages[0]
    if stage.cut is not None and not stage.first:
        found = run_plan(Plan((replace(stage, dataset=stage.dataset.beginning),)), options)[0]["rows"]
        return found[:n] if len(found) >= n else make_local(wrap(node))[:n]
    if stage.first:
        return make_local(wrap(node))[:n]
    backend: Any = registry.backend("coffea")
    program = backend.compile(stage.outputs, {}, "the first rows", "columnar")
    answers = backend.first_rows(program, stage.dataset, options, lambda found: len(found["rows"]) >= n)
    return answers["rows"][:n]

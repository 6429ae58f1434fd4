"""What ServiceX delivers for a program, as a fileset of coffea."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hep_tables_coffea import config, files
from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.plan.stages import make_plan
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.record.outputs import named

__all__ = ["fileset"]


def fileset(outputs: Any, **options: Any) -> dict[str, Any]:
    """Have the columns of some outputs delivered: the files for a `Runner`.

    The processor for them is `ht.to_processor(outputs, backend="servicex")`.

    Args:
        outputs: recorded values and histograms of one dataset, as of `ht.to_processor`.
        options: as of `ht.options`.

    Returns:
        A fileset of coffea: `{"zee": {"files": {path: tree, ...}, "metadata": {...}}}`, files with one row for each
        event, lists for its objects, and `n<collection>` for their numbers. Parquet files have no tree: `Runner(...,
        format="parquet")` reads them; with `delivery="root"` they are ROOT files.

    Raises:
        UsageError: the outputs are of several datasets.
        BackendError: a column cannot be delivered.

    Example:
        >>> import hep_tables_coffea as ht
        >>> events = ht.nanoaod(ht.samples.nanoaod("/tmp/zll.root", events=100))
        >>> list(ht.servicex.fileset({"pt": events.Jet.pt}, backend="servicex"))
        ['zll']
    """
    chosen = config.merged({"backend": "servicex", **options})
    if chosen.cache is False:  # the files are the answer
        chosen = replace(chosen, cache=None)
    plan = make_plan(named(outputs), chosen)
    if len(plan.stages) != 1:
        msg = f"a fileset is of one dataset, and these outputs are of {len(plan.stages)}"
        raise UsageError(msg, hint="ask for the outputs of each dataset by themselves")
    stage = plan.stages[0]
    if stage.cut is None:
        raise UsageError(stage.refusals[0], hint="the files can be read as they are: ht.to_processor")
    upstream = registry.upstream(stage.cut.upstream)
    assert upstream is not None
    question = upstream.compile(stage.cut.columns, stage.cut.events, stage.dataset)
    with upstream.deliver(question, stage.dataset, chosen) as delivering:
        for _ in delivering:
            pass
        samples = delivering.samples
    return {
        sample.name: {
            "files": {path: files.trees(path)[0] or None for path, _ in sample.files},
            "metadata": dict(sample.metadata),
        }
        for sample in samples
    }

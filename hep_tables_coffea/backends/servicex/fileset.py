"""What ServiceX delivers for a program, as a fileset of coffea."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from hep_tables_coffea import config, files
from hep_tables_coffea.backends.servicex.delivery import root_of
from hep_tables_coffea.backends.servicex.delivery.shelf import NOTE
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.files.paths import is_url
from hep_tables_coffea.files.room import FORMAT
from hep_tables_coffea.plan.stages import make_plan
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.record.outputs import named
from hep_tables_coffea.types.dataset import Sample

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
        format="parquet")` reads them; with `delivery="root"` they are ROOT files. Their names sort in the order of the
        dataset. They stay until `ht.clear_cache`, or until there is no more room for them.

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
    plan = make_plan(named(outputs), chosen, anywhere=True)
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
    folder = _folder(samples, chosen)
    return {
        sample.name: {"files": _files(f"{k:03d}", sample, folder), "metadata": sample.about}
        for k, sample in enumerate(samples)
    }


def _folder(samples: Sequence[Sample], options: Options) -> Path:
    """Where the files of a fileset are, beside the deliveries that they are of."""
    paths = [(sample.name, path) for sample in samples for path, _ in sample.files]
    digest = blake2b(json.dumps(paths).encode(), digest_size=16).hexdigest()
    folder = Path(root_of(options.cache), FORMAT, f"fileset-{digest}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NOTE).write_text(json.dumps({"state": "fileset", "files": paths}), encoding="utf-8")
    return folder


def _files(prefix: str, sample: Sample, folder: Path) -> dict[str, str | None]:
    """The files under names that sort as they come: a Runner tells its processor no more than names.

    They are other names of what is kept, which may be dropped before the Runner is done.
    """
    found: dict[str, str | None] = {}
    for number, (path, _) in enumerate(sample.files):
        if is_url(path):
            found[path] = None
            continue
        place = folder / f"{prefix}_{number:05d}_{Path(path).name}"
        if not place.exists():
            try:
                os.link(path, place)
            except OSError:  # there are file systems without links
                shutil.copy(path, place)
        found[str(place)] = files.trees(str(place))[0] or None
    return found

"""Which kernels can be called at once."""

from __future__ import annotations

import os
import sys

from hep_tables_coffea.codegen.fused.helpers import kernels_folder
from hep_tables_coffea.codegen.fused.machine import machine_file

__all__ = ["is_ready"]


def is_ready(text: str, digest: str) -> bool:
    """Whether this process has compiled a kernel, or finds its machine code on disk; see `ready_kernel`."""
    keeper = vars(sys.modules.get("_hep_tables_coffea_worker", os))
    job = keeper.get(f"kernels_{os.getpid()}", {}).get(digest)
    if job is not None:
        return bool(job.done() and job.result() is not None)
    path = kernels_folder() / f"kernel_{digest}.py"
    return bool(path.exists() and machine_file(str(path), text)[0].exists())

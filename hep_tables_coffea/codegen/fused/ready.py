"""Which kernels this process has compiled."""

from __future__ import annotations

import os
import sys

__all__ = ["is_compiled"]


def is_compiled(digest: str) -> bool:
    """Whether a kernel can be called at once; see `ready_kernel`, which keeps them."""
    keeper = vars(sys.modules.get("_hep_tables_coffea_worker", os))
    job = keeper.get(f"kernels_{os.getpid()}", {}).get(digest)
    return job is not None and job.done() and job.result() is not None

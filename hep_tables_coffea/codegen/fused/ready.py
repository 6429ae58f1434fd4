"""What it takes until a kernel can be called."""

from __future__ import annotations

import functools
import os
import sys

from hep_tables_coffea.codegen.fused.helpers import kernels_folder
from hep_tables_coffea.codegen.fused.machine import machine_file
from hep_tables_coffea.codegen.native.compile import instructions
from hep_tables_coffea.codegen.native.numbers import Unknown

__all__ = ["NUMBA", "is_ready", "seconds_to_compile"]

#: Seconds that LLVM takes for each byte of instructions, and about as many as numba takes for any kernel.
LLVM, NUMBA = 2e-6, 1.5


def seconds_to_compile(text: str, digest: str) -> float:
    """About how long it takes to compile a kernel: no time where that has been done before."""
    return 0.0 if is_ready(text, digest) else _seconds(text)


@functools.lru_cache(maxsize=256)
def _seconds(text: str) -> float:
    try:
        return len(instructions(text)) * LLVM
    except Unknown:
        return NUMBA


def is_ready(text: str, digest: str) -> bool:
    """Whether this process has compiled a kernel, or finds its machine code on disk; see `ready_kernel`."""
    keeper = vars(sys.modules.get("_hep_tables_coffea_worker", os))
    job = keeper.get(f"kernels_{os.getpid()}", {}).get(digest)
    if job is not None:
        return bool(job.done() and job.result() is not None)
    path = kernels_folder() / f"kernel_{digest}.py"
    return bool(path.exists() and machine_file(str(path), text)[0].exists())

"""A worker process: reads jobs from its standard input, one line each, and answers them on its standard output.

It is started with an interpreter of its own and shares nothing with the program: no script is imported again, no thread
is forked. It ends with its standard input, and when the process that started it has ended.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
from typing import Any, BinaryIO

__all__ = ["main"]

#: How often it looks whether its parent lives [s].
LOOKS = 0.5


def main(parent: int, folder: str) -> None:
    """Serve until the input ends. If the `parent` ends without saying so, the `folder` of the endpoint goes too."""
    threading.Thread(target=_watch, args=(parent, folder), daemon=True).start()
    # What a function of the user prints goes to the log, not between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _serve(sys.stdin.buffer, answers)


def _serve(jobs: BinaryIO, answers: BinaryIO) -> None:
    from hep_tables_coffea.backends.servicex.endpoint.transform import Job

    _warm_up()
    for line in jobs:
        answers.write(json.dumps(_answer(Job(**json.loads(line)))).encode() + b"\n")
        answers.flush()


def _answer(job: Any) -> dict[str, Any]:
    from hep_tables_coffea.backends.servicex.endpoint.transform import failure_text, transform

    started = time.monotonic()
    time.sleep(job.seconds)
    try:
        events = transform(job)
        answer = {"events": events, "bytes": os.path.getsize(job.output), "failure": ""}
    except BaseException as error:
        # Also SystemExit of a user's function: the worker stays.
        answer = {"events": 0, "bytes": 0, "failure": failure_text(error)}
    return answer | {"seconds": time.monotonic() - started}


def _warm_up() -> None:
    """Do once what the first job would have to wait for: imports, and what they do at their first use."""
    import awkward as ak
    import uproot  # noqa: F401

    from hep_tables_coffea import files  # noqa: F401
    from hep_tables_coffea.backends.servicex.endpoint import funcadl, output

    made = funcadl.run("lambda events: events[events.x > 0]", {"x": ak.Array([[1.0], []])}, 2)
    output.write(os.devnull, "parquet", {output.TREE: made})


def _watch(parent: int, folder: str) -> None:
    while os.getppid() == parent:
        time.sleep(LOOKS)
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)

"""Generated programs over columns that are varied: few by default, many with HT_HYPOTHESIS=thorough."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from typing import Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.testing.engines import random_case
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.testing.programs import Program, namespace
from hep_tables_coffea.testing.varied import Shifted, bits, in_variation

EXAMPLES = int(os.environ.get("HT_EXAMPLES", "1000" if os.environ.get("HT_HYPOTHESIS") == "thorough" else "5"))
FIRST = int(os.environ.get("HT_SEED", "0"))
#: Columns with their shifts, of the types that are stored.
VARIED = {
    "jets": "with_column(events.jets, 'pt', vary(events.jets.pt, 'jes', up=events.jets.pt * 1.5, down=events.jets.pt * 0.75))",
    "hits": "with_column(events.hits, 'x', vary(events.hits.x, 'noise', up=events.hits.x - 1, down=-events.hits.x))",
    "met": "with_column(events, 'met', vary(events.met, 'jes', up=events.met + events.jets.pt.Sum(), down=events.met * 0.5))",
}


def recorded(program: Program, columns: str, vary: Any) -> dict[str, Any]:
    """The outputs of the program, of events whose columns are varied."""
    space = {**namespace(program.path), "vary": vary}
    space["events"] = ht.flat(
        program.path, tree="events", name="toy", metadata={"is_mc": True, "xsec": 2.5, "label": "a"}
    )
    for line in (VARIED[columns], *program.lines):
        exec(line, space)  # noqa: S102 (the text is our own)
    return {name: space[name] for name in program.outputs}


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("columns", VARIED)
@pytest.mark.parametrize("seed", range(FIRST, FIRST + EXAMPLES))
def test_generated_program_obeys_the_law(seed: int, columns: str, engine: str, tmp_path: Path) -> None:
    case = random_case(seed, tmp_path)
    options = {"engine": engine, "chunksize": case.chunksize}
    outputs = recorded(case.program, columns, ht.vary)
    if any(known(value._node) for value in outputs.values()):
        pytest.skip("what is known to go wrong")
    answers = ht.make_local(outputs, **options)
    for label in ("nominal", "jes_up", "jes_down", "noise_up", "noise_down"):
        expected = ht.make_local(recorded(case.program, columns, Shifted(label)), **options)
        for name, wanted in expected.items():
            found = in_variation(answers[name], label, wanted)
            assert bits(found) == bits(wanted), f"{name} in {label}\n{VARIED[columns]}\n{case.program}"

"""Generated programs over columns that are varied: few by default, many with HT_HYPOTHESIS=thorough."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.testing.engines import random_case
from hep_tables_coffea.testing.known import known
from hep_tables_coffea.testing.programs import Program, namespace
from hep_tables_coffea.testing.varied import Shifted, bits, in_variation

EXAMPLES = int(os.environ.get("HT_EXAMPLES", "1000" if os.environ.get("HT_HYPOTHESIS") == "thorough" else "12"))
FIRST = int(os.environ.get("HT_SEED", "0"))
#: Columns with their shifts, of the types that are stored.
VARIED = """
with_column(events.jets, "pt", vary(events.jets.pt, "jes", up=events.jets.pt * 1.5, down=events.jets.pt * 0.75))
with_column(events.jets, "eta", vary(events.jets.eta, "turn", up=-events.jets.eta))
with_column(events.jets, "tag", vary(events.jets.tag, "turn", up=~events.jets.tag))
with_column(events.els, "pt", vary(events.els.pt, "ees", up=events.els.pt + 4, down=events.els.pt * 0.5))
with_column(events.hits, "x", vary(events.hits.x, "noise", up=events.hits.x - 1, down=-events.hits.x))
with_column(events.hits, "n", vary(events.hits.n, "noise", up=events.hits.n + 1))
with_column(events, "met", vary(events.met, "jes", up=events.met + events.jets.pt.Sum(), down=events.met * 0.5))
with_column(events, "weight", vary(events.weight, "sf", up=events.weight * 2, down=1.0))
with_column(events, "flag", vary(events.flag, "turn", up=~events.flag))
""".strip().splitlines()
LABELS = (
    "nominal",
    "jes_up",
    "jes_down",
    "turn_up",
    "ees_up",
    "ees_down",
    "noise_up",
    "noise_down",
    "sf_up",
    "sf_down",
)


def recorded(program: Program, vary: Any) -> dict[str, Any]:
    """The outputs of the program, of events whose columns are varied."""
    space = {**namespace(program.path), "vary": vary}
    space["events"] = ht.flat(
        program.path, tree="events", name="toy", metadata={"is_mc": True, "xsec": 2.5, "label": "a"}
    )
    for line in (*VARIED, *program.lines):
        exec(line, space)  # noqa: S102 (the text is our own)
    return {name: space[name] for name in program.outputs}


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + EXAMPLES))
def test_generated_program_obeys_the_law(seed: int, engine: str, tmp_path: Path) -> None:
    case = random_case(seed, tmp_path)
    options = {"engine": engine, "chunksize": case.chunksize}
    outputs = recorded(case.program, ht.vary)
    if any(known(value._node) for value in outputs.values()):
        pytest.skip("what is known to go wrong")
    answers = ht.make_local(outputs, **options)
    for label in LABELS:
        expected = ht.make_local(recorded(case.program, Shifted(label)), **options)
        for name, wanted in expected.items():
            found = in_variation(answers[name], label, wanted)
            assert bits(found) == bits(wanted), f"{name} in {label}\n{case.program}"

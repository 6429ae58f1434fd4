"""Which samples are simulation: data are never varied."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from hep_tables_coffea.errors import UsageError
from hep_tables_coffea.graph import build, functions
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.copy import Copy
from hep_tables_coffea.graph.traverse import walk
from hep_tables_coffea.record.index import subset
from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["is_simulation", "left_alone", "of_events", "simulated", "tell"]


def is_simulation(sample: Sample) -> bool | None:
    """What is said of a sample; None where nothing is."""
    said = set()
    for name, meaning in (("is_mc", True), ("is_data", False)):
        value = sample.about.get(name)
        if value is None:
            continue
        if np.ndim(value) or value not in (True, False):
            msg = f"the metadata {name!r} of {sample.name} must be True or False, and not {value!r}"
            raise UsageError(msg, hint=f'metadata={{"{name}": True}}')
        said.add(bool(value) is meaning)
    if len(said) > 1:
        msg = f"the metadata 'is_mc' and 'is_data' of {sample.name} contradict each other"
        raise UsageError(msg, hint="one of them is enough")
    return next(iter(said), None)


def left_alone(dataset: Dataset) -> list[str]:
    """The names of the samples that are data."""
    return [sample.name for sample in dataset.samples if is_simulation(sample) is False]


def simulated(dataset: Dataset) -> g.Node:
    """Whether each event is simulated, as the metadata say when the program runs."""
    events = build.source(dataset)

    def told(name: str) -> g.Node:
        values = [sample.about.get(name) for sample in dataset.samples]
        known = (value if value is None else bool(value) for value in values)
        return build.metadata(events, name, (*known, True, None))

    is_mc, is_data = told("is_mc"), functions.call("np.logical_not", [told("is_data")])
    otherwise = functions.call("ak.fill_none", [is_data, build.literal(True)])
    given = functions.call("ak.fill_none", [is_mc, build.literal(False)])
    return functions.call("ht.where", [functions.call("ak.is_none", [is_mc], {"axis": -1}), otherwise, given])


def of_events(node: g.Node, asked: g.Node) -> g.Node:
    """An output of those events alone for which `asked` holds."""
    if node.path:
        return subset(node, build.restrict(asked, node.path[:1]))
    made: dict[g.Node, g.Node] = {}
    copy = Copy({})
    for one in walk([node], lambda n: () if isinstance(n, (g.Fill, g.Aggregate)) else n.args):
        if isinstance(one, g.Fill):
            args = tuple(of_events(arg, asked) if arg.path else arg for arg in one.args)
            made[one] = g.Fill.make(args, one.params, one.path, one.type, one.where)
        elif isinstance(one, g.Aggregate):
            made[one] = functions.aggregate(one.function, of_events(one.args[0], asked), dict(one.options))
        else:
            made[one] = copy.again(one, [made[arg] for arg in one.args]) if one.args else one
    return made[node]


#: Datasets of which it was said what they are taken for, by their marks.
_told: set[str] = set()


def tell(dataset: Dataset) -> None:
    """A notice of samples of which nobody says what they are, and of those that are left alone for want of columns."""
    if dataset.uid in _told:
        return
    _told.add(dataset.uid)
    inferred = [sample for sample in dataset.samples if is_simulation(replace(sample, simulation=None)) is None]
    for simulation, taken in (
        (None, 'taken for simulation and varied: metadata={"is_mc": False} says that it is data'),
        (False, 'data, since no column is of a generator, and not varied: metadata={"is_mc": True} says otherwise'),
    ):
        names = [sample.name for sample in inferred if sample.simulation is simulation]
        if names:
            shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
            logging.getLogger("hep_tables_coffea").warning("%s: %s", shown, taken)

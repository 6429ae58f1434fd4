"""ATLAS xAOD events as ServiceX reads them: `events.Electrons.pt` is the method `pt()` of `xAOD::Electron`.

No file is at hand when such a dataset is opened, so the schema comes from the tables of `func_adl_servicex_xaodr22`:
the collections of an event, and the methods of their elements with their C++ types. Momenta are in [MeV].

Names of columns say how a value is reached, and are all that a query needs:

    Electrons('AnalysisElectrons').pt                  e.Electrons("AnalysisElectrons"), and of each row x.pt()
    EventInfo('EventInfo').runNumber                   e.EventInfo("EventInfo").runNumber(): one for each event
    EventInfo('EventInfo').mcEventWeights              a list of numbers: the column is one list deeper, and as the
                                                       generator writes no bare list, .Where(lambda x: 1 == 1)
    Jets('AnalysisJets').getConstituents.pt            x.getConstituents() is a list of objects, and of each y.pt()
    Jets('AnalysisJets').auxdata_float('Width')        x.auxdata_float("Width"), a function that `metadata` defines
    Jets('A_NOSYS', made_of='A', systematic='NOSYS').pt    e.Jets("A_NOSYS"), which jobs in `metadata` make of A

The collection's first argument is always the bank to read; keywords are for `metadata` alone. A nested collection is a
list group whose columns have its method before their own: what is before the last step of any leaf's column is the
group itself, also where only its rows are counted. `access(column)` takes a name apart, and
`pack.metadata(schema, columns)` gives the `MetaData` dictionaries to put in front of the query, in order and once each.

In the root group, `schema.root.fields["Jets"]` is the collection of the usual bank; `fields["Jets('Other')"]` and
`fields["Jets('Other', calibrate=False)"]` are made when asked for: a bank call is a field with this name, and so part
of the identity of what is recorded. `schema.rules` holds the rules of the pack as JSON text.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hep_tables_coffea.schemas._vectors import BEHAVIORS
from hep_tables_coffea.schemas._xaod_calibration import Access, Rules, configuration_of, scripts
from hep_tables_coffea.schemas._xaod_collections import AUXDATA, Collections, element_type, read_call
from hep_tables_coffea.schemas._xaod_types import NUMBERS, collection_tables, method_tables, returned
from hep_tables_coffea.types.schema import Group, Leaf, Schema

__all__ = ["Column", "Step", "Xaod", "access", "pack"]


@dataclass(frozen=True, slots=True)
class Step:
    """A method that is called: of the object or of a list's rows, with constant arguments."""

    method: str
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column taken apart: `e.<collection>(<bank>)`, then the methods one after the other."""

    collection: str
    bank: str
    steps: tuple[Step, ...]
    made_of: str = ""
    systematic: str = "NOSYS"


def access(column: str) -> Column:
    """The parts of a column's name.

    Example:
        >>> from hep_tables_coffea.schemas.xaod import access
        >>> access("Electrons('AnalysisElectrons').pt").steps
        (Step(method='pt', arguments=()),)
    """
    node: ast.expr = ast.parse(column, mode="eval").body
    steps: list[Step] = []
    arguments: tuple[str, ...] = ()
    while not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        if isinstance(node, ast.Attribute):
            steps.append(Step(node.attr, arguments))
            node, arguments = node.value, ()
        elif isinstance(node, ast.Call):
            arguments = tuple(ast.literal_eval(arg) for arg in node.args)
            node = node.func
        else:
            break
    name, bank, options = read_call(ast.unparse(node))
    if not steps:
        msg = f"{column!r} is no column of xAOD events"
        raise ValueError(msg)
    return Column(name, bank, tuple(reversed(steps)), **options)


@dataclass(frozen=True, slots=True)
class Xaod:
    """The schema pack for ATLAS events through ServiceX.

    `remote` says that its types need no file: it is built of no columns at all.
    """

    name: str = "xaod"
    description: str = "ATLAS xAOD through ServiceX: Electrons.pt is the method pt() of xAOD::Electron, in MeV"
    trees: tuple[str, ...] = ()
    remote: bool = True

    def matches(self, columns: Mapping[str, Leaf]) -> int:
        """Never: files that are at hand are trees of columns, and other packs read them."""
        return 0

    def build(self, columns: Mapping[str, Leaf], **rules: Any) -> Schema:
        """The schema of ATLAS events.

        Args:
            columns: nothing, as there is no file.
            format: `"PHYSLITE"` or `"PHYS"`: the usual banks, and whether they are calibrated in the job.
            calibrate: whether collections are calibrated, where the format leaves a choice.
            systematic: the variation of calibrated collections.
            configuration: changes of the calibration, such as `{"electron_working_point": "TightLHElectron"}`.
            attributes: what is stored without a method: `{"Jets": {"Width": "float", "TrackPt": "vector<float>"}}`.
            metadata: dictionaries that the code generator gets besides.

        Raises:
            ValueError: for a rule that does not exist, or a value that it cannot have; where the tables are missing.
        """
        chosen = _rules(rules)
        names = tuple(sorted(collection_tables()))
        configuration_of(chosen)
        unknown = [name for name in chosen.attributes or {} if name not in names]
        if unknown:
            msg = f"attributes of {', '.join(unknown)}: there is no such collection"
            raise ValueError(msg)
        root = Group("events", Collections(chosen, names))
        return Schema(self.name, root, BEHAVIORS, rules=chosen.text)

    def metadata(self, schema: Schema, columns: Iterable[str]) -> list[dict[str, Any]]:
        """What the code generator has to be told before a query that uses these columns."""
        rules, found = Rules.read(schema.rules), []
        for column in map(access, columns):
            found += _of_column(column, rules)
        found += map(dict, rules.metadata)
        _refuse_two_jobs(found)
        return [one for k, one in enumerate(found) if one not in found[:k]]


pack = Xaod()


def _rules(rules: Mapping[str, Any]) -> Rules:
    unknown = sorted(set(rules) - set(Rules.__slots__))
    if unknown:
        msg = f"it has no rule {', '.join(unknown)}: its rules are {', '.join(Rules.__slots__)}"
        raise ValueError(msg)
    try:
        return Rules.read(Rules(**{**rules, "metadata": tuple(rules.get("metadata", ()))}).text)
    except TypeError as error:
        msg = f"its rules go to a server, as JSON: {error}"
        raise ValueError(msg) from error


def _of_column(column: Column, rules: Rules) -> list[dict[str, Any]]:
    table = collection_tables()[column.collection]
    made = Access(column.collection, column.bank, column.made_of, column.systematic)
    found: list[dict[str, Any]] = [*(scripts(made, rules) if column.made_of else ()), dict(table)]
    type_ = element_type(table)
    for step in column.steps:
        if step.method.startswith(AUXDATA):
            return [*found, _attribute_function(step.method)]
        found += method_tables(type_, step.method)
        type_ = returned(type_, step.method)
    return found


def _attribute_function(method: str) -> dict[str, Any]:
    """The function that reads an attribute: one for each C++ type, for the generator has one name space for all."""
    kind = method.removeprefix(AUXDATA)
    listed = kind.startswith("vector_")
    element = kind.removeprefix("vector_")
    element = next(name for name in NUMBERS if name.replace(" ", "_") == element)
    stored = f"std::vector<{element}>" if listed else element
    return {
        "metadata_type": "add_cpp_function",
        "name": method,
        "include_files": ["vector"] if listed else [],
        "arguments": ["attribute_name"],
        "code": [f"auto result = object->auxdataConst<{stored}>(attribute_name);"],
        "method_object": "object",
        "instance_object": "SG::AuxElement",
        "return_type": element,
        "return_is_collection": listed,
    }


def _refuse_two_jobs(found: Iterable[Mapping[str, Any]]) -> None:
    """One query is one job: the same step of a calibration cannot run in two ways."""
    known: dict[str, Any] = {}
    for one in found:
        if one["metadata_type"] == "add_job_script" and known.setdefault(one["name"], one) != one:
            msg = (
                f"one query cannot calibrate in two ways, and {one['name']!r} differs: "
                f"ask for one variation and one bank of each collection"
            )
            raise ValueError(msg)

"""What is in the files of a dataset that only a catalogue knows: asked of ServiceX, of one file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import awkward as ak

from hep_tables_coffea.backends.servicex.delivery import Deliveries, DeliveryError, Request
from hep_tables_coffea.backends.servicex.services import service_of_names
from hep_tables_coffea.errors import DataError, TreeMissingError
from hep_tables_coffea.files import Column, Table
from hep_tables_coffea.files.forms import leaves
from hep_tables_coffea.files.root import CONVENTIONAL
from hep_tables_coffea.files.ttree import doc_line

__all__ = ["described"]

#: What runs at the server, where there is uproot and not this library: a row for each branch.
FUNCTION = """
def run_query(input_filenames=None):
    import awkward as ak
    import uproot

    rows = []
    with uproot.open(input_filenames) as file:
        for name in file.keys(recursive=True, cycle=False, filter_classname="TTree"):
            tree = file[name]
            for branch in tree.itervalues(recursive=True):
                if branch.branches:
                    continue
                try:
                    form, problem = branch.interpretation.awkward_form(branch.file).to_json(), ""
                except Exception as error:
                    form, problem = "", "uproot cannot interpret it: " + str(error)[:200]
                if not isinstance(form, str):
                    import json
                    form = json.dumps(form)
                counter = "" if branch.count_branch is None else branch.count_branch.name
                rows.append(
                    {
                        "tree": name, "entries": tree.num_entries, "branch": branch.name, "title": branch.title,
                        "form": form, "problem": problem, "counter": counter,
                    }
                )
    return ak.Array(rows)
"""


def described(source: str, tree: str | None, usual: Sequence[str]) -> Table:
    """The columns of a named dataset, from the metadata of its first file.

    Args:
        source: the name, such as "rucio://scope:name".
        tree: the name of the tree; None for the first of the usual ones, or the only one.
        usual: names of trees that such files usually have.

    Raises:
        DataError: ServiceX cannot tell.
        TreeMissingError: there is no such tree.
    """
    name = source.partition("?")[0]
    query = base64.b64encode(FUNCTION.encode()).decode()
    request = Request(f"{name}?files=1", query, "python", f"columns of {name}")
    try:
        with Deliveries([request], service_of_names()) as coming:
            for _ in coming:
                pass
    except DeliveryError as error:
        msg = f"the columns of {name} are not known: {error.summary}"
        hint = "form= takes a file that ht.save_form has written of a dataset like it"
        raise DataError(msg, values=error.values, hint=hint) from error
    rows = ak.concatenate([ak.from_parquet(file.path) for file in coming.delivered[0].files]).to_list()
    return _table(source, [row for row in rows if row["tree"] == _chosen(name, rows, tree, usual)])


def _chosen(name: str, rows: Sequence[Any], tree: str | None, usual: Sequence[str]) -> str:
    trees = list(dict.fromkeys(row["tree"] for row in rows))
    wanted = [tree] if tree is not None else [*usual, *(trees if len(trees) == 1 else CONVENTIONAL)]
    found = next((one for one in wanted if one in trees), None)
    if found is None:
        msg = f"the files of {name} have no tree {tree!r}" if tree else f"the files of {name} have several trees"
        raise TreeMissingError(msg, hint=f"tree= is one of {', '.join(trees)}")
    return str(found)


def _table(source: str, rows: Sequence[Any]) -> Table:
    columns: dict[str, Column] = {}
    for row in rows:
        about = {"title": doc_line(row["title"], row["branch"]), "counter": row["counter"]}
        if row["problem"]:
            columns[row["branch"]] = Column(row["branch"], "", problem=row["problem"])
            continue
        for leaf in leaves(ak.forms.from_json(row["form"])):
            name = ".".join((row["branch"], *leaf.path))
            columns[name] = Column(
                name, leaf.dtype, leaf.depth, leaf.fixed, leaf.optional, problem=leaf.problem, **about
            )
    return Table(source, rows[0]["tree"], "ttree", "", int(rows[0]["entries"]), (), columns)

"""The ServiceX back end: columns of a program become a func_adl query, and its answer the files of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hep_tables_coffea.backends.servicex.delivering import Delivering
from hep_tables_coffea.backends.servicex.delivery import Request
from hep_tables_coffea.backends.servicex.query import UPROOT, XAOD, Dialect, as_func_adl, needs, supports, write_query
from hep_tables_coffea.backends.servicex.services import is_own, service_for
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import BackendError, UsageError
from hep_tables_coffea.files import Table
from hep_tables_coffea.graph import build
from hep_tables_coffea.graph.axes import Axis
from hep_tables_coffea.graph.nodes import Node
from hep_tables_coffea.plugins.protocol import Support
from hep_tables_coffea.types.dataset import Dataset, Sample, is_named

__all__ = ["Question", "ServiceXBackend", "backend"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: a query for each name that the tree has in the files. `richer` are columns that no TTree holds."""

    queries: Mapping[str | None, str]
    codegen: str
    richer: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The query as one writes it with func_adl."""
        return as_func_adl(next(iter(self.queries.values())))

    def requests(self, sample: Sample, form: str) -> list[Request]:
        """The requests for a sample: one for each named dataset, and one for the files of each tree."""
        lists: dict[str | None, list[str]] = {}
        found = []
        for path, tree in sample.files:
            if is_named(path):
                found.append(Request(path, self.queries[tree], self.codegen, sample.name, form))
            else:
                lists.setdefault(tree, []).append(path)
        return found + [
            Request(tuple(paths), self.queries[tree], self.codegen, sample.name, form) for tree, paths in lists.items()
        ]


class ServiceXBackend:
    """Computes columns near the data, with what the code generators of func_adl can say."""

    name = "servicex"

    def supports(self, node: Node) -> Support:
        return supports(node, _dialect(node))

    def needs(self, node: Node) -> Iterable[Node]:
        return needs(node, _dialect(node))

    def compile(self, columns: Mapping[str, Node], events: Axis, dataset: Dataset) -> Question:
        dialect = dialect_of(dataset)
        trees = dict.fromkeys(tree for _, tree in dataset.files)
        queries = {tree: write_query(columns, events.node, dialect, tree) for tree in trees}
        richer = [name for name, node in columns.items() if node.type.option or len(node.path) > 2]
        return Question(queries, dialect.codegen, tuple(richer))

    def describe(self, source: str, tree: str | None, usual: Sequence[str]) -> Table:
        """The columns of a named dataset."""
        from hep_tables_coffea.backends.servicex.structure import described

        return described(source, tree, usual)

    def deliver(self, program: Question, dataset: Dataset, options: Options) -> Delivering:
        service = service_for(dataset)
        if options.delivery == "root" and program.richer:
            msg = f"a TTree cannot hold {', '.join(program.richer)}: lists of lists, or values that may be missing"
            raise UsageError(msg, hint='delivery="parquet" holds everything')
        if is_own(service) and program.codegen != UPROOT.codegen:
            msg = f"a ServiceX of your own has no {program.codegen}, which needs the software of the experiment"
            raise BackendError(msg, hint="name a server in servicex.yaml; PHYSLITE files are opened with ht.physlite")
        return Delivering(program.requests, dataset, service, options)


def dialect_of(dataset: Dataset) -> Dialect:
    """The dialect that reads such data."""
    return XAOD if dataset.schema.pack == "xaod" else UPROOT


def _dialect(node: Node) -> Dialect:
    return dialect_of(build.source_of(node).dataset) if node.path else UPROOT


backend = ServiceXBackend()

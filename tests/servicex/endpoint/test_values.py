"""The values are those of func_adl_uproot itself, without what it costs on wide files."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
import pytest
import uproot

from hep_tables_coffea.backends.servicex.endpoint import local, transform
from hep_tables_coffea.backends.servicex.endpoint.funcadl import translate
from hep_tables_coffea.backends.servicex.endpoint.guard import QueryRefusedError
from hep_tables_coffea.backends.servicex.endpoint.qastle_text import read_query
from hep_tables_coffea.backends.servicex.endpoint.sharing import share

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

EVENTS = "EventDataset('x', 'Events')"
#: Queries as one writes them, of `e`, an event.
COLUMNS = {
    "branch": "e.met",
    "bracket": "e['met']",
    "integers": "e.n // 2 + e.n % 3 - -e.n",
    "powers": "e.met ** 2 / 3.5",
    "bits": "(e.n & 1) | (e.n << 2) ^ 3",
    "not": "not (e.met > 20)",
    "chained comparison": "10 < e.met < 40",
    "and or": "(e.met > 20 and e.n > 1) or e.flag",
    "inverted": "~e.flag",
    "numpy": "np.sqrt(e.met) + np.arctan2(e.met, e.n) + np.maximum(e.met, e.n) + np.pi",
    "abs": "abs(e.jet_eta)",
    "jagged with scalar": "e.jet_pt * e.met",
    "mask in brackets": "e.jet_pt[e.jet_pt > 30]",
    "mask of another column": "e.jet_pt[abs(e.jet_eta) < 1]",
    "mask twice": "e.jet_pt[e.jet_pt > 20][e.jet_pt[e.jet_pt > 20] < 50]",
    "where": "e.jet_pt.Where(lambda p: p > 30)",
    "select": "e.jet_pt.Select(lambda p: p / 1000)",
    "count": "e.jet_pt.Where(lambda p: p > 30).Count()",
    "sum": "e.jet_pt.Sum()",
    "max": "e.jet_pt.Max()",
    "min": "e.jet_pt.Min()",
    "any": "e.jet_pt.Any(lambda p: p > 50)",
    "all": "e.jet_pt.All(lambda p: p > 20)",
    "ternary on events": "e.met if e.met > 20 else -1",
    "ternary on objects": "e.jet_pt if e.jet_pt > 30 else 0",
    "ternary of constants": "1.5 if e.flag else 2",
    "ordered": "e.jet_pt.OrderBy(lambda p: p)",
    "ordered backwards": "e.jet_pt.OrderByDescending(lambda p: abs(p - 40))",
    "concatenated": "e.jet_pt.Concat(e.jet_eta)",
    "pairs": "e.jet_pt.Choose(2)",
    "contains": "e.jet_n.Contains(3)",
    "zip": "{'pt': e.jet_pt, 'eta': e.jet_eta}.Zip().Where(lambda j: j.pt > 30).Select(lambda j: j.pt * j.eta)",
    "zip of a tuple": "Zip((e.jet_pt, e.jet_eta)).Select(lambda j: j[0] + j[1])",
    "order of a zip": "{'pt': e.jet_pt, 'eta': e.jet_eta}.Zip().OrderBy(lambda j: j.eta).Select(lambda j: j.pt)",
    "column named twice": "e.jet_pt.Select(lambda e: e + 1)",
    "fixed size": "e.cov",
}
JETS = (
    "Select(lambda e: {'jet': {'pt': e.jet_pt, 'eta': e.jet_eta}.Zip(), 'ele': {'eta': e.ele_eta}.Zip(), 'met': e.met})"
)
WHOLE = {
    "events cut": f"{EVENTS}.Where(lambda e: e.met > 20).Select(lambda e: {{'a': e.met, 'b': e.jet_pt}})",
    "events cut twice": f"{EVENTS}.Where(lambda e: e.met > 20).Where(lambda f: f.n > 1).Select(lambda g: {{'a': g.met}})",
    "cut on a count": f"{EVENTS}.Where(lambda e: e.jet_pt.Where(lambda p: p > 30).Count() > 1).Select(lambda e: e.met)",
    "no event is left": f"{EVENTS}.Where(lambda e: e.met > 1e9).Select(lambda e: {{'a': e.met, 'b': e.jet_pt}})",
    "bare column": f"{EVENTS}.Select(lambda e: e.met)",
    "tuple": f"{EVENTS}.Select(lambda e: (e.met, e.jet_pt))",
    "list": f"{EVENTS}.Select(lambda e: [e.met, e.n])",
    "one key": f"{EVENTS}.Select(lambda e: {{'a': e.jet_pt}})",
    "many shapes": f"{EVENTS}.Select(lambda e: {{'a': e.jet_pt, 'b': e.ele_eta, 'c': e.met}})",
    "objects flattened": f"{EVENTS}.SelectMany(lambda e: e.jet_pt)",
    "two steps": f"{EVENTS}.{JETS}.Where(lambda e: e.met > 20).Select(lambda e: {{'pt': e.jet.pt, 'n': e.ele.Count()}})",
    "overlap removal": (
        f"{EVENTS}.{JETS}.Select(lambda e: {{'pt': e.jet.Where(lambda j: "
        "e.ele.Select(lambda x: abs(x.eta - j.eta)).All(lambda d: d > 0.4)).pt})"
    ),
    "nearest": (
        f"{EVENTS}.{JETS}.Select(lambda e: {{'d': e.jet.Select(lambda j: "
        "e.ele.Select(lambda x: abs(x.eta - j.eta)).Min())})"
    ),
    "pairs of two collections": f"{EVENTS}.{JETS}.Select(lambda e: e.jet.Select(lambda j: e.ele.Select(lambda x: x.eta * j.pt)))",
    "column by position": f"{EVENTS}.Select(lambda e: {{'a': e.met, 'b': e.n}}).Select(lambda r: {{'b': r[1], 'a': r[0]}})",
    "columns by positions": f"{EVENTS}.Select(lambda e: (e.met, e.n, e.flag)).Select('lambda r: r[0:2]')",
    "whole events": f"{EVENTS}.Where(lambda e: e.met > 20)",
    "whole event in a record": f"{EVENTS}.Select(lambda e: {{'e': e, 'met': e.met}})",
    "first object": f"{EVENTS}.Where(lambda e: e.jet_pt.Count() > 0).Select(lambda e: {{'a': e.jet_pt.First()}})",
    "last and second": (
        f"{EVENTS}.Where(lambda e: e.jet_pt.Count() > 1)"
        ".Select(lambda e: {'a': e.jet_pt.Last(), 'b': e.jet_pt.ElementAt(1)})"
    ),
    "four-momenta": (
        f"{EVENTS}.Select(lambda e: {{'pt': e.jet_pt, 'eta': e.jet_eta, 'phi': e.jet_eta, 'mass': e.jet_pt}}.Zip()"
        ".ToFourMomenta()).Select(lambda j: j.deltaR(j))"
    ),
    "count of events": f"{EVENTS}.Count()",
    "sum over events": f"{EVENTS}.Select(lambda e: e.met).Sum()",
    "no tree named": "EventDataset('x').Select(lambda e: {'a': e.met})",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Forty events in a narrow tree, with every shape of column."""
    random = np.random.default_rng(1)
    sizes = {name: random.integers(0, 5, 40) for name in ("jet", "ele")}
    jets, electrons = (sizes[name].sum() for name in ("jet", "ele"))
    jagged = {
        "jet_pt": (random.exponential(40, jets).astype("f4"), "jet"),
        "jet_eta": (random.normal(0, 2, jets), "jet"),
        "jet_n": (random.integers(0, 5, jets), "jet"),
        "ele_eta": (random.normal(0, 2, electrons), "ele"),
    }
    columns: dict[str, Any] = {name: ak.unflatten(array, sizes[of]) for name, (array, of) in jagged.items()}
    columns |= {
        "met": random.exponential(30, 40).astype("f4"),
        "n": random.integers(0, 5, 40).astype("i4"),
        "flag": random.integers(0, 2, 40) > 0,
        "cov": random.normal(0, 1, (40, 3)),
    }
    where = str(tmp_path_factory.mktemp("values") / "narrow.root")
    with uproot.recreate(where) as file:
        file.mktree("Events", columns)
    return where


def qastle_of(text: str) -> str:
    import qastle

    return str(qastle.python_ast_to_text_ast(ast.parse(text)))


def both(path: str, text: str) -> tuple[Any, Any]:
    """What the endpoint computes, and what func_adl_uproot does."""
    from func_adl_uproot import generate_function

    query = qastle_of(text)
    made = translate(query)
    own = transform._run_query(path, made.tree, made.source, made.plain, made.used)
    return own, generate_function(query)([path], made.tree or None)


def same(own: Any, theirs: Any) -> bool:
    if not isinstance(theirs, ak.Array):
        return bool(own == theirs)
    return str(own.type) == str(theirs.type) and own.to_list() == theirs.to_list()


@pytest.mark.parametrize("name", COLUMNS)
def test_column_is_that_of_func_adl_uproot(path: str, name: str) -> None:
    own, theirs = both(path, f"{EVENTS}.Select(lambda e: {{'a': {COLUMNS[name]}}})")
    assert same(own, theirs), (own.show(all=True), theirs.show(all=True))


@pytest.mark.parametrize("name", WHOLE)
def test_query_gives_what_func_adl_uproot_gives(path: str, name: str) -> None:
    own, theirs = both(path, WHOLE[name])
    assert same(own, theirs), (own.show(all=True), theirs.show(all=True))


def test_events_that_are_all_cut_away_keep_the_sizes_of_columns(tmp_path: Path) -> None:
    path = str(tmp_path / "empty.root")
    with uproot.recreate(path) as file:
        file.mktree("Events", {"x": np.empty((0, 3)), "met": np.empty(0)})
    own, theirs = both(path, f"{EVENTS}.Select(lambda e: {{'x': e.x, 'met': e.met}})")
    assert str(own.type) == str(theirs.type) == "0 * {x: 3 * float64, met: float64}"


@pytest.mark.parametrize("column", ["AnalysisElectronsAuxDyn.pt", "AnalysisJetsAuxDyn.NumTrkPt500"])
def test_columns_with_dots_and_deep_ones_are_as_uproot_reads_them(data: Callable[[str], str], column: str) -> None:
    path = data("PHYSLITE_example.root")
    made = translate(qastle_of(f"EventDataset('x', 'CollectionTree').Select(lambda e: e['{column}'])"))
    own = transform._run_query(path, made.tree, made.source, made.plain, made.used)
    with uproot.open({path: "CollectionTree"}) as tree:
        assert same(own, tree[column].array())


def test_record_of_a_tree_is_left_to_func_adl_uproot(data: Callable[[str], str]) -> None:
    made = translate(qastle_of("EventDataset('x', 'events').Select(lambda e: e.EventHeader)"))
    with pytest.raises(AttributeError, match="EventHeader not in fields"):
        transform._run_query(data("edm4hep.root"), made.tree, made.source, made.plain, made.used)


def test_wide_file_is_not_handed_to_dask(client_of: Callable[..., Any], tmp_path: Path) -> None:
    from servicex import query as q

    path = str(tmp_path / "wide.root")
    with uproot.recreate(path) as file:
        file.mktree("Events", {f"x{number}": np.arange(3.0) + number for number in range(400)})
    look = "def run_query(path):\n    import awkward as ak, sys\n    return ak.Array(['dask_awkward' in sys.modules])"
    with local(workers=1) as endpoint:
        client = client_of(endpoint)
        query = qastle_of(f"{EVENTS}.Where(lambda e: e.x1 > 1).Select(lambda e: {{'a': e.x2 + e.x399}})")
        (file,) = client.deliver([path], query)
        assert ak.from_parquet(file).to_list() == [{"a": 403.0}, {"a": 405.0}]
        (file,) = client.deliver([path], q.PythonFunction().with_uproot_function(look), "python")  # type: ignore[attr-defined]
        assert ak.from_parquet(file).to_list() == [False]


def test_events_are_not_ordered() -> None:
    query = qastle_of(f"{EVENTS}.OrderBy(lambda e: e.met).Select(lambda e: e.met)")
    with pytest.raises(QueryRefusedError, match="not over events"):
        translate(query)


@pytest.mark.parametrize(
    "text", [*(f"{EVENTS}.Select(lambda e: {column})" for column in COLUMNS.values()), *WHOLE.values()]
)
def test_text_is_read_as_qastle_reads_it(text: str) -> None:
    import qastle

    query = qastle_of(text)
    assert ast.dump(read_query(query)) == ast.dump(qastle.text_ast_to_python_ast(query))


@pytest.mark.parametrize(
    "text",
    [
        "1",
        " -1.5e3 ",
        "+2",
        ".5",
        "'it\\'s'",
        '"a (b) c"',
        "(attr e 'a')",
        "(list)",
        "(- 1)",
        "(- (attr e 'x') -2)",
        "True",
        "",
    ],
)
def test_small_texts_are_read_as_qastle_reads_them(text: str) -> None:
    import qastle

    assert ast.dump(read_query(text)) == ast.dump(qastle.text_ast_to_python_ast(text))


@pytest.mark.parametrize("text", ["(", ")", "(list", "a b", "(list))", "(1 2)", "a.b", "'a", "1 2", "(foo 1)"])
def test_broken_texts_are_refused_as_qastle_refuses_them(text: str) -> None:
    import qastle

    assert reason(read_query, text) == reason(qastle.text_ast_to_python_ast, text)


def reason(read: Callable[[str], Any], text: str) -> str:
    """How reading a text fails."""
    try:
        read(text)
    except Exception as error:
        return repr(error)
    return "it does not"


def test_only_named_columns_are_read(path: str) -> None:
    made = translate(qastle_of(WHOLE["two steps"]))
    assert made.used.direct == ("jet_pt", "jet_eta", "ele_eta", "met")
    assert not made.used.is_whole


@pytest.mark.parametrize("name", ["whole events", "whole event in a record"])
def test_whole_events_need_all_columns(name: str) -> None:
    assert translate(qastle_of(WHOLE[name])).used.is_whole


def test_what_a_query_says_twice_is_computed_once() -> None:
    text = f"{EVENTS}.Select(lambda e: {{'a': e.x[e.pt > 30], 'b': e.y[e.pt > 30].Count(), 'c': e.pt > 30}})"
    assert translate(qastle_of(text)).source.count("e.pt > 30") == 1


def test_what_is_computed_only_sometimes_is_not_used_elsewhere() -> None:
    assert share("lambda e: (f(e) if e.x > 1 else e.y + 1, e.y + 1, e.y + 1)") == (
        "lambda e: (f(e) if e.x > 1 else e.y + 1, (shared_1 := (e.y + 1)), shared_1)"
    )


def test_names_of_one_lambda_are_not_used_in_another() -> None:
    assert share("lambda e: (e + 1, (lambda e: (e + 1, e + 1))(2), e + 1)") == (
        "lambda e: ((shared_1 := (e + 1)), (lambda e: ((shared_2 := (e + 1)), shared_2))(2), shared_1)"
    )


def test_constants_that_are_only_equal_are_told_apart() -> None:
    text = "lambda e: (e * True, e * 1, e * 1.0)"
    assert share(text) == text


def test_repeated_parts_are_not_named_in_a_comprehension() -> None:
    source = "lambda e: ([x for x in e.a[e.b > 1]], e.b > 1)"
    assert eval(share(source), {}) is not None  # it is Python: a name cannot be given inside of the brackets

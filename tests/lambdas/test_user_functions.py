"""Functions of numbers that a user declares: called for each row, with flat arrays, or left to the back end."""

from __future__ import annotations

import importlib
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.codegen.user_helpers import each_row
from hep_tables_coffea.errors import BackendError, RecordingError, RunError, UsageError

LIMIT = 30.0


@ht.user_func
def twice(x: float, y: float = 1.0) -> float:
    return 2 * x + y


@ht.user_func
def kind(x: float) -> str:
    return "hard" if x > LIMIT else "soft"


@ht.user_func
def is_hard(x: float) -> bool:
    return x > LIMIT


@ht.user_func
def same_word(word: str) -> bool:
    return word == "1"


@ht.user_func
def same_word_as(x: float, word: str) -> bool:
    return word == "1" and x > 0


@ht.user_func
def steps(x: float) -> int:
    number = 0
    while x > 10:
        x, number = x / 2, number + 1
    return number


CALLS: dict[str, tuple[Callable[[Any], Any], str, Any]] = {
    "a default": (lambda e: twice(e.mcs.pt), "event * mcs * float64", [[3, 5], [7], []]),
    "a keyword": (lambda e: twice(y=e.mcs.eta, x=e.mcs.pt), "event * mcs * float64", [[2.1, 4.2], [6.3], []]),
    "a value of the event": (lambda e: twice(e.jets.pt, e.met), "event * jets * float64", [[110, 50, 80], [], [132]]),
    "a value of the dataset": (lambda e: twice(e.mcs.pt, e.met.Max(axis=None)), "event * mcs * ?float64", [[72, 74], [76], []]),
    "a string as result": (lambda e: kind(e.jets.pt), "event * jets * string", [["hard", "soft", "hard"], [], ["hard"]]),
    "a whole number as result": (lambda e: steps(e.jets.pt), "event * jets * int64", [[3, 1, 2], [], [2]]),
    "a truth value as filter": (lambda e: e.jets[is_hard(e.jets.pt)].pt, "event * jets' * float64", [[50, 35], [], [31]]),
    "a missing value": (lambda e: twice(e.jets.First().pt), "event * ?float64", [101, None, 63]),
    "a missing string": (lambda e: kind(e.jets.First().pt), "event * ?string", ["hard", None, "hard"]),
    "a missing value of the event": (
        lambda e: twice(e.jets.pt, e.els.First().pt),
        "event * jets * ?float64",
        [[145, 85, 115], [], [None]],
    ),
    "no rows": (lambda e: twice(e.jets[e.jets.pt > 99].pt), "event * jets' * float64", [[], [], []]),
    "two lambdas": (
        lambda e: e.tracks.map(lambda t: e.mcs.map(lambda m: twice(t.pt, m.pt))),
        "event * tracks * mcs * float64",
        [[[11, 12]], [], [[], []]],
    ),
    "map": (lambda e: e.mcs.pt.map(twice), "event * mcs * float64", [[3, 5], [7], []]),
    "itself": (lambda e: twice(twice(e.mcs.pt), 0), "event * mcs * float64", [[6, 10], [14], []]),
}  # fmt: skip


@pytest.mark.parametrize(("call", "type_", "expected"), CALLS.values(), ids=CALLS)
def test_function_takes(toy: Any, local: Any, call: Any, type_: str, expected: Any) -> None:
    recorded = call(toy)
    assert recorded.type == type_
    assert local(recorded) == expected


def test_plain_numbers_are_computed_at_once() -> None:
    assert (twice(3.0), twice(3.0, y=2.0)) == (7, 8)


def test_returns_says_what_an_annotation_cannot(toy: Any) -> None:
    @ht.user_func(returns="float32")
    def third(x: float):  # type: ignore[no-untyped-def]
        return x / 3

    found = ht.make_local(third(toy.met))
    assert str(found.type) == "3 * float32"
    assert found.tolist() == pytest.approx([10 / 3, -10, 70 / 3], rel=1e-7)


def test_globals_and_closures_are_known(toy: Any, local: Any) -> None:
    offset = 100.0

    @ht.user_func
    def moved(x: float) -> float:
        return math.floor(x) + offset + LIMIT

    assert local(moved(toy.mcs.pt)) == [[131, 132], [133], []]


def test_functions_of_one_name_are_two(toy: Any, local: Any) -> None:
    def make(factor: float) -> Any:
        @ht.user_func
        def scaled(x: float) -> float:
            return x * factor

        return scaled

    assert local(make(2)(toy.mcs.pt), make(3)(toy.mcs.pt)) == ([[2, 4], [6], []], [[3, 6], [9], []])


def test_vectorized_function_is_given_flat_arrays_of_one_length(toy: Any, local: Any) -> None:
    @ht.user_func(vectorized=True)
    def product(x: float, y: float) -> float:
        assert isinstance(x, np.ndarray)
        assert isinstance(y, np.ndarray)
        assert x.ndim == 1
        return x * y

    assert local(product(toy.jets.pt, toy.met)) == [[500, 200, 350], [], [2170]]


def test_vectorized_function_does_not_see_missing_values(toy: Any, local: Any) -> None:
    @ht.user_func(vectorized=True)
    def same(x: float) -> float:
        assert not np.ma.isMaskedArray(x)
        assert len(x) in (0, 1, 2)
        return x

    assert local(same(toy.jets.First().pt)) == [50, None, 31]


def test_vectorized_function_is_given_a_constant_text_as_it_is(toy: Any, local: Any) -> None:
    @ht.user_func(vectorized=True)
    def factor(x: float, point: str = "loose") -> float:
        return x * {"loose": 1.0, "tight": 2.0}[point]

    assert factor(np.array([3.0]), "tight").tolist() == [6]
    for backend in ("coffea", "reference"):
        found = local({"tight": factor(toy.mcs.pt, "tight"), "loose": factor(toy.mcs.pt)}, backend=backend)
        assert found == {"tight": [[2, 4], [6], []], "loose": [[1, 2], [3], []]}


def test_vectorized_function_is_given_texts_of_rows_as_an_array(toy: Any, local: Any) -> None:
    @ht.user_func(vectorized=True)
    def longer(word: str, than: int) -> bool:
        assert isinstance(word, np.ndarray)
        return np.char.str_len(word) > than

    assert local(longer(ht.metadata(toy, "dataset"), 2)) == [True] * 3


WRONG_KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "a text for a number": (lambda e: twice(e.met, "2"), "twice: the argument y is declared as float, and is string"),
    "a number for a text": (
        lambda e: same_word(e.met),
        "same_word: the argument word is declared as str, and is float64",
    ),
}


@pytest.mark.parametrize(("call", "message"), WRONG_KINDS.values(), ids=WRONG_KINDS)
def test_kind_of_an_argument_is_the_declared_one(toy: Any, call: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call(toy)


# -- numba --


@pytest.mark.parametrize("engine", ["columnar", "fused"])
def test_many_texts_give_what_few_texts_give(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "words.parquet"
    words = ["1", "0", "1"] * 10_000
    ak.to_parquet(ak.zip({"word": words, "x": np.ones(len(words))}, depth_limit=1), path)
    events = ht.flat(str(path))
    asked = [same_word(events.word), same_word_as(events.x, events.word), same_word_as(events.x, "1")]
    for size in (None, 5000):
        found = ht.make_local([one.Sum(axis=None) for one in asked], engine=engine, chunksize=size)
        assert found == [20_000, 20_000, 30_000]


def test_many_rows_give_what_few_rows_give(write: Any) -> None:
    values = np.linspace(-50, 50, 30_001)
    events = ht.flat(write(x=values), tree="events")
    many, few = (ht.make_local(twice(events.x), steps(events.x), chunksize=size) for size in (None, 5000))
    assert many[0].tolist() == few[0].tolist() == (2 * values + 1).tolist()
    assert many[1].tolist() == few[1].tolist()


@ht.user_func
def ratio(x: float, y: float) -> float:
    return x / y


@ht.user_func
def below_ten(n: int) -> int:
    return n // (10 - n)


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("size", [None, 4, 5000])
def test_what_python_refuses_is_as_numpy_has_it_for_any_number_of_rows(
    write: Any, engine: str, size: int | None
) -> None:
    rows = 12 if size == 4 else 30_001
    events = ht.flat(write(x=np.ones(rows), n=np.arange(rows)), tree="events")
    asked = ratio(events.x, events.x - 1), below_ten(events.n)
    found, whole = ht.make_local(*asked, engine=engine, chunksize=size)
    assert found.tolist() == [np.inf] * rows
    assert whole.tolist()[8:12] == [4, 9, 0, -11]


def test_function_uses_what_it_names_at_the_time_of_the_run(write: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    events = ht.flat(write(x=np.array([1.0, 2.0])), tree="events")
    shifted = by_shift(events.x)
    assert ht.make_local(shifted, engine="columnar", cache=False).tolist() == [2.0, 3.0]
    monkeypatch.setitem(globals(), "SHIFT", 5.0)
    assert ht.make_local(shifted, engine="columnar", cache=False).tolist() == [6.0, 7.0]


SHIFT = 1.0


@ht.user_func
def by_shift(x: float) -> float:
    return x + SHIFT


def test_function_that_numba_does_not_know_is_called_by_python() -> None:
    def spelled(x: float) -> float:
        return float(str(int(x)))

    assert each_row(spelled)(np.full(20_001, 3.7)).tolist() == [3.0] * 20_001


# -- without a body --


def test_backend_provides_what_has_no_body(toy: Any, local: Any) -> None:
    ht.backend_function("TestsTriple", numpy=lambda x: 3 * x)

    @ht.user_func
    def TestsTriple(x: float) -> float: ...

    assert local(TestsTriple(toy.mcs.pt)) == [[3, 6], [9], []]


def test_delta_r_is_provided_and_wraps_around(toy: Any) -> None:
    @ht.user_func
    def DeltaR(eta1: float, phi1: float, eta2: float, phi2: float) -> float:
        raise AssertionError

    around = DeltaR(toy.els.eta, toy.els.phi + 3.1, toy.els.eta, toy.els.phi - 3.1)
    assert ht.make_local(around).tolist()[0] == pytest.approx([2 * math.pi - 6.2] * 2)


# -- errors: three different messages, and where it happened --


def test_wrong_arguments_name_the_function(toy: Any) -> None:
    with pytest.raises(UsageError, match=r"twice\(x: .*missing a required argument: 'x'"):
        twice(y=toy.met)


def test_missing_annotation_names_the_argument() -> None:
    with pytest.raises(UsageError, match="bare: the argument x has no annotation"):

        @ht.user_func
        def bare(x) -> float:  # type: ignore[no-untyped-def]
            return x  # type: ignore[no-any-return]


def test_missing_result_annotation_is_named() -> None:
    with pytest.raises(UsageError, match="bare: the return value has no annotation"):

        @ht.user_func
        def bare(x: float):  # type: ignore[no-untyped-def]
            return x


def test_no_implementation_is_an_error_before_anything_runs(toy: Any) -> None:
    @ht.user_func
    def NobodyHasThis(x: float) -> float: ...

    with pytest.raises(BackendError, match="nobody provides the function NobodyHasThis"):
        ht.to_processor({"x": NobodyHasThis(toy.met)})


@pytest.mark.parametrize("result", [list, None, dict, "no type"])
def test_result_must_be_a_number_or_string(result: Any) -> None:
    def wrong(x: float) -> Any:
        return x

    wrong.__annotations__["return"] = result if not isinstance(result, str) else object
    with pytest.raises(UsageError, match="which is no type of a number, truth value or string"):
        ht.user_func(wrong)


@pytest.mark.parametrize("function", [lambda *x: x, lambda **x: x, lambda *, x: x], ids=["*", "**", "keyword only"])
def test_arguments_are_given_by_position(function: Any) -> None:
    with pytest.raises(UsageError, match="cannot be given by position"):
        ht.user_func(function)


def test_records_are_no_arguments(toy: Any) -> None:
    with pytest.raises(RecordingError, match="twice takes numbers, and not records"):
        twice(toy.jets)


def test_values_of_the_dataset_alone_are_refused(toy: Any) -> None:
    with pytest.raises(RecordingError, match="twice would be called with values of the whole dataset alone"):
        twice(toy.met.Sum())


@pytest.mark.parametrize("executor", ["iterative", "futures"])
def test_error_names_the_line_in_the_function_and_the_file(toy: Any, executor: str) -> None:
    @ht.user_func
    def fragile(x: float) -> float:
        difference = x - 10
        return 1 / float("zero" if difference == 0 else "1")

    with pytest.raises(RunError, match="ValueError: could not convert string to float: 'zero'") as caught:
        ht.make_local(fragile(toy.met), executor=executor, workers=1)
    text = str(caught.value)
    assert "toy.root" in text
    assert 'return 1 / float("zero" if difference == 0 else "1")' in text
    assert text.count("test_user_functions.py:") == 2


def test_annotation_may_be_the_name_of_a_dtype(toy: Any) -> None:
    @ht.user_func
    def single(x: "float64") -> "float32":  # noqa: F821, UP037 (a string, as the hint has it)
        return x

    assert str(single(toy.met)._node.type) == "float32"


@ht.user_func
def without_answer(x: float) -> float:
    return x if x > 30 else None


@ht.user_func
def half(x: float) -> int:
    return x * 0.5


@ht.user_func(vectorized=True)
def of_masks(x: float) -> float:
    return np.ma.masked_less(x, 30)


@ht.user_func(vectorized=True)
def turned(x: float) -> float:
    return x * 1j


WRONG_TYPES = {
    without_answer: "without_answer gave other things than numbers, or none, where float64 was declared",
    half: "half gave float64 where int64 was declared",
    of_masks: "of_masks gave an array with masked values",
    turned: "turned gave complex128 where float64 was declared",
}


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("function", WRONG_TYPES, ids=lambda function: function.__name__)
def test_answers_of_another_type_than_declared_are_refused(function: Any, engine: str, toy: Any) -> None:
    with pytest.raises(RunError, match=WRONG_TYPES[function]):
        ht.make_local(function(toy.met * 1.0).Sum(axis=None), engine=engine)


def test_whole_numbers_may_be_unsigned(toy: Any) -> None:
    @ht.user_func(returns="uint8")
    def tenth(x: float) -> int:
        return int(x) // 10

    answers = [ht.make_local(tenth(abs(toy.met)), engine=engine).to_list() for engine in ("columnar", "fused")]
    assert answers[0] == answers[1] == [int(x) // 10 for x in ht.make_local(abs(toy.met)).to_list()]


def test_wrong_shape_of_a_vectorized_function_is_named(toy: Any) -> None:
    @ht.user_func(vectorized=True)
    def short(x: float) -> float:
        return x[:1]  # type: ignore[index, no-any-return]

    with pytest.raises(RunError, match=r"short gave \(1,\) values for 4 rows"):
        ht.make_local(short(toy.jets.pt))


# -- elsewhere --

TOOLS = """
import math

import {name}_constants as constants
import hep_tables_coffea as ht

OFFSET = 0.5


def helper(x):
    return math.floor(x) * constants.FACTOR + OFFSET


@ht.user_func
def scaled(x: float) -> float:
    return helper(x)
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A module of the user's own that imports another one; no worker can import either."""
    name = "tools_of_a_user"
    (tmp_path / f"{name}.py").write_text(TOOLS.format(name=name))
    (tmp_path / f"{name}_constants.py").write_text("FACTOR = 2.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    made = importlib.import_module(name)
    monkeypatch.undo()
    yield made
    for key in (name, f"{name}_constants"):
        del sys.modules[key]


@pytest.mark.parametrize("engine", ["columnar", "fused"])
@pytest.mark.parametrize("executor", ["iterative", "threads", "futures", "dask"])
def test_function_of_a_module_reaches_every_worker(toy: Any, tools: Any, executor: str, engine: str) -> None:
    if executor == "dask":
        pytest.importorskip("distributed")
    found = ht.make_local(tools.scaled(toy.mcs.pt), executor=executor, workers=1, engine=engine)
    assert found.tolist() == [[2.5, 4.5], [6.5], []]


class Fragile:
    """Something that can be sent, and not be received."""

    def __reduce__(self) -> Any:
        return importlib.import_module, ("no_such_module_of_a_worker",)


@pytest.mark.parametrize("executor", ["futures", "dask"])
def test_program_that_a_worker_cannot_load_is_an_error_and_not_waited_for(toy: Any, executor: str) -> None:
    if executor == "dask":
        pytest.importorskip("distributed")
    fragile = Fragile()

    @ht.user_func(vectorized=True)
    def same(x: float) -> float:
        return x if fragile else -x

    with pytest.raises(
        RuntimeError, match="No module named 'no_such_module_of_a_worker', as a worker loads the program"
    ):
        ht.make_local(same(toy.mcs.pt), executor=executor, workers=1)


def test_written_processor_carries_functions_and_what_they_use(toy: Any, toy_path: str, tmp_path: Path) -> None:
    file = ht.write_processor(
        {"x": twice(toy.mcs.pt), "s": kind(toy.jets.pt), "f": with_helper(toy.mcs.pt)}, tmp_path / "own.py"
    )
    code = f"""
import sys; sys.modules["hep_tables_coffea"] = None; sys.path.insert(0, {str(tmp_path)!r})
from coffea.nanoevents import BaseSchema
from coffea.processor import IterativeExecutor, Runner
from {file.stem} import OwnProcessor
runner = Runner(IterativeExecutor(status=False), schema=BaseSchema)
out = runner({{"toy": {{"files": {{{toy_path!r}: "events"}}}}}}, processor_instance=OwnProcessor())
print({{key: value.tolist() for key, value in out.items()}})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    expected = {
        "x": [[3.0, 5.0], [7.0], []],
        "s": [["hard", "soft", "hard"], [], ["hard"]],
        "f": [[31.0, 32.0], [33.0], []],
    }
    assert done.stdout.splitlines()[-1:] == [str(expected)], done.stderr


def lifted(x: float) -> float:
    return math.floor(x) + LIMIT


@ht.user_func
def with_helper(x: float) -> float:
    return lifted(x)


def test_what_cannot_be_written_is_named(toy: Any, tmp_path: Path) -> None:
    table = np.ones(3)

    @ht.user_func
    def looked_up(x: float) -> float:
        return x * table[0]  # type: ignore[no-any-return]

    with pytest.raises(UsageError, match="looked_up uses table, a ndarray, which cannot be written to a file"):
        ht.write_processor({"x": looked_up(toy.met)}, tmp_path / "own.py")


def test_constants_of_one_name_in_two_modules_are_the_constants_of_their_functions(
    toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    made = []
    for number in (2, 3):
        text = f"FACTOR = {number}.0\n\n\ndef scaled_{number}(x: float) -> float:\n    return FACTOR * x\n"
        (tmp_path / f"scales_{number}.py").write_text(text)
        made.append(getattr(importlib.import_module(f"scales_{number}"), f"scaled_{number}"))
    double, triple = map(ht.user_func, made)
    outputs = {"x": double(toy.met) / toy.met, "y": triple(toy.met) / toy.met}
    answers = ht.make_local(outputs, engine="fused")
    assert {name: set(values.tolist()) for name, values in answers.items()} == {"x": {2.0}, "y": {3.0}}
    with pytest.raises(UsageError, match="functions use the name FACTOR for different things"):
        ht.write_processor(outputs, tmp_path / "own.py")


def test_expression_with_a_function_of_a_module_is_pickled(toy: Any) -> None:
    outputs = {"x": twice(toy.met), "y": kind(toy.met)}
    loaded = pickle.loads(pickle.dumps(outputs))
    assert all(loaded[name]._node is value._node for name, value in outputs.items())

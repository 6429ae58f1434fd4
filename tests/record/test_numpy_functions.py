"""Operators, ufuncs and functions of numpy give what they give in memory, of the declared type, or are refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import hep_tables_coffea as ht

if TYPE_CHECKING:
    from collections.abc import Callable

#: What gives the same values as in memory.
SAME = [
    "np.divmod(jets.pt,3)",
    "divmod(jets.pt,3)",
    "np.float32(2)*jets.pt",
    "np.float64(2)*jets.pt",
    "np.int64(2)*jets.n",
    "np.uint8(3)*d.u",
    "d.u*3",
    "d.u-1",
    "d.u+d.n",
    "d.n//2",
    "d.n//0",
    "d.n%0",
    "d.n/2",
    "d.n**2",
    "d.n**2.0",
    "jets.b+jets.b",
    "jets.b*1",
    "~jets.b",
    "~jets.n",
    "jets.n & 3",
    "jets.n << 2",
    "jets.n & jets.b",
    "jets.b & 1",
    "jets.b & True",
    "jets.b | jets.b",
    "met*True",
    "met*np.bool_(True)",
    "d.u64+1",
    "d.u64+d.big",
    "d.u64*2",
    "jets.pt*1j",
    "jets.pt*(1+2j)",
    "abs(jets.pt*1j)",
    "np.real(jets.pt*1j)",
    "np.angle(jets.pt*1j)",
    "jets.pt*1e300",
    "jets.pt*1e30",
    "jets.pt*float('nan')",
    "jets.pt*float('inf')",
    "jets.pt*-0.0",
    "-(-jets.pt)",
    "-jets.pt**2",
    "(-jets.pt)**2",
    "2.0**-jets.n",
    "jets.pt**jets.n**0.5",
    "(jets.pt+1)*(jets.eta-(jets.phi-2))",
    "jets.pt-(jets.eta+1)",
    "jets.pt/(jets.eta*2)",
    "(jets.pt>20)==(jets.eta>0)",
    "(jets.pt>20)&~(jets.eta>0)|(jets.pt<3)",
    'd.name=="ab"',
    'd.name!="ab"',
    '"ab"==d.name',
    'jets.tag=="a"',
    "jets.tag==d.name",
    "jets.tag==jets.tag",
    "np.round(jets.eta,1)",
    "np.rint(d.n)",
    "np.sqrt(d.n)",
    "np.sqrt(d.u)",
    "np.sin(d.flag)",
    "np.hypot(jets.pt,met)",
    "np.arctan2(jets.pt,2)",
    "np.maximum(jets.pt,met)",
    "np.logaddexp(jets.eta,1)",
    "np.heaviside(jets.eta,0.5)",
    "np.isnan(jets.pt)",
    "np.signbit(jets.eta)",
    "np.floor(jets.eta)",
    "np.trunc(d.n)",
    "np.gcd(d.n,4)",
    "np.sign(jets.n)",
    "np.spacing(jets.pt)",
    "np.ldexp(jets.pt,2)",
    "np.deg2rad(jets.pt)",
    "np.conjugate(jets.pt)",
    "np.invert(d.flag)",
    "np.logical_not(d.n)",
    "np.logical_and(d.n,d.flag)",
    "np.float_power(jets.pt,2)",
    "np.fmod(jets.pt,3)",
    "np.positive(d.n)",
    "np.bitwise_count(d.n)",
    "np.add(jets.pt,1,out=None)",
    "np.where(jets.b,jets.pt,0)",
    "np.where(jets.b,jets.pt,jets.n)",
    "np.where(d.flag,1,2)",
    "np.clip(d.n,0,2)",
    'np.isin(d.name,["ab"])',
    "np.nan_to_num(jets.pt/0)",
    "np.nan_to_num(jets.pt/0,posinf=3)",
    "np.sum(jets.pt)",
    "np.sum(jets.pt,axis=1)",
    "np.any(jets.b)",
    "np.all(jets.b,axis=1)",
    "np.sort(jets.pt)",
    "np.sort(jets.pt,axis=1)",
    "np.argsort(jets.pt,axis=1)",
    "np.concatenate([jets.pt,d.el.pt],axis=1)",
    "np.ones_like(jets.pt)",
    "np.zeros_like(jets.n)",
    "np.full_like(jets.pt,3)",
    "np.full_like(jets.n,2.7)",
    "np.isclose(jets.pt,50)",
    "np.count_nonzero(jets.b)",
    "np.ravel(jets.pt)",
    "np.real(met)",
    "np.imag(met)",
    "np.amax(jets.pt,axis=1)",
    "np.ptp(jets.pt,axis=1)",
    "np.prod(jets.pt,axis=1)",
    "np.argmax(jets.pt,axis=1)",
    "np.nansum(jets.pt,axis=1)",
    "np.histogram(met,bins=3,range=(0,90))",
    "jets[:,0:2]",
    "jets.pt[:, ::-1]",
    "jets.pt[:, 2::-1]",
    "jets.pt[:, -2:]",
    "jets.pt[:, ::2]",
]

#: Where recorded values have their own rule, or arrays in memory none.
OWN = {
    "np.clip(jets.pt, 10, 30)": [[30.0, 20.0, 30.0], [], [30.0], [10.0, 10.0]],
    "np.clip(jets.pt, met, None)": [[50.0, 20.0, 35.0], [], [70.0], [5.5, 5.5]],
    "np.clip(jets.pt, min=3, max=40)": [[40.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
    "np.isin(jets.n, {1, 3})": [[True, False, True], [], [False], [False, False]],
    "np.isin(d.name, ['ab'])": [True, False, False, False],
    "np.digitize(jets.pt, [10, 20, 30])": [[3, 2, 3], [], [3], [0, 0]],
    "np.interp(jets.pt, [0, 50], [0, 1])": [[1.0, 0.4, 0.7], [], [0.62], [0.1, 0.1]],
    "np.mean(jets.pt, axis=-1)": [35.0, None, 31.0, 5.0],
    "np.where(d.flag, jets.pt, met)": [[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
    "np.where(jets.pt > d.met, 'x', 'y')": [["x", "x", "x"], [], ["y"], ["y", "y"]],
    "np.where(d.name == 'ab', d.name, 'none')": ["ab", "none", "none", "none"],
    "round(jets.pt)": [[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
    "round(jets.eta, 1)": [[0.5, 1.0, -2.6], [], [0.2], [0.0, 1.0]],
    "divmod(d.n, 2)": [[0, -1, 1, 0], [1, 0, 1, 0]],
    "np.divmod(d.n, 2)[1]": [1, 0, 1, 0],
    "np.logical_not(d.n)": [False, False, False, True],
    "d.n // 0": [0, 0, 0, 0],
}

#: What is refused, and how the message begins.
REFUSED = {
    "np.modf(jets.pt)": "np.modf cannot be recorded: it does not give one number for each element",
    "np.frexp(jets.pt)": "np.frexp cannot be recorded: it does not give one number for each element",
    "jets.pt @ jets.eta": "np.matmul cannot be recorded: it does not give one number for each element",
    "d.u*300": "cannot multiply uint8 and int64: Python integer 300 out of bounds for uint8",
    "d.n**-1": "whole numbers have no power of -1: the result would be no whole number",
    "jets.b-jets.b": "cannot subtract bool and bool: numpy boolean subtract, the `-` operator, is not supported,",
    "-jets.b": "cannot negate bool: The numpy boolean negative, the `-` operator, is not supported, use th",
    "met & 3": "& needs truth values or integers",
    "jets.n*10**30": "cannot multiply int32 and int64: Unable to cast Python instance of type <class 'int'> to C",
    "jets.n+2**63": "cannot add int32 and int64: Unable to cast Python instance of type <class 'int'> to C++ ty",
    "jets.pt==None": "cannot compare a recorded value with None",
    "jets.pt!=None": "cannot compare a recorded value with None",
    'jets.pt=="text"': "cannot compare float32 and string: there is no such function of these types",
    'd.name<"b"': "cannot compare string and string: numpy.less is not implemented for string types. To regis",
    'd.name+"x"': "cannot add string and string: numpy.add is not implemented for string types. To register a",
    "np.positive(jets.b)": "cannot call np.positive on bool: ufunc 'positive' did not contain a loop with signature ma",
    "np.isnat(met)": "cannot call np.isnat on float32: ufunc 'isnat' is only defined for np.datetime64 and np.ti",
    "np.matmul(jets.pt,jets.pt)": "np.matmul cannot be recorded: it does not give one number for each element",
    "np.vecdot(jets.pt,jets.pt)": "np.vecdot cannot be recorded: it does not give one number for each element",
    "np.add.reduce(jets.pt)": "np.add.reduce cannot be recorded",
    "np.add.accumulate(jets.pt)": "np.add.accumulate cannot be recorded",
    "np.add.outer(jets.pt,jets.pt)": "np.add.outer cannot be recorded",
    "np.add.at(jets.pt,0,1)": "np.add.at cannot be recorded",
    "np.add(jets.pt,1,dtype='float64')": "np.add: the keyword dtype cannot be recorded",
    "np.add(jets.pt,1,where=jets.b)": "np.add: the keyword where cannot be recorded",
    "np.where(jets.b)": "where needs a condition and two values",
    "np.isin(jets.pt,jets.pt)": "np.isin: the values must be a list of numbers in memory",
    "np.select([jets.pt>30],[1],2)": "np.select cannot be recorded",
    "np.sum(jets.pt,axis=1,dtype='float64')": "ak.sum: got an unexpected keyword argument 'dtype'",
    "np.median(jets.pt)": "np.median cannot be recorded: the answers of two chunks do not merge into the answer of bo",
    "np.average(jets.pt)": "np.average cannot be recorded",
    "np.cumsum(jets.pt)": "np.cumsum cannot be recorded: the answers of two chunks do not merge into the answer of bo",
    "np.concatenate([jets.pt,d.el.pt])": "ak.concatenate of whole events cannot be recorded: it would join chunks",
    "np.allclose(jets.pt,50)": "np.allclose cannot be recorded",
    "np.shape(jets.pt)": "np.shape cannot be recorded",
    "np.ndim(jets.pt)": "np.ndim cannot be recorded",
    "np.size(jets.pt)": "np.size cannot be recorded",
    "np.linalg.norm(jets.pt)": "np.norm cannot be recorded",
    "np.dot(met,met)": "np.dot cannot be recorded",
    "np.stack([met,met])": "np.stack cannot be recorded",
    "np.expand_dims(met,1)": "np.expand_dims cannot be recorded",
    "np.copy(met)": "np.copy cannot be recorded",
    "np.unique(met)": "np.unique cannot be recorded: the answers of two chunks do not merge into the answer of bo",
    "np.iscomplexobj(met)": "np.iscomplexobj cannot be recorded",
    "np.result_type(met)": "np.result_type cannot be recorded",
    "np.fix(jets.eta)": "np.fix cannot be recorded",
    "np.isposinf(jets.eta)": "np.isposinf cannot be recorded",
    "np.sinc(jets.eta)": "np.sinc cannot be recorded",
    "np.array_equal(met,met)": "ak.array_equal cannot be recorded: it needs the values now",
    "np.corrcoef(met,met)": "np.corrcoef cannot be recorded",
    "np.histogram(met,bins=3)": "np.histogram without a range cannot be recorded: each chunk would choose its own bins",
    "np.vectorize(abs)(met)": "a numpy array is needed now, and a recorded value has none before the data are read",
    "np.array(met)": "a numpy array is needed now, and a recorded value has none before the data are read",
    "np.asarray(met)": "a numpy array is needed now, and a recorded value has none before the data are read",
    "np.array([met,met])": "a numpy array is needed now, and a recorded value has none before the data are read",
    "[*met]": "a loop over rows is needed now, and a recorded value has none before the data are read",
    "met.__index__()": "an index is needed now, and a recorded value has none before the data are read",
    "range(met)": "an index is needed now, and a recorded value has none before the data are read",
    "1<jets.pt<3": "a truth value is needed now, and a recorded value has none before the data are read",
    "jets.pt>3 and True": "a truth value is needed now, and a recorded value has none before the data are read",
    "not met": "a truth value is needed now, and a recorded value has none before the data are read",
    "max(met,1)": "a truth value is needed now, and a recorded value has none before the data are read",
    "sum(met)": "a loop over rows is needed now, and a recorded value has none before the data are read",
    "sorted(met)": "a loop over rows is needed now, and a recorded value has none before the data are read",
    "min(jets.pt,jets.eta)": "a truth value is needed now, and a recorded value has none before the data are read",
    "float(met)": "a number is needed now, and a recorded value has none before the data are read",
    "bool(met)": "a truth value is needed now, and a recorded value has none before the data are read",
    "int(met)": "a number is needed now, and a recorded value has none before the data are read",
    "complex(met)": "a number is needed now, and a recorded value has none before the data are read",
    "len(met)": "a length is needed now, and a recorded value has none before the data are read",
    "any(met)": "a loop over rows is needed now, and a recorded value has none before the data are read",
    "met.T": "a value of type float32 has no 'T'",
    "met[0]": "[0] would be one event of the dataset",
    "met[None]": "None is no filter, position or column of event",
    "met[True]": "bool True is no filter, position or column of event",
    "met[0.5]": "float 0.5 is no filter, position or column of event",
    "jets[...]": "an ellipsis is no filter, position or column of jets",
    "jets[()]": "[] does not index 2 axes",
}


@pytest.mark.parametrize("text", SAME)
def test_recorded_function_gives_what_it_gives_in_memory(
    text: str, check: Callable[[str, Any], None], computed: Callable[[str], Any]
) -> None:
    check(text, computed(text))


@pytest.mark.parametrize(("text", "expected"), OWN.items())
def test_recorded_function_keeps_the_rules_of_recorded_values(
    text: str, expected: Any, check: Callable[[str, Any], None]
) -> None:
    check(text, expected)


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_what_cannot_be_recorded_is_refused(text: str, message: str, record: Callable[[str], Any]) -> None:
    with pytest.raises(ht.HepTablesError, match=re.escape(message)):
        record(text)


def test_power_of_whole_numbers_that_turns_out_negative_names_the_line(d: ht.Array) -> None:
    with pytest.raises(
        RuntimeError, match=r"Integers to negative integer powers(?s:.*)recorded at .*test_numpy_functions"
    ):
        ht.make_local(d.n**d.n)


def test_changing_in_place_makes_a_new_value(d: ht.Array) -> None:
    value = before = d.met
    value += 1
    assert value is not before
    assert ht.make_local(before)[0] == 10.0
    assert ht.make_local(value)[0] == 11.0


def test_same_expression_is_the_same_value(d: ht.Array) -> None:
    first = d.jets.pt * 2
    assert d.jets.pt * 2 is first
    assert {first: "doubled"}[d.jets.pt * 2] == "doubled"


def test_value_formats_as_its_type(d: ht.Array) -> None:
    assert f"{d.met}" == str(d.met) == repr(d.met) == "<Array event * float32>"

"""Every function of awkward is recorded with the values that it has in memory, or refused by name."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import awkward as ak
import pytest

import hep_tables_coffea as ht
from hep_tables_coffea.record.awkward_table import REFUSED as refused
from hep_tables_coffea.record.awkward_table import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

#: What gives the same values as in memory.
SAME = [
    "ak.sum(jets.pt,axis=1)",
    "ak.sum(jets.pt)",
    "ak.sum(jets.n,axis=-1)",
    "ak.sum(jets.b,axis=1)",
    "ak.sum(jets.o,axis=1)",
    "ak.sum(jets.vec,axis=-1)",
    "ak.sum(jets.vec,axis=2)",
    "ak.sum(jets.vec)",
    "ak.sum(met)",
    "ak.sum(met,axis=0)",
    "ak.sum(jets.pt,axis=1,keepdims=True)",
    "ak.sum(jets.pt,axis=1,mask_identity=False)",
    "ak.prod(jets.pt,axis=1)",
    "ak.min(jets.pt,axis=1)",
    "ak.min(met)",
    "ak.min(d.u64)",
    "ak.max(jets.b,axis=1)",
    "ak.max(d.flag)",
    "ak.max(jets.o,axis=1)",
    "ak.max(jets.o)",
    "ak.ptp(jets.pt,axis=1)",
    "ak.mean(jets.pt)",
    "ak.mean(jets.pt,axis=1,mask_identity=True)",
    "ak.std(jets.pt,axis=1,ddof=1,mask_identity=True)",
    "ak.var(jets.o,axis=1,mask_identity=True)",
    "ak.var(met)",
    "ak.var(met,ddof=1)",
    "ak.any(jets.b,axis=1)",
    "ak.all(jets.b,axis=1)",
    "ak.all(jets.b)",
    "ak.any(jets.n,axis=1)",
    "ak.argmin(jets.pt,axis=1)",
    "ak.argmax(jets.pt,axis=1)",
    "ak.argmax(jets.pt,axis=1,keepdims=True)",
    "ak.argmax(jets.o,axis=1)",
    "ak.count(jets.o,axis=1)",
    "ak.count(jets.o)",
    "ak.count_nonzero(jets.n,axis=1)",
    "ak.count_nonzero(jets.n)",
    "ak.num(jets)",
    "ak.num(jets.pt)",
    "ak.num(jets.pt,axis=0)",
    "ak.num(jets,axis=0)",
    "ak.num(jets.vec)",
    "ak.num(jets.vec,axis=2)",
    "ak.num(jets.vec,axis=-1)",
    "ak.num(jets.vec,axis=0)",
    "ak.num(met,axis=0)",
    "ak.num(jets.tag)",
    "ak.nansum(jets.pt/jets.eta,axis=1)",
    "ak.nanmax(jets.pt,axis=1)",
    "ak.nanmin(jets.pt)",
    "ak.nanmean(jets.pt,axis=1)",
    "ak.nanstd(jets.pt,axis=1)",
    "ak.nanvar(jets.pt,axis=1)",
    "ak.nanprod(jets.pt,axis=1)",
    "ak.nanargmax(jets.pt,axis=1)",
    "ak.nanargmin(jets.pt,axis=1)",
    "ak.firsts(jets.pt)",
    "ak.firsts(jets)",
    "ak.firsts(jets.vec,axis=2)",
    "ak.firsts(jets.vec,axis=-1)",
    "ak.firsts(met,axis=0)",
    "ak.where(jets.b,jets.pt,jets.n)",
    "ak.where(jets.b,jets.pt,0)",
    "ak.where(jets.b,1,0)",
    "ak.where(jets.b,True,jets.pt)",
    "ak.where(jets.b,jets.o,0)",
    "ak.where(jets.o>1,1,0)",
    "ak.where(jets.b,'x',jets.tag)",
    "ak.where(jets.b,jets,jets)",
    "ak.mask(jets.pt,jets.b)",
    "ak.mask(jets,jets.b)",
    "ak.mask(met,jets.b)",
    "ak.mask(jets.pt,jets.b,valid_when=False)",
    "ak.mask(jets.pt,jets.o>1)",
    "ak.is_none(jets.o,axis=1)",
    "ak.is_none(jets.o,axis=-1)",
    "ak.is_none(jets.pt,axis=-1)",
    "ak.is_none(ak.firsts(jets))",
    "ak.is_none(ak.firsts(jets.pt))",
    "ak.fill_none(jets.o,0)",
    "ak.fill_none(jets.o,0,axis=None)",
    "ak.fill_none(jets.o,0,axis=1)",
    "ak.fill_none(ak.firsts(jets.tag),'none')",
    "ak.fill_none(ak.firsts(jets.n),-1)",
    "ak.fill_none(ak.firsts(jets.n),-1.5)",
    "ak.fill_none(ak.firsts(jets.b),False)",
    "ak.fill_none(jets.pt,0)",
    "ak.drop_none(jets.o)",
    "ak.drop_none(jets.o,axis=1)",
    "ak.drop_none(ak.firsts(jets.pt))",
    "ak.drop_none(ak.firsts(jets)).pt",
    "ak.drop_none(ak.firsts(jets))",
    "ak.drop_none(ak.firsts(jets)).o",
    "ak.drop_none(jets.pt)",
    "ak.values_astype(jets.pt,'int64')",
    "ak.values_astype(jets.n,np.float32)",
    "ak.values_astype(jets.pt,bool)",
    "ak.values_astype(jets.o,'float32')",
    "ak.full_like(jets.pt,3)",
    "ak.full_like(jets.pt,3,dtype='int64')",
    "ak.full_like(jets.n,2.5)",
    "ak.full_like(jets.o,1)",
    "ak.full_like(met,7)",
    "ak.ones_like(jets.pt)",
    "ak.ones_like(jets.n,dtype='float32')",
    "ak.zeros_like(jets.b)",
    "ak.nan_to_num(jets.pt/jets.eta)",
    "ak.nan_to_num(jets.pt/jets.eta,nan=1,posinf=2,neginf=3)",
    "ak.nan_to_num(jets.n)",
    "ak.nan_to_none(jets.pt/jets.eta)",
    "ak.nan_to_none(jets.o)",
    "ak.isclose(jets.pt,50)",
    "ak.isclose(jets.pt,jets.eta,rtol=10)",
    "ak.isclose(jets.pt,50,equal_nan=True)",
    "ak.round(jets.eta,0)",
    "ak.round(jets.eta,decimals=1)",
    "ak.round(jets.n)",
    "ak.real(jets.pt)",
    "ak.imag(jets.pt*1j)",
    "ak.angle(jets.pt*1j,deg=True)",
    "ak.sort(jets.pt)",
    "ak.sort(jets.pt,axis=1,ascending=False)",
    "ak.sort(jets.vec,axis=-1)",
    "ak.sort(jets.o)",
    "ak.sort(jets.b)",
    "ak.argsort(jets.pt)",
    "ak.argsort(jets.pt,ascending=False,stable=False)",
    "ak.argsort(jets.o)",
    "ak.local_index(jets.pt)",
    "ak.local_index(jets.pt,axis=1)",
    "ak.local_index(jets.vec)",
    "ak.softmax(jets.eta)",
    "ak.softmax(jets.eta,axis=-1)",
    "ak.combinations(jets.pt,2)",
    "ak.combinations(jets,2)",
    "ak.combinations(jets.pt,2,fields=['a','b'])",
    "ak.combinations(jets.pt,2,replacement=True,fields=['a','b'])",
    "ak.combinations(jets.pt,3,fields=['a','b','c'])",
    "ak.combinations(jets.vec,2,axis=2,fields=['a','b'])",
    "ak.combinations(jets.pt,2,fields=['a','b'],with_name='P')",
    "ak.argcombinations(jets.pt,2,fields=['a','b'])",
    "ak.argcombinations(jets,2,fields=['a','b'])",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt})",
    "ak.cartesian([jets.pt,d.el.pt])",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt},axis=1)",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt},nested=True)",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt,'c':d.mu.pt})",
    "ak.cartesian({'a':jets.pt,'b':jets.pt})",
    "ak.cartesian({'a':jets.vec,'b':jets.vec},axis=2)",
    "ak.argcartesian({'a':jets.pt,'b':d.el.pt})",
    "ak.argcartesian({'a':jets.pt,'b':d.el.pt},nested=True)",
    "ak.zip({'a':jets.pt,'b':jets.eta})",
    "ak.zip({'a':jets.pt,'b':met})",
    "ak.zip({'a':jets.pt,'b':1})",
    "ak.zip({'a':jets.pt,'b':'x'})",
    "ak.zip({'a':jets.pt,'b':jets.vec})",
    "ak.zip({'a':jets.pt,'b':jets.vec},depth_limit=2)",
    "ak.zip({'a':jets.pt,'b':met},depth_limit=1)",
    "ak.zip({'a':jets.pt,'b':d.el.pt},depth_limit=1)",
    "ak.zip([jets.pt,jets.eta])",
    "ak.zip({'pt':jets.pt,'eta':jets.eta,'phi':jets.phi,'mass':jets.mass},with_name='PtEtaPhiMLorentzVector').mass",
    "ak.zip({'a':jets,'b':jets.pt})",
    "ak.unzip(jets[['pt','eta']])",
    "ak.unzip(jets.pt)",
    "ak.with_field(jets[['pt']],jets.eta,'x')",
    "ak.with_field(jets[['pt']],met,'x')",
    "ak.with_field(jets[['pt']],1,'x')",
    "ak.with_field(jets[['pt']],jets.vec,'x')",
    "ak.with_field(jets,jets.pt*2,'pt').mass",
    "ak.without_field(jets[['pt','eta']],'pt')",
    "ak.without_field(jets[['pt','eta']],['pt'])",
    "ak.with_name(jets[['pt']],'X')",
    "ak.concatenate([jets.pt,d.el.pt],axis=1)",
    "ak.concatenate([jets.pt,d.el.pt],axis=-1)",
    "ak.concatenate([jets.pt,jets.n],axis=1)",
    "ak.concatenate([jets.b,jets.n],axis=1)",
    "ak.concatenate([jets.tag,jets.tag],axis=1)",
    "ak.concatenate([jets.o,d.el.pt],axis=1)",
    "ak.concatenate([jets.vec,jets.vec],axis=2)",
    "ak.flatten(jets.pt)",
    "ak.flatten(jets)",
    "ak.flatten(jets.vec)",
    "ak.flatten(jets.vec,axis=2)",
    "ak.flatten(jets.vec,axis=-1)",
    "ak.flatten(jets.vec,axis=None)",
    "ak.flatten(jets.o)",
    "ak.flatten(jets.o,axis=None)",
    "ak.flatten(jets.o,axis=0)",
    "ak.flatten(met,axis=0)",
    "ak.flatten(ak.firsts(jets.pt),axis=0)",
    "ak.flatten(ak.firsts(jets.vec))",
    "ak.ravel(jets.o)",
    "ak.ravel(jets.vec)",
    "ak.pad_none(jets.pt,2)",
    "ak.pad_none(jets.pt,2,clip=True)",
    "ak.pad_none(jets.vec,2,axis=2)",
    "ak.pad_none(jets.vec,2,axis=-1,clip=True)",
    "ak.pad_none(jets,2).pt",
    "ak.singletons(ak.firsts(jets.pt))",
    "ak.singletons(met)",
    "ak.singletons(jets.o,axis=1)",
    "ak.broadcast_arrays(jets.pt,met)",
    "ak.broadcast_arrays(jets.pt,1)",
    "ak.broadcast_arrays(jets.pt,d.name)",
    "ak.broadcast_arrays(jets,met)",
    "ak.to_packed(jets.pt)",
    "ak.from_regular(jets.pt,axis=None)",
    "ak.copy(met)",
    "ak.materialize(met)",
    "ak.str.upper(d.name)",
    "ak.str.upper(jets.tag)",
    "ak.str.length(d.name)",
    "ak.str.is_in(jets.tag,['a'])",
    "ak.str.index_in(jets.tag,['a'])",
    "ak.str.starts_with(jets.tag,'a')",
    "ak.str.starts_with(jets.tag,'A',ignore_case=True)",
    "ak.str.slice(d.name,0,1)",
    "ak.str.repeat(d.name,2)",
]

#: Where recorded values have their own rule: lists are never missing, what is empty is missing, rows keep their identity.
OWN = {
    "ak.count(jets, axis=1)": [3, 0, 1, 2],
    "ak.firsts(jets.vec)": [[1.0, 2.0], [], [4.0, 5.0, 6.0], []],
    "ak.where(jets.b, 'x', 'y')": [["x", "y", "x"], [], ["y"], ["x", "x"]],
    "ak.where(d.flag, 'x', 'y')": ["x", "y", "x", "x"],
    "ak.where(True, met, 0)": [10.0, -30.0, 70.0, 5.5],
    "ak.where(d.flag, d.name, jets.tag)": [["ab", "ab", "ab"], [], ["c d"], ["é'\"\n", "é'\"\n"]],
    "ak.mask(jets.pt, d.flag)": [[50.0, 20.0, 35.0], [], [31.0], [5.0, 5.0]],
    "ak.mask(jets.pt, d.n > 1)": [[None, None, None], [], [31.0], [None, None]],
    "ak.mask(jets.vec, jets.b)": [[[1.0, 2.0], [], [3.0]], [], [[None, None, None]], [[], [7.0]]],
    "ak.is_none(ak.firsts(jets.vec), axis=1)": [[False, False], [], [False, False, False], []],
    "ak.fill_none(ak.max(jets.pt), 0)": 50.0,
    "ak.local_index(jets)": [[0, 1, 2], [], [0], [0, 1]],
    "ak.pad_none(jets.vec, 2, axis=1)": [[[1.0, 2.0], [], [3.0]], [[], []], [[4.0, 5.0, 6.0], []], [[], [7.0]]],
    "ak.sum(jets, axis=1).mass": [267.24105458060745, 0.0, 0.2, 7.196128937329952],
    "ak.concatenate([jets, d.el], axis=1).origin": [
        ["jets", "jets", "jets", "el", "el"],
        ["el"],
        ["jets"],
        ["jets", "jets", "el"],
    ],
    "ak.concatenate([jets, d.el], axis=1).pt": [[50.0, 20.0, 35.0, 40.0, 3.0], [60.0], [31.0], [5.0, 5.0, 1.0]],
    "ak.cartesian([jets.pt, d.el.pt])['1']": [[40.0, 3.0, 40.0, 3.0, 40.0, 3.0], [], [], [1.0, 1.0]],
    "ak.combinations(jets.pt, 2)['0']": [[50.0, 50.0, 20.0], [], [], [5.0]],
    "ak.pad_none(jets[['pt']], 2)": [
        [{"pt": 50.0}, {"pt": 20.0}, {"pt": 35.0}],
        [{"pt": None}, {"pt": None}],
        [{"pt": 31.0}, {"pt": None}],
        [{"pt": 5.0}, {"pt": 5.0}],
    ],
    "ak.merge_option_of_records(jets).n": [[1, -2, 3], [], [0], [7, 7]],
}

#: What is refused, and how the message begins.
REFUSED = {
    "ak.sum(jets.vec,axis=1)": "sum over jets, which is not the innermost axis, would mix rows of different jets",
    "ak.sum(jets.pt,axis=0)": "sum over the events only would mix rows by their position",
    "ak.sum(jets.pt,axis=1,mask_identity=True)": "ak.sum: mask_identity=bool True cannot be recorded",
    "ak.sum(jets.pt,axis=1,highlevel=False)": "ak.sum: highlevel=bool False cannot be recorded",
    "ak.sum(jets.pt,axis=1,behavior={})": "ak.sum: behavior=a dict cannot be recorded",
    "ak.sum(jets.pt,axis=1,attrs={'a':1})": "ak.sum: attrs=a dict cannot be recorded",
    "ak.sum(jets.pt,axis=3)": "there is no axis 3",
    "ak.sum(jets.tag,axis=1)": "sum of strings is not defined",
    "ak.sum(d.name)": "sum of strings is not defined",
    "ak.prod(met)": "prod over the whole dataset cannot be recorded",
    "ak.min(jets.pt,axis=1,initial=3)": "ak.min: initial=int 3 cannot be recorded",
    "ak.min(jets.pt,axis=1,mask_identity=False)": "ak.min: mask_identity=bool False cannot be recorded",
    "ak.max(jets.tag,axis=1)": "max of strings is not defined",
    "ak.ptp(met)": "ptp over the whole dataset cannot be recorded",
    "ak.mean(jets.pt,weight=jets.eta,axis=1)": "ak.mean: weight=an Array cannot be recorded",
    "ak.argmax(met)": "argmax over the whole dataset cannot be recorded",
    "ak.num(met)": "there is no axis 1",
    "ak.nansum(jets,axis=1)": "ak.nansum of records is not defined",
    "ak.firsts(jets.pt,axis=0)": "first over the events only would mix rows by their position",
    "ak.firsts(met)": "there is no axis 1",
    "ak.where(jets.b,jets,1)": "a choice gives values of one kind, and not PtEtaPhiMLorentzVector{pt, eta, phi, mass, ...}",
    "ak.where(jets.b,'x',1)": "a choice gives values of one kind, and not string or int64",
    "ak.where(jets.b,jets.pt,0,mergebool=False)": "ak.where: mergebool=bool False cannot be recorded",
    "ak.where(jets.b)": "where needs a condition and two values",
    "ak.where(jets.pt,1,2)": "the condition of where must be a truth value, and is float32",
    "ak.mask(jets.pt,jets.n)": "the mask of ak.mask must be a truth value, and is int32",
    "ak.is_none(jets.o)": "ak.is_none with axis=0: a list of jets is never missing, only values are",
    "ak.fill_none(jets.o,0,axis=0)": "ak.fill_none with axis=0: a list of jets is never missing, only values are",
    "ak.fill_none(jets.o,'x')": "a missing ?float64 cannot be filled with string",
    "ak.fill_none(jets.o,jets.pt)": "missing values are filled with one constant",
    "ak.fill_none(ak.firsts(jets),0)": "a missing record cannot be filled",
    "ak.drop_none(jets.o,axis=0)": "ak.drop_none with axis=0: a list of jets is never missing, only values are",
    "ak.values_astype(jets.pt,'text')": "ak.values_astype: str 'text' is no type of numbers",
    "ak.values_astype(jets,'int64')": "ak.values_astype of records is not defined",
    "ak.values_astype(jets.tag,'int64')": "ak.values_astype of strings is not defined",
    "ak.values_astype(jets.pt,'int64',including_unknown=True)": "ak.values_astype: including_unknown=bool True cannot be recorded",
    "ak.full_like(jets,1)": "ak.full_like of records is not defined",
    "ak.full_like(jets.tag,'q')": "ak.full_like of strings is not defined",
    "ak.ones_like(jets)": "ak.ones_like of records is not defined",
    "ak.nan_to_num(jets.pt,nan=met)": "ak.nan_to_num: nan=an Array cannot be recorded",
    "ak.round(jets)": "ak.round of records is not defined",
    "ak.sort(jets.pt,axis=0)": "ak.sort of all events cannot be recorded: the chunks do not merge",
    "ak.sort(jets.pt,axis=None)": "ak.sort of all events cannot be recorded: the chunks do not merge",
    "ak.sort(met)": "ak.sort of all events cannot be recorded: the chunks do not merge",
    "ak.sort(jets.vec,axis=1)": "ak.sort with axis=1 would mix rows of different lists",
    "ak.sort(jets.tag)": "a key of type string has no order",
    "ak.sort(jets)": "a key of type PtEtaPhiMLorentzVector{pt, eta, phi, mass, ...} has no order",
    "ak.argsort(jets)": "a key of type PtEtaPhiMLorentzVector{pt, eta, phi, mass, ...} has no order",
    "ak.argsort(jets.tag)": "a key of type string has no order",
    "ak.argsort(met)": "ak.argsort of all events cannot be recorded: the chunks do not merge",
    "ak.local_index(jets.pt,axis=0)": "ak.local_index of all events cannot be recorded: the chunks do not merge",
    "ak.local_index(jets.vec,axis=1)": "ak.local_index with axis=1 would mix rows of different lists",
    "ak.softmax(jets.eta,axis=0)": "ak.softmax of all events cannot be recorded: the chunks do not merge",
    "ak.combinations(jets.pt,2,axis=0)": "ak.combinations of whole events cannot be recorded: it would join chunks",
    "ak.combinations(met,2)": "there is no axis 1",
    "ak.combinations(jets.vec,2)": "ak.combinations with axis=1 can be recorded of the innermost axis only",
    "ak.combinations(jets.pt,2,fields=['a'])": "combinations of 2 need 2 names, each once, and not ['a']",
    "ak.combinations(jets.pt,1)": "combinations of 1 need 1 names, each once, and not ['0']",
    "ak.combinations(jets.pt,2,parameters={})": "ak.combinations: parameters=a dict cannot be recorded",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt},nested=['a'])": "ak.cartesian: nested=a list cannot be recorded",
    "ak.cartesian({'a':jets.pt,'b':d.el.pt},axis=0)": "ak.cartesian of whole events cannot be recorded: it would join chunks",
    "ak.cartesian({'a':jets.pt,'b':met})": "there is no axis 1",
    "ak.cartesian({'a':jets.vec,'b':d.el.pt})": "ak.cartesian with axis=1 can be recorded of the innermost axis only",
    "ak.zip({'a':jets.pt,'b':d.el.pt})": "cannot zip values of two collections, jets and el: they have no rows in common",
    "ak.zip({'a':jets.pt},depth_limit=0)": "ak.zip: depth_limit=int 0 cannot be recorded",
    "ak.zip({'a':jets.pt,'b':met},right_broadcast=True)": "ak.zip: right_broadcast=bool True cannot be recorded",
    "ak.zip({'a':jets.pt,'b':jets.o},optiontype_outside_record=True)": "ak.zip: optiontype_outside_record=bool True cannot be recorded",
    "ak.zip(jets.pt)": "a loop over rows is needed now, and a recorded value has none before the data are read",
    "ak.with_field(jets[['pt']],jets.vec)": "ak.with_field needs one name, and not None",
    "ak.with_field(jets.pt,jets.eta,'x')": "ak.with_field needs records",
    "ak.without_field(jets[['pt','eta']],'zz')": "ak.without_field cannot take away 'zz'",
    "ak.concatenate([jets.b,jets.n],axis=1,mergebool=False)": "ak.concatenate: mergebool=bool False cannot be recorded",
    "ak.concatenate([jets.tag,jets.n],axis=1)": "the rows of one list are of one kind",
    "ak.concatenate([jets.pt,met],axis=1)": "there is no axis 1",
    "ak.concatenate([jets.pt,d.el.pt],axis=0)": "ak.concatenate of whole events cannot be recorded: it would join chunks",
    "ak.concatenate([jets.vec,jets.vec],axis=1)": "ak.concatenate with axis=1 can be recorded of the innermost axis only",
    "ak.concatenate([jets.pt,[[1.]]],axis=1)": "cannot combine a recorded value with a list",
    "ak.flatten(jets,axis=None)": "ak.flatten of records would put all their columns into one list",
    "ak.flatten(met)": "there is no axis 1",
    "ak.pad_none(met,2)": "there is no axis 1",
    "ak.pad_none(jets.pt,2,axis=0)": "ak.pad_none: axis=int 0 cannot be recorded",
    "ak.singletons(jets.pt)": "ak.singletons: axis=int 0 cannot be recorded",
    "ak.singletons(ak.firsts(jets))": "records cannot be put side by side into a list",
    "ak.broadcast_arrays(jets.pt,met,depth_limit=1)": "ak.broadcast_arrays: depth_limit=int 1 cannot be recorded",
    "ak.type(jets)": "ak.type cannot be recorded: it asks for the layout, which is chosen when the data are read",
    "ak.to_list(met)": "ak.to_list cannot be recorded: it needs the values now",
    "ak.unflatten(met,2)": "ak.unflatten cannot be recorded: the rows of the result have no identity",
    "ak.run_lengths(met)": "ak.run_lengths cannot be recorded: it needs the values now",
    "ak.corr(met,met)": "ak.corr cannot be recorded: the answers of two chunks do not merge",
    "ak.moment(met,2)": "ak.moment cannot be recorded: the answers of two chunks do not merge",
    "ak.parameters(met)": "ak.parameters cannot be recorded: it asks for the layout, which is chosen when the data ar",
    "ak.with_named_axis(met,('a',))": "ak.with_named_axis cannot be recorded: axes have names already",
    "ak.str.join(jets.tag,',')": "ak.str.join cannot be recorded: it joins strings",
    "ak.str.join_element_wise(d.name,d.name)": "ak.str.join_element_wise cannot be recorded: it joins strings",
    "ak.str.split_pattern(d.name,' ')": "ak.str.split_pattern cannot be recorded: it gives a list for each string",
    "ak.str.extract_regex(d.name,'(?P<a>.)')": "ak.str.extract_regex cannot be recorded: it gives a list for each string",
    "ak.str.upper(met)": "ak.str.upper needs strings",
    "ak.str.upper(d.name,highlevel=False)": "ak.str.upper: highlevel=bool False cannot be recorded",
    "ak.str.repeat(d.name,d.n)": "ak.str.repeat: num_repeats=an Array cannot be recorded",
    "ak.str.to_categorical(d.name)": "ak.str.to_categorical cannot be recorded: it changes the layout and not the values",
}


def dispatching() -> list[str]:
    """Every function of awkward that asks its arguments how to be called, but those that make arrays of other things."""
    found = []
    for module, prefix in ((ak, ""), (ak.str, "str.")):
        for name, function in vars(module).items():
            code = getattr(function, "__code__", None)
            if code is not None and code.co_filename.endswith("_dispatch.py") and hasattr(function, "__wrapped__"):
                found.append(prefix + name)
    return sorted(name for name in found if not name.startswith(("from_", "metadata_")) or name in TABLE)


def function_of(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    return getattr(ak.str if module else ak, function)  # type: ignore[no-any-return]


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
def test_what_cannot_be_honoured_is_refused(text: str, message: str, record: Callable[[str], Any]) -> None:
    with pytest.raises(ht.HepTablesError, match=re.escape(message)):
        record(text)


@pytest.mark.parametrize("name", [name for name in dispatching() if name not in TABLE])
def test_function_that_is_not_recorded_is_refused_by_name_with_what_to_use(name: str, d: ht.Array) -> None:
    with pytest.raises(TypeError, match=rf"^ak\.{re.escape(name)} cannot be recorded: \w(?s:.*)\nHint: \w"):
        d.met.__awkward_function__(function_of(name), (), (d.met,), {})


@pytest.mark.parametrize("name", sorted(TABLE))
def test_recorded_function_refuses_a_low_level_result(name: str, d: ht.Array) -> None:
    function = function_of(name)
    if "highlevel" not in inspect.signature(function).parameters:
        return
    arguments = {"where": (d.flag, 1, 2), "str.join_element_wise": (d.name,)}.get(
        name, (d.met, 2, 1, 1)[: required(function)]
    )
    with pytest.raises(TypeError, match=rf"^ak\.{re.escape(name)}: highlevel=bool False cannot be recorded"):
        d.met.__awkward_function__(function, (), arguments, {"highlevel": False})


def required(function: Callable[..., Any]) -> int:
    """How many arguments must be given."""
    empty = inspect.Parameter.empty
    return sum(
        p.default is empty and p.kind is p.POSITIONAL_OR_KEYWORD
        for p in inspect.signature(function).parameters.values()
    )


def test_every_function_that_dispatches_is_recorded_or_refused_on_purpose() -> None:
    unknown = {name for name in dispatching() if name not in TABLE} - set(refused)
    assert not unknown


def test_every_recorded_function_has_a_case() -> None:
    text = "\n".join([*SAME, *OWN, *REFUSED, "ak.fields(jets)"])
    tried = set(re.findall(r"ak\.((?:str\.)?\w+)\(", text))
    strings = {name for name in TABLE if name.startswith("str.")}
    assert set(TABLE) - strings <= tried | {"ravel", "copy"}


def test_fields_are_known_while_recording(d: ht.Array) -> None:
    assert ak.fields(d.el) == ["pt", "eta", "phi", "mass"]

"""Which bank a collection is read from, and which jobs make it where it is to be calibrated."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hep_tables_coffea.schemas._xaod_types import import_tables

__all__ = ["CALIBRATED", "Access", "Rules", "access", "scripts"]

#: Collections that can be calibrated, and what the configuration of the calibration calls their banks.
CALIBRATED = {
    "Jets": "jet_collection",
    "Electrons": "electron_collection",
    "Photons": "photon_collection",
    "Muons": "muon_collection",
    "TauJets": "tau_collection",
    "MissingET": "met_collection",
}
_OPTIONS = ("calibrate", "systematic")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the pack was asked for; see `Xaod.build`."""

    format: str = "PHYSLITE"
    calibrate: bool | None = None
    systematic: str = "NOSYS"
    configuration: Mapping[str, Any] | None = None
    attributes: Mapping[str, Mapping[str, str]] | None = None
    metadata: tuple[Mapping[str, Any], ...] = ()

    @property
    def text(self) -> str:
        return json.dumps({rule.name: getattr(self, rule.name) for rule in fields(self)}, sort_keys=True)

    @classmethod
    def read(cls, text: str) -> Rules:
        content = json.loads(text)
        return cls(**{**content, "metadata": tuple(content["metadata"])})


@dataclass(frozen=True, slots=True)
class Access:
    """A collection, the bank that is read, and where it is made in the job, the bank that it is made of."""

    collection: str
    bank: str
    made_of: str = ""
    systematic: str = "NOSYS"

    @property
    def text(self) -> str:
        """As it stands in the names of columns."""
        made = f", made_of={self.made_of!r}, systematic={self.systematic!r}" if self.made_of else ""
        return f"{self.collection}({self.bank!r}{made})"


def access(collection: str, bank: str, options: Mapping[str, Any], rules: Rules) -> Access:
    """Where a collection is read from: `bank` is the stored one, "" for the usual one of the format."""
    wrong = [name for name in options if name not in _OPTIONS or collection not in CALIBRATED]
    if wrong:
        takes = ", ".join(_OPTIONS) if collection in CALIBRATED else "only the name of a bank"
        msg = f"{collection} takes no {', '.join(wrong)}: it takes {takes}"
        raise ValueError(msg)
    if collection not in CALIBRATED:
        return Access(collection, bank)
    systematic = options.get("systematic", rules.systematic)
    calibrate = options.get("calibrate", rules.calibrate)
    stored, found, jobs = _calibrate(collection, bank, calibrate, systematic, rules)
    return Access(collection, found, stored, systematic) if jobs else Access(collection, found)


def scripts(found: Access, rules: Rules) -> list[dict[str, Any]]:
    """The jobs that make a calibrated collection, as the code generator is told of them."""
    return _calibrate(found.collection, found.made_of, True, found.systematic, rules)[2]


def configuration_of(rules: Rules) -> Any:
    """The package's configuration of calibrations for a format, with the user's changes."""
    tools = import_tables("calibration_support").calib_tools
    known = import_tables("default_calibration_config").default_calibration_config()
    if rules.format not in known:
        msg = f"there is no format {rules.format!r} of xAOD events: {', '.join(known)}"
        raise ValueError(msg)
    configuration = tools.default_config(rules.format)
    for name, value in (rules.configuration or {}).items():
        if not hasattr(configuration, name):
            msg = f"a calibration has no {name!r}: it has {', '.join(vars(configuration))}"
            raise ValueError(msg)
        setattr(configuration, name, value)
    return configuration


def _calibrate(
    collection: str, bank: str, calibrate: bool | None, systematic: str, rules: Rules
) -> tuple[str, str, list[dict[str, Any]]]:
    """The stored bank, the bank to read, and the jobs in between, as the package itself would have it."""
    support, key = import_tables("calibration_support"), CALIBRATED[collection]
    configuration = configuration_of(rules)
    stored = bank or str(getattr(configuration, key))
    setattr(configuration, key, stored)
    # in one go, and no bank in the call: what func_adl notes of a stream replaces what was noted of it before
    noted = {"calibration": configuration, "calibration_sys_error": systematic}
    stream = import_tables("sx_dataset").FuncADLQuery().QMetaData(noted)
    asked = "" if calibrate is None else f"calibrate={bool(calibrate)}"
    call = ast.parse(f"e.{collection}({asked})", mode="eval").body
    try:
        stream, call = support.fixup_collection_call(stream, call, key)
    except NotImplementedError as error:
        msg = f"{collection} of {rules.format}: {error}"
        raise ValueError(msg) from error
    nodes = [node for node in ast.walk(stream.query_ast) if isinstance(node, ast.Call)]
    jobs = [ast.literal_eval(node.args[1]) for node in nodes if getattr(node.func, "id", "") == "MetaData"]
    return stored, ast.literal_eval(call.args[0]), jobs[::-1]

"""The account of a run: failures, as errors or in the report, and what was read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hep_tables_coffea.backends.coffea.sending import place_text
from hep_tables_coffea.codegen.processor import ProcessorSource
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import DataError, HepTablesError, RunError
from hep_tables_coffea.plugins.protocol import Delivery, Failure

__all__ = ["chunk_failures", "delivery"]


def chunk_failures(
    found: Mapping[Any, Sequence[Mapping[str, Any]]], program: ProcessorSource, options: Options
) -> list[Failure]:
    """The failures of chunks: those of files raised or reported, those of the program always raised."""
    listed: list[tuple[Any, Any]] = [(key, about) for key, abouts in sorted(found.items()) for about in abouts]
    fatal = [one for one in listed if one[1]["kind"] == "program" or options.on_error == "raise"]
    if fatal:
        raise _chunk_error(*fatal[0], program)
    return [
        Failure(key[0], about["file"], key[2], about["stop"], about["kind"], about["reason"]) for key, about in listed
    ]


def _chunk_error(key: Any, about: Mapping[str, Any], program: ProcessorSource) -> HepTablesError:
    sample, _, start = key
    values = [("sample", sample), ("file", about["file"]), ("entries", f"{start} to {about['stop']}")]
    if about["users"]:
        values.append(("raised at", place_text(about["users"], program.functions.values())))
    where = next((program.origins[line] for line in about["lines"] if line in program.origins), None)
    if about["kind"] == "file":
        return DataError(about["reason"].splitlines()[0], values=values, where=where, located=False)
    summary = f"{about['type']}: {about['reason'].splitlines()[0]}"
    return RunError(summary, values=values, where=where, located=False)


def delivery(
    answers: Mapping[str, Any],
    merged: Mapping[str, Any],
    failures: Sequence[Failure],
    program: ProcessorSource,
    opening: float,
    running: float,
) -> Delivery:
    listed = [(key, account) for key, accounts in merged["chunks"].items() for account in accounts]
    accounts = [account for _, account in listed]
    lacking: dict[str, set[str]] = {}
    for (_, file, _), account in listed:
        for name in account["lacking"]:
            lacking.setdefault(name, set()).add(file)
    return Delivery(
        answers,
        events=sum(account["events"] for account in accounts),
        bytes=sum(account["bytes"] for account in accounts),
        chunks=len(accounts),
        columns=tuple(sorted(program.columns)),
        failures=tuple(failures),
        seconds={
            "opening": opening,
            "running": running,
            "reading, all workers": sum(account["read"] for account in accounts),
            "computing, all workers": sum(account["compute"] for account in accounts),
        },
        lacking={name: tuple(sorted(found)) for name, found in lacking.items()},
    )

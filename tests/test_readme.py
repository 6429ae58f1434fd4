"""The example of the README runs, and prints what the README shows."""

from __future__ import annotations

import doctest
import re
import runpy
from pathlib import Path

import pytest

import hep_tables_coffea as ht

README = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """The first fenced block of a language."""
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found, f"no block of {language} in the README"
    return found[1]


def lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_example_prints_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("readme.py").write_text(block("python"), encoding="utf-8")
    runpy.run_path("readme.py")
    assert lines(capsys.readouterr().out) == lines(block("text"))


def test_variations_give_what_is_shown(tmp_path: Path) -> None:
    (shown,) = [text for text in re.findall(r"```pycon\n(.*?)```", README, re.DOTALL) if "ht.vary" in text]
    names = {"ht": ht, "events": ht.nanoaod(ht.samples.nanoaod(tmp_path / "zll.root"))}
    example = doctest.DocTestParser().get_doctest(shown, names, "README", "README.md", 0)
    assert doctest.DocTestRunner().run(example) == (0, 3)

"""What the conformance suite asks for and the library does not have yet: a list that only shrinks.

As a pytest plug-in (`pytest -p later`) it leaves out what `tests/conformance_later.txt` names. As a script (`later.py
PYTEST_ARGUMENTS...`) it runs what the list names, and fails if any of it passes, or if a line of the list names nothing.

A line is a module (`test_variations`) or a test (`test_paper::test_truth_matching`, with all its parameters); `*` is anything.
A line that begins with `!` takes tests back out: the last line that fits decides. `#` begins a comment.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

LIST = Path(__file__).resolve().parent.parent / "tests" / "conformance_later.txt"
#: Set by the script: the listed tests are wanted, and not the others.
WANTED = "HT_LATER"


class Later:
    """The list: which tests are not expected to pass yet."""

    def __init__(self) -> None:
        lines = LIST.read_text(encoding="utf-8").splitlines() if LIST.exists() else []
        self.lines = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        self.used: set[str] = set()

    def names(self, path: Path | str, nodeid: str = "") -> bool:
        """Is the module, or the test in it, on the list?"""
        _, colons, test = nodeid.partition("::")
        name, listed = Path(path).stem + colons + test, False
        for line in self.lines:
            pattern = re.escape(line.lstrip("!").replace(".py", "", 1)).replace(r"\*", ".*")
            if re.match(rf"{pattern}($|::|\[)", name):
                self.used.add(line)
                listed = not line.startswith("!")
        return listed

    def names_all_of(self, module: str) -> bool:
        """Is the whole module on the list, so that it need not even be imported?"""
        return self.names(module) and not any(line.startswith(f"!{module}") for line in self.lines)


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    wanted = WANTED in os.environ or collection_path.suffix != ".py"
    return True if not wanted and Later().names_all_of(collection_path.stem) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    later = Later()
    dropped = [item for item in items if later.names(item.path, item.nodeid) is not (WANTED in os.environ)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]


class Witness:
    """Sees which listed tests pass, and which lines of the list name something."""

    def __init__(self) -> None:
        self.later = Later()
        self.outcomes: dict[str, bool] = {}

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        for item in items:
            self.later.names(item.path, item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.later.names(report.location[0], report.nodeid)
        self.outcomes[report.nodeid] = self.outcomes.get(report.nodeid, True) and not report.failed

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:  # a module that cannot be imported: its tests have no names yet
            module = Path(report.nodeid).stem
            self.later.used |= {line for line in self.later.lines if line.lstrip("!").startswith(module)}


def main(arguments: list[str]) -> int:
    """Run what is listed. 0 if none of it passes and every line names something."""
    os.environ[WANTED] = "listed"
    witness = Witness()
    if not witness.later.lines:
        print("nothing is listed")
        return 0
    quiet = ["-p", "later", "-q", "--tb=no", "--no-header", "--no-summary", "--continue-on-collection-errors"]
    code = pytest.main([*quiet, *arguments], plugins=[witness])
    passed = [test for test, passes in witness.outcomes.items() if passes]
    idle = [line for line in witness.later.lines if line not in witness.later.used]
    for test in passed:
        print(f"passes, take it off the list: {test}")
    for line in idle:
        print(f"names no test: {line}")
    print(f"{len(witness.outcomes)} listed tests ran, {len(passed)} of them pass; pytest ended with {code!r}")
    return int(bool(passed or idle or code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

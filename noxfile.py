#!/usr/bin/env -S uv run --script

# /// script
# requires-python = ">=3.10"
# dependencies = ["nox>=2025.10.14"]
# ///
"""The tasks of the Makefile, each in an environment of its own: `nox`, or `nox -s tests-3.12`."""

from __future__ import annotations

import nox

nox.needs_version = ">=2025.10.14"
nox.options.default_venv_backend = "uv|virtualenv"

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


@nox.session(default=True)
def lint(session: nox.Session) -> None:
    """Check style, spelling and workflows with every pre-commit hook."""
    session.install("pre-commit>=4")
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)


@nox.session(python=PYTHONS, default=True)
def tests(session: nox.Session) -> None:
    """Run the tests."""
    session.install("-e", ".[test,dask]")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def coverage(session: nox.Session) -> None:
    """Run the tests and report the lines that none of them reaches."""
    session.install("-e", ".[test,dask]", "pytest-cov>=5")
    session.run("pytest", "--cov", "--cov-report=term-missing:skip-covered", *session.posargs)


@nox.session(default=True)
def docs(session: nox.Session) -> None:
    """Build the documentation, running every page."""
    session.install(
        "-e", ".[servicex]", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "docs")
    )
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html", *session.posargs)


@nox.session(python=PYTHONS[0], venv_backend="uv", default=False)
def minimum(session: nox.Session) -> None:
    """Run the tests with the oldest versions that setup.cfg allows."""
    session.install("-e", ".[test,dask]", "--resolution=lowest-direct")
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build the source distribution and the wheel."""
    session.install("build")
    session.run("python", "-m", "build")


if __name__ == "__main__":
    nox.main()

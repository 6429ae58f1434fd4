# Two commands for newcomers: `make demo` and `make test`. Everything happens in .venv; `make clean` takes it away.
PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
PIP := PYTHONWARNINGS=ignore $(BIN)/python -m pip --disable-pip-version-check
SHIPPED := hep_tables_coffea processors schemas

.DEFAULT_GOAL := help
.PHONY: help demo test examples conformance docs bench lint format typing clean

help:  ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1 \t\2/' | expand -t 20
	@echo "  Variables: PYTHON=python3.12 (who makes .venv), ARGS='-k name' (what the tool is told besides)"

demo: $(VENV)/.installed  ## install the library in .venv and run a first analysis
	@$(BIN)/python -m hep_tables_coffea demo $(ARGS)

test: $(VENV)/.installed-test  ## run the tests
	@$(BIN)/pytest $(ARGS)

examples: $(VENV)/.installed-test  ## run every script in examples/
	@set -e; for script in examples/*.py; do echo "== $$script"; MPLBACKEND=agg $(BIN)/python "$$script"; done

docs: $(VENV)/.installed-docs  ## build the documentation, running every page
	@$(BIN)/sphinx-build -W --keep-going -b html $(ARGS) docs docs/_build/html

bench: $(VENV)/.installed-test  ## measure, side by side with hand-written coffea (ARGS='--only P1,P7')
	@$(BIN)/python benchmarks/run.py $(ARGS)

lint: $(VENV)/.installed-lint typing  ## check style and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

format: $(VENV)/.installed-lint  ## put the source into the common style
	@$(BIN)/ruff check --fix --show-fixes .
	@$(BIN)/ruff format .

# mypy does not see folders that are mapped into a package: it is shown a tree of links that looks like the installed one.
typing: $(VENV)/.installed-lint  ## check the types alone
	@rm -rf build/typing && mkdir -p build/typing/hep_tables_coffea
	@ln -s $(CURDIR)/hep_tables_coffea/* $(CURDIR)/processors $(CURDIR)/schemas build/typing/hep_tables_coffea
	@cd build/typing && $(abspath $(BIN))/mypy --config-file $(CURDIR)/pyproject.toml $(ARGS)

clean:  ## remove .venv and everything that was built
	rm -rf $(VENV) build dist docs/_build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(SHIPPED) tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is newer than the files it depends on: a second run installs nothing unless the dependencies have changed.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON). Try: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
		echo "hep_tables_coffea needs Python 3.10 or newer; $(PYTHON) is `$(PYTHON) --version 2>&1`."; \
		echo "Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making $(VENV) with `$(PYTHON) --version`"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PIP) install --quiet --upgrade pip

$(VENV)/.installed: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing hep_tables_coffea and what it needs (a few minutes the first time)"
	@$(PIP) install --quiet --editable .
	@touch $@

$(VENV)/.installed-test: setup.cfg pyproject.toml | $(BIN)/python
	@echo "Installing hep_tables_coffea and what its tests need (a few minutes the first time)"
	@$(PIP) install --quiet --editable '.[test,dask,servicex]'
	@touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.installed
	@$(PIP) install --quiet --editable '.[servicex]' --group docs
	@touch $@

$(VENV)/.installed-lint: $(VENV)/.installed
	@$(PIP) install --quiet --group lint --group typing
	@touch $@

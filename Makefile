# Two commands set everything up: `make demo` and `make test`. Neither reinstalls while pyproject.toml is unchanged.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Tests run in two processes; one thread each, or they would wait for one another. Each process takes half of the files,
# and of the other's when it is done, so that what the tests of a file share is made once.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# What the package says it runs on.
PYTHONS := 3.11 3.12 3.13 3.14

.PHONY: demo test test-all faults lint types versions format clean

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-test lint types
	$(PYTEST)

test-all: $(VENV)/.installed-test lint types
	$(PYTEST) -m "slow or not slow"

# Plants faults in copies of the project, one at a time, and demands that the tests notice each.
faults: $(VENV)/.installed-test
	$(BIN)/python tests/faults.py

lint: $(VENV)/.installed-test
	$(BIN)/ruff check src tests bench examples hatch_build.py
	$(BIN)/ruff format --check src tests bench examples hatch_build.py

types: $(VENV)/.installed-test
	$(BIN)/mypy

# The types as each Python has them, and the source compiled by each that is installed.
versions: $(VENV)/.installed-test
	for version in $(PYTHONS); do $(BIN)/mypy --python-version $$version || exit 1; done
	$(BIN)/python -m pytest -rs tests/test_packaging.py

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix src tests bench examples
	$(BIN)/ruff format src tests bench examples

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) demo .pytest_cache .mypy_cache .ruff_cache

# What a person needs: `make serve` to try it, `make test` to trust it.
# Recipes are thin; .ci/run calls the same ones.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-from-pyproject
LAB := tests/lab/node_modules/.package-lock.json

.DEFAULT_GOAL := help
.PHONY: help serve test check bench

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

serve: $(STAMP)  ## run the gateway with a demonstration upstream; prints a curl line that works
	@exec $(BIN)/pyproxy serve --dev

test: $(STAMP) lab  ## the whole test suite; the lab with the real copilot-api too, if there is npm
	$(BIN)/python -m pytest -q

check: $(STAMP)  ## lint, format, types, floors
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP)  ## requests a second, latency and memory on this machine
	$(BIN)/python -m tests.bench

.PHONY: lab
lab:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(LAB); \
	else echo "npm is not installed: the tests against the real copilot-api are skipped"; fi

$(LAB): tests/lab/package-lock.json
	cd tests/lab && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "pyproxy needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

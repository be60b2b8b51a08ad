# What a person needs: `make serve` to try it, `make test` to trust it.
# Recipes are thin; .ci/run calls the same ones.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export NO_MKDOCS_2_WARNING := 1
SERVE_STAMP := $(VENV)/.installed-to-serve
STAMP := $(VENV)/.installed-to-develop
DOCS_STAMP := $(VENV)/.installed-to-document
LAB := tests/lab/node_modules/.package-lock.json
PEERS := bench/.venv/.installed-from-requirements

.DEFAULT_GOAL := help
.PHONY: help serve test check bench soak lock audit changelog release-check docs docs-serve image-test vm-test

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST)

serve: $(SERVE_STAMP)  ## run the gateway with a demonstration upstream; prints a curl line that works
	@exec $(BIN)/pyproxy serve --dev

test: $(STAMP) lab  ## the whole test suite; copilot-api and coding agents too, if there is npm
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: $(STAMP)  ## lint, format, types, floors, container files
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/hadolint Containerfile deploy/copilot-api.Containerfile

bench: $(STAMP) $(PEERS)  ## requests a second, latency and memory, beside nginx and Envoy
	$(BIN)/python -m bench $(ARGS)

soak: $(STAMP)  ## ten minutes of everything at once, with faults; then nothing may be left over
	PYPROXY_SOAK_S=$${PYPROXY_SOAK_S:-600} $(BIN)/python -m pytest -q -s --timeout 1200 tests/endurance/test_soak.py

lock: $(STAMP)  ## fit deploy/requirements to pyproject.toml; ARGS=--upgrade takes what is newest
	$(BIN)/python -m release.locks $(ARGS)

audit: $(STAMP)  ## what is known against the locked versions
	$(BIN)/python -m release.audit

changelog: $(STAMP)  ## what the next release will say of itself
	@$(BIN)/towncrier build --draft

release-check: $(STAMP)  ## build, compare, install, use and audit what is to be released, into dist/
	$(BIN)/python -m release $(ARGS)

docs: $(DOCS_STAMP)  ## build the documentation into site/; open site/index.html
	$(BIN)/mkdocs build --strict

docs-serve: $(DOCS_STAMP)  ## read it at http://127.0.0.1:8000, built anew when a page changes
	$(BIN)/mkdocs serve --strict

image-test: $(STAMP)  ## build both images, with an engine or with buildah, run them and talk to them; root
	PYPROXY_IMAGE_TEST=1 $(BIN)/python -m pytest -q --timeout 600 tests/image

vm-test: $(STAMP)  ## install on a Debian that boots systemd in a container; root, a few minutes
	$(BIN)/python -m tests.vm

.PHONY: lab
lab:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(LAB); \
	else echo "npm is not installed: the tests with the real copilot-api and the real agents are skipped"; fi

$(LAB): tests/lab/package-lock.json
	cd tests/lab && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

$(PEERS): bench/requirements.txt | $(STAMP)
	@test -x bench/.venv/bin/python || $(BIN)/python -m venv bench/.venv
	bench/.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "pyproxy needs Python 3.11 or later; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }

$(SERVE_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(DOCS_STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(SERVE_STAMP) $(DOCS_STAMP)

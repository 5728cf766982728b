# Everything starts from python3 (3.11 or newer), make and util-linux; `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# An empty environment has no search path, without which Python cannot tell where it is.
PATH ?= /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
BIN := .venv/bin
# uv compiles bytecode once here; without it every Ansible task would pay for it again.
UV := build/uv/bin/uv
UV_SYNC := pip sync --quiet --system-certs --compile-bytecode --require-hashes
export UV_PYTHON_DOWNLOADS := never
unexport PYTHONDONTWRITEBYTECODE VIRTUAL_ENV PYTHONPATH PYTHONHOME

.PHONY: help setup demo screenshots scenarios test unit lab-tests integration browser examples faults lint docs sanity lab bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.complete ## make the environment (.venv) from the hash-locked requirements

build/uv/.complete: requirements/uv.txt
	@tools/preflight $(PYTHON)
	@echo "==> installing uv into build/uv"
	@rm -rf build/uv && mkdir -p build && $(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.complete: requirements/dev.txt build/uv/.complete
	@echo "==> installing the locked environment into .venv"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	@VIRTUAL_ENV=.venv $(UV) $(UV_SYNC) requirements/dev.txt
	@touch $@

build/bench-venv/.complete: requirements/bench.txt build/uv/.complete
	@echo "==> installing the collections to compare with into build/bench-venv (large)"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) build/bench-venv
	@VIRTUAL_ENV=build/bench-venv $(UV) $(UV_SYNC) requirements/bench.txt
	@touch $@

build/docs-venv/.complete: requirements/docs.txt build/uv/.complete
	@echo "==> installing what the documentation is built with into build/docs-venv"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) build/docs-venv
	@VIRTUAL_ENV=build/docs-venv $(UV) $(UV_SYNC) requirements/docs.txt
	@touch $@

demo: setup ## lock down wide-open services of three clouds in the lab, and show them before and after
	@tools/demo

scenarios: setup ## break each misconfiguration alone in the lab, see it found and repaired; then several at once
	@tools/scenarios

test: lint unit lab-tests integration browser ## everything that must pass

unit: setup ## the pure core, in seconds
	@echo "==> unit tests"
	@$(BIN)/pytest -q -n 2 tests/unit

lab-tests: setup ## the lab's own tests: each wrong request gets the cloud's own error
	@echo "==> tests of the lab"
	@$(BIN)/pytest -q -n 2 tests/lab/tests

faults: setup ## every write struck by every fault alone, and 50 kills at random requests (long; FAULTS_SEED=n repeats one)
	@FAULTS=all FAULTS_SEED=$${FAULTS_SEED:-$$RANDOM} $(BIN)/pytest -q -n 2 tests/integration/test_faults.py tests/integration/test_kills.py

integration: setup ## modules, roles and playbooks against the lab
	@echo "==> integration tests in the lab"
	@$(BIN)/pytest -q -n 2 --dist loadscope tests/integration

browser: setup ## the report in a headless Chromium; skipped with a line where there is none
	@echo "==> the report in a browser"
	@$(BIN)/pytest -q tests/browser

examples: setup ## every example in the documentation of plugins and in the pages, in the lab
	@echo "==> examples of the documentation in the lab"
	@$(BIN)/pytest -q -n 2 tests/examples

screenshots: setup ## the failing and the passing report of the demo as pictures in docs/ (needs a Chromium)
	@tools/screenshots

lint: setup ## ruff, mypy, ansible-lint, antsibull, documentation against argument specs
	@tools/lint

docs: build/docs-venv/.complete ## the documentation site in build/docs/html; a warning or a dead link fails
	@echo "==> documentation site"
	@build/docs-venv/bin/python tools/docs

sanity: setup ## ansible-test sanity on a copy of the built collection (fetches its own tools)
	@tools/sanity

lab: setup ## a shell inside the lab
	@tests/lab/run -- $${SHELL:-bash}

bench: setup build/bench-venv/.complete ## ratios: in process, ordinary module, the other collections' modules
	@tools/bench

lock: build/uv/.complete ## pin the requirement files anew, with hashes
	@for name in uv dev bench docs; do \
	  echo "==> locking requirements/$$name.txt"; \
	  $(UV) pip compile --quiet --system-certs --upgrade --python $(PYTHON) --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt; done

clean: ## remove everything that was built
	@rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

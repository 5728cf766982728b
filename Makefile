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

# Everything that must pass, the cheap first; each is a target of its own, and those joined by + use one processor each.
GATES := lint unit docs+ee galaxy+browser install+sanity molecule newest lab-tests examples integration
# The newest ansible-core needs a newer Python than the oldest one allows.
NEWEST_PYTHONS := 3.12 3.13 3.14
# What `make lock` does with pins that still fit.
UPGRADE := --upgrade

.PHONY: $(shell sed -n 's/^\([a-z-]*\):.*[#][#] .*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## show this list
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.DEFAULT:
	@echo "make: there is no target '$@'; these are:" >&2
	@$(MAKE) help >&2
	@exit 2

##@ Begin
setup: .venv/.complete ## make the environment (.venv) from the hash-locked requirements

demo: setup ## lock down wide-open services of three clouds in the lab, and show them before and after
	@tools/demo

lab: setup ## a shell inside the lab
	@tests/lab/run -- $${SHELL:-bash}

##@ Gates: what must pass
test: setup ## all of them, and one line for each in the end (GATES="lint unit" for some)
	@$(BIN)/python tools/gates $(MAKE) $(GATES)

lint: setup ## ruff, mypy, ansible-lint, antsibull, documentation against argument specs
	@tools/lint

unit: setup ## the pure core, in seconds
	@echo "==> unit tests"
	@$(BIN)/pytest -q -n 2 tests/unit

ee: setup build/packaging/.complete ## ansible-builder finds what the collection needs, and makes an execution environment's context
	@echo "==> execution environment"
	@$(BIN)/pytest -q tests/packaging/test_execution_environment.py

galaxy: setup build/packaging/.complete ## galaxy-importer takes the built collection, and only what users need is in it
	@echo "==> Galaxy"
	@$(BIN)/pytest -q tests/packaging/test_galaxy.py

install: setup ## from the built collection in an empty environment: three clouds locked down and verified
	@echo "==> installed from the built collection"
	@$(BIN)/pytest -q tests/packaging/test_install.py

docs: build/docs-venv/.complete ## the documentation site in build/docs/html; a warning or a dead link fails
	@echo "==> documentation site"
	@build/docs-venv/bin/python tools/docs

examples: setup ## every example in the documentation of plugins and in the pages, in the lab
	@echo "==> examples of the documentation in the lab"
	@$(BIN)/pytest -q -n 3 tests/examples

browser: setup ## the report in a headless Chromium; skipped with a line where there is none
	@echo "==> the report in a browser"
	@$(BIN)/pytest -q tests/browser

sanity: setup ## ansible-test sanity on a copy of the built collection; skipped where its tools cannot be fetched
	@tools/sanity

molecule: setup ## each role through its molecule scenario, in the lab
	@echo "==> molecule"
	@tools/molecule

newest: setup ## unit tests, the lab's and the main integration tests with the newest ansible-core; skipped without its Python
	@echo "==> with the newest ansible-core"
	@if python=$$(tools/find-python $(NEWEST_PYTHONS)); then \
	  $(MAKE) build/newest/.complete NEWEST_PYTHON="$$python" && tools/newest; \
	else echo "skipped: no Python of $(NEWEST_PYTHONS) in PATH or pyenv"; fi

lab-tests: setup ## the lab's own tests: each wrong request gets the cloud's own error
	@echo "==> tests of the lab"
	@$(BIN)/pytest -q -n 2 tests/lab/tests

# Three for two processors: a lab waits a fifth of its time, as clouds let wait.
integration: setup ## modules, roles and playbooks against the lab
	@echo "==> integration tests in the lab"
	@$(BIN)/pytest -q -n 3 --dist loadscope tests/integration

##@ Longer, or for people to look at
scenarios: setup ## break each misconfiguration alone in the lab, see it found and repaired; then several at once
	@tools/scenarios

permissions: setup ## every phase with exactly its permissions, and without each single one; the tables are kept in build/permissions/
	@echo "==> permissions"
	@$(BIN)/pytest -q -s -n 0 tests/integration/test_permissions_*.py

faults: setup ## every write struck by every fault alone, and 50 kills at random requests (long; FAULTS_SEED=n repeats one)
	@FAULTS=all FAULTS_SEED=$${FAULTS_SEED:-$$RANDOM} $(BIN)/pytest -q -n 2 tests/integration/test_faults.py tests/integration/test_kills.py

screenshots: setup ## the failing and the passing report of the demo as pictures in docs/ (needs a Chromium)
	@tools/screenshots

bench: setup build/bench-venv/.complete ## ratios: in process, ordinary module, the other collections' modules
	@tools/bench

##@ Housekeeping
lock: build/uv/.complete ## pin the requirement files anew, with hashes (UPGRADE= keeps the pins that still fit)
	@for name in uv dev packaging docs bench newest; do \
	  echo "==> locking requirements/$$name.txt"; \
	  version=3.11; [ $$name != newest ] || version=$(firstword $(NEWEST_PYTHONS)); \
	  $(UV) pip compile --quiet --system-certs $(UPGRADE) --python $(PYTHON) --python-version $$version --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" requirements/$$name.in -o requirements/$$name.txt; done

clean: ## remove everything that was built
	@rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

build/uv/.complete: requirements/uv.txt
	@tools/preflight $(PYTHON)
	@echo "==> installing uv into build/uv"
	@rm -rf build/uv && mkdir -p build && $(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

# Usage: $(call environment,FOLDER,PYTHON,REQUIREMENTS)
define environment
@$(UV) venv --quiet --allow-existing --python $(2) $(1)
@VIRTUAL_ENV=$(1) $(UV) $(UV_SYNC) $(3)
@touch $(1)/.complete
endef

.venv/.complete: requirements/dev.txt build/uv/.complete
	@echo "==> installing the locked environment into .venv"
	$(call environment,.venv,$(PYTHON),$<)

build/bench-venv/.complete: requirements/bench.txt build/uv/.complete
	@echo "==> installing the collections to compare with into build/bench-venv (large)"
	$(call environment,build/bench-venv,$(PYTHON),$<)

build/packaging/.complete: requirements/packaging.txt build/uv/.complete
	@echo "==> installing Galaxy's importer and ansible-builder into build/packaging"
	$(call environment,build/packaging,$(PYTHON),$<)

build/newest/.complete: requirements/newest.txt build/uv/.complete
	@echo "==> installing the newest ansible-core into build/newest"
	$(call environment,build/newest,$(NEWEST_PYTHON),$<)

build/docs-venv/.complete: requirements/docs.txt build/uv/.complete
	@echo "==> installing what the documentation is built with into build/docs-venv"
	$(call environment,build/docs-venv,$(PYTHON),$<)

# Two commands matter: `make run` (evaluate the shipped model) and `make test`.
# Each builds what it needs in .venv first; a second call finds it there.

PYTHON ?= python3
VENV ?= .venv
WORKERS ?= auto
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

# What is installed is marked by a file named for what asked for it: another pyproject.toml or
# constraints.txt, and it is installed again.
ASKED := $(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
FOR_RUN := $(VENV)/.installed-for-run-$(ASKED)
FOR_TEST := $(VENV)/.installed-for-test-$(ASKED)
FOR_SLOW := $(VENV)/.installed-for-slow-$(ASKED)

# Local copies of the public benchmarks; without them, tests that read real data are skipped.
ifneq ($(wildcard ../shared/data/.),)
test test-slow docs: export SAFEMARK_DATA ?= $(abspath ../shared/data)
endif

.DEFAULT_GOAL := help
.PHONY: help run test test-slow check types-and-lint fix docs calibration clean slow-programs

help:
	@echo "make run        evaluate the shipped reference model; writes scorecard.html"
	@echo "make test       lint, types, storeys, and the tests that take seconds"
	@echo "make test-slow  the tests that take minutes, a real PostgreSQL or a browser"
	@echo "make check      lint, types and storeys only"
	@echo "make fix        let the formatter and the linter mend what they can"
	@echo "make docs       run every code block of README.md and docs/"
	@echo "make calibration  after new weights of the reference model: probes, rates, docs page"
	@echo "make clean      remove caches and builds; $(VENV), runs and scorecards stay"
	@echo
	@echo "PYTHON=python3.12 make …  chooses the interpreter (3.11 or newer)"

run: $(if $(wildcard $(FOR_TEST)),$(FOR_TEST),$(FOR_RUN))
	@# 3 is "inconclusive": this small model dodges some questions, and the scorecard says so
	$(BIN)/safemark run reference --out . || [ $$? -eq 3 ]
	@echo "scorecard: $(CURDIR)/scorecard.html"

# One thread a worker: workers whose threads outnumber the cores spend their time waiting.
test: $(FOR_TEST) types-and-lint
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "not slow and not gpu" -n $(WORKERS) --dist loadfile

test-slow: $(FOR_SLOW) slow-programs
	OMP_NUM_THREADS=1 $(BIN)/pytest -m "slow and not gpu" -n $(WORKERS) --dist loadfile

check: $(FOR_TEST) types-and-lint

types-and-lint: $(FOR_TEST)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

fix: $(FOR_TEST)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(FOR_TEST)
	$(BIN)/pytest tests/test_docs.py

# After new weights: what depends on them, measured and written anew.
calibration: $(FOR_TEST)
	$(BIN)/python reference/export_probes.py
	$(BIN)/python reference/measure_probes.py
	$(BIN)/safemark selftest --markdown > docs/calibration.md

clean:
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "error: Safemark needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)"; \
	    echo; echo "hint: name another, as in \`make PYTHON=python3.12 $(MAKECMDGOALS)\`"; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "error: this Python cannot make virtual environments"; \
	    echo; echo "hint: on Debian and Ubuntu, \`apt-get install python3-venv\`"; exit 1; } >&2
	$(PYTHON) -m venv $(VENV)

$(FOR_RUN): | $(BIN)/python
	@rm -f $(VENV)/.installed-for-run-*
	@echo 'installing into $(VENV) (the first time takes minutes) …'
	$(INSTALL) -e '.[local]'
	@touch $@

$(FOR_TEST): | $(BIN)/python
	@rm -f $(VENV)/.installed-for-test-*
	@echo 'installing into $(VENV) (the first time takes minutes) …'
	$(INSTALL) -e '.[local,postgres,dev]'
	@touch $@

$(FOR_SLOW): $(FOR_TEST)
	@rm -f $(VENV)/.installed-for-slow-*
	@echo 'installing into $(VENV) (the first time takes minutes) …'
	$(INSTALL) -e '.[local,postgres,dev,peers]'
	@touch $@

# Two programs that pip cannot install. Where they cannot be had, the tests that need them say that
# they were not run; with SAFEMARK_REQUIRE_SLOW=1 they fail.
slow-programs:
	@missing=; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing:$$missing"; \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null && exit 0; \
	fi; \
	echo "missing:$$missing; tests that need them will not run (on Debian: apt-get install$$missing)" >&2

# `make` lists everything. `make run` is the product, `make test` is every check.
.DEFAULT_GOAL := help
.PHONY: bench-load bench-render bench-routing help run setup worker test test-fast test-stack lint fmt types arch templates docs schema check doctor seed
SHELL := /bin/sh

PORT ?= 8000
MODELS ?= 1
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
PIP := $(BIN)/python -m pip install --disable-pip-version-check --no-input --quiet
PACKAGES := genengine campaigns jobs providers billing compliance
TESTS ?= tests
WORKERS ?= 2
# Modules compiled once are read by every process that starts later, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
# CI runs what failed once more, alone and aloud: twice is a fault, once is a race to mend (CONTRIBUTING.md).
AGAIN = { [ -n "$$CI" ] && echo "Once more, only what failed. What passes now is a race to mend:" && \
	$(BIN)/pytest -v --maxfail 1 --last-failed --last-failed-no-failures none $(1); }
# Tests around one running installation of their own: they wait more than they compute, so each such folder has a process
# beside the others, and its own list of what failed. Heard at its end, in one piece.
LANE = { $(BIN)/pytest -q $(IN_LANE) || $(call AGAIN,$(IN_LANE)); } >$(VENV)/$@.log 2>&1; \
	passed=$$?; cat $(VENV)/$@.log; exit $$passed
IN_LANE = -o cache_dir=.pytest_cache/$@ tests/$@

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/.product ## the whole product, from a fresh clone to a first video (PORT=8000)
	@if [ "$(MODELS)" != 0 ]; then $(BIN)/python tools/install_models.py & fi; exec $(MANAGE) up --port $(PORT)

models: $(VENV)/.product ## the vision models, which `make run` installs while it runs (MODELS=0 leaves them out)
	@$(BIN)/python tools/install_models.py && $(BIN)/python -m genengine.media models

setup: $(VENV)/.dev ## .venv/ with everything: the product and the checks

worker: $(VENV)/.product ## one worker alone (QUEUE=default|media)
	@exec $(MANAGE) worker $(or $(QUEUE),default)

seed: $(VENV)/.product ## make the demo workspace and say how to sign in
	@$(MANAGE) seed

doctor: $(VENV)/.product ## is this machine fit to run it? says what is missing and how to mend it
	@$(MANAGE) doctor

test: ## every check; what CI calls
	@$(MAKE) --no-print-directory -j 2 browser $(VENV)/.dev
	@$(MAKE) --no-print-directory -j 2 --output-sync=target arch lint templates check
	@$(MAKE) --no-print-directory -j 4 types tests journeys crash

.PHONY: tests journeys crash
tests:
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q --ignore=tests/journeys --ignore=tests/crash \
		$(TESTS) || $(call AGAIN,)

journeys crash:
	@$(LANE)

test-fast: $(VENV)/.dev ## tests without the slow ones
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -q -m "not slow and not crash and not journey" $(TESTS)

test-stack: $(VENV)/.dev ## the journeys on an external PostgreSQL, Redis and S3
	@$(BIN)/python -m tests.stack

lint: $(VENV)/.dev ## ruff: style and likely mistakes
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .

fmt: $(VENV)/.dev ## ruff: put it right
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

types: $(VENV)/.dev ## mypy with django-stubs
	@$(BIN)/mypy --no-error-summary

arch: $(VENV)/.dev ## who may import whom
	@$(BIN)/lint-imports --config pyproject.toml

templates: $(VENV)/.dev ## djlint, where there are templates
	@if [ -d templates ]; then $(BIN)/djlint templates --lint --quiet; fi

check: $(VENV)/.dev ## Django's own checks, missing migrations, generated pages and the schema snapshot up to date
	@$(BIN)/python -m tools.checks

bench-render: $(VENV)/.dev ## CPU, jitter and fidelity of the renderer against the encode limit and its rivals
	@$(BIN)/python -m benchmarks.render

JOBS ?= 500
bench-routing: $(VENV)/.dev ## JOBS=500 mixed jobs with faults: ends, estimates, bills, balance, savings, learning
	@$(BIN)/python -m benchmarks.routing --jobs $(JOBS)

CLIPS ?= 1000
bench-load: $(VENV)/.dev ## CLIPS=1000 in flight at once: what pump, database and emulator take, and how late they are
	@$(BIN)/python -m benchmarks.load --clips $(CLIPS)

docs: $(VENV)/.product ## write the generated pages of docs/reference
	@$(MANAGE) settings_reference
	@$(MANAGE) states_reference
	@$(MANAGE) events_reference
	@$(MANAGE) provider_docs
	@$(MANAGE) api_reference

schema: $(VENV)/.product ## write what an empty database is filled with at once; after every new migration
	@$(MANAGE) schema_snapshot

.PHONY: browser
browser: # Debian's Chromium for the journeys; elsewhere any chromium or chrome on PATH
	@if ! command -v chromium >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser journeys"; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	fi

$(VENV)/.made:
	@$(PYTHON) tools/make_venv.py $(VENV) && touch $@

$(VENV)/.product: requirements.txt constraints.txt | $(VENV)/.made
	@echo "Installing the product's packages (about a minute)"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt requirements.txt requirements-models.txt constraints.txt | $(VENV)/.made
	@echo "Installing the checks' packages"
	@$(PIP) -r requirements-dev.txt
	@touch $@ $(VENV)/.product

# The two commands most people need: `make demo` and `make test`. `make help` lists the rest.
# Works on a machine with a Python that fits and make alone; everything is installed into .venv of this folder.

VENV ?= .venv
BIN  := $(VENV)/bin
UV   := $(BIN)/python -m uv

# The first Python that fits; name another one with `make PYTHON=/path/to/python3.12`.
FITS   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
            "$$p" -c '$(FITS)' 2>/dev/null && { echo "$$p"; exit; }; done; echo python3)

export AIRFLOW_HOME ?= $(CURDIR)/.airflow
# Epoch seconds at which make began: the demo measures its first green run from here, installation included.
export L2C_DEMO_STARTED := $(shell date +%s)
# What the demo reads (a folder of CSV files instead of generated data) and which part of the story it plays.
export SEED STORY

# Tests of one file stay in one process, since they share simulated systems.
PARALLEL := -n auto --maxprocesses=4 --dist loadfile

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check format bench rig rig-model docs lock clean

help:  ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## Install into .venv what requirements.lock names, hashes checked

$(VENV)/.ready: requirements.lock pyproject.toml
	@"$(PYTHON)" -c '$(FITS)' 2>/dev/null || { echo "Python 3.11, 3.12 or 3.13 is needed, found: $$("$(PYTHON)" --version 2>&1 | head -n 1); name one that fits: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: 'apt-get install python3-venv', or name another Python: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(BIN)/python" -c '$(FITS)' 2>/dev/null || { echo "creating $(VENV) with $$("$(PYTHON)" --version)"; "$(PYTHON)" -m venv --clear "$(VENV)"; }
	@echo "installing requirements.lock into $(VENV)"
	@{ $(BIN)/python -m pip install -q --disable-pip-version-check 'uv>=0.13,<0.14' \
	   && $(UV) pip sync -q --compile-bytecode --require-hashes --python $(BIN)/python requirements.lock; } \
	|| { echo "uv could not install it, trying pip"; $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock; }
	@$(UV) pip install -q --no-deps --python $(BIN)/python -e . 2>/dev/null \
	|| $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

demo: setup  ## Start simulated systems and Airflow, play the story (SEED=folder STORY=name)
	@$(BIN)/python -m demo

test: setup  ## Run the tests but for the slow ones (ARGS="-k name" to choose)
	@$(BIN)/pytest $(PARALLEL) -m "not slow" $(ARGS)

test-slow: setup  ## Run the slow tests: killed workers, storms of faults, a real Airflow, a browser
	@$(BIN)/pytest $(PARALLEL) -m slow $(ARGS)

check: setup  ## Lint, format, types, layers, security, generated pages
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit -q -ll -c pyproject.toml -r l2c connectors dags plugins
	$(BIN)/python .ci/audit.py
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/generate_engine.py --check
	$(BIN)/python docs/generate_faults.py --check

format: setup  ## Let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: setup  ## Write the generated reference pages anew
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/generate_engine.py
	$(BIN)/python docs/generate_faults.py

rig: setup  ## Kill workers while both systems misbehave (RIG=ci a share, RIG=long five times as much)
	@RIG="$(RIG)" $(BIN)/python -m benchmarks.rig

rig-model: setup  ## Random schedules against the model, answers cut at every byte (ARGS="--seed 7")
	@$(BIN)/python -m benchmarks.rig_model $(ARGS)

bench: setup  ## Measure speed and memory into build/reports/bench.json
	@$(BIN)/python -m benchmarks

lock: setup  ## Resolve pyproject.toml anew into requirements.lock
	@$(UV) --version >/dev/null || { echo "make lock needs uv in $(VENV)"; exit 1; }
	$(UV) pip compile -q --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock
	@! grep -nE '://' requirements.lock || { echo "a lock file must name no host"; exit 1; }

clean:  ## Remove what make, tests and demo wrote, .venv included
	rm -rf "$(VENV)" .airflow .demo .l2c build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# Everything runs in .venv, which the first target that needs it sets up; later ones use it again.
PYTHON ?= python3
VENV := .venv
VLLM_VENV := .venv-vllm
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# One thread per process: the tests' models are too small to be split.
export OMP_NUM_THREADS ?= 1
# Compiled modules are kept, whatever the shell says: the tests start hundreds of processes, and preparing the tests' own files takes longer
# than importing torch.
export PYTHONDONTWRITEBYTECODE :=

# `auto` is three processes for two cores (tests/conftest.py). Files are dealt in their order: one that builds a run for all of its tests
# stays in one process.
PYTEST := $(VENV)/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo record-demo test test-slow test-vllm check bench docs site clean

demo: $(VENV)/.demo  ## run the packaged study on the embedded models
	$(VENV)/bin/isocost demo -o runs/demo

record-demo: demo  ## copy the demo's report and figures into docs/studies
	cp runs/demo/report.md docs/studies/demo.md
	cp runs/demo/figures/*.svg docs/studies/figures/

test: $(VENV)/.dev  ## the tests of every change, one of each kind (5 to 8 minutes on 2 cores)
	$(PYTEST) -m "not slow"

test-slow: $(VENV)/.dev  ## the other tests: many kills, long simulations, browsers, whole runs (about 20 minutes on 2 cores)
	$(PYTEST) -m slow

test-vllm: $(VLLM_VENV)/.ready  ## pass the tests of the engine vllm, with a vLLM for CPUs in an environment of its own
	$(VLLM_VENV)/bin/python -m pytest tests/vllm

check: $(VENV)/.dev  ## style, types, layers, generated docs, the site of the documents
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	$(VENV)/bin/python scripts/cli_docs.py --check
	$(VENV)/bin/python scripts/study_docs.py --check
	$(VENV)/bin/python -m sphinx --builder dummy --quiet --fail-on-warning docs docs/_build

bench: $(VENV)/.dev  ## measure what the docs claim
	for script in benchmarks/*.py; do $(VENV)/bin/python $$script || exit 1; done

docs: $(VENV)/.dev  ## write docs/cli.md and docs/study-file.md again
	$(VENV)/bin/python scripts/cli_docs.py
	$(VENV)/bin/python scripts/study_docs.py

site: $(VENV)/.dev  ## build the documents as a site, docs/_build/html/index.html
	$(VENV)/bin/python -m sphinx --builder html --quiet --fail-on-warning docs docs/_build/html

clean:  ## remove the environment and runs
	rm -rf $(VENV) $(VLLM_VENV) runs docs/_build

$(VENV)/bin/pip:
	@echo "setting up $(VENV) (a few minutes, once)"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(PIP) torch
	$(PIP) --editable ".[demo]"
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(VENV)/bin/pip
	$(PIP) torch
	$(PIP) --editable ".[dev]"
	@touch $(VENV)/.demo $@

# vLLM pins what it runs with, so that it cannot share an environment with the rest: docs/vllm.md.
$(VLLM_VENV)/.ready: pyproject.toml tests/vllm/requirements.txt
	@echo "setting up $(VLLM_VENV) (3 GB, several minutes, once)"
	test -x $(VLLM_VENV)/bin/pip || $(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement tests/vllm/requirements.txt
	$(VLLM_VENV)/bin/pip install --quiet --disable-pip-version-check --constraint tests/vllm/requirements.txt --editable .
	@touch $@

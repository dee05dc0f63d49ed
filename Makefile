# The front door. Each target is a few lines that call the CLI or pytest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Of every component there is, in order.
MILESTONES ?= $(shell $(BIN)/python -m neuroscale.milestones)
# One more than there are processors: some tests wait. A file's tests stay together, with what they have read and made.
WORKERS = $(shell $(PYTHON) -c 'import os; print(os.cpu_count() + 1)')
EMPTY :=
SPACE := $(EMPTY) $(EMPTY)
MARKERS = $(subst $(SPACE), or ,$(addprefix milestone_,$(strip $(MILESTONES))))

# Hundreds of interpreters start in a test run; they share what one of them has compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help install test types tests coverage mutation delta-pairs gate conformance another-cluster incidents kill-matrix bench report down docs
.DEFAULT_GOAL := help

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(INSTALLED) ## The Python environment, in .venv

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed. Next: make PYTHON=python3.11 install")'
	@$(PYTHON) -m venv $(VENV) || { echo "The venv module is missing. Next: apt-get install python3-venv" >&2; exit 3; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

test: install ## Fast tier: ruff, mypy, unit tests, manifests, Gherkin lint. No Docker, no cluster, no Go
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo --no-cache
	@$(MAKE) --no-print-directory --jobs=2 types tests

# Beside each other: mypy keeps one processor busy, and some tests wait. What it has learnt outlasts the checkout, as
# builds do; one at a time, since two of them would lock each other out of it.
types:
	@cache="$$($(BIN)/python -c 'from neuroscale.settings import cache_dir; print(cache_dir())')" && mkdir -p "$$cache" && \
		echo "$(BIN)/mypy neuroscale suite" && \
		flock "$$cache/mypy.lock" $(BIN)/mypy --cache-dir "$$cache/mypy" neuroscale suite

tests:
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile

coverage: install ## What of the code the fast tier executes, in per cent; red below the floor in pyproject.toml
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered

mutation: install ## Change what decides, a place at a time: does the fast tier notice? Some 20 minutes, no Docker
	$(BIN)/python -m suite.source_mutants

delta-pairs: install ## The delta against a second implementation, on 5,000 generated pairs of trees. Some 2 minutes
	NEUROSCALE_DELTA_PAIRS=5000 $(BIN)/python -m pytest -q tests/unit/delta/test_delta_second_opinion.py

gate: install ## Manifests alone: render, schemas, AppProjects, policies, resources. BASE=main says what a change costs
	$(BIN)/neuroscale gate $(if $(BASE),--base "$(BASE)")

conformance: install ## The real cluster: MILESTONES="a b d" (default: all). Makes what is missing, runs, reports
	$(BIN)/neuroscale up --record --milestones "$(MILESTONES)"
	@status=0; $(BIN)/python -m pytest -m "$(MARKERS)" || status=$$?; $(BIN)/neuroscale report; exit $$status

another-cluster: install ## The same platform on a cluster of its own with three nodes: smoke, nodes drained and killed
	@export NEUROSCALE_CLUSTER=neuroscale-three; status=0; \
	{ $(BIN)/neuroscale up --record --shape three-nodes --milestones "a b d" && $(BIN)/neuroscale up --record && \
	  $(BIN)/python -m pytest -m "three_nodes or smoke"; } || status=$$?; \
	$(BIN)/neuroscale report; $(BIN)/neuroscale down; exit $$status

incidents: install ## Replay every incident and take down each component, on the real cluster
	@status=0; $(BIN)/python -m pytest -m "incident or outage" || status=$$?; $(BIN)/neuroscale report; exit $$status

kill-matrix: install ## Prove that each check can fail: MILESTONES="a b d" (default: all)
	$(BIN)/neuroscale kill-matrix --milestones "$(MILESTONES)"

bench: install ## Measure the suite's own numbers and the self-heal times
	$(BIN)/neuroscale bench

report: install ## The latest run as one HTML file
	$(BIN)/neuroscale report

docs: install ## Generate docs/catalogue.md, docs/benchmarks.md, docs/claims.md and the tables of tags and of the guide
	$(BIN)/python -m suite.catalogue
	$(BIN)/python -m suite.benchmarks_page
	$(BIN)/python -m suite.markers
	$(BIN)/python -m suite.claims_page
	$(BIN)/python -m suite.guide_page

down: install ## Delete the cluster
	$(BIN)/neuroscale down

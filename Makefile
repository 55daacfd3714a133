# Dandelion's house. Every target first makes .venv when requirements.lock is newer than it; `make` alone lists the targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

BUS ?= local
DB ?= sqlite
TESTS ?= tests
WORKERS ?= 2
HISTORIES ?=
# a whole platform in containers, which has the machine for itself
ALONE := tests/deploy/test_docker.py
# no: `make test` without what `make containers` tests
CONTAINERS ?=
# a file's tests stay together, on its own servers and databases; the slowest 20 tests are named at the end
SPREAD := --dist loadfile --no-loadscope-reorder --durations=20 --durations-min=0.5
ROWS ?=
MINUTES ?= 10
SEED ?=
SCALE ?= 10
ADVISORIES ?=
FOLDER ?= .data
CONTEXT ?=

PYTHON := .venv/bin/python
READY := .venv/.ready
export PYTHONPATH := .:contracts
export DANDELION_HISTORIES := $(HISTORIES)
# whatever the machine says: a platform is many processes, and each would compile every module anew at its start
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo up down reset assets screenshots tools test containers check lint style types bench soak attack audit cluster cluster-test cluster-down proto reference dist clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock tools/setup.sh tools/dandelion.sh
	@tools/setup.sh
	@touch $@

demo: $(READY) ## one campaign from brief to payment, told as it happens; BUS=kafka DB=postgres on real servers
	@$(PYTHON) -m cli demo --bus $(BUS) --db $(DB)

up: $(READY) ## run all services here until Ctrl-C; BUS=kafka DB=postgres on real servers
	@$(PYTHON) -m console.assets || echo "make up: the platform starts without its console"
	@$(PYTHON) -m cli up --bus $(BUS) --db $(DB)

down: $(READY) ## end what `make up` started; the data stays in .data
	@$(PYTHON) -m cli down

reset: $(READY) ## delete all data of `make up`, after asking; YES=1 does not ask
	@$(PYTHON) -m cli reset $(if $(YES),--yes)

assets: $(READY) ## build the console's scripts and styles from npm's packages, unless they are fresh
	@$(PYTHON) -m console.assets

screenshots: assets ## write the pictures of the README and docs/console.md anew; needs Chromium (`make tools`)
	@$(PYTHON) -m tests.kit.screenshots

tools: ## install what tests need of Debian: Java, PostgreSQL, Chromium, Docker and more (root; else names them)
	@tools/debian.sh

test: $(READY) ## everything: lint, types and all tests on real Kafka and PostgreSQL; TESTS=path for a part, WORKERS=2, HISTORIES=20 looks further
	@$(PYTHON) -m tools.cpu_time $(MAKE) --no-print-directory tested

# `make test` without the sum of its CPU seconds: what tells most and costs least comes first; tests/arch ran with lint
tested: lint types
# where npm's registry cannot be reached, the tests of the console say so
	@$(PYTHON) -m console.assets || true
ifeq ($(TESTS),tests)
	@echo "== pytest tests/unit"
	@$(PYTHON) -m pytest -n $(WORKERS) $(SPREAD) tests/unit
	@echo "== pytest on real servers"
	@$(PYTHON) -m pytest -n $(WORKERS) $(SPREAD) tests --ignore=tests/unit --ignore=tests/arch --ignore=$(ALONE)
ifneq ($(CONTAINERS),no)
	@echo "== pytest $(ALONE)"
	@$(PYTHON) -m pytest $(ALONE)
endif
else
	@echo "== pytest $(TESTS)"
	@$(PYTHON) -m pytest -n $(WORKERS) $(SPREAD) $(TESTS)
endif

containers: $(READY) ## the suite that `make test` ends with, alone: image, docker compose, testcontainers
	@$(PYTHON) -m tools.cpu_time $(PYTHON) -m pytest $(ALONE)

check: $(READY) ## the way of working: lint, types and tests/unit, both cores at once
	@$(MAKE) --no-print-directory -j2 --output-sync style types
	@echo "== pytest tests/arch tests/unit"
	@$(PYTHON) -m pytest -q -n $(WORKERS) $(SPREAD) tests/arch tests/unit

lint: style ## style, imports, sizes, names, docs, protobuf
	@echo "== tests/arch"
	@$(PYTHON) -m pytest -q tests/arch

style: $(READY) ## what lint does without tests/arch: ruff, import-linter, protobuf
	@echo "== ruff"
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@echo "== import-linter"
	@.venv/bin/lint-imports --no-logo
	@echo "== protobuf"
	@$(PYTHON) -m tools.proto --check
	@echo "== docs/reference"
	@$(PYTHON) -m tools.reference --check

types: $(READY) ## mypy --strict on everything
	@echo "== mypy"
	@.venv/bin/mypy

bench: $(READY) ## measure against bare loops, turn by turn; fails where a floor does not hold; ROWS=writer,... for a part
	@$(PYTHON) -m bench $(ROWS)

soak: $(READY) ## random faults on real Kafka and PostgreSQL under whole campaigns, then every check; MINUTES=10 SEED=
	@$(PYTHON) -m soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

attack: $(READY) ## attacks on the platform that `make up` runs here: tokens, bodies, protobuf, files, floods; SCALE=10, FOLDER=.data
	@$(PYTHON) -m attack --data $(FOLDER) --scale $(SCALE)

audit: $(READY) ## locked packages against known vulnerabilities; ADVISORIES=folder or zip of an OSV export, newer than what is bundled
	@$(PYTHON) -m tools.audit $(if $(ADVISORIES),--advisories $(ADVISORIES))

cluster: $(READY) ## a real one-node Kubernetes on this machine (root); CONTEXT=current uses the one that kubectl knows
	@CONTEXT=$(CONTEXT) $(PYTHON) -m tools.cluster up

cluster-test: $(READY) ## the dev overlay, faults under load, staging and prod on the cluster of `make cluster`
	@CONTEXT=$(CONTEXT) DANDELION_CLUSTER_TEST=1 $(PYTHON) -m pytest -v -s tests/cluster

cluster-down: $(READY) ## end what `make cluster` started and remove all of it
	@CONTEXT=$(CONTEXT) $(PYTHON) -m tools.cluster down

proto: $(READY) ## generate contracts/ from proto/
	@$(PYTHON) -m tools.proto

reference: $(READY) ## write docs/reference from the code, and what the console says of refusals
	@$(PYTHON) -m tools.reference

dist: $(READY) ## the files of a release for clients: the wheel of contracts, OpenAPI documents, descriptors
	@$(PYTHON) -m tools.dist

clean: ## remove caches and what builds left (keeps .venv, and .data: `make reset`)
	@rm -rf .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

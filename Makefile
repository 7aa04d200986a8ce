# make demo   the main job on local parts, from tag to running pipeline
# make test   the whole test suite
# make help   every target
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## the virtual environment .venv with what locks/dev.lock names

$(READY): locks/dev.lock locks/builder.lock pyproject.toml src/kfp_release/pyproject.toml
	@.ci/python $(PYTHON)
	@echo "setup: the virtual environment $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/builder.lock
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes locks/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e src/kfp_release -e .
	@touch $@

.PHONY: demo
demo: $(READY) ## release 1.0 and 1.1 on the sandbox, install both, run both
	@$(BIN)/python examples/demo.py build/demo

.PHONY: test
test: $(READY) ## lint, types and every test, integration tests included
	@$(MAKE) --no-print-directory lint types
	@$(BIN)/python .ci/prepare.py
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: chaos
chaos: $(READY) ## what docs/reliability.md promises: releases killed, cut off, raced, for minutes
	@$(BIN)/python .ci/prepare.py
	@$(BIN)/python -m chaos --out build/chaos

.PHONY: lint
lint: $(READY) ## ruff
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(READY) ## mypy, strict
	@$(BIN)/kfp-release operators
	@$(BIN)/mypy
	@$(BIN)/mypy examples/pipeline-repo/*.py

.PHONY: check
check: $(READY) ## kfp-release check
	@$(BIN)/kfp-release check

.PHONY: bench
bench: $(READY) ## measure this project beside a shell script of docker, sed and twine, for 20 to 25 minutes
	@$(BIN)/python -m bench --out build/bench

.PHONY: bench-status
bench-status: $(READY) ## time kfp-release status of 200 versions against the sandbox
	@$(BIN)/python -m bench.status

.PHONY: bench-catalog
bench-catalog: $(READY) ## time kfp-release catalog of 200 versions of 50 components against the sandbox
	@$(BIN)/python -m bench.catalog

.PHONY: programs-help
programs-help: $(READY) ## run each program's --help inside the images of this commit
	@$(BIN)/python .ci/programs_help.py

.PHONY: tool
tool: ## kfp-release alone, from locks/release.lock, into the current Python (what the workflows do)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes -r locks/release.lock
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e ./src/kfp_release

.PHONY: lock
lock: $(READY) ## compile the locks anew
	@$(BIN)/python .ci/image_requirements.py image | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --output-file requirements.lock -
	@$(BIN)/python .ci/image_requirements.py training | $(BIN)/uv pip compile --quiet --universal \
	    --python-version 3.11 --generate-hashes --no-header --output-file requirements-training.lock -
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    bench/requirements.in --output-file bench/requirements.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    src/kfp_release/pyproject.toml --extra sandbox locks/dev.in --output-file locks/dev.lock
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    src/kfp_release/pyproject.toml --extra cli --output-file locks/release.lock
	@echo uv | $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --output-file locks/builder.lock -
	@printf "devpi-client\ndevpi-server\n" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	    --generate-hashes --no-header --output-file locks/devpi.lock -
	@for lock in builder release; do cp locks/$$lock.lock src/kfp_release/new-project/locks/$$lock.lock.template; done

.PHONY: clean
clean: ## remove what was built here
	@rm -rf build dist $(VENV)

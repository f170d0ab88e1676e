# Two commands do all the set-up: `make demo` and `make test`. Everything lands in this folder (.venv, .tools, .cache, .demo).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# `auto`: tests/conftest.py says how many. Neighbours share a module's fixtures until a worker that is idle takes some.
WORKERS ?= auto
CONSTRAINTS := constraints/airflow-3.3.txt
UV = $(shell command -v uv || echo .tools/bin/uv)
# Hundreds of processes import the same packages; what Python compiles of them is kept, and beside no source file.
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/python
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test venv lint format docs pictures constraints bench clean

help: ## List the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

venv: $(VENV)/.ready ## Make .venv with the dev tools, nox included

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	@command -v uv >/dev/null || test -x .tools/bin/uv || $(PYTHON) -m pip --version >/dev/null 2>&1 \
		|| { echo "Neither uv nor pip is here. Install one of them: apt-get install python3-pip"; exit 1; }
	@command -v uv >/dev/null || test -x .tools/bin/uv || \
		PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 $(PYTHON) -m pip install --quiet --target .tools uv
	@test -x $(BIN)/python || $(UV) venv --quiet --python '>=3.11,<3.15' $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python --group dev -c $(CONSTRAINTS) -e '.[airflow,portal,demo,fast,sql]'
	@touch $@

demo: $(VENV)/.ready ## Run the main job in real Airflow against the bundled portal, on real data
	@$(BIN)/python demo/run.py

test: $(VENV)/.ready ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(if $(ODS_ONCE_MORE),--last-failed)

lint: $(VENV)/.ready ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready ## Put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.ready ## Build the site of docs/ into build/site
	$(BIN)/nox --session docs -- --build

pictures: $(VENV)/.ready ## Make the pictures of docs/images anew, in a browser
	$(BIN)/nox --session pictures

bench: $(VENV)/.ready ## Measure speed and memory against named rivals
	for one in download partitions records push sync publish parsing watching load; do $(BIN)/python benchmarks/$$one.py || exit 1; done

constraints: $(VENV)/.ready ## Resolve the pinned sets anew
	sh constraints/compile.sh $(UV)

clean: ## Remove what the other commands made
	rm -rf build $(VENV) .tools .demo .cache .nox .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# `make demo` and `make test` do everything on a fresh machine: environment in .venv, install, work.
# Both install what uv.lock names. Where $PIP_FIND_LINKS or `make TORCH_INDEX=URL` offers a CPU build of
# torch, that build is taken.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH_INDEX ?=
UV := UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=$(VENV) $(if $(PIP_FIND_LINKS),UV_FIND_LINKS="$(PIP_FIND_LINKS)") $(BIN)/uv
INDEX := $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX) --index-strategy unsafe-best-match)

.PHONY: install demo test lint format bench validate docs clean

install: $(VENV)/.installed ## make the environment

$(VENV)/.installed: pyproject.toml uv.lock
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet "uv>=0.9"
	$(BIN)/uv export --quiet --frozen --no-hashes --no-emit-project --all-extras --prune torch -o $(VENV)/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python $(INDEX) "torch>=2.6,<2.14" -r $(VENV)/requirements.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $@

demo: install ## choose, train and prove on the embedded lab
	$(BIN)/suffice demo

test: install ## run the tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

lint: install ## check style, types, the direction of imports and the generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m docs.cli --check

format: install ## put the code into shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install ## run the benchmarks (ratios against a rival or a limit, in one run)
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

validate: install ## simulate how well the intervals cover and how often claims are wrong (about ten minutes)
	OMP_NUM_THREADS=1 $(BIN)/python validation/coverage.py

docs: install ## generate the command line reference
	$(BIN)/python -m docs.cli

clean: ## remove the environment and the runs
	rm -rf $(VENV) runs

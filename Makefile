# make run             serve on http://127.0.0.1:8000, with the sample documents or DOCS=folder
# make test            the whole test suite
# make check           format, lint, types, tests
# make install         only the environment, in .venv
# make bench           the measurements of the README that need nothing but this repository
# make soak            a thousand fault schedules, and documents through a failing provider (slow);
#                      DOCS=folder takes that folder's files instead of the samples
# make chaos           processes killed, disks that fail, power cuts, damaged files (slow)
# make fuzz            damaged and hostile files through the real parsers (slow); DOCS=folder
# make lock            resolve the dependencies anew into .ci/

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps

# four at most: each starts a PostgreSQL and loads the models
SUITE := $(BIN)/python -m pytest -q --numprocesses auto --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := run
.PHONY: install run test check bench soak chaos fuzz lock clean

install: $(VENV)/.installed

$(VENV)/.installed: .ci/lock.txt pyproject.toml
	@.ci/environment $(VENV)
	@echo "Installing the locked packages into $(VENV) (about 800 MB on disk; a minute or two) ..."
	@$(PIP) --require-hashes -r .ci/lock.txt
	@$(PIP) --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q rag
	@touch $@

$(VENV)/.tools: $(VENV)/.installed .ci/lock-dev.txt
	@echo "Installing the development tools ..."
	@$(PIP) --require-hashes -r .ci/lock-dev.txt
	@touch $@

run: $(VENV)/.installed
	@$(BIN)/rag serve --ingest "$(or $(DOCS),samples)" --ask "$(or $(ASK),auto)"

test: $(VENV)/.tools
	@$(SUITE)

check: $(VENV)/.tools
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(SUITE)

bench: $(VENV)/.installed
	@$(BIN)/python scripts/bench/search.py
	@$(BIN)/python scripts/bench/embedding.py speed
	@$(BIN)/python scripts/bench/embedding.py memory
	@$(BIN)/python scripts/bench/pace.py --quick

soak: $(VENV)/.tools
	@SCHEDULES=1000 $(BIN)/python -m pytest -q tests/mistral/test_fault_schedules.py
	@$(BIN)/python scripts/soak/paid_once.py "$(or $(DOCS),rag/samples)"

chaos: $(VENV)/.tools
	@$(BIN)/python -m scripts.chaos --seed "$(or $(SEED),1)"
	@$(BIN)/python -m scripts.chaos.damage --seed "$(or $(SEED),1)" --files 1500 --libraries 60
	@MACHINE=60 $(BIN)/python -m pytest -q tests/storage/test_machine.py

fuzz: $(VENV)/.tools
	@$(BIN)/python -m scripts.soak.fuzz $(DOCS) --seed "$(or $(SEED),1)"

lock: $(VENV)/.tools
	@.ci/lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

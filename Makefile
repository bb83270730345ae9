# make test: installs into .venv and runs every test. Needs Python 3.11 with venv, pip and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
.PHONY: test check clean

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -e '.[demo,postgresql,dev]'
	touch $@

test: $(VENV)/.installed
	$(BIN)/pytest -n 2

check: $(VENV)/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -n 2

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache

# Needs Python 3.11 or later with venv and pip. Everything is installed into .venv, and again when pyproject.toml changes.
#   make demo         shows the desk at work, with a mail server of its own
#   make test         runs the tests, and every third case of the long series
#   make check        runs every test, with all of the long series, and every other gate
#   make fuzz         tries FUZZ_TRIALS damaged mails and as many of random bytes
#   make understand   measures how well mails are understood, field by field
#   make bench        runs all measurements, which takes some minutes
#   make clean        removes what was installed or built, never a database
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three on two cores: some tests only wait for a server.
WORKERS ?= 3
, := ,
FUZZ_TRIALS ?= 20000
.PHONY: demo test gates check fuzz understand bench clean
.NOTPARALLEL:
# The tests start the program a hundred times: keep its bytecode.
unexport PYTHONDONTWRITEBYTECODE

demo: $(VENV)/.demo
	@$(BIN)/mailbot demo

test: $(VENV)/.test
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup

gates: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	tests/wheel_smoke.sh $(BIN)/python

check: export THOROUGH = 1
check: gates test

fuzz: $(VENV)/.test
	FUZZ_TRIALS=$(FUZZ_TRIALS) $(BIN)/pytest tests/core/inbound/test_intake_fuzz.py tests/whole_desk/test_any_mail.py

understand: $(VENV)/.test
	$(BIN)/python bench/understand.py

bench: $(VENV)/.test
	@for one in bench/*.py; do echo "$$one"; $(BIN)/python "$$one" || exit 1; done

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find mailbot storage tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose pip does not start was left unfinished: create it again.
define install
@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv"; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: 3.11 is needed"; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
@echo "installing into $(VENV), which takes about a minute"
@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$(1)]'
endef

# The stamp is written only when everything succeeded, so that an interrupted installation is repeated.
$(VENV)/.demo: pyproject.toml
	$(call install,demo)
	@touch $@

# The packages of the tests include those of the demo.
$(VENV)/.test: pyproject.toml
	$(call install,postgresql$(,)dev)
	@touch $(VENV)/.demo $@

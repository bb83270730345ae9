# Needs Python 3.11 or later with venv and pip; everything is installed into .venv, once, and again when pyproject changes.
#   make demo    the desk at work, with a mail server of its own
#   make test    the tests, of the long series every third
#   make check   every test, the long series whole, and every other gate
#   make fuzz    FUZZ_TRIALS damaged mails and as many of random bytes
#   make understand   how well mails are understood, field by field
#   make bench   all measurements, which takes some minutes
#   make clean   removes what was installed or built; never a database
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# On two cores: some tests wait for servers, and another one works meanwhile.
WORKERS ?= 3
, := ,
FUZZ_TRIALS ?= 20000
.PHONY: demo test gates check fuzz understand bench clean
.NOTPARALLEL:
# The tests start the program a hundred times, which need not be compiled each time.
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
	FUZZ_TRIALS=$(FUZZ_TRIALS) $(BIN)/pytest tests/core/inbound/test_intake_fuzz.py

understand: $(VENV)/.test
	$(BIN)/python bench/understand.py

bench: $(VENV)/.test
	@for one in bench/*.py; do echo "$$one"; $(BIN)/python "$$one" || exit 1; done

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find mailbot storage tests -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment whose pip does not start was left half made: it is made anew.
define install
@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv"; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is too old: 3.11 is needed"; exit 1; }
@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
@echo "installing into $(VENV), which takes about a minute"
@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[$(1)]'
endef

# A stamp is written when all went well: what was cut off half-way is done again.
$(VENV)/.demo: pyproject.toml
	$(call install,demo)
	@touch $@

# The tests' packages hold the demo's.
$(VENV)/.test: pyproject.toml
	$(call install,postgresql$(,)dev)
	@touch $(VENV)/.demo $@

# make lab    open the course in JupyterLab        make test      run every test
#             (make lab ARGS=--no-browser prints   make check     style, types and the fast tests
#             the address only)                    make lint      style and types
# make site   write the web book, in site/          make format    mend style
# make clean  remove what was made                 make coverage  run the library's tests, and say what they reach
#                                                  make faults    kill and disturb the commands at every point
#                                                  make mutants   try small slips on the lessons' checks

PYTHON ?= python3
JOBS ?= auto
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# One thread a process: as many processes run as there are cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) -p no:cacheprovider

.PHONY: lab test check lint format coverage faults mutants site clean

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dlv3 needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

# The lessons are copied into dlv3-lessons, which git ignores; what you change there stays yours.
lab: $(INSTALLED)
	$(BIN)/dlv3 lab $(ARGS)

test: $(INSTALLED)
	$(PYTEST) --dist loadscope --no-loadscope-reorder --nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg tests notebooks

# While you work: no notebook, no browser, nothing marked slow.
check: lint
	$(PYTEST) --dist worksteal -q -m 'not slow' --ignore tests/browser tests

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: $(INSTALLED)
	$(PYTEST) --dist loadscope -q --cov --cov-report=term --ignore tests/browser tests

# Every point at which a file changes, random moments, damaged files, and 10,000 predictions from four threads.
faults: $(INSTALLED)
	DLV3_FAULTS=long $(PYTEST) --dist worksteal -q --durations=3 tests/faults \
		'tests/fast/test_served.py::test_four_threads_get_the_answers_that_one_gets'

# Every small slip in every solution of the lessons, against its check: a table, and what was let pass (minutes).
mutants: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python tests/course/mutants.py

site: $(INSTALLED)
	$(BIN)/python -m docs.frames
	$(BIN)/python -m docs.live
	$(BIN)/python -m docs --out site

clean:
	rm -rf $(VENV) site build dist *.egg-info .coverage .mypy_cache .ruff_cache

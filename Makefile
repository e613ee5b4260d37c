# make lab    open the course in JupyterLab        make lint     check style
#             (make lab ARGS=--no-browser prints the address only)
# make test   run every test                       make format   mend style
# make site   write the course as web pages        make clean    remove what was made

PYTHON ?= python3
JOBS ?= auto
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Containers run as root, where JupyterLab asks for a flag of its own.
LAB_FLAGS := --ServerApp.ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: lab test lint format site clean

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dlv3 needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --disable-pip-version-check -e '.[dev]'
	@touch $@

lab: $(INSTALLED)
	$(BIN)/jupyter lab $(LAB_FLAGS) --ServerApp.root_dir=notebooks \
		--LabApp.default_url=/lab/tree/00_start_here.ipynb $(ARGS)

# One thread a process: as many processes run as there are cores.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadscope -p no:cacheprovider \
		--nbval --nbval-current-env --nbval-sanitize-with tests/nbval_sanitize.cfg tests notebooks

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(INSTALLED)
	$(BIN)/python -m dlv3.course.kit.site --out site

clean:
	rm -rf $(VENV) site build dist *.egg-info

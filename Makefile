# Everything a user or a developer runs. Needs Python 3.11 or newer, node with npm, and make; all else lands in .venv.
#
#   make quickstart   set up, run the quickstart notebook headless, end with its table and report
#   make lab          the same notebook in JupyterLab
#   make test         every test; installs what it needs
#   make check        format, lint, types and tests, as CI does
#   make dist         wheel and sdist in dist/
#   make clean        remove what was built; `make distclean` also removes .venv and node_modules

SHELL := /bin/sh
BIN := .venv/bin
NOTEBOOK := notebooks/quickstart.ipynb
EXTENSION := .venv/share/jupyter/labextensions/jupyter-llm-workbench
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
SOURCES := $(shell find js style schema -type f 2>/dev/null) package.json tsconfig.json
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup quickstart lab test check dist clean distclean

# The Python and the npm packages come side by side; each stamp is written only when its step went through.
setup:
	@$(MAKE) --no-print-directory -j2 .venv/.python node_modules/.installed
	@$(MAKE) --no-print-directory .venv/.frontend

quickstart: setup
	@$(BIN)/workbench eval $(NOTEBOOK)

lab: setup
	@$(BIN)/jupyter lab $(AS_ROOT) $(NOTEBOOK)

test: setup
	@$(BIN)/python tests/run.py

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	npm run --silent lint
	npm run --silent types
	@$(BIN)/python tests/run.py

# Built anew, because the build of a wheel keeps a front end that is already there.
dist: setup
	rm -rf dist lib workbench/static workbench/labextension .venv/.frontend
	$(BIN)/python -m build --outdir dist .
	@$(MAKE) --no-print-directory .venv/.frontend
	@ls -l dist

clean:
	rm -rf dist build lib workbench/static workbench/labextension .venv/.frontend .mypy_cache .ruff_cache .pytest_cache
	find workbench tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean
	rm -rf .venv node_modules

.venv/.python: pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer is on the PATH. Install one, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo "Installing the Python packages into .venv …"
	@$(BIN)/python -m pip install --quiet uv
	@rm -rf $(EXTENSION)
	@SKIP_JUPYTER_BUILDER=1 $(BIN)/python workbench/envs/pip_settings.py $(BIN)/uv pip install --quiet --python $(BIN)/python --editable '.[lab,dev]'
	@touch $@

# Not `npm ci`: it refuses a lock that lacks the optional builds for platforms which a registry may not carry.
node_modules/.installed: package.json package-lock.json
	@command -v npm >/dev/null || { echo "npm is not on the PATH. The front end is built with node 20 or newer: https://nodejs.org"; exit 1; }
	@echo "Installing the npm packages into node_modules …"
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

# JupyterLab finds the built extension through a link, so that a rebuild is seen by the next reload of the page. The link
# is gone while pip installs, because pip would write and later delete the package's files through it.
.venv/.frontend: $(SOURCES) .venv/.python node_modules/.installed
	@echo "Building the front end …"
	@npm run --silent build
	@rm -rf $(EXTENSION) && mkdir -p $(dir $(EXTENSION)) && ln -s $(CURDIR)/workbench/labextension $(EXTENSION)
	@touch $@

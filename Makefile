# The two commands of the README: `make rehearsal` and `make test`. Everything goes into .venv, nothing else is touched.
PYTHON ?= python3
BIN = .venv/bin

# Hundreds of tests start a program: none should compile all modules anew, whatever the caller's environment says.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: rehearsal test computing waiting check clean

rehearsal: .venv/ready
	$(BIN)/rehearse run
	$(BIN)/rehearse measure --out rehearsal-results
	$(BIN)/rehearse report rehearsal-results

# Two jobs at once, both of which must end well: what is played in real time mostly waits, what computes lets it pass.
test: .venv/ready
	$(MAKE) --no-print-directory --jobs=2 computing waiting

computing: .venv/ready
	nice $(BIN)/python -m pytest -n 4 --dist worksteal --ignore=tests/interop  # many wait: for programs, people, browsers
	nice $(BIN)/rehearse mutants

# Its output is kept apart and told in one piece.
waiting: .venv/ready
	@echo "tests/interop goes on meanwhile; what it says comes at its end and stands in .venv/interop.log"
	@$(BIN)/python -m pytest -n 7 --dist loadfile tests/interop > .venv/interop.log 2>&1; \
	    status=$$?; cat .venv/interop.log; exit $$status

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

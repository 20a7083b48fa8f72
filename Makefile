# Newsdesk: every command of the house. `make` or `make help` lists them.
# Relative paths only, so that a checkout may stand in a folder with a space.

PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	2>/dev/null && echo $$p && break; done)
BIN = .venv/bin
UV_VERSION = 0.13.9
DEMO ?=
DEMO_WANTED = $(filter-out 0 no off false,$(DEMO))

.DEFAULT_GOAL := help
.PHONY: help run demo test test-servers lint format lock docs clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' Makefile | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo "  HOST and PORT say where the desk listens (127.0.0.1:8000); see docs/settings.md."

run: .venv/ready ## Run the desk, with PostgreSQL and Valkey of its own (DEMO=1: as make demo)
	@$(if $(DEMO_WANTED),VAR_DIR=var/demo )exec $(BIN)/python manage.py desk $(if $(DEMO_WANTED),--demo)

demo: .venv/ready ## Run the desk beside a simulated outside world, with data of its own
	@VAR_DIR=var/demo exec $(BIN)/python manage.py desk --demo

test: .venv/ready lint ## Check everything: lint, types, import contracts, and all tests
	@command -v chromium >/dev/null 2>&1 && command -v chromedriver >/dev/null 2>&1 \
		|| echo "No chromium and chromedriver here: the browser tests are skipped."
	$(BIN)/pytest -q -n 2 --dist loadfile

test-servers: .venv/ready ## Publish to true servers, which it installs under var/servers
	$(BIN)/python -m tests.servers.installing
	$(BIN)/pytest -q tests/servers

lint: .venv/ready ## Check style, types, import contracts and migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

format: .venv/ready ## Put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: .venv/ready ## Pin requirements/*.txt anew from requirements/*.in
	@for name in base dev prod servers; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-emit-index-url --no-emit-find-links --no-header --no-annotate \
			"requirements/$$name.in" --output-file "requirements/$$name.txt" || exit 1; \
	done

docs: .venv/ready ## Write the pages of docs/ that are drawn from tables in the code
	$(BIN)/python manage.py write_docs

clean: ## Remove the environment; data under var/ stays
	rm -rf .venv

.venv/ready: requirements/dev.txt | .venv/bin/uv
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements/dev.txt
	@touch .venv/ready

# uv first: it installs everything in seconds where pip takes minutes. An environment without it
# was given up half-way, and is made anew.
.venv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Newsdesk needs Python 3.11 or newer; none was found."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Newsdesk needs Python 3.11 or newer; PYTHON=$(PYTHON) is not."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
		|| { echo "$(PYTHON) can't make a virtual environment; install its venv package."; exit 1; }
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Needs python3 (3.11 or 3.12), python3-venv and make; works without root, a compiler or a home directory.
PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
INSTALL := PYTHON="$(PYTHON)" VENV="$(VENV)" sh install.sh

export PYTHONUNBUFFERED := 1
# Three for two cores: one of them always waits for a venue, a clock or a browser.
export PYTEST_WORKERS ?= 3
# Whoever keeps no compiled sources elsewhere keeps them here: hundreds of processes would each compile them again.
COMPILED := PYTHONDONTWRITEBYTECODE=

.PHONY: up test bench lint lock chromium

up: $(STAMPS)/run
	@$(COMPILED) DESK_STOP_WITH_PARENT=1 exec $(BIN)/python manage.py up

test: $(STAMPS)/test chromium
	$(COMPILED) $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadgroup --no-loadscope-reorder $(PYTEST_OPTIONS)

bench: $(STAMPS)/run
	@$(COMPILED) exec $(BIN)/python -m engine bench all

lint: $(STAMPS)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The browser tests skip with the reason when no Chromium can be had.
chromium: $(STAMPS)/test
	@$(BIN)/python -m tests.browser.chromium --fetch || true

# One file for every platform and both Pythons; the run set is a subset of the full one, at the same versions.
COMPILE := UV_SYSTEM_CERTS=1 $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --override requirements-overrides.in
lock: $(STAMPS)/test
	$(COMPILE) requirements-dev.in -o requirements.lock
	$(COMPILE) requirements.in -c requirements.lock -o requirements-run.lock
	$(COMPILE) requirements-bootstrap.in -c requirements.lock -o requirements-bootstrap.lock
	$(COMPILE) requirements-chromium.in -c requirements.lock -o requirements-chromium.lock

$(STAMPS)/run: requirements-run.lock requirements-bootstrap.lock
	@test -f $(STAMPS)/test && test ! requirements.lock -nt $(STAMPS)/test || $(INSTALL) requirements-run.lock
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/test: requirements.lock requirements-bootstrap.lock
	@$(INSTALL) requirements.lock
	@mkdir -p $(STAMPS) && touch $@ $(STAMPS)/run

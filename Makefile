# Needs python3 (3.11 or newer) and make.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' pyproject.toml

# Where the environment forbids it, every process would compile all of Tallyman again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run env env-dev test bench lock

run: env
	@exec $(BIN)/python manage.py up --host $(HOST) --port $(PORT) $(if $(filter 1,$(DEMO)),--demo)

env: $(VENV)/.installed
env-dev: $(VENV)/.installed-dev

$(VENV)/.created:
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created requirements.lock
	@echo "installing into $(VENV), once"
	@$(PIP) -r requirements.lock
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.created requirements-dev.lock
	@echo "installing into $(VENV), once"
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/.installed

test: env-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	PATH="$(CURDIR)/$(BIN):$$PATH" lint-imports
	TALLYMAN_DATA=var/test $(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest -n 2

bench: env-dev
	$(BIN)/python -m tests.bench

lock: env-dev
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock

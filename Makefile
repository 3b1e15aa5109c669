# The commands of the day. `make help` lists them; HOST, PORT and MASH_* come from the environment (docs/configuration.md).

SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MANAGE := $(PYTHON) manage.py
# A deployment as `check --deploy` wants to see it. The keys are for this check alone.
PRODUCTION_ENV := env -u MASH_DEBUG -u MASH_DATABASE_URL -u MASH_RUNTIME_DATABASE_URL -u MASH_REDIS_URL -u MASH_HOST_APP \
	MASH_HTTPS=true MASH_ALLOWED_HOSTS=mash.example MASH_TRUSTED_ORIGINS=https://mash.example \
	MASH_SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz \
	MASH_ENCRYPTION_KEYS=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
# Whatever an earlier run left in the environment would shadow the tools of this tree.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help run pilot test check bench bench-ui screens chaos install install-dev clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install ## Start Mash on http://127.0.0.1:8000 (HOST, PORT, MASH_DATA_DIR)
	@exec $(MANAGE) mash_run

pilot: install ## Start Mash with examples/pilot, a guide to this code base (HOST, PORT, MASH_PILOT_ROOT)
	@exec $(PYTHON) -m examples.pilot

test: install-dev ## Run all tests, on SQLite and on PostgreSQL + Redis (ARGS="-k word")
	@$(PYTHON) -m tests.run $(ARGS)

check: install-dev ## Lint, types, import rules, templates, settings and migrations
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy .
	$(VENV)/bin/lint-imports
	@# djLint takes a tree without a template for a mistake.
	@if find . -name .venv -prune -o -name '*.html' -print | grep -q .; then set -x; \
		$(VENV)/bin/djlint . --quiet --lint && $(VENV)/bin/djlint . --quiet --check; fi
	$(VENV)/bin/shellcheck docker/entrypoint.sh .ci/run
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@echo manage.py check --deploy --fail-level WARNING
	@$(PRODUCTION_ENV) $(MANAGE) check --deploy --fail-level WARNING
	@echo manage.py makemigrations --check --dry-run
	@$(PRODUCTION_ENV) $(MANAGE) makemigrations --check --dry-run
	@echo manage.py collectstatic --dry-run --noinput --verbosity 0
	@$(PRODUCTION_ENV) $(MANAGE) collectstatic --dry-run --noinput --verbosity 0

bench: install-dev ## Measure the running product and write docs/benchmarks.md
	@$(PYTHON) -m benchmarks $(ARGS)

bench-ui: install-dev ## Measure the pages on a database of 100,000 requests (ARGS="--requests 500 --stack sqlite")
	@$(PYTHON) -m benchmarks.ui $(ARGS)

screens: install-dev ## Take pictures of every page, light, dark and mobile, into screens/ (ARGS="somewhere/else")
	@$(PYTHON) -m benchmarks.ui.screens $(ARGS)

chaos: install-dev ## Kill workers, web and the database under load and show that nothing is lost
	@$(PYTHON) -m benchmarks.chaos $(ARGS)

install: $(VENV)/.installed
install-dev: $(VENV)/.installed-dev

clean: ## Remove the virtual environment and caches (not the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache staticfiles

$(VENV)/.installed: requirements.txt constraints.txt $(VENV)/pyvenv.cfg
	@echo "Installing what Mash needs into $(VENV) ..."
	@$(PIP) --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt requirements.txt constraints.txt $(VENV)/pyvenv.cfg
	@echo "Installing what checks and tests need into $(VENV) ..."
	@$(PIP) --requirement requirements-dev.txt
	@touch $@ $(VENV)/.installed

# A half-made environment is removed, so that the next try begins afresh.
$(VENV)/pyvenv.cfg:
	@found=; for python in python3 python3.14 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then echo "Mash needs Python 3.11 or newer; install it and run make again." >&2; exit 1; fi; \
	$$found -m venv --clear $(VENV) || { \
		rm -rf $(VENV); echo "Python cannot make virtual environments: install python3-venv." >&2; exit 1; }

# Two commands do all the set-up on a fresh machine: `make refresh` and `make test`.
SHELL := /bin/bash
PYTHON ?= $(or $(firstword $(foreach minor,11 12 13,$(shell command -v python3.$(minor)))),python3.11)
# Another DuckDB than the locked one, in an environment of its own: make test DUCKDB=2
OTHER_DUCKDB := $(if $(findstring command line,$(origin DUCKDB)),$(DUCKDB))
VENV := .venv$(if $(OTHER_DUCKDB),/duckdb-$(OTHER_DUCKDB))
BIN := $(VENV)/bin

# No telemetry, from any of the tools.
export DO_NOT_TRACK := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export DAGSTER_HOME := $(CURDIR)/.dagster_home
export DBT_PROFILES_DIR := $(CURDIR)/profiles
# Compiled Python is kept: without it every step starts twice as slowly.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: backfill docs forget hand-over postgres receipts refresh test test-all test-spark test-evidence test-superset test-year dev check settings
.PHONY: map meanings metrics treatments lint rollback lock clean
.PHONY: benchmark benchmark-affinities benchmark-daily benchmark-growth benchmark-offers

# Spark is installed where it is asked for, and for the tests that compare the engines.
TARGET_READY := $(VENV)/.ready$(if $(filter spark,$(DBT_TARGET)),-spark)

refresh: $(TARGET_READY)
	@$(BIN)/python -m orchestration refresh

# In two processes, the long tests first; the tests of a file stay together, because they share what is built for them.
PYTEST = $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# What a person runs before a commit: all but the tests that are marked `slow`.
test: $(VENV)/.ready
	@$(PYTEST) -m "not slow"

# What CI runs: with both engines, kills half-way, a year in fortnights and a real browser; all but what is opt-in below.
test-all: $(VENV)/.ready-spark
	@$(PYTEST)

# A year of daily refreshes on a simulated clock, a refresh a day: about an hour (make test-all takes one a fortnight).
test-year: $(VENV)/.ready
	@YEAR_STEP=1 $(BIN)/python -m pytest tests/integration/test_simulated_year.py

# The demo on both engines, table by table; then two days of a small dirty landing zone with a Spark for each refresh, of
# which `make test-all` compares the first through a thrift server: about an hour.
test-spark: $(VENV)/.ready-spark
	@$(BIN)/python -m tests.support.engines.demo

# Apache Superset with the dashboard of dashboards/superset, in an environment of its own (860 MB, some minutes): opt-in.
test-superset: $(VENV)/.ready
	@TEST_SUPERSET=1 $(BIN)/python -m pytest tests/clients/test_superset.py

# Evidence with the pages of dashboards/evidence, from npm (600 MB, some minutes): opt-in.
test-evidence: $(VENV)/.ready
	@TEST_EVIDENCE=1 $(BIN)/python -m pytest tests/clients/test_evidence.py

# Proposes a mapping file for a folder of exports and shows what would land: make map FROM=/data/export
map: $(VENV)/.ready
	@$(BIN)/python -m orchestration map

# What holds of settings and seeds, and from where: SETTINGS=… SEEDS_DIR=… make settings
settings: $(VENV)/.ready
	@$(BIN)/python -m orchestration settings

# The shop's own categories by spend, with proposals, to be filled in and taken back: SEEDS_DIR=… LANDING_DIR=… make meanings
meanings: $(VENV)/.ready
	@$(BIN)/python -m orchestration meanings

check: $(VENV)/.ready
	@$(BIN)/python -m orchestration check

# The treatments as a workbook, a sheet a scheme (FILE=… for another place), and back: make treatments FROM=treatments.xlsx
treatments: $(VENV)/.ready
	@$(BIN)/python -m orchestration treatments

rollback: $(VENV)/.ready
	@$(BIN)/python -m orchestration rollback

# Publishes in PostgreSQL (PUBLISH_POSTGRES_DSN) what is published here, without a refresh.
postgres: $(VENV)/.ready
	@$(BIN)/python -m orchestration postgres

# Removes a person from everything that was built, published and exported: make forget ID=12345
# The id as it was typed: make would take `$x` in it for a variable of its own, and forget somebody else.
override export ID := $(value ID)
forget: $(VENV)/.ready
	@$(BIN)/python -m orchestration forget

# Gives the targets in AUDIENCE_TARGET the published audiences, without a refresh.
hand-over: $(VENV)/.ready
	@$(BIN)/python -m orchestration hand-over

# Takes back what senders have left there; it lands as touchpoints and responses, for the next refresh.
receipts: $(VENV)/.ready
	@$(BIN)/python -m orchestration receipts

# Computes dates of the history grid again, all in one run: make backfill FROM=2024-01-01 TO=2024-06-01
backfill: $(TARGET_READY)
	@$(BIN)/python -m orchestration backfill

# dbt's documentation of models, columns and lineage, on 127.0.0.1; after a refresh it knows the tables' sizes too.
docs: $(TARGET_READY)
	@$(BIN)/dbt docs generate --quiet
	@$(BIN)/dbt docs serve --host 127.0.0.1 --port $(or $(DOCS_PORT),8080) --no-browser

dev: $(TARGET_READY)
	@$(BIN)/dagster dev -h 127.0.0.1 -p 3000 -m orchestration.definitions

# A metric of what is published, by MetricFlow: make metrics ASK="query --metrics spend --group-by metric_time__month,segment__scheme"
# The words as typed, quotes in them included; without ASK, what can be asked (docs/metrics.md).
metrics: $(VENV)/.ready
	@$(BIN)/python -m orchestration metrics $(ASK)

lint: $(VENV)/.ready
	@$(BIN)/ruff check orchestration tests
	@$(BIN)/ruff format --check orchestration tests
	@$(BIN)/mypy
	@$(BIN)/dbt parse --quiet --no-partial-parse
	@$(BIN)/sqlfluff lint --processes 0 models tests/dbt
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/dbt-bouncer run --config-file dbt-bouncer.yml

# The environment in the project, from the lock file; made again only when the lock file changes.
$(VENV)/.ready: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is not here: set PYTHON to a Python from 3.11 to 3.13, e.g. make refresh PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) (once, about a minute)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(if $(OTHER_DUCKDB),$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "duckdb==$(OTHER_DUCKDB).*")
	@touch $@

# On top of it, Spark and dbt's adapter for it.
$(VENV)/.ready-spark: $(VENV)/.ready requirements-spark.lock
	@echo "Adding Spark to $(VENV) (once, about two minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-spark.lock
	@touch $@

# The second day's refresh against the first, on a generated landing zone: `make benchmark-daily LINES=5000000`.
benchmark-daily: $(VENV)/.ready
	@$(BIN)/python -m tests.benchmarks.daily

# One table: a refresh beside the least in plain DuckDB, and pairs beside pandas, Polars and the miners, in one run:
# `LINES=20000000 RUNS=3 make benchmark`. What each of them says in more words: benchmark-affinities, -offers, -daily, -growth.
benchmark: $(VENV)/benchmark/.ready
	@$(BIN)/python -m tests.benchmarks.together

# What each model costs as a shop grows, and which are steeper than linear: `LINES="10000 100000 1000000" make benchmark-growth`.
benchmark-growth: $(VENV)/.ready
	@$(BIN)/python -m tests.benchmarks.growth

# Side by side with other tools, in an environment of their own (the extra `benchmark`); minutes, not part of `make test`.
benchmark-affinities benchmark-offers: benchmark-%: $(VENV)/benchmark/.ready
	@$(VENV)/benchmark/bin/python -m tests.benchmarks.$*

$(VENV)/benchmark/.ready: $(VENV)/.ready pyproject.toml
	@$(PYTHON) -m venv --clear $(VENV)/benchmark
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['benchmark'], sep='\n')" > $(VENV)/benchmark/requirements.txt
	@$(VENV)/benchmark/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/benchmark/requirements.txt
	@$(BIN)/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['benchmark-where-it-installs'], sep='\n')" > $(VENV)/benchmark/optional.txt
	@$(VENV)/benchmark/bin/python -m pip install --quiet --disable-pip-version-check --requirement $(VENV)/benchmark/optional.txt || echo "left out, as they do not install here: $$(cat $(VENV)/benchmark/optional.txt)"
	@touch $@

# For maintainers: resolves pyproject.toml again for Python 3.11 to 3.13, with hashes and without download addresses.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes \
		--no-strip-extras --no-annotate --no-header --no-emit-index-url --output-file requirements.lock
	uv pip compile pyproject.toml --extra spark --universal --python-version 3.11 --generate-hashes \
		--constraints requirements.lock \
		--no-strip-extras --no-annotate --no-header --no-emit-index-url --output-file requirements-spark.lock

clean:
	rm -rf $(VENV) target logs

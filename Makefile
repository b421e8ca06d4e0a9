# Each target makes what it needs first: a virtual environment with locked dependencies.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes

.PHONY: help serve listen test coverage check lowest format bench bench-webhooks bench-attacks bench-idle bench-reset bench-stalls collections contract coverage-page bench-contract lock clean

help:
	@echo "make serve   run the server on http://127.0.0.1:8010"
	@echo "make listen  print the webhooks that arrive on http://127.0.0.1:8020"
	@echo "make test    run the tests"
	@echo "make coverage  the same, with the lines that they reach"
	@echo "make check   format, lint, types, import order"
	@echo "make lowest  install the wheel with the lowest versions that it takes, and test it"
	@echo "make bench   compare the server's speed with its floors"
	@echo "make bench-webhooks  the same while five webhook endpoints hang"
	@echo "make bench-attacks  the memory that the server takes for what strangers may send"
	@echo "make bench-idle  count the requests that pooled clients lose"
	@echo "make bench-reset  time the reset of a site with 10,000 orders"
	@echo "make bench-stalls  say how long the heavy calls of /_mock make others wait"
	@echo "make format  rewrite the code in the project's format"
	@echo "make coverage-page  write docs/coverage.md"
	@echo "make collections  write the requests for Postman and editors"
	@echo "make contract SPEC=path  write the facts of API v1 from Chargebee's OpenAPI description"
	@echo "make bench-contract  time the facts: their index, parameters, a form, a document"
	@echo "make lock    choose the newest dependencies and lock them"

serve: .venv/runtime
	$(BIN)/python -m mock_server serve $(ARGS)

listen: .venv/runtime
	$(BIN)/python -m mock_server listen $(ARGS)

test: .venv/development
	$(BIN)/python -m pytest --numprocesses 4 $(ARGS)

coverage: .venv/development
	$(BIN)/python -m pytest --numprocesses 4 --cov --cov-report term $(ARGS)

check: .venv/development
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lowest: .venv/development
	$(BIN)/python -m scripts.lowest_versions

format: .venv/development
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/development
	$(BIN)/python -m benchmarks.orders $(ARGS)

bench-webhooks: .venv/development
	$(BIN)/python -m benchmarks.hanging $(ARGS)

bench-attacks: .venv/development
	$(BIN)/python -m benchmarks.attacks $(ARGS)

coverage-page: .venv/development
	$(BIN)/python -m scripts.coverage_page

bench-idle: .venv/development
	$(BIN)/python -m benchmarks.idle $(ARGS)

collections: .venv/development
	$(BIN)/python -m scripts.http_collections

contract: .venv/development
	$(BIN)/python -m scripts.contract $(SPEC)

bench-reset: .venv/development
	$(BIN)/python -m benchmarks.reset $(ARGS)

bench-stalls: .venv/development
	$(BIN)/python -m benchmarks.stalls $(ARGS)

bench-contract: .venv/development
	$(BIN)/python -m benchmarks.contract $(ARGS)

lock: .venv/development
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile $(LOCK) pyproject.toml --group dev --output-file requirements-dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header

.venv/runtime: requirements.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --requirement requirements.txt
	touch $@

.venv/development: requirements-dev.txt .venv/runtime
	$(PIP) --requirement requirements-dev.txt
	touch $@

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage build dist

# `make help` lists what there is. Everything is set up in .venv; nothing outside this folder is touched.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
# Tests run in random order; SEED repeats the order of a run, which prints its seed at the top.
ORDER = $(if $(SEED),--randomly-seed $(SEED))

.PHONY: help run test timings prove test-servers test-stream contract e2e frontend frontend-check pictures chaos simulate oracle examples relay readme check format schema bench bench-full profile load bench-stream bench-idle monitoring-check lock clean

##@ Run it

run: $(VENV)/local ## Serve on http://127.0.0.1:8000 with demo data, on servers of its own (PORT=…, HOST=…).
	@exec $(BIN)/taskriver dev

prove: $(VENV)/local ## Try what README promises on this machine, in a minute or two (ARGS="stream alike").
	@$(BIN)/python tools/prove.py $(ARGS)

help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

##@ Check a change

check: $(VENV)/dev ## Format, lint, types, import contracts, schema snapshot, migrations = models.
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/house_rules

test: $(VENV)/dev ## Run the tests in random order, on servers of their own (ARGS="-k name", SEED=… repeats an order).
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ORDER) \
		--ignore tests/e2e --ignore tests/load --ignore tests/embedded --ignore tests/timings \
		--ignore tests/chaos --ignore tests/simulation --ignore tests/examples --ignore tests/relay --ignore tests/readme $(ARGS)

test-servers: $(VENV)/dev ## Run the slow tests of whole servers: first starts, several processes, sudden ends, load.
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ORDER) tests/e2e tests/load tests/embedded

test-stream: $(VENV)/dev ## Run the slow tests of the stream: 10,000 histories, faults; `make examples` has the clients that resume.
	@status=0; \
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal $(ORDER) tests/simulation || status=1; \
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ORDER) tests/chaos || status=1; \
	exit $$status

format: $(VENV)/dev ## Put the code into the house's shape.
	@$(BIN)/python -m ruff check --fix --exit-zero .
	@$(BIN)/python -m ruff format .

schema: $(VENV)/dev ## Write schema.graphql anew after a change of the API.
	@$(BIN)/taskriver export-schema > schema.graphql.new
	@mv schema.graphql.new schema.graphql

##@ Pages and examples

e2e: $(VENV)/local ## Use the pages in a real browser (needs node 20; PAGE=graphiql, SCREENSHOTS=folder).
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/npm-install tests/browser && cd tests/browser && \
		node run.mjs $(or $(PAGE),*).test.mjs

examples: $(VENV)/dev ## Check the examples and use them, in a real browser too (needs node 20; ONLY=word, SCREENSHOTS=folder).
	@tools/npm-install examples/resumable examples/urql examples/apollo
	@for each in urql apollo; do (cd examples/$$each && npm run --silent check) || exit 1; done
	@MYPYPATH=examples/resumable $(BIN)/python -m mypy --no-error-summary examples/python/tasks.py
	@$(BIN)/python -m pytest -q -n 2 tests/examples/test_python.py tests/examples/test_resumable.py tests/examples/node_resumable.py
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/npm-install tests/browser && cd tests/browser && \
		node run.mjs examples/examples.test.mjs

relay: $(VENV)/dev ## Page through every connection with Relay's own compiler and runtime (needs node 20).
	@tools/npm-install tests/relay
	@$(BIN)/python -m pytest -q tests/relay

readme: $(VENV)/dev ## Run every command of README and of its readers' pages (needs node 20, and a network to install from).
	@$(BIN)/python -m pytest tests/readme

frontend: ## Build the pages that browsers see anew, after a change below frontend/ (needs node 20).
	@tools/build-frontend $(PAGE)

frontend-check: ## Check types, documents and state of the pages, without a browser (needs node 20).
	@tools/npm-install frontend/board && cd frontend/board && npm run --silent check

pictures: $(VENV)/local ## Take the pictures of docs/ anew, from the running product (needs node 20).
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/npm-install tests/browser && cd tests/browser && \
		node pictures.mjs

##@ Hunt for faults

oracle: $(VENV)/dev ## Ask 20,000 generated documents in both ways, compiled and in general, and compare the bytes (DOCUMENTS=…).
	@ORACLE_DOCUMENTS=$(or $(DOCUMENTS),20000) $(BIN)/python -m pytest -q -n 2 -p no:cacheprovider --timeout 3600 tests/graphql_api/execution/oracle

simulate: $(VENV)/dev ## Run 100,000 histories of the stream under a virtual clock (HISTORIES=…, ARGS="--seed N" tells one).
	@$(BIN)/python -m tests.simulation $(or $(ARGS),--histories $(or $(HISTORIES),100000))

chaos: $(VENV)/dev ## Hurt two server processes and their servers 100 times, and judge what was heard (CYCLES=100, SEED=7).
	@$(BIN)/python -m tests.chaos --cycles $(or $(CYCLES),100) --seed $(or $(SEED),7)

contract: $(VENV)/dev ## Send 1,000 and more generated requests to the REST door, and compare with its description (EXAMPLES=72).
	@$(BIN)/python -m tests.graphql_api.rest.contract --max-examples $(or $(EXAMPLES),72)

monitoring-check: $(VENV)/dev ## Ask a real Prometheus about rules, scrape and dashboard (LOAD=30 seconds, SCREENSHOTS=folder).
	@$(BIN)/python tools/monitoring_check.py --seconds $(or $(LOAD),30) $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

##@ Measure

timings: $(VENV)/dev ## Measure how long things take that should be quick, and print the figures; nothing fails by them.
	@$(BIN)/python -m pytest -q tests/timings

bench: $(VENV)/dev ## Compare with Mercurius and Strawberry: five minutes; needs wrk and node (ARGS="W1 --peers ours,mercurius").
	@$(BIN)/python -m benchmarks $(ARGS)

bench-full: $(VENV)/dev ## Compare with everybody, and write docs/benchmarks.md; goes on where it was (ARGS="--minutes 9").
	@$(BIN)/python -m benchmarks.full $(ARGS)

bench-stream: $(VENV)/dev ## Measure deliveries: one execution for all against one for each (ARGS=--short).
	@$(BIN)/python -m benchmarks.stream $(ARGS)

bench-idle: $(VENV)/dev ## Measure what an idle subscribed socket takes (ARGS="--sockets 500").
	@$(BIN)/python -m benchmarks.idle $(ARGS)

load: $(VENV)/dev ## Put the server under the load of hundreds of clients, by Locust (ARGS="mixed --workers 2").
	@$(BIN)/python -m tests.load $(ARGS)

profile: $(VENV)/dev ## Say where our server spends its time under a workload (WORKLOAD=W2).
	@$(BIN)/python -m benchmarks.profile $(or $(WORKLOAD),W2) $(ARGS)

##@ Maintain

lock: ## Choose the newest versions that pyproject.toml allows, and write the lock files (needs uv).
	@tools/lock

clean: ## Remove what was set up, and keep the data in .taskriver.
	@rm -rf $(VENV)

# A stamp says which lock file the environment agrees with; `dev` includes everything that `local` has.
# Python compiles what is used when it is used first, which is sooner than all of it now.
$(VENV)/local: requirements-local.lock pyproject.toml | $(VENV)/created
	@echo "Installing what it needs …"
	@$(PIP) install --quiet --no-compile --require-hashes --requirement requirements-local.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/local
	@echo "Installing what tests and checks need …"
	@$(PIP) install --quiet --no-compile --require-hashes --requirement requirements-dev.lock
	@touch $@

$(VENV)/created:
	@$(PYTHON) tools/prerequisites.py
	@$(PYTHON) -m venv $(VENV)
	@touch $@

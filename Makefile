# `make help` lists the targets. Everything is installed in .venv; nothing outside this folder changes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
# Tests start hundreds of processes, which share the compiled modules in __pycache__.
unexport PYTHONDONTWRITEBYTECODE
# Tests run in random order. SEED=… repeats the order of a run, which prints its seed at the top.
ORDER = $(if $(SEED),--randomly-seed $(SEED))

.PHONY: help run test test-slow test-executors coverage timings prove test-servers test-stream contract documents permissions e2e frontend frontend-check pictures chaos ha drill outages simulate oracle probes examples client client-check manifests relay providers readme check format schema bench bench-full profile load bench-stream bench-idle bench-capacity monitoring-check lock clean

##@ Run

run: $(VENV)/local ## Serve on http://127.0.0.1:8000 with demo data and private servers (PORT=…, HOST=…).
	@exec $(BIN)/taskriver dev

prove: $(VENV)/local ## Test the promises of README on this machine, in one to two minutes (ARGS="stream alike").
	@$(BIN)/python tools/prove.py $(ARGS)

help: ## Show this list.
	@awk 'BEGIN { FS = ":.*## " } /^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

##@ Check a change

check: $(VENV)/dev ## Check format, lint, types, imports, schema snapshot, and that migrations match the models.
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -q tests/project_rules

# Suites of one process that take long for what they tell about most changes. `make test` sends a part of their cases.
MUTANTS := tests/graphql_api/compiler/oracle/test_mutations.py::TestTheOracleBites \
	tests/graphql_api/compiler/oracle/test_oracle.py::TestTheOracleBites \
	tests/graphql_api/delivery/test_mutants.py tests/probes/test_mutants.py
SLOW_SUITES := tests/graphql_api/compiler/oracle $(filter-out tests/graphql_api/compiler/%,$(MUTANTS)) \
	tests/probes/test_probes.py tests/persistence/test_errors.py
ONLY_SLOW := tests/new_noun tests/persistence/test_migrations_in_use.py tests/persistence/test_plans.py \
	tests/cli/test_output.py tests/cli/test_import_killed.py tests/graphql_api/delivery/test_same_bytes.py \
	tests/graphql_api/execution/test_introspection.py tests/rest_api/test_schemathesis.py \
	tests/streaming/test_failover.py tests/streaming/test_sentinel_failover.py \
	tests/persistence/test_synchronous_commits.py tests/persistence/test_several_hosts.py \
	tests/persistence/test_expand_contract.py tests/persistence/test_migration_locks.py tests/persistence/test_migrations.py \
	tests/streaming/test_sentinel_tls.py tests/streaming/test_unusable_redis.py tests/cli/test_transfer_subtasks.py \
	tests/cli/test_demo_data.py

test: $(VENV)/dev ## Run the tests in random order, with an eighth of the generated cases (ARGS="-k name", SEED=…, CASES=all).
	@GENERATED_CASES=$(or $(CASES),few) $(BIN)/python -m pytest -n auto --dist worksteal $(ORDER) \
		$(addprefix --ignore ,tests/e2e tests/load tests/embedded tests/timings tests/chaos tests/simulation tests/drill tests/outages \
		tests/examples tests/manifests tests/relay tests/readme tests/pooler tests/providers $(ONLY_SLOW)) $(addprefix --deselect ,$(MUTANTS)) $(ARGS)

test-slow: $(VENV)/dev ## Run all generated cases, mutants that tests must detect, plans of statements, failovers, and a new noun.
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ORDER) $(SLOW_SUITES) $(ONLY_SLOW) $(ARGS)

# Suites whose requests go through an executor, and mean the same with either of them.
EXECUTOR_SUITES := $(addprefix tests/graphql_api/test_,$(addsuffix .py,attacks bad_input comments \
	conformance date_time errors idempotency labels matrix nested_fields nested_history nested_project_fields newer_history nodes \
	project_tasks projects root_queries sessions sql_counts stream_operations task_places tasks users)) \
	$(addprefix tests/graphql_api/execution/test_,$(addsuffix .py,compiled_executor executor limits persisted_queries \
	validation)) tests/graphql_api/resolvers/test_delivery.py tests/graphql_api/transports/test_http.py \
	$(addprefix tests/graphql_api/auth/test_,$(addsuffix .py,authenticator cookies tokens)) \
	$(addprefix tests/observability/test_,$(addsuffix .py,exception_log logging tracing)) \
	tests/server/test_metrics_collector.py tests/error_messages/test_graphql.py

test-executors: $(VENV)/dev ## Run the tests of the API on the executor that `make test` leaves out (EXECUTOR=compiled).
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ORDER) \
		--executor $(or $(EXECUTOR),general) $(EXECUTOR_SUITES) $(ARGS)

# Coverage takes half as much time again as the tests alone.
COVERED_SUITES := tests/domain tests/services tests/verification tests/persistence tests/graphql_api/compiler \
	tests/graphql_api/execution \
	$(filter tests/graphql_api/test_%,$(EXECUTOR_SUITES))

coverage: $(VENV)/dev ## Measure lines and branches that tests run, by package (SUITES="tests/services …", HTML=folder).
	@rm -rf .coverage && mkdir .coverage
	@$(BIN)/python -m coverage run -m pytest -q -n auto --dist worksteal $(ORDER) \
		$(addprefix --deselect ,$(MUTANTS)) \
		$(or $(SUITES),$(COVERED_SUITES)) $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(if $(HTML),$(BIN)/python -m coverage html --quiet --directory $(HTML))
	@$(BIN)/python tools/coverage_totals.py

test-servers: $(VENV)/dev ## Run the slow tests of complete servers: first start, several processes, crashes, load, PgBouncer.
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ORDER) tests/e2e tests/load tests/embedded tests/drill tests/pooler

# The simulation computes, with a virtual clock. The injected faults wait, and their latencies are measured: they go first.
test-stream: $(VENV)/dev ## Run the slow tests of the event stream: 4,000 histories, injected faults.
	@tools/at-once "$(BIN)/python -m pytest -n 2 --dist worksteal $(ORDER) tests/chaos tests/outages" \
		"nice -n 19 $(BIN)/python -m pytest -n auto --dist worksteal $(ORDER) tests/simulation"

format: $(VENV)/dev ## Format the code and fix lint errors.
	@$(BIN)/python -m ruff check --fix --exit-zero .
	@$(BIN)/python -m ruff format .

schema: $(VENV)/dev ## Update schema.graphql after a change of the API.
	@$(BIN)/taskriver export-schema > schema.graphql.new
	@mv schema.graphql.new schema.graphql

documents: $(VENV)/dev ## Update the trusted documents of the pages and the commands after a change of their documents.
	@$(BIN)/python -m tools.own_documents

permissions: $(VENV)/dev ## Update the tables of docs/permissions.md after a change of the policy.
	@$(BIN)/python -m tools.permission_tables

##@ Pages and examples

e2e: $(VENV)/local ## Test the pages in a real browser (needs node 20; PAGE=graphiql, SCREENSHOTS=folder).
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/npm-install tests/browser && cd tests/browser && \
		node run.mjs $(or $(PAGE),*).test.mjs

examples: $(VENV)/dev ## Check and run the examples, also in a real browser (needs node 20; ONLY=word, SCREENSHOTS=folder).
	@tools/npm-install clients/typescript examples/resumable examples/urql examples/apollo tests/browser
	@for each in urql apollo; do (cd examples/$$each && npm run --silent check) || exit 1; done
	@MYPYPATH=examples/resumable $(BIN)/python -m mypy --no-error-summary examples/python/tasks.py
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/at-once \
		"cd tests/browser && node run.mjs examples/examples.test.mjs client/client.test.mjs" \
		"nice -n 10 $(BIN)/python -m pytest -q -n 2 tests/examples/test_python.py tests/examples/test_resumable.py tests/examples/test_resumable_faults.py tests/examples/node_resumable.py"

client: ## Build the client package, as a file to install, and the helper that is made of it (needs node 20).
	@tools/npm-install clients/typescript && cd clients/typescript && npm run --silent single-file && npm pack --silent

client-check: ## Check the types, the size and the behaviour of the client package (needs node 20).
	@tools/npm-install clients/typescript && cd clients/typescript && npm run --silent check

relay: $(VENV)/dev ## Test the pagination of every connection with Relay's compiler and runtime (needs node 20).
	@tools/npm-install tests/relay
	@$(BIN)/python -m pytest -q tests/relay

manifests: $(VENV)/dev ## Let graphql-codegen, Relay and Apollo write manifests of trusted documents, and add them (needs node 20).
	@tools/npm-install tests/manifests
	@$(BIN)/python -m pytest -q tests/manifests

# Canaille has an environment of its own: its packages are not among those of the server.
CANAILLE := $(VENV)/canaille
$(CANAILLE)/installed: tests/providers/requirements.lock | $(VENV)/created
	@$(BIN)/python -m venv $(CANAILLE)
	@$(CANAILLE)/bin/python -m pip --disable-pip-version-check install --quiet --no-compile --require-hashes --requirement $<
	@touch $@

providers: $(VENV)/dev $(CANAILLE)/installed ## Sign in through real OpenID Connect providers: oidc-provider and Canaille (needs node 20).
	@tools/npm-install tests/providers
	@$(BIN)/python -m pytest -q tests/providers $(ARGS)

readme: $(VENV)/dev ## Run every command of README and of the linked pages (needs node 20 and network access).
	@$(BIN)/python -m pytest tests/readme

frontend: ## Build the browser pages after a change in frontend/ (needs node 20).
	@tools/build-frontend $(PAGE)

frontend-check: ## Check types, GraphQL documents and state of the pages, without a browser (needs node 20).
	@for each in account board; do (tools/npm-install frontend/$$each && cd frontend/$$each && npm run --silent check) || exit 1; done

pictures: $(VENV)/local ## Update the pictures of docs/ from the running product (needs node 20).
	@CHROMIUM=$$(tools/browser) && export CHROMIUM && tools/npm-install tests/browser && cd tests/browser && \
		node pictures.mjs

##@ Find faults

oracle: $(VENV)/dev ## Run 20,000 generated queries, 5,000 mutations and 1,400 races on both executors, and compare (DOCUMENTS=…).
	@ORACLE_DOCUMENTS=$(or $(DOCUMENTS),20000) $(BIN)/python -m pytest -q -n 2 -p no:cacheprovider --timeout 3600 tests/graphql_api/compiler/oracle

simulate: $(VENV)/dev ## Simulate 100,000 histories of the stream with a virtual clock (HISTORIES=…, ARGS="--seed N" prints one).
	@$(BIN)/python -m tests.simulation $(or $(ARGS),--histories $(or $(HISTORIES),100000))

probes: $(VENV)/dev ## Send 100,000 generated requests for objects of other users to all entry points (PROBES=…, SEED=1).
	@$(BIN)/python -m tests.probes --probes $(or $(PROBES),100000) --seed $(or $(SEED),1) $(ARGS)

chaos: $(VENV)/dev ## Inject 100 faults into two server processes and their servers, and verify the stream (CYCLES=100, SEED=7).
	@$(BIN)/python -m tests.chaos --cycles $(or $(CYCLES),100) --seed $(or $(SEED),7)

drill: $(VENV)/dev ## Restore a backup to a point in time, and compare.
	@$(BIN)/python -m tests.drill

outages: $(VENV)/dev ## Measure what users notice during outages; as root for all (ARGS="--only 'dead Redis' --write").
	@$(BIN)/python -m tests.outages $(ARGS)

ha: $(VENV)/dev ## Fail over a real cluster 100 times, and verify the stream; continues an earlier table (CYCLES=…, MODE=asynchronous, ARGS=--new).
	@$(BIN)/python -m tests.ha --cycles $(or $(CYCLES),100) --mode $(or $(MODE),synchronous) $(ARGS)

contract: $(VENV)/dev ## Send 1,000 and more generated requests to the REST API and compare with its OpenAPI document (EXAMPLES=72).
	@$(BIN)/python -m tests.rest_api.contract --max-examples $(or $(EXAMPLES),72)

monitoring-check: $(VENV)/dev ## Test alerts, metrics and dashboard with a real Prometheus (LOAD=30 seconds, SCREENSHOTS=folder).
	@$(BIN)/python tools/monitoring_check.py --seconds $(or $(LOAD),30) $(if $(SCREENSHOTS),--screenshots $(SCREENSHOTS))

##@ Measure

timings: $(VENV)/dev ## Measure operations that should be fast, and print the figures. They never fail.
	@$(BIN)/python -m pytest -q tests/timings

bench: $(VENV)/dev ## Compare with Mercurius, in less than seven minutes (needs wrk and node; ARGS="W1 --peers ours,apollo").
	@$(BIN)/python -m benchmarks $(ARGS)

bench-full: $(VENV)/dev ## Compare with all peers and write docs/benchmarks.md; continues an earlier run (ARGS="--minutes 9").
	@$(BIN)/python -m benchmarks.full $(ARGS)

bench-stream: $(VENV)/dev ## Measure event delivery: one shared execution compared with one per subscriber (ARGS=--short).
	@$(BIN)/python -m benchmarks.stream $(ARGS)

bench-idle: $(VENV)/dev ## Measure the memory of an idle subscribed socket (ARGS="--sockets 500").
	@$(BIN)/python -m benchmarks.idle $(ARGS)

bench-capacity: $(VENV)/dev ## Measure 10 million tasks, 10,000 members and 20,000 sockets (ARGS=--short; ARGS="connections --sizes 5000").
	@$(BIN)/python -m benchmarks.capacity $(ARGS)

load: $(VENV)/dev ## Load the server with hundreds of Locust clients (ARGS="mixed --workers 2").
	@$(BIN)/python -m tests.load $(ARGS)

profile: $(VENV)/dev ## Profile the server under a workload (WORKLOAD=W2).
	@$(BIN)/python -m benchmarks.profile $(or $(WORKLOAD),W2) $(ARGS)

##@ Maintain

lock: ## Update the lock files to the newest versions that pyproject.toml allows (needs uv).
	@tools/lock

clean: ## Remove .venv. The data in .taskriver are kept.
	@rm -rf $(VENV)

# A stamp file records that the environment matches its lock file. `dev` includes everything in `local`.
# --no-compile: Python compiles modules when they are first imported, which is faster than compiling all of them now.
$(VENV)/local: requirements-local.lock pyproject.toml | $(VENV)/created
	@echo "Installing dependencies …"
	@$(PIP) install --quiet --no-compile --require-hashes --requirement requirements-local.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/local
	@echo "Installing development dependencies …"
	@$(PIP) install --quiet --no-compile --require-hashes --requirement requirements-dev.lock
	@touch $@

$(VENV)/created:
	@$(PYTHON) tools/prerequisites.py
	@$(PYTHON) -m venv $(VENV)
	@touch $@

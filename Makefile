# Millgate's commands. `make help` lists them; the work is in scripts/, so that it reads and runs on its own.

SHELL := /bin/bash
FUZZ_SECONDS ?= 5
BENCH_ARGS ?=
CRASH_ARGS ?=
CHAOS_ROUNDS ?= 1000
CHAOS_SEED ?= 1
CHAOS_ARGS ?=
DUPLICATES_ARGS ?=
SHIFT_ARGS ?=
BATCH_ARGS ?=
ATTACKS_ARGS ?=
FUZZ_ARGS ?=
IDLE_ARGS ?=
STORM_ARGS ?=
PENDING_ARGS ?=
TEST_ARGS ?=
export FUZZ_SECONDS
# So many tests at once: each has its share of a small machine, and how long one took means something.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH ?= 12

.DEFAULT_GOAL := help
.PHONY: help run build test cel-conformance jwt-conformance bench count attacks crash chaos duplicates shift-change \
	batch-load idle storm test-asan test-tsan lint simulate fuzz format clean

help: ## List these commands.
	@echo "Millgate: a governed gateway between plant applications and Odoo"
	@echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 24

run: ## Build and start the gateway with a built-in Odoo; ODOO_URL= ODOO_DB= ODOO_LOGIN= ODOO_KEY_FILE= for a real one.
	@exec scripts/run.sh

build: ## Build .build/release/millgate.
	@scripts/install-deps.sh build
	@scripts/build.sh

test: ## Run every test, unit and end to end; TEST_ARGS='--filter JSONTests' for some.
	@scripts/install-deps.sh test
	@scripts/venv.sh
	swift test --disable-xctest $(TEST_ARGS)

jwt-conformance: ## Run Wycheproof's JWS and JWK vectors; WYCHEPROOF=DIR is a newer testvectors_v1 of github.com/C2SP/wycheproof.
	@scripts/jwt-conformance.sh

cel-conformance: ## Run cel-spec's public cases; CEL_SPEC=DIR is a checkout of github.com/google/cel-spec.
	@scripts/cel-conformance.sh

bench: ## Measure Millgate beside nginx, HAProxy, nghttpx and Envoy; BENCH_ARGS='--scenario plain' measures that anew.
	@scripts/install-deps.sh bench
	@scripts/build.sh
	@$(if $(BENCH_ARGS),,rm -f .build/bench.json)
	@python3 bench/bench.py --out .build/bench.json $(BENCH_ARGS)
	@$(if $(BENCH_ARGS),,python3 bench/lifecycle.py --out .build/bench.json)
	@$(if $(BENCH_ARGS),,python3 bench/policies.py --entries 0 --out .build/bench.json)
	@$(if $(BENCH_ARGS),,python3 bench/scale.py --out .build/bench.json)
	@python3 bench/report.py .build/bench.json docs/PERFORMANCE.md

count: ## Count instructions per request and hold them against bench/instructions.json; UPDATE=1 writes it anew.
	@scripts/install-deps.sh count
	@scripts/build.sh
	@python3 bench/counting.py $(if $(UPDATE),--update)

attacks: ## Attack the gateway in every way known to us beside an honest client, and write docs/ATTACKS.md.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/attacks.py --kept .build/attacks.json --write docs/ATTACKS.md $(ATTACKS_ARGS)

crash: ## Kill the gateway 20 times during a stream of confirmations, and count what was lost or doubled (nothing).
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/crash.py $(CRASH_ARGS)

storm: ## 10,000 events to 100 subscribers, a tenth of them sick, with kill -9; then a million deliveries that wait.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/storm.py $(STORM_ARGS)
	@python3 Tests/Plant/pending.py $(PENDING_ARGS)

chaos: ## Every write through 1,000 kills, lost answers, faults and restarts of a real gateway; then in simulated rounds.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/chaos.py --seed $(CHAOS_SEED) $(CHAOS_ARGS)
	@set -o pipefail; MILLGATE_CHAOS_ROUNDS=$(CHAOS_ROUNDS) MILLGATE_CHAOS_SEED=$(CHAOS_SEED) \
		swift test --disable-xctest --filter ChaosTests | grep -E '^chaos|✘|Test run'

duplicates: ## Every write sent five times at random moments, also across restarts; counts effects (one each).
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/duplicates.py $(DUPLICATES_ARGS)

shift-change: ## 64 clients and 5,000 calls at once on an Odoo that takes 4, beside the same without a gateway.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/shift.py $(SHIFT_ARGS)

batch-load: ## A batch of 100 MiB through kill -9: each line once, and the memory it takes.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/batch_load.py $(BATCH_ARGS)

idle: ## Hold 10,000 idle connections and measure what each costs in memory.
	@scripts/install-deps.sh test
	@scripts/build.sh
	@python3 Tests/Plant/idle.py $(IDLE_ARGS)

test-asan: ## Every test under the address sanitizer, the end-to-end ones too.
	@scripts/install-deps.sh test
	@scripts/venv.sh
	ASAN_OPTIONS=detect_leaks=0 swift test --disable-xctest --sanitize=address --scratch-path .build-asan $(TEST_ARGS)

test-tsan: ## Every test under the thread sanitizer.
	@scripts/install-deps.sh test
	@scripts/venv.sh
	TSAN_OPTIONS='suppressions=$(CURDIR)/scripts/tsan.supp' swift test --disable-xctest --sanitize=thread --scratch-path .build-tsan $(TEST_ARGS)

lint: ## Check the style of Swift, shell and Python.
	@scripts/install-deps.sh lint
	@scripts/lint.sh

simulate: ## Play codecs and proxy in a simulated network, and write docs/SIMULATION.md; SIMULATION_SEED=N one seed.
	@scripts/install-deps.sh build
	@scripts/simulate.sh docs/SIMULATION.md

fuzz: ## Feed every parser with hostile bytes for FUZZ_SECONDS each (5); FUZZ_ARGS='--keep --write docs/FUZZING.md http2'.
	@scripts/install-deps.sh fuzz
	@scripts/fuzz.sh $(FUZZ_ARGS)

format: ## Lay the Swift sources out as `make lint` wants them.
	swift format format -i -p -r Sources Tests Package.swift

clean: ## Remove what was built, not what was recorded (var/) nor the development keys (certs/dev/).
	rm -rf .build

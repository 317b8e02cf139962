# The doors of the house. `make` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

# `make up PORT=9000 DATA=/tmp/x`, `make bench ARGS="--only drain"`
PORT ?= 8080
DATA ?= .dev
ARGS ?=

step = @printf '\n\033[1m==> %s\033[0m\n' $(1)

.PHONY: help
help: ## List these targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-14s %s\n", $$1, $$2 }' \
		$(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Install what is missing (Debian packages; quick and offline when all is there)
	@scripts/setup.sh

.PHONY: build
build: setup ## Build the binary .build/debug/groundcrew
	$(call step,'Building groundcrew (a first build takes some minutes)')
	@scripts/build.sh --product groundcrew

.PHONY: demo
demo: build ## Boot everything privately, run one engagement from brief to deliverables, say where they lie
	$(call step,'Running the demo')
	@.build/debug/groundcrew demo $(ARGS)

.PHONY: up
up: build ## Run everything on this machine until Ctrl-C (PORT=8080 DATA=.dev)
	$(call step,'Starting groundcrew dev')
	@exec .build/debug/groundcrew dev --port $(PORT) --data $(DATA) $(ARGS)

.PHONY: test
test: setup ## Build everything, check it, run all tests
	$(call step,'Building with tests (a first build takes some minutes)')
	@scripts/build.sh --build-tests
	$(call step,'Checking')
	@scripts/check.sh
	@scripts/test-venv.sh >/dev/null
	$(call step,'Testing')
	@SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=6 scripts/test.sh .build/test.log $(if $(ARGS),$(ARGS),--skip EndToEndTests)
	$(if $(ARGS),,$(call step,'Testing with real processes (two suites at a time)'))
	$(if $(ARGS),,@SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2 scripts/test.sh .build/test-end-to-end.log \
		--filter EndToEndTests)
	$(if $(ARGS),,$(call step,'Chaos: $(JOBS) jobs and $(FAULTS) faults or more'))
	$(if $(ARGS),,@.build/debug/ChaosHarness --jobs $(JOBS) --faults $(FAULTS) --seed $(SEED) --report $(CHAOS_REPORT))

# `make chaos SEED=7`; `make chaos-long` for a million jobs and 1,500 faults
JOBS ?= 20000
FAULTS ?= 100
SEED ?= 42
CHAOS_REPORT ?= .build/chaos-report.md

.PHONY: chaos
chaos: setup ## Attack a real fleet and judge it: JOBS=20000 FAULTS=100 SEED=42 (docs/chaos.md)
	$(call step,'Building the fleet and the harness')
	@scripts/build.sh --product groundcrew
	@scripts/build.sh --product ChaosHarness
	$(call step,'Chaos: $(JOBS) jobs and $(FAULTS) faults or more')
	@.build/debug/ChaosHarness --jobs $(JOBS) --faults $(FAULTS) --seed $(SEED) --report $(CHAOS_REPORT)
	@echo "report: $(CHAOS_REPORT)"

.PHONY: chaos-long
chaos-long: setup ## The same with a million jobs and 1,500 faults on release builds, for a quiet machine (docs/chaos.md)
	$(call step,'Building the fleet and the harness with optimisation')
	@scripts/build.sh -c release --product groundcrew
	@scripts/build.sh -c release --product ChaosHarness
	$(call step,'Chaos: a million jobs and 1,500 faults or more')
	@.build/release/ChaosHarness --binary .build/release/groundcrew --jobs 1000000 --faults 1500 --seed $(SEED) \
		--report $(CHAOS_REPORT)
	@echo "report: $(CHAOS_REPORT)"

.PHONY: chaos-mutants
chaos-mutants: setup ## Seed seven bugs, one after the other, and see whether the harness catches each
	@scripts/build.sh --product groundcrew
	@scripts/build.sh --product ChaosHarness
	$(call step,'Chaos: seeded bugs')
	@.build/debug/ChaosHarness --mutants --seed $(SEED)

.PHONY: check
check: ## Format, arrows and forbidden words, in seconds
	@scripts/check.sh

.PHONY: fuzz-api
fuzz-api: build ## Fuzz a real fleet by its own OpenAPI document (schemathesis; ARGS="--max-examples 100")
	$(call step,'Fuzzing the API')
	@scripts/fuzz-api.sh $(ARGS)

.PHONY: format
format: ## Format every Swift file in place
	@swift format format --in-place --recursive --parallel Package.swift Sources Tests

.PHONY: bench
bench: setup ## Build for speed and measure, against Sidekiq where it compares (see bench/)
	$(call step,'Building groundcrew with optimisation')
	@scripts/build.sh -c release --product groundcrew
	$(call step,'Measuring')
	@bench/run.py $(ARGS)

.PHONY: docker-check
docker-check: ## See whether docker-compose.yml is valid (needs docker-compose, no daemon)
	@scripts/docker-check.sh

.PHONY: clean
clean: ## Remove what was built and the development data in .dev
	@for lock in .dev/*/owner.lock; do \
		if [[ -e $$lock ]] && ! flock -n "$$lock" true; then \
			echo "clean: groundcrew dev is running (process $$(cat "$$lock")): stop it first." >&2; exit 1; \
		fi; \
	done
	rm -rf .build .dev

# The verbs that everyone types, CI included. `make help` lists them.

CARGO ?= cargo
PYTHON ?= python3
VENV := target/tools-venv
PROGRAM := target/debug/ses-perimeter
EXAMPLE := examples/organization
# The example's own day, so that its expiry dates mean the same tomorrow.
EXAMPLE_NOW := 2026-11-23T00:00:00Z
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := parse_policy read_snapshot read_perimeter decide

.DEFAULT_GOAL := help

.PHONY: help run build test test-rust test-peer check fmt clippy doc spelling toml audit bench fuzz mutants

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build:
	@$(CARGO) build --quiet --bin ses-perimeter --no-default-features

run: build ## Check the example organization and explain one failing account.
	@echo '$$ ses-perimeter check --snapshot $(EXAMPLE)/snapshot.json'
	@$(PROGRAM) check --snapshot $(EXAMPLE)/snapshot.json --now $(EXAMPLE_NOW); status=$$?; \
		test $$status -eq 1 || { echo "expected findings (exit code 1), got $$status" >&2; exit 1; }
	@echo
	@echo '$$ ses-perimeter explain shop SESDP.8 --snapshot $(EXAMPLE)/snapshot.json'
	@$(PROGRAM) explain shop SESDP.8 --snapshot $(EXAMPLE)/snapshot.json --now $(EXAMPLE_NOW); status=$$?; \
		test $$status -eq 1 || { echo "expected a finding (exit code 1), got $$status" >&2; exit 1; }

test: test-rust test-peer ## Run all tests.

# One seed, so that a clean clone always runs the same cases; without it every run has its own.
test-rust:
	PROPTEST_RNG_SEED=20261123 $(CARGO) test --workspace

test-peer: build ## Compare with the independent implementation in Python.
	$(PYTHON) -m unittest discover --start-directory tests/peer --pattern 'test_*.py'
	$(PYTHON) tests/peer/compare.py --program $(PROGRAM) --stacks 600 --seed 1

check: fmt clippy doc spelling toml ## Formatting, lints, docs and spelling.

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- --deny warnings

doc:
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps --document-private-items

$(VENV)/.done: tests/requirements-tools.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement tests/requirements-tools.txt
	@touch $@

spelling: $(VENV)/.done
	$(VENV)/bin/typos

toml: $(VENV)/.done
	$(VENV)/bin/taplo fmt --check

audit: ## Licences, bans, sources and unused dependencies.
	$(CARGO) deny check licenses bans sources
	$(CARGO) machete

bench: ## Measure; docs/performance.md holds the last figures.
	$(CARGO) bench --package bench

fuzz: ## Fuzz every target for FUZZ_SECONDS each (needs cargo-fuzz and a nightly toolchain).
	for target in $(FUZZ_TARGETS); do \
		$(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/corpus/$$target tests/fuzz/regressions/$$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

mutants: ## Mutate the crates that decide (needs cargo-mutants; takes hours).
	$(CARGO) mutants --package policy --package prover --package ses-perimeter --package organization

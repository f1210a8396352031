# Tandem. `make help` lists every target.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help env run demo test test-units compiled test-compiled test-system check terraform bench bench-media fuzz floods soak soak-media golden prompts portal peers peer-matrix clean

help: ## List every target
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tandem needs Python 3.11 or later; PYTHON=... names another one"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Python's venv module is missing: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

env: $(READY) ## Create the Python environment (.venv)

run: $(READY) ## Bring up the whole system with a demo site; Ctrl-C stops it, its data stays
	$(BIN)/python -m cloud.local $(ARGS)

demo: $(READY) ## Two real phones fetch their files, register and call each other through the edge
	$(BIN)/python -m cloud.local.demo $(ARGS)

test: peers test-units test-compiled test-system ## Every test: units, compiled modules, the system with its real peers

test-units: $(READY) ## Tests of single parts
	@# Built first, so that no test's time limit holds the build's minutes; without it the portal's tests are NOT RUN.
	-@$(BIN)/python -m tools.build_portal
	$(BIN)/python -m tools.run_tests -n 2 tests/contract tests/cloud tests/edge_agent tests/benchmarks tests/tools tests/fuzz $(ARGS)

compiled: $(READY) ## Build the agent with its hot modules compiled, in build/compiled
	$(BIN)/python -m tools.build_compiled

test-compiled: $(READY) ## The SIP tests once more, on the compiled modules
	$(BIN)/python -m tools.test_compiled -n 2 $(ARGS)

test-system: $(READY) ## Tests of the whole with its real peers
	$(BIN)/python -m tools.run_tests -n 2 tests/system $(ARGS)

peer-matrix: $(READY) peers ## Every scenario with every real phone over every transport; writes docs/peers.md
	TANDEM_PEER_MATRIX=1 $(BIN)/python -m pytest tests/system/test_peer_matrix.py tests/system/test_peer_matrix_sipp.py $(ARGS)

check: $(READY) ## Format, lint, types, import rules, file names, Terraform
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.check_layout
	$(MAKE) --no-print-directory terraform

terraform: $(READY) ## Check the Terraform modules, where Terraform is on the machine
	$(BIN)/python -m tools.check_terraform

bench: $(READY) ## Print the figures: CPU per call and registration, time from API write to applied
	$(BIN)/python -m benchmarks $(ARGS)

bench-media: $(READY) ## CPU of a leg of the media engine, and its ticks in a busy agent; a Markdown table
	$(BIN)/python -m benchmarks.media
	$(BIN)/python -m benchmarks.media.relay

bench-phones: $(READY) ## 1,000 phones boot at once: the edge beside nginx and tftpd-hpa
	$(BIN)/python -m benchmarks.provisioning

fuzz: $(READY) ## Fuzz message, framing and endpoint for ten minutes each; SECONDS=60 for less
	$(BIN)/python -m tests.fuzz message --seconds $(or $(SECONDS),600)
	$(BIN)/python -m tests.fuzz framing --seconds $(or $(SECONDS),600)
	$(BIN)/python -m tests.fuzz endpoint --seconds $(or $(SECONDS),600)

soak: $(READY) ## Ten minutes of calls with a kill -9 each minute; ARGS="--seconds 60 --every 20" for less
	$(BIN)/python -m tests.soak $(ARGS)

soak-media: $(READY) ## Ten minutes of 100 callers at mailboxes, conferences, queue and attendant while agent and engine are killed; ARGS="--seconds 60 --callers 6" for less
	$(BIN)/python -m tests.media_soak $(ARGS)

floods: $(READY) ## Floods in full: 100,000 connections each by TCP and TLS, and of messages, against a real edge
	$(BIN)/python -m tests.floods $(ARGS)

golden: $(READY) ## Write the golden files anew; review the difference before committing it
	$(BIN)/python -m tools.write_golden

prompts: $(READY) ## Speak the announcements of voice services anew, after their texts were changed
	$(BIN)/python -m tools.make_prompts

portal: $(READY) ## Build the web portal (done by run and test when needed)
	$(BIN)/python -m tools.build_portal

peers: $(READY) ## Install the Debian packages of the programs that the tests talk to, when allowed
	@$(BIN)/python -m tools.install_peers

clean: ## Remove what was built and the demo's data; the environment stays
	rm -rf .run build dist cloud/portal/dist cloud/portal/dist.new cloud/portal/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Every command sets up what it needs; Python 3.11 and make are all that has to be there.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
HOST ?= 127.0.0.1
PORT ?= 8000
BIN := .venv/bin
PIP := $(BIN)/pip --disable-pip-version-check install --quiet
RUNTIME := .venv/.runtime
DEVELOP := .venv/.develop
NODE_MODULES := frontend/node_modules/.package-lock.json

.PHONY: up down test test-python test-frontend check bench frontend proto lock clean

up: $(RUNTIME)
	@exec $(BIN)/traceviewer up --host $(HOST) --port $(PORT)

down: $(RUNTIME)
	@$(BIN)/traceviewer down

test: test-python test-frontend

test-python: $(DEVELOP)
	@$(BIN)/traceviewer warm
	$(BIN)/pytest $(PYTEST_ARGS)

test-frontend:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(NODE_MODULES) && cd frontend && npm test; \
	else echo "frontend unit tests skipped: npm is not installed"; fi

check: $(DEVELOP) $(NODE_MODULES) frontend proto
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd frontend && npm run check
	git diff --exit-code -- static traceviewer/protocol frontend/src/protocol simulation/formats/chakra_et

# EVENTS: sizes of generated runs, in millions; `make bench EVENTS="1 10 100"` takes 11 GB of disk and 6 GB of memory.
bench: $(DEVELOP)
	$(BIN)/python -m tests.benchmarks $(if $(EVENTS),--generated $(EVENTS))

# The browser's half, built into static/traceviewer and committed, so that `make up` needs no Node.
frontend: $(NODE_MODULES)
	cd frontend && npm run build

# Both ends of the websocket contract, from one file; and the messages of Chakra traces.
proto: $(DEVELOP) $(NODE_MODULES)
	$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. simulation/formats/chakra_et/chakra.proto
	$(BIN)/python -m grpc_tools.protoc -I . --python_out=. --pyi_out=. traceviewer/protocol/messages.proto
	cd frontend && PYTHON=$(abspath $(BIN)/python) npm run proto

# Resolve the Python dependencies anew; uv is fetched for the purpose and stays out of the lock.
lock: $(RUNTIME)
	$(PIP) uv
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --extra test -o requirements-dev.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 -c requirements-dev.txt -o requirements.txt pyproject.toml

clean:
	rm -rf .venv .venv-bench frontend/node_modules .pytest_cache .mypy_cache .ruff_cache

# A stamp per lock file: installed once, and again when the lock has changed.
define install
@test -x $(BIN)/python || $(PYTHON) -m venv .venv
$(PIP) --require-hashes -r $(1)
$(PIP) --no-deps --no-build-isolation --editable .
endef

$(RUNTIME): requirements.txt pyproject.toml
	$(call install,requirements.txt)
	@touch $@

$(DEVELOP): requirements-dev.txt requirements.txt pyproject.toml
	$(call install,requirements-dev.txt)
	@touch $@ $(RUNTIME)

$(NODE_MODULES): frontend/package-lock.json
	cd frontend && npm ci --no-audit --no-fund
	@touch $@

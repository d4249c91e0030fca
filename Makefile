# Each target sets up what it needs in .venv; Python 3.11 to 3.13, git and make are enough.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
INSTALLER = $(BIN)/python -m pip install --quiet --disable-pip-version-check
GOAL ?=
ARGS ?=

.PHONY: help run test e2e bench bench-peers chaos dev lint format lock clean
.DEFAULT_GOAL := help

help:
	@echo 'make run GOAL="..." [ARGS="..."]  work on a goal with the embedded model and database'
	@echo 'make test                         all tests'
	@echo 'make e2e [ARGS="..."]             ten whole goals with the embedded model'
	@echo 'make bench [ARGS="..."]           the task suite, with results (ARGS="--help" for more)'
	@echo 'make bench-peers [ARGS="..."]     the same, in turn with other agents'
	@echo 'make chaos [ARGS="..."]           runs killed 200 times, their database 20 times'
	@echo 'make dev                          langgraph dev, for Studio and the SDK'
	@echo 'make lint | format | lock         check style and types | format | pin requirements'

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed, this is %d.%d: make PYTHON=python3.12 ..." % v)'
	@echo 'Setting up .venv (once; the embedded model is a download of 1.1 GB) ...' >&2
	@$(PYTHON) -m venv .venv
	@# requirements.txt is the whole closure. Left to resolve it, pip would take an extra that a package
	@# asks for (langsmith[otel]) from a newer release, which has no hash here, and give up.
	@$(INSTALLER) --no-deps --require-hashes -r requirements.txt
	@$(INSTALLER) --no-deps --no-build-isolation --editable .
	@touch $(READY)

run: $(READY)
	@test -n "$$REPLAN_GOAL" || { echo 'make run GOAL="what is to be reached"' >&2; exit 2; }
	@$(BIN)/replan run "$$REPLAN_GOAL" $(ARGS)

# As a variable of the environment the goal reaches the shell as it is, quotes and dollars included.
run: export REPLAN_GOAL := $(value GOAL)

test: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

e2e: $(READY)
	$(BIN)/python tests/e2e/run_goals.py --times 3 $(ARGS)

bench: $(READY)
	$(BIN)/python benchmarks/bench.py $(ARGS)

bench-peers: $(READY)
	$(BIN)/python benchmarks/bench.py --peers $(ARGS)

chaos: $(READY)
	PYTHONPATH=tests $(BIN)/python tests/chaos/run_chaos.py $(ARGS)

dev: $(READY)
	LANGSMITH_TRACING=false LANGGRAPH_CLI_NO_ANALYTICS=1 PATH="$(CURDIR)/$(BIN):$$PATH" \
		$(BIN)/langgraph dev --no-browser --no-reload $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell $$(git ls-files '*.py' '*.md' '*.toml' Makefile)
	@# mypy does not see through the editable mapping of the namespace: check an ordinary install.
	@rm -rf build && $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --target build/typed .
	MYPYPATH=build/typed $(BIN)/mypy -p replan
	MYPYPATH=build/typed:benchmarks/peers:tests:tests/e2e $(BIN)/mypy benchmarks/*.py benchmarks/peers/*.py

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock:
	uv pip compile pyproject.toml --all-extras --group test --group lint --group build --universal \
		--python-version 3.11 --generate-hashes --no-annotate --upgrade \
		--custom-compile-command 'make lock' --quiet --output-file requirements.txt

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .langgraph_api

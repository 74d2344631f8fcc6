# Everything a developer runs. `make` alone lists the targets; each of them sets up what it needs.
.DEFAULT_GOAL := help
.PHONY: help setup aioble demo kiosk-demo test lint types firmware size bench powercut clean

VENV := .venv
AIOBLE_VERSION := 0.6.2
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
OUT ?= out
BOARD ?= esp32c3
WORKERS ?= auto

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(STAMP)  ## make the environment .venv with the pinned packages

$(STAMP): pyproject.toml constraints.txt tools/setup.sh
	@sh tools/setup.sh $(VENV) $(PYTHON)
	@touch $@

aioble: $(STAMP)  ## install the real aioble with mip (needs a network); the bench and the tests then use it
	@$(BIN)/micropython -m mip install --no-mpy --target $(VENV)/aioble $(if $(MIP_INDEX),--index $(MIP_INDEX)) \
	  aioble@$(AIOBLE_VERSION) && test -f $(VENV)/aioble/aioble/__init__.py \
	  || { echo "aioble could not be installed (is there a way to micropython.org?); a double stands in" >&2; exit 2; }

demo: $(STAMP)  ## the token's first day: 18 recorded people, one case, the alerts, a report
	@$(BIN)/emask bench demo --out $(OUT)/demo

kiosk-demo: $(STAMP)  ## the kiosk's page in a browser, with three tokens on the bench, in true time
	@$(BIN)/emask bench kiosk --out $(OUT)/kiosk

test: $(STAMP)  ## all tests
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

lint: $(STAMP)  ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy twice: host code on CPython, device code against MicroPython's stubs
	@$(BIN)/mypy
	@$(BIN)/python -m tools.device_types

firmware: $(STAMP)  ## what goes onto a token, as a bundle: make firmware BOARD=esp32c3 [KEY=FILE] [BASE=DIR]
	@$(BIN)/emask firmware build --board $(BOARD) --out $(OUT)/firmware/$(BOARD) $(if $(KEY),--key $(KEY)) $(if $(BASE),--base $(BASE))

size: $(STAMP)  ## compile the device code and hold it against budgets.toml
	@$(BIN)/python -m tools.size

bench: $(STAMP)  ## the bench's own speed, in token-days per second
	@$(BIN)/emask bench speed

powercut: $(STAMP)  ## the flash ring under cuts of power: everywhere in short lives, 100,000 at random in long ones
	@$(BIN)/emask ring powercut

clean:  ## remove what was built and run (the environment stays)
	@rm -rf build out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -type d -prune -exec rm -rf {} +

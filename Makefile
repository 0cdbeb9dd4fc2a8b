# Needs Python 3.11 or later and make; everything else goes into a virtual environment in this folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LIDC ?= LIDC-IDRI

export HF_HUB_OFFLINE = 1

.PHONY: help setup train demo real test lint format perf clean

help: ## Say what there is to make
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /make \1\t/' | expand -t 16

setup: $(READY) ## Make the virtual environment

# torch first and by itself: nothing that comes later may choose another build of it.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "m3dsynth needs Python 3.11 or later, $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12 setup")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all]'
	@touch $(READY)

GENERATORS := pix2pix cyclegan dm

train: $(READY) ## Phantom, and tiny inpainters of each kind trained on it, into ./weights
	$(BIN)/python -m builder phantom phantom --patients 12
	$(BIN)/python -m builder plan --lidc phantom --out build/demo/plan.parquet
	$(BIN)/python -m builder extract --lidc phantom --plan build/demo/plan.parquet --out build/demo/cubes.zarr --work build/demo/work
	set -e; for generator in $(GENERATORS); do for manipulation in injection removal; do \
		$(BIN)/python -m generation train $$generator $$manipulation --cubes build/demo/cubes.zarr --preset tiny; \
	done; done

demo: train ## The same, then the release ./m3dsynth, pictures, how good it is, a detector of it, what it gives away, and whom it deceives
	@echo "dm samples with 50 steps here (DDIM); the published 2,000 take a GPU"
	$(BIN)/python -m builder build --lidc phantom --plan build/demo/plan.parquet --work build/demo/work --out m3dsynth
	$(BIN)/python -m builder show m3dsynth --out build/demo/edits.png
	$(BIN)/python -m generation report --cubes build/demo/cubes.zarr --out build/demo/report
	rm -rf build/demo/detectors
	$(BIN)/python -m benchmarks matrix unet --generators dm --data m3dsynth --preset tiny --steps 200 --workers 0 --out build/demo/detectors
	$(BIN)/python -m benchmarks audit m3dsynth --json build/demo/audit.json
	rm -rf build/demo/deception
	@echo "few phantom nodules are rated 4 or more: from 3 on they count as malignant here"
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks deception --data m3dsynth --preset tiny --split all --folds 3 --malignant 3 --workers 0 --check --out build/demo/deception

real: $(READY) weights/dm-removal.safetensors ## The same on real scans: make real LIDC=folder
	$(BIN)/python -m builder build --lidc $(LIDC) --patients all --out real/m3dsynth
	$(BIN)/python -m builder show real/m3dsynth --out build/real/edits.png

# Of those that `make train` leaves, the last.
weights/dm-removal.safetensors:
	$(MAKE) train

test: $(READY) ## All tests
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(READY) ## Style and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY) ## Put the style right
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

perf: $(READY) ## Speed and size as ratios: reading against the published form, planning and editing against pylidc and CT-GAN, generators against the device
	$(BIN)/python -m benchmarks perf m3dsynth --out build/perf.json
	$(BIN)/python -m builder perf --out build/perf.json
	$(BIN)/python -m generation perf --out build/perf.json

clean: ## Remove what was made, but for the virtual environment
	rm -rf phantom weights m3dsynth m3dsynth.work m3dsynth.report.json m3dsynth.report.html real build

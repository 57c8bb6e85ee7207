# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-tests build release demo hierfavg test check verify
.PHONY: format format-lint tidy proto proto-check documents clean
.NOTPARALLEL:

# The C kernels are optimised in debug builds too; the same flags everywhere, else everything is compiled again.
export SWIFT_FLAGS := -Xcc -O2 --explicit-target-dependency-import-check error
RELEASE := --configuration release --scratch-path .build-release
BINARY := .build-release/release/tributary
TOPOLOGY ?= Topologies/factory.yaml
GATE := python3 Tests/Gate/gate.py
LAYERS := format tidy tidy-rules gate-rules proto-check build documents unit bus integration crash-sample
LONG_LAYERS := crash-points unit-files demo slurm bench

help: ## Say what there is to make.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install what building and running need from Debian.
	@Deploy/setup.sh

setup-tests:
	@Deploy/setup.sh --tests

build: setup ## Build everything for debugging.
	swift build $(SWIFT_FLAGS)

release: setup ## Build the release binary: .build-release/release/tributary.
	swift build $(RELEASE) --product tributary

demo: release ## A cloud, two plants and twenty devices learn to sort garments: Topologies/factory.yaml.
	@exec $(BINARY) up $(TOPOLOGY)

hierfavg: release ## HierFAVG's experiment in virtual time: the numbers and the picture of Documentation/hierfavg.md.
	@Tests/Verify/hierfavg.py

test: setup-tests ## The gate: set-up, format, tidy, protocol, build and every test.
	@$(GATE) $(LAYERS)

check: test ## The same gate under the name that a reviewer looks for.

verify: test release ## The gate, then the longer layers: the demo, Slurm, benchmarks, big objects.
	@$(GATE) $(LONG_LAYERS)

format: ## Format every Swift file in place.
	swift format --in-place --recursive Sources Tests Package.swift

format-lint: ## Say what `make format` would change.
	@$(GATE) format

tidy: ## Check names, headers, lengths, words and doors.
	@$(GATE) tidy tidy-rules

proto: ## Generate the committed C of Proto/ again.
	Proto/generate.sh

proto-check: ## Generate the C of Proto/ and compare it with what is committed.
	@$(GATE) proto-check

documents: ## Write the generated parts of Documentation/ again.
	@Tests/Gate/documents.py --write

clean: ## Remove what was built.
	rm -rf .build .build-release

# Grafilab. `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
# libsecp256k1 checks signatures a third faster than pure Go; it needs a C compiler.
TAGS     ?= $(if $(shell command -v gcc),libsecp256k1_sdk)
VERSIONS := github.com/cosmos/cosmos-sdk/version
LDFLAGS  := -X $(VERSIONS).Name=grafi -X $(VERSIONS).AppName=grafid -X $(VERSIONS).Version=$(VERSION) -X $(VERSIONS).Commit=$(COMMIT)
GO_BUILD := go build -tags "$(TAGS)" -ldflags "$(LDFLAGS)"
GO_TEST  := go test -tags "$(TAGS)"
BUILD    := build

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}'

.PHONY: setup
setup: ## Install what the build needs on Debian (a C compiler)
	@./scripts/setup.sh

.PHONY: build
build: setup ## Build every program into build/
	@mkdir -p $(BUILD)
	@echo "building (the first time takes several minutes)"
	$(GO_BUILD) -o $(BUILD)/ ./cmd/...
	@CGO_ENABLED=0 go build -ldflags "-s -w" -o $(BUILD)/render ./examples/render

.PHONY: install
install: setup ## Install the programs into Go's bin directory
	go install -tags "$(TAGS)" -ldflags "$(LDFLAGS)" ./cmd/...

.PHONY: release
release: ## Build the programs of a release for Linux and Windows into dist/, with checksums and SBOM
	./scripts/release.sh

.PHONY: release-check
release-check: ## Build grafi-agent twice from scratch and compare (several minutes)
	./scripts/release.sh --check

.PHONY: demo
demo: build ## Rent a GPU on a local network and run a container; stays up (DEMO_EXIT=1 ends it)
	@$(BUILD)/grafi-demo --bin $(BUILD) --allow-unisolated $(if $(DEMO_EXIT),--exit)

.PHONY: test
test: test-unit test-system ## Run every test: units, simulation (short), real programs

.PHONY: test-unit
test-unit: setup ## Run the tests that need no built program
	$(GO_TEST) -timeout 30m $$(go list ./... | grep -v /tests/system)

.PHONY: test-system
test-system: build ## Run the tests with real programs, crashes and restarts
	$(GO_TEST) -count=1 -timeout 30m -v ./tests/system/... | grep -vE '^=== (RUN|PAUSE|CONT|NAME)'

.PHONY: test-sim
test-sim: setup ## Run the long simulation: 500 blocks, 20 seeds
	GRAFI_SIM=long $(GO_TEST) -count=1 -timeout 12h -v -run 'TestSim' ./app

.PHONY: bench
bench: setup ## Run the benchmarks (BENCHTIME, default 5x); they print ratios measured in one run
	$(GO_TEST) -run '^$$' -bench . -benchtime $${BENCHTIME:-5x} -timeout 60m ./x/... ./tests/bench/...

.PHONY: fuzz
fuzz: setup ## Fuzz every parser of foreign bytes for FUZZTIME each (default 60s)
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u); do \
		for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$target/*_test.go | sed 's/func //'); do \
			echo "$$target $$f"; $(GO_TEST) -run '^$$' -fuzz "^$$f$$" -fuzztime $${FUZZTIME:-60s} -fuzzminimizetime 10x $$target; \
		done; done

.PHONY: lint
lint: ## Check style and the dependency directions
	go tool -modfile tools/go.mod golangci-lint run ./...

.PHONY: proto
proto: ## Generate the Go code of proto/
	./scripts/proto.sh

.PHONY: proto-check
proto-check: ## Check that the generated code is current
	./scripts/proto.sh --check

.PHONY: clean
clean: ## Remove build/ and the demo's network
	rm -rf $(BUILD) .demo

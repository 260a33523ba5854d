# Corsguard. `make help` lists the targets; `make check` is what CI runs.

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OLDEST_ENVOY  := 1.36.2
WASM_LIMIT    := 3400000
FUZZTIME      ?= 300000x

# A test that drives an Envoy depends on more than Go's test cache knows of.
E2E_TEST  := go -C e2e test -count=1 -timeout 10m
E2E_ENVOY := . ./cmd/...
# Every package but the one whose tests need a browser, which is not there everywhere.
E2E_ALL   := $$(go -C e2e list ./... | grep -v '/browser$$')

.DEFAULT_GOAL := help
.PHONY: help build run test e2e e2e-oldest e2e-docker e2e-browser check size lint fuzz bench build-tinygo clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | expand -t 14

# Go's older garbage collector does the same for a heap this small and is 45 KB less code, where the toolchain still has it.
SMALLER_GC := $(shell GOEXPERIMENT=nogreenteagc go list runtime >/dev/null 2>&1 && echo GOEXPERIMENT=nogreenteagc)

build: ## compile the plugin to main.wasm
	$(SMALLER_GC) GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -trimpath -ldflags='-s -w' -o main.wasm .

run: build ## start the demo: Envoy with envoy.yaml, an upstream, and curl lines to try
	go -C e2e build -o ../bin/demo ./cmd/demo
	@exec bin/demo

test: build ## run the tests, the ones in a real Envoy too
	go vet ./...
	go test ./...
	go -C e2e vet ./...
	$(E2E_TEST) $(E2E_ALL)

e2e: build ## run only the tests in a real Envoy
	$(E2E_TEST) $(E2E_ENVOY)

e2e-oldest: build ## the same in the oldest Envoy that is supported
	ENVOY_ENGINE=venv ENVOY_VERSION=$(OLDEST_ENVOY) $(E2E_TEST) $(E2E_ENVOY)

e2e-docker: build ## the same in a container: ENVOY_IMAGE, or one that is pulled or made
	image=$$(e2e/docker/find-image) && ENVOY_ENGINE=docker ENVOY_IMAGE=$$image $(E2E_TEST) $(E2E_ENVOY)

e2e-browser: build ## run the tests in a real browser: CHROMIUM, or one on the PATH
	$(E2E_TEST) ./browser

check: lint test size e2e-oldest e2e-docker e2e-browser ## what CI runs
	git diff --exit-code

size: build ## check that the plugin stays small: its size is Envoy's start-up time and memory
	@size=$$(wc -c <main.wasm); echo "main.wasm: $$size bytes, limit $(WASM_LIMIT)"; [ $$size -lt $(WASM_LIMIT) ]

lint: ## run the linters
	go run $(GOLANGCI_LINT) run --allow-parallel-runners ./...
	cd e2e && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config ../.golangci.yml ./...

fuzz: ## run each fuzz target for FUZZTIME: a number of executions, or a time such as 20s
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: build ## compare with a bare Envoy and with its native CORS filter
	go -C e2e run ./bench

build-tinygo: ## compile with TinyGo instead, to main-tinygo.wasm: a second build, which no test covers
	tinygo build -target=wasip1 -scheduler=none -tags=custommalloc -no-debug -buildmode=c-shared -o main-tinygo.wasm .

clean: ## remove what was built and installed
	rm -rf main.wasm main-tinygo.wasm bin .venv-envoy

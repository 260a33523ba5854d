# Corsguard. `make help` lists the targets; `make check` is what CI runs.

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
OLDEST_ENVOY  := 1.36.2
WASM_LIMIT    := 3500000
VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
PREFIX        ?= /usr/local
PLATFORMS     ?= linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64
FUZZTIME      ?= 300000x
SOAK          ?= 5m

# A test that drives an Envoy depends on more than Go's test cache knows of.
E2E_TEST  := go -C e2e test -count=1 -timeout 30m
E2E_ENVOY := . ./cmd/... ./plain
# Every package but those whose tests need browsers and web servers, which are not there everywhere.
E2E_ALL   := $$(go -C e2e list ./... | grep -vE '/(browser|servers|soak)$$')

.DEFAULT_GOAL := help
.PHONY: help build run test e2e e2e-oldest e2e-docker e2e-browser e2e-servers e2e-conformance e2e-mesh soak check size lint fuzz bench \
	command install dist image push build-tinygo clean

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
	go -C deploy/image vet ./...
	go -C deploy/image test ./...

e2e: build ## run only the tests in a real Envoy
	$(E2E_TEST) $(E2E_ENVOY)

e2e-oldest: build ## the same in the oldest Envoy that is supported
	ENVOY_ENGINE=venv ENVOY_VERSION=$(OLDEST_ENVOY) $(E2E_TEST) $(E2E_ENVOY)

e2e-docker: build ## the same in a container: ENVOY_IMAGE, or one that is pulled or made
	image=$$(e2e/docker/find-image) && ENVOY_ENGINE=docker ENVOY_IMAGE=$$image $(E2E_TEST) $(E2E_ENVOY)

e2e-browser: build ## run the tests in real browsers: CHROMIUM and FIREFOX, or those on the PATH
	$(E2E_TEST) ./browser

e2e-servers: ## audit web servers of other products: nginx, apache2, haproxy, lighttpd and caddy, which must be installed
	$(E2E_TEST) ./servers

e2e-conformance: build ## run the CORS test of the Gateway API's conformance suite against Envoy with the plugin
	go -C e2e/conformance vet ./...
	go -C e2e/conformance test -count=1 -timeout 30m ./...

# Envoy Gateway's ports are fixed, so its tests have the machine to themselves. Building the control planes takes ten to twenty minutes, once.
e2e-mesh: build ## build Istio's and Envoy Gateway's control planes, and run the tests with them and a real Envoy
	go -C e2e/mesh run ./build
	go -C e2e/mesh vet ./...
	cd e2e/mesh && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config ../../.golangci.yml ./...
	go -C e2e/mesh test -count=1 -timeout 40m -p 1 ./...

soak: build ## run traffic against workers while all around them changes and fails, for SOAK (5m)
	SOAK=$(SOAK) go -C e2e test -count=1 -timeout 0 -v ./soak

check: lint test size e2e-oldest e2e-docker e2e-browser e2e-servers e2e-conformance ## what CI runs
	$(MAKE) soak SOAK=60s
	git diff --exit-code

size: build ## check that the plugin stays small: its size is Envoy's start-up time and memory
	@size=$$(wc -c <main.wasm); echo "main.wasm: $$size bytes, limit $(WASM_LIMIT)"; [ $$size -lt $(WASM_LIMIT) ]

lint: ## run the linters
	go run $(GOLANGCI_LINT) run --allow-parallel-runners ./...
	cd e2e && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config ../.golangci.yml ./...
	cd deploy/image && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config ../../.golangci.yml ./...
	cd e2e/conformance && go run $(GOLANGCI_LINT) run --allow-parallel-runners --config ../../.golangci.yml ./...

fuzz: ## run each fuzz target for FUZZTIME: a number of executions, or a time such as 20s
	@set -e; for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

command: ## compile the host-side command to bin/corsguard
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w -X corsguard/cmd/corsguard/internal/cli.version=$(VERSION)' -o bin/corsguard ./cmd/corsguard

install: command ## install the command, its manual pages and completions below PREFIX (/usr/local)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 755 bin/corsguard $(DESTDIR)$(PREFIX)/bin/corsguard
	go run ./cmd/corsguard/internal/genman $(DESTDIR)$(PREFIX)/share/man/man1
	bin/corsguard completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/corsguard
	bin/corsguard completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_corsguard
	bin/corsguard completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/corsguard.fish

dist: ## build the release archives of the command, for PLATFORMS, and their checksums into dist/
	go run ./cmd/corsguard/internal/dist -version $(VERSION) -platforms $(PLATFORMS) dist

image: build ## make container images of the plugin for Istio and Envoy Gateway, below dist/image
	go -C deploy/image run . -version $(VERSION) -source "$(SOURCE)" -out ../../dist/image

push: build ## push them to REGISTRY=host/path, as TAG (the version)
	@[ -n "$(REGISTRY)" ] || { echo "make push REGISTRY=registry.example.com/team/corsguard [TAG=v1.0.0]" >&2; exit 2; }
	go -C deploy/image run . -version $(VERSION) -source "$(SOURCE)" -push $(REGISTRY) $(if $(TAG),-tag $(TAG))

bench: build ## compare with a bare Envoy and with its native CORS filter
	go -C e2e run ./bench

build-tinygo: ## compile with TinyGo instead, to main-tinygo.wasm: a second build, which no test covers
	tinygo build -target=wasip1 -scheduler=none -tags=custommalloc -no-debug -buildmode=c-shared -o main-tinygo.wasm .

clean: ## remove what was built and installed
	rm -rf main.wasm main-tinygo.wasm bin dist .venv-envoy

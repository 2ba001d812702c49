# Every target does one thing; `make` alone lists them.
# Knobs: FUZZTIME=1m or 200000x (fuzz, each target: time or inputs), ROUNDS=60 (soak, 50 rounds each), RUN=Conformance/C061 (integration), PREFIX and DESTDIR (install),
# VERSION and SOURCE_DATE_EPOCH (build).

VERSION   ?= 0.1.0
FUZZTIME  ?= 200000x
RUN       ?=
ROUNDS    ?= 20
PREFIX    ?= /usr/local
GO        ?= go
BIN       := build/daemonproxy

EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell date +%s))
HEAD  := $(or $(shell git rev-parse --verify -q HEAD 2>/dev/null),unknown)
DIRTY := $(if $(shell git status --porcelain 2>/dev/null),dirty)
STAMP := -X main.version=$(VERSION) -X main.buildEpoch=$(EPOCH) -X main.gitHead=$(HEAD) -X main.gitDirty=$(DIRTY)

UNIT = $$($(GO) list ./... | grep -v '/integration$$')

.PHONY: FORCE help build cross run test check setup lint deps tidy-lint unit fuzz integration soak cover install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build build/daemonproxy, statically linked
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(STAMP)' -o $(BIN) ./cmd/daemonproxy

CROSS := amd64 arm64 armv6 armv7 riscv64 mipsle 386

cross: $(CROSS:%=build/daemonproxy-%) ## build build/daemonproxy-ARCH for each architecture of CROSS, statically linked

build/daemonproxy-%: FORCE
	CGO_ENABLED=0 GOARCH=$(patsubst armv%,arm,$*) GOARM=$(or $(patsubst armv%,%,$(filter armv%,$*)),7) GOMIPS=softfloat \
		$(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(STAMP)' -o $@ ./cmd/daemonproxy

run: build ## build, then run the quick start in the foreground; Ctrl-C ends it
	examples/quickstart/run.sh

test: setup check ## set up what the tests need, then check; CI runs this

check: lint deps tidy-lint unit fuzz integration ## everything that must pass before a change goes in

setup: ## install what the tests need (Debian, as root), elsewhere name what is missing
	@.ci/setup

lint: ## gofmt, go vet for each way to start a program, staticcheck, links and listings in *.md
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	GOARCH=amd64 $(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=arm GOARM=6 CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=riscv64 CGO_ENABLED=0 $(GO) vet ./...
	GOARCH=mipsle CGO_ENABLED=0 $(GO) vet ./...
	$(GO) vet -tags applet ./service/spawn/... ./cmd/daemonproxy
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags applet ./service/spawn/...
	@.ci/docs

deps: ## who may import whom, and what must not be linked in
	@.ci/deps

tidy-lint: ## go.mod and go.sum list what the code imports, no more and no less
	$(GO) mod tidy -diff

unit: ## unit tests, with the race detector; those of the applet too
	CGO_ENABLED=1 $(GO) test -race $(UNIT)
	$(GO) test -tags applet ./service/spawn

fuzz: ## each fuzz target for FUZZTIME, a time or a number of inputs
	@.ci/fuzz $(FUZZTIME)

integration: ## end-to-end tests on the real binary, or those that RUN names
	$(GO) test ./integration -count=1 -timeout 15m $(if $(RUN),-v -run '$(RUN)')

soak: ## the promise of the pools, ROUNDS times as long as in integration
	SOAK=$(ROUNDS) $(GO) test ./integration -count=1 -timeout 24h -v -run TestSoakInPoolMode

cover: ## coverage of the unit tests, by function and as build/cover.html
	@mkdir -p build
	$(GO) test -coverprofile=build/cover.out $(UNIT)
	$(GO) tool cover -html=build/cover.out -o build/cover.html
	$(GO) tool cover -func=build/cover.out

install: build ## install the binary below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/daemonproxy

clean: ## remove build/
	rm -rf build

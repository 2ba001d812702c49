# Every target does one thing; `make` alone lists them.
# Knobs: RUN=Conformance/C061 (integration), FUZZTIME=1m or 60000x (fuzz, each target: time or inputs), CHECKS=5000
# (model, random runs), ROUNDS=60 and DURATION=8h (soak: times 50 rounds, and time), BOOT="amd64 arm64 armv7 riscv64 386"
# (boot-test), BENCH=start and QUICK=1 (bench), PREFIX, DESTDIR and ZSHDIR (install),
# VERSION and SOURCE_DATE_EPOCH (build).

VERSION   ?= 0.1.0
FUZZTIME  ?= 60000x
RUN       ?=
ROUNDS    ?= 20
CHECKS    ?= 2000
BOOT      ?= amd64 arm64 386
DURATION  ?= 10m
PREFIX    ?= /usr/local
ZSHDIR    ?= $(PREFIX)/share/zsh/site-functions
GO        ?= go
BIN       := build/daemonproxy
CTL       := build/dpctl

# The garbage collector of Go 1.25: that of 1.26 keeps more beside each size of object, which is 0.25 MB of the 3 that
# a small daemon has resident (docs/performance.md). A Go that does not have it any more refuses this line: then drop it.
export GOEXPERIMENT ?= nogreenteagc

EPOCH := $(or $(SOURCE_DATE_EPOCH),$(shell date +%s))
HEAD  := $(or $(shell git rev-parse --verify -q HEAD 2>/dev/null),unknown)
DIRTY := $(if $(shell git status --porcelain 2>/dev/null),dirty)
STAMP := -X main.version=$(VERSION) -X main.buildEpoch=$(EPOCH) -X main.gitHead=$(HEAD) -X main.gitDirty=$(DIRTY)

DAEMON = $$($(GO) list -deps ./cmd/daemonproxy | grep ^daemonproxy)
UNIT = $$($(GO) list ./... | grep -v -E '/integration(/(boot|bench.*))?$$')

.PHONY: FORCE help build cross run test check setup lint deps tidy-lint unit fuzz gosec vulncheck integration race-integration applet model boot-test soak cover bench bench-peers install deb package clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build build/daemonproxy and build/dpctl, statically linked
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(STAMP)' -o $(BIN) ./cmd/daemonproxy
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o $(CTL) ./cmd/dpctl

CROSS := amd64 arm64 armv6 armv7 riscv64 mipsle 386

cross: $(CROSS:%=build/daemonproxy-%) ## build build/daemonproxy-ARCH for each architecture of CROSS, statically linked

FOR = CGO_ENABLED=0 GOARCH=$(patsubst armv%,arm,$*) GOARM=$(or $(patsubst armv%,%,$(filter armv%,$*)),7) GOMIPS=softfloat

build/daemonproxy-%: FORCE
	$(FOR) $(GO) build -trimpath -buildvcs=false -ldflags '-s -w $(STAMP)' -o $@ ./cmd/daemonproxy

run: build ## build, then run the quick start in the foreground; Ctrl-C ends it
	examples/quickstart/run.sh

test: setup check ## set up what the tests need, then check; CI runs this

check: lint deps tidy-lint gosec unit fuzz integration race-integration applet boot-test package ## everything that must pass before a change goes in

setup: ## install what the tests need (Debian, as root), elsewhere name what is missing
	@.ci/setup

lint: ## gofmt, go vet (of the daemon for each way to start a program), staticcheck, links and listings in *.md, manual pages
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	for arch in arm64 arm riscv64 mipsle; do GOARCH=$$arch GOARM=6 CGO_ENABLED=0 $(GO) vet $(DAEMON) || exit 1; done
	$(GO) vet -tags applet ./service/spawn/... ./cmd/daemonproxy
	$(GO) vet -tags provoke ./controller
	$(GO) tool staticcheck ./...
	$(GO) tool staticcheck -tags applet ./service/spawn/...
	$(GO) tool staticcheck -tags provoke ./controller
	@.ci/docs
	@.ci/man

deps: ## who may import whom, and what must not be linked in
	@.ci/deps

tidy-lint: ## go.mod and go.sum list what the code imports, no more and no less
	$(GO) mod tidy -diff

unit: ## unit tests, with the race detector; those of the applet too
	CGO_ENABLED=1 $(GO) test -race $(UNIT)
	$(GO) test -tags applet ./service/spawn

fuzz: ## each fuzz target for FUZZTIME, a time or a number of inputs
	@.ci/fuzz $(FUZZTIME)

gosec: ## what gosec finds is in .ci/gosec.accepted, with a reason
	@.ci/gosec

vulncheck: ## known vulnerabilities of what is linked in; needs vuln.go.dev, so check does without
	$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./cmd/daemonproxy

integration: ## end-to-end tests on the real binary, or those that RUN names
	$(GO) test ./integration -count=1 -timeout 30m $(if $(RUN),-v -run '$(RUN)')

race-integration: ## the same, with a daemon that is built with the race detector, which needs a C library
	INTEGRATION_RACE=1 CGO_ENABLED=1 $(GO) test ./integration -count=1 -timeout 30m -skip '^Test(Containers|CrossBuilds|BesideTiniAndDumbInit|NothingButTheBinary)$$' $(if $(RUN),-v -run '$(RUN)')

applet: ## those that start programs, on a binary that does so as architectures without assembly do
	INTEGRATION_START=applet $(GO) test ./integration -count=1 -timeout 30m -run 'Conformance|Conversations|Start|Hang|Pool|Fault|Services|Entrypoint|Main|Rescued'

model: ## CHECKS daemons beside a model of their state, under random commands
	MODEL_CHECKS=$(CHECKS) $(GO) test ./integration -count=1 -timeout 24h -v -run 'TestModel$$'

# The 32-bit build runs on the kernel of the 64-bit machine.
KERNEL_386 := amd64

boot-test: $(foreach a,$(BOOT),build/daemonproxy-$a build/boot/$a/tests build/boot/$(or $(KERNEL_$a),$a)/vmlinuz) ## tests on machines that QEMU emulates, one for each architecture of BOOT
	BOOT='$(BOOT)' $(GO) test ./integration/boot -count=1 -timeout 30m -v

build/boot/%/tests: FORCE
	@mkdir -p $(@D)
	for package in service/spawn actor/mainthread actor/signals; do \
		$(FOR) $(GO) test -c -o $(@D)/$${package##*/}.test ./$$package || exit 1; \
	done

build/boot/%/vmlinuz:
	.ci/kernel $*

soak: ## the promise of the pools for ROUNDS, then everything at once for DURATION
	SOAK=$(ROUNDS) $(GO) test ./integration -count=1 -timeout 0 -v -run TestSoakInPoolMode
	SOAK_DURATION=$(DURATION) $(GO) test ./integration -count=1 -timeout 0 -v -run TestSoakOfEverything

cover: ## coverage of the unit tests, by function and as build/cover.html
	@mkdir -p build
	$(GO) test -coverprofile=build/cover.out $(UNIT)
	$(GO) tool cover -html=build/cover.out -o build/cover.html
	$(GO) tool cover -func=build/cover.out

define BENCH_BUILD
CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '-s -w' -o build/empty ./integration/bench/empty
$(GO) build -o build/bench ./integration/bench
endef

bench: build ## measure the binary: latencies, rates, memory; BENCH=regexp chooses figures, QUICK=1 is short
	$(BENCH_BUILD)
	build/bench $(BIN) build/empty

bench-peers: build ## the same for s6, runit, supervisord and tini beside it; installs them (Debian, as root)
	@.ci/setup peers
	$(BENCH_BUILD)
	build/bench $(BIN) build/empty peers

install: build ## install both programs, manual pages and completions below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/daemonproxy
	install -D -m 755 $(CTL) $(DESTDIR)$(PREFIX)/bin/dpctl
	for page in docs/man/*.*; do install -D -m 644 $$page $(DESTDIR)$(PREFIX)/share/man/man$${page##*.}/$${page##*/} || exit 1; done
	for shell in bash zsh fish; do GOOS= GOARCH= $(GO) run ./cmd/dpctl completion $$shell >build/completion.$$shell || exit 1; done
	install -D -m 644 build/completion.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/dpctl
	install -D -m 644 build/completion.zsh $(DESTDIR)$(ZSHDIR)/_dpctl
	install -D -m 644 build/completion.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/dpctl.fish

deb: ## build/daemonproxy_VERSION_ARCH.deb, a Debian package of all that install installs
	@.ci/deb $(VERSION)

package: deb ## install the Debian package below a directory, use it, and remove it without a trace
	@.ci/debtest $(VERSION)

clean: ## remove build/
	rm -rf build

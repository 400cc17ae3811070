# usher: `make test` needs nothing but Go, make and, where tests want a program
# that is missing, Debian's package manager and the Python package index.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

export CGO_ENABLED ?= 0
GO        ?= go
TORTURE   ?= 10m
FUZZTIME  ?= 10s

.PHONY: build test check setup vet fmt-check race lint vuln bench torture fuzz fuzz-release release sbom docs run clean

build: ## build ./usher, a static binary
	$(GO) build -trimpath -o usher ./cmd/usher

run: ## serve the sample directory on 127.0.0.1:8080
	$(GO) run ./cmd/usher serve --demo --log-format text

test: setup check ## everything that must pass: set-up, vet, format, all tests, races
	$(GO) test -timeout 15m ./...
	@$(MAKE) --no-print-directory race

check: vet fmt-check ## the quick checks

setup: ## install what the tests run against, if it is missing
	@.ci/setup

vet:
	$(GO) vet ./...

fmt-check:
	@unformatted=$$(gofmt -l .); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi

# The race detector needs a C compiler; Debian's set-up installs one. These
# packages have state or goroutines of their own; doors have neither. Of the core's
# tests those run that do several things at once: the others have one goroutine, and
# the detector makes them five times slower; and so of the store's.
RACED   = ./internal/web ./internal/job ./internal/mail ./internal/webhook ./internal/app
AT_ONCE = Race|Goroutines|Wakes|GoFirst|Beside|FeedWait|FeedBusy|Follow|NoLost|FromCurrent|EnsureJobs|IsFair|Bounded|WaitingEnds
STORE_AT_ONCE = Concurrency|Writer|Lease|Follow|Race

race: ## tests of what runs at once under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 15m -run '$(AT_ONCE)' ./internal/directory
	CGO_ENABLED=1 $(GO) test -race -timeout 15m -run '$(STORE_AT_ONCE)' ./internal/store
	CGO_ENABLED=1 $(GO) test -race -timeout 15m $(RACED)

# The linters are built by version into bin/, so that go.mod stays the
# program's own. The first build takes minutes.
STATICCHECK  = bin/staticcheck-0.8.2
GOLANGCILINT = bin/golangci-lint-2.15.0

lint: check $(STATICCHECK) $(GOLANGCILINT) ## vet, format and linters
	$(STATICCHECK) ./...
	$(GOLANGCILINT) run ./...

$(STATICCHECK):
	$(call go-install,honnef.co/go/tools/cmd/staticcheck,$@)

$(GOLANGCILINT):
	$(call go-install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$@)

# Known vulnerabilities need a tool that is built, and a database that is reached, which
# not every place can: then this says so, and fails only with VULN=required. What is
# found always fails.
GOVULNCHECK = bin/govulncheck-1.9.0
VULN       ?= tried

vuln: ## known vulnerabilities in what the program calls
	@status=0; \
	if ! $(MAKE) --no-print-directory $(GOVULNCHECK) >/dev/null 2>&1; then \
		why="govulncheck cannot be installed here"; \
	else \
		$(GOVULNCHECK) ./... || status=$$?; \
		if [ $$status = 0 ] || [ $$status = 3 ]; then exit $$status; fi; \
		why="govulncheck could not finish (its words are above)"; \
	fi; \
	echo "vuln: NOT CHECKED: $$why"; \
	[ "$(VULN)" != required ]

$(GOVULNCHECK):
	$(call go-install,golang.org/x/vuln/cmd/govulncheck,$@)

# go-install,PACKAGE,bin/NAME-VERSION
define go-install
	GOBIN=$(CURDIR)/bin $(GO) install $(1)@v$(lastword $(subst -, ,$(2)))
	mv bin/$(notdir $(1)) $(2)
endef

# The other benchmarks: go test -run '^$' -bench NAME ./internal/PACKAGE
bench: ## measure what docs/benchmarks.md shows and write it anew (BENCH=door,size,… for some parts of it)
	$(GO) test -run '^$$' -bench '^BenchmarkSuite$$' -benchtime 1x -timeout 2h ./internal/bench

torture: setup ## everything around the program fails, for TORTURE (docs/torture.md)
	$(GO) test -timeout 0 -count 1 -v -run Test ./internal/torture -torture $(TORTURE)

fuzz: ## every fuzz target for FUZZTIME
	@grep -rlE '^func Fuzz' --include='*_test.go' cmd internal | while read -r file; do \
		package=./$$(dirname "$$file"); \
		grep -oE '^func Fuzz[A-Za-z0-9_]*' "$$file" | sed 's/^func //' | while read -r target; do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package"; \
		done; \
	done

fuzz-release: ## every fuzz target for an hour, on all cores; goes on where it was ended
	@FUZZTIME=$(if $(filter file,$(origin FUZZTIME)),1h,$(FUZZTIME)) GO=$(GO) tools/fuzz-release.sh

# What is published of a version: programs that were built twice and compared, bills of
# materials, licences and sums, in dist/. Of the commit that is checked out; with a tag
# on it that is the version.
release: lint vuln test ## linters, known vulnerabilities, all tests, then the files of a release
	$(GO) run ./tools/release build -out dist

sbom: build ## the bill of materials of ./usher, in usher.cdx.json
	$(GO) run ./tools/release sbom usher > usher.cdx.json

docs: ## write the generated pages anew
	$(GO) test ./internal/config -run TestDocumentedSettingsAreCurrent -update
	$(GO) test ./internal/directory -run TestErrorsPage -update

clean:
	rm -rf usher bin dist usher.cdx.json

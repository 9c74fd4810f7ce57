# Every target is explained by the comment behind it: `make help` prints them.

GO       ?= go
FUZZTIME ?= 10s
BENCH    ?= .

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

.PHONY: all
all: test lint ## Test and lint (the default)

.PHONY: help
help: ## Print this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1	\2/p' $(MAKEFILE_LIST) | sort | awk -F '\t' '{ printf "%-15s %s\n", $$1, $$2 }'

.PHONY: generate
generate: ## Write generated code anew
	$(GO) generate ./...

.PHONY: checkgenerate
checkgenerate: ## Fail if committed generated code is not what the generator writes
	scripts/checkgenerate

.PHONY: test
test: ## Run all tests; they need Go only
	$(GO) test ./...

.PHONY: test-race
test-race: ## Run all tests under the race detector; needs a C compiler
	CGO_ENABLED=1 $(GO) test -race -vet=off ./...

.PHONY: test-services
test-services: ## Run all tests, none skipped for a server; brings up the servers that do not run yet
	IDEMGEN_REQUIRE_SERVERS=1 scripts/services run $(GO) test ./...

.PHONY: test-mutations
test-mutations: ## Damage good documents, overlays and a configuration in every place, for every command; plain tests take a sample
	IDEMGEN_MUTATIONS=all $(GO) test -vet=off -timeout 3h -run Mutations ./generator

.PHONY: test-published
test-published: ## Have Spectral, Redocly CLI and swagger-parser judge published documents, also of IDEMGEN_CORPUS; needs Node and npm
	scripts/published

.PHONY: test-spectral
test-spectral: ## Hold the Spectral ruleset against idemgen lint; needs Node, and npx fetches Spectral
	npx --yes --package $$(node -p '"@stoplight/spectral-cli@" + require("./tools/node/package.json").dependencies["@stoplight/spectral-cli"]') -- $(GO) test -run '^TestSpectral_Agrees$$' -count 1 -v ./generator/lint

.PHONY: proof
proof: ## Try to break the promise: histories, faults and kills, in the bounded form of CI
	scripts/proof ci

.PHONY: soak
soak: ## The same for as long as SOAK (1) times an hour or so takes
	scripts/proof soak

.PHONY: corpus
corpus: ## Generate and compile every document in IDEMGEN_CORPUS (../shared/specs), and print a table; CORPUS names some
	$(GO) run ./internal/corpus $(CORPUS)

.PHONY: lint
lint: ## Run the linters of .golangci.yml, at the version that tools/go.mod pins
	$(GO) tool -modfile=tools/go.mod golangci-lint run

.PHONY: fix
fix: ## Let the linters that can correct their findings, formatting included
	$(GO) tool -modfile=tools/go.mod golangci-lint run --fix

.PHONY: fuzz
fuzz: ## Run each fuzz test for FUZZTIME (10s)
	scripts/fuzz $(FUZZTIME)

.PHONY: bench
bench: ## Measure the benchmarks that match BENCH (all), six times, for benchstat
	$(GO) test -vet=off -run '^$$' -bench '$(BENCH)' -benchmem -count 6 ./...

.PHONY: bench-stores
bench-stores: ## Measure what stores reach of hand-written floors, in interleaved rounds; servers by their variables
	$(GO) test -vet=off -p 1 -run '^$$' -bench '^BenchmarkRatio$$' -benchtime 9x -timeout 30m ./runtime/store/...

.PHONY: bench-generate
bench-generate: ## Compare generating with oapi-codegen's own run on the largest documents in IDEMGEN_CORPUS (../shared/specs); CORPUS names some
	$(GO) run ./internal/genbench $(CORPUS)

.PHONY: bench-peers
bench-peers: ## Compare the runtime with other idempotency middleware, in one process
	$(GO) run -C bench .

.PHONY: bench-once
bench-once: ## Run every benchmark once, so that it compiles and finishes
	$(GO) test -vet=off -run '^$$' -bench . -benchtime 1x ./...

.PHONY: vet-cross
vet-cross: ## Run vet and staticcheck for linux, windows and darwin
	$(GO) run -C tools ./check -C .. ./... ./generator/testdata/cases/...

.PHONY: demo
demo: ## Run the petstore's demonstration
	$(GO) run ./examples/petstore/demo

// Package kill checks what is left of requests whose process is killed. Its tests
// serve a generated package from a worker process, a copy of the test binary, on
// a store that outlives it. Clients send payments under keys of their own, some
// twice at once, and ask again until they have an answer. Meanwhile the worker is
// killed (SIGKILL) again and again, at points that are drawn from a seed: before
// the claim, in the handler, between the writes and the commit, during the
// commit, after it and before the answer. Half of the kills wait for a request
// that stands still at its point, the others hit whatever runs on.
//
// In one commit a key then has one row and one answer, whoever asks and whenever,
// nothing that was acknowledged is missing, and nothing is blocked by the dead.
// The same harness with separate commits, which is what a record beside a
// handler's own transaction amounts to, has to find a duplicate.
//
// A PostgreSQL server of the test's own is killed in the same way, and recovers.
//
//	go test ./internal/proof/kill
//	IDEMGEN_KILLS=1000 go test ./internal/proof/kill -timeout 30m
//
// The number is how often the worker on SQLite is killed. It is a fifth of it on
// each of the other stores, and a two-hundredth of it for PostgreSQL itself.
package kill

//go:generate go run github.com/idemgen/idemgen/cmd/idemgen generate

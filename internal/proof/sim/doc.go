// Package sim runs the whole runtime in simulated time: its tests let clients
// send keyed requests to two processes that share a store, with retries,
// parallel duplicates, other bodies under the same key and clients that hang up,
// while store calls are slow, fail before or after they took effect, heartbeats
// are lost, leases lapse, clocks jump, and processes crash. What happens, and
// the policy, follow from a seed.
//
// Two things are checked. A book that knows every call of the store holds each
// of its answers against the states of a record. And what clients and handlers
// see is held against the promises: an acknowledged answer is what every later
// identical request gets until its retention is over, another body or tenant
// never gets it, no handler starts without a claim, a resource that checks the
// fence never takes a second effect while an answer lives, an unclear outcome
// under hold stays unclear until somebody resolves it, and every request is
// answered in bounded time.
//
//	go test ./internal/proof/sim
//	IDEMGEN_SEEDS=5000 go test ./internal/proof/sim -run Simulation -timeout 1h
//	go test ./internal/proof/sim -run 'Simulation$' -seed 17 -v   one run, with its log
//
// One seed is one sequence of events, octet for octet: everything that is
// logged happens at an instant of its own, and what it draws depends on the
// request and not on who was scheduled first.
//
// The checks themselves are checked with stores and wirings that break one rule
// each: what a store breaks must be seen without the book as well.
package sim

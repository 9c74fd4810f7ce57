// Package linear checks that the records of one key are linearizable: its tests
// let concurrent clients claim, renew, complete, release, abandon and look up
// one key, in lease mode, in transactions and in both, while calls fail before
// or after they took effect, contexts end, and the store's clock jumps over
// leases and retention. Each history is held against a model of the record's
// states with porcupine. An outcome that a client was not told may have happened
// or not, at any time since the call.
//
//	go test ./internal/proof/linear
//	IDEMGEN_HISTORIES=5000 go test ./internal/proof/linear -run Linearizable -timeout 1h
//
// The check itself is checked with stores that break one rule each.
package linear

// Package misuse serves handlers that break their part of the contract, on every
// store with transactions: they must be found out, answered with 500 and named
// in the log, and must not damage what follows.
//
//	go test ./internal/proof/misuse
package misuse

// Package faults lets databases fail at a chosen boundary: between any two
// statements that a store makes, before or after the statement took effect. A
// [Plan] counts the boundaries and knows at which of them what goes wrong;
// [Connector] carries it out under database/sql, [Wire] on a connection that
// speaks PostgreSQL's protocol.
//
// The tests of the package sweep over all boundaries of everything that a store
// does, with every kind of fault, on every SQL store. After each fault they look
// with the eyes of another process: nothing may be half done, what was
// acknowledged is there, no connection and no entry in memory is left behind, and
// the key can be used again. Which kinds of faults there are says [Kinds]; what is
// done under them, scenarios_test.go.
//
//	go test ./internal/proof/faults
//
// The sweep itself is checked with stores that do one thing wrong each. Not swept
// over is SQLite's group commit, whose connections only the store itself makes.
package faults

// Package vectors runs the project's request sequences against generated
// servers. A sequence is data: requests, what they are answered with, and what
// has happened in the end. The types that [Load] decodes a file into say what
// each member means.
//
// The fixture of a file becomes an OpenAPI document, one per distinct policy;
// every document is generated into a package; all packages are linked into one
// server, which runs as a child process and is told over a loopback connection
// which package to serve on which store. The child knows neither vectors nor
// expectations. Its handlers ask the [Ledger] in the test's process what to
// answer, so that runs are counted, gates are kept shut and rows are counted
// outside the server, and survive when it is killed. In tx mode rows and
// resources are in the store's own database, and are read there by this process.
//
// Each sequence has a place of its own in its [Site]: a file, or a schema, a
// database or a prefix in the server that IDEMGEN_POSTGRES, IDEMGEN_MYSQL or
// IDEMGEN_REDIS names. Where the server keeps the time, a step that moves the
// clock moves the recorded instants instead.
//
// An evaluation is one conditional request on a resource in a known state. Its
// policy becomes a document in the same way, and all of them are linked into the
// server of package evaluator.
//
//	go test ./internal/vectors -run Vectors
//	go test ./internal/vectors -run Evaluations
//	IDEMGEN_VECTORS=/path/to/vectors go test ./internal/vectors -count=1
//
// The last form runs every file of a directory instead of the project's own;
// -count=1 because go test does not notice changes of files outside the module.
package vectors

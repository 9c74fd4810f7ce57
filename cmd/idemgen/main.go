// Idemgen turns an annotated OpenAPI document into a Go server that is safe to
// retry: x-idempotency and x-etag become policies that the generated handler
// enforces.
//
//	idemgen init                  start a project: configuration, document, server
//	idemgen init --overlay vendor.yaml  propose annotations for a foreign document
//	idemgen generate              write the packages of idemgen.yaml
//	idemgen generate --check      fail, with a diff, when they are not up to date
//	idemgen generate --dump-plan  print what would be generated, as JSON
//	idemgen spec                  print the document that clients read
//	idemgen lint                  look for unwise policies and operations without one
//	idemgen explain placeOrder    show what holds for an operation, and which line says so
//	idemgen breaking old.yaml new.yaml  list changes of policy that clients notice
//	idemgen report -o report.html show on one page how safe the API is to retry
//	idemgen store sql             print the tables of a store, for your migrations
//	idemgen version               print the release
//
// The configuration idemgen.yaml is looked for in the working directory and
// above. Exit codes: 0 in order, 1 findings or drift, 2 could not run. Standard
// output carries data only; everything else goes to standard error.
package main

import (
	"os"
	"runtime/debug"

	"github.com/idemgen/idemgen/generator"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(generator.GCPercent)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// Package migrations holds the MySQL and MariaDB schema of the idempotency
// records as goose-annotated SQL. It imports no driver, so that `idemgen store sql`
// can print the files, with other names.
package migrations

import "embed"

// FS holds the migrations, one file each, named by number.
//
//go:embed *.sql
var FS embed.FS

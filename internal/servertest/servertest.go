// Package servertest tells tests where the servers are that they need. A
// variable of the environment names each server. A test whose server has no name
// is skipped, and says which variable enables it, so that `go test ./...` needs
// Go only; when IDEMGEN_REQUIRE_SERVERS is 1 it fails instead, so that nobody
// takes a test that did not run for one that passed.
//
// scripts/services brings the servers up and prints the variables.
package servertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The variables that name a server. That of MySQL 8 is never required: Debian has
// no package that brings one up.
const (
	Postgres     = "IDEMGEN_POSTGRES"
	MySQL        = "IDEMGEN_MYSQL" // MariaDB is one
	MySQL8       = "IDEMGEN_MYSQL8"
	Redis        = "IDEMGEN_REDIS"
	RedisCluster = "IDEMGEN_REDIS_CLUSTER"
	NATS         = "IDEMGEN_NATS"
)

// Required is the variable that turns skipped tests into failures.
const Required = "IDEMGEN_REQUIRE_SERVERS"

// examples are what the variables may say.
var examples = map[string]string{
	Postgres:     "postgres://postgres@127.0.0.1:5432/test",
	MySQL:        "root@tcp(127.0.0.1:3306)/test",
	MySQL8:       "root@tcp(127.0.0.1:3308)/test",
	Redis:        "redis://127.0.0.1:6379/0",
	RedisCluster: "redis://127.0.0.1:7000",
	NATS:         "nats://127.0.0.1:4222",
}

// URL returns what a variable names, in the form that the server's driver
// understands. When it names nothing, the test is skipped, or fails if servers
// are required. Other tests use the same server at the same time: a test makes a
// schema, tables or a prefix of its own and removes them.
func URL(tb testing.TB, variable string) string {
	tb.Helper()
	example, known := examples[variable]
	if !known {
		tb.Fatalf("%s names no server: use a constant of servertest", variable)
	}
	url := os.Getenv(variable)
	optional := variable == MySQL8
	switch {
	case url != "":
	case os.Getenv(Required) == "1" && !optional:
		tb.Fatalf("%s is not set, and %s=1 wants it: it names the server, as in %s", variable, Required, example)
	default:
		tb.Skipf("%s is not set: it names the server, as in %s", variable, example)
	}
	return url
}

// Program returns the path of the first of several programs that is installed.
// When none is, the test is skipped, or fails if servers are required.
func Program(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		// Not in the PATH of every user.
		if path, err := exec.LookPath(filepath.Join("/usr/sbin", name)); err == nil {
			return path
		}
	}
	list := strings.Join(names, " or ")
	if os.Getenv(Required) == "1" {
		tb.Fatalf("%s is not installed, and %s=1 wants it", list, Required)
	}
	tb.Skipf("%s is not installed", list)
	return ""
}

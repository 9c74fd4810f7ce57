package main

import (
	"embed"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	mysql "github.com/idemgen/idemgen/runtime/store/mysql/migrations"
	postgres "github.com/idemgen/idemgen/runtime/store/postgres/migrations"
	sqlite "github.com/idemgen/idemgen/runtime/store/sqlite/migrations"
)

// Formats of the printed SQL.
const (
	formatGoose = "goose"
	formatPlain = "plain"
)

// defaultPrefix begins the names in the migrations.
const defaultPrefix = "idem_"

// The annotations that halve a migration.
const (
	up   = "-- +goose Up"
	down = "-- +goose Down"
)

// dialect is the SQL of one store, and what the store says of names.
type dialect struct {
	name       string
	migrations embed.FS
	prefix     *regexp.Regexp
	says       string // what a prefix has to look like
	schemas    bool
}

var dialects = []dialect{
	{
		"postgres", postgres.FS, regexp.MustCompile(`^[a-z_][a-z0-9_]{0,51}$`),
		"at most 52 lower-case letters, digits and underscores", true,
	},
	{
		"mysql", mysql.FS, regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,47}$`),
		"at most 48 letters, digits and underscores", false,
	},
	{
		"sqlite", sqlite.FS, regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`),
		"letters, digits and underscores", false,
	},
}

// tableNames says how the tables are called.
type tableNames struct{ prefix, schema string }

// sql returns all migrations as one, in a format.
func (d *dialect) sql(format string, names tableNames) (string, error) {
	switch {
	case format != formatGoose && format != formatPlain:
		return "", fmt.Errorf("--format %s: use goose or plain", format)
	case !d.prefix.MatchString(names.prefix):
		return "", fmt.Errorf("--table-prefix %q: use %s, and begin with a letter or underscore", names.prefix, d.says)
	case names.schema != "" && !d.schemas:
		return "", fmt.Errorf("--schema is for postgres: with %s the tables are in the database of the connection", d.name)
	case len(names.schema) > 63 || strings.ContainsFunc(names.schema, func(r rune) bool { return r < ' ' }):
		return "", fmt.Errorf("--schema %q: use a name of PostgreSQL, at most 63 octets", names.schema)
	}
	ups, downs, err := d.halves()
	if err != nil {
		return "", err
	}
	making, removing := names.apply(strings.Join(ups, "")), names.apply(strings.Join(downs, ""))
	if names.schema != "" {
		making = "\nCREATE SCHEMA IF NOT EXISTS " + quoted(names.schema) + ";\n" + making
	}
	if format == formatPlain {
		return strings.TrimSpace(making) + "\n", nil
	}
	return up + "\n" + making + down + "\n" + removing, nil
}

// halves returns what the migrations do, in their order, and what undoes them,
// in the reverse order.
func (d *dialect) halves() (ups, downs []string, err error) {
	files, err := fs.Glob(d.migrations, "*.sql") // sorted by name, which begins with the number
	if err != nil {
		return nil, nil, err
	}
	for _, name := range files {
		text, err := d.migrations.ReadFile(name)
		if err != nil {
			return nil, nil, err
		}
		making, removing, halved := strings.Cut(string(text), down+"\n")
		making, annotated := strings.CutPrefix(making, up+"\n")
		if !halved || !annotated {
			return nil, nil, fmt.Errorf("the migration %s of %s is not annotated for goose", name, d.name)
		}
		ups, downs = append(ups, making), append(downs, removing)
	}
	slices.Reverse(downs)
	return ups, downs, nil
}

// namesInSQL finds the beginnings of names, with the words that make an index: it
// is in the schema of its table, and PostgreSQL wants that unsaid.
var namesInSQL = regexp.MustCompile(`(CREATE (?:UNIQUE )?INDEX (?:IF NOT EXISTS )?)?\bidem_`)

// apply gives the tables of a migration their names.
func (n tableNames) apply(text string) string {
	return namesInSQL.ReplaceAllStringFunc(text, func(found string) string {
		index := strings.TrimSuffix(found, defaultPrefix)
		if n.schema == "" || index != "" {
			return index + n.prefix
		}
		return quoted(n.schema) + "." + n.prefix
	})
}

// quoted writes a name of PostgreSQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

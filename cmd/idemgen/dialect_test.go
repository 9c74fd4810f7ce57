package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/idemgen/idemgen/internal/servertest"
	"github.com/idemgen/idemgen/runtime/store/mysql"
	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// printed returns what `idemgen store sql` prints.
func printed(t *testing.T, args ...string) string {
	t.Helper()
	var out, trouble strings.Builder
	if code := run(append([]string{"store", "sql"}, args...), strings.NewReader(""), &out, &trouble); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &trouble)
	}
	return out.String()
}

// halves returns the two parts of a goose migration.
func halves(t *testing.T, text string) (up, down string) {
	t.Helper()
	up, down, found := strings.Cut(text, "-- +goose Down\n")
	if !found {
		t.Fatalf("no second half in %s", text)
	}
	return up, down
}

// TestStoreSQL_Files: with the default names the output is the file that the
// store itself applies.
func TestStoreSQL_Files(t *testing.T) {
	for _, d := range dialects {
		want, err := d.migrations.ReadFile("00001_idem_keys.sql")
		if err != nil {
			t.Fatal(err)
		}
		if got := printed(t, "--dialect", d.name); got != string(want) {
			t.Errorf("%s: printed\n%s", d.name, got)
		}
	}
}

// TestStoreSQL_Prefixes: what is refused here is what the stores refuse.
func TestStoreSQL_Prefixes(t *testing.T) {
	refusedBy := map[string]func(prefix string) error{
		"sqlite": func(prefix string) error {
			s, err := sqlite.Open(filepath.Join(t.TempDir(), "idem.db"), sqlite.WithTablePrefix(prefix))
			if err == nil {
				err = s.Close()
			}
			return err
		},
		"mysql": func(prefix string) error {
			return mysql.Migrate(t.Context(), unreachable(t), mysql.WithTablePrefix(prefix))
		},
		"postgres": func(prefix string) error {
			return postgres.MigrateSQL(t.Context(), unreachable(t), postgres.WithTablePrefix(prefix))
		},
	}
	for _, prefix := range []string{
		"idem_", "a", "_", "Idem_", "idem1_", "1idem_", "", "idem-", "idém_", "x y",
		strings.Repeat("a", 48), strings.Repeat("a", 49), strings.Repeat("a", 52), strings.Repeat("a", 53),
	} {
		for _, d := range dialects {
			_, err := d.sql(formatPlain, tableNames{prefix: prefix})
			refused := strings.Contains(message(refusedBy[d.name](prefix)), "table prefix")
			if (err != nil) != refused {
				t.Errorf("%s %q: error %v here, refused there: %t", d.name, prefix, err, refused)
			}
		}
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// nowhere is a server that is not there.
type nowhere struct{}

func (nowhere) Connect(context.Context) (driver.Conn, error) { return nil, errors.New("nowhere") }
func (nowhere) Driver() driver.Driver                        { return nil }

// unreachable returns a database whose every connection fails.
func unreachable(t *testing.T) *sql.DB {
	t.Helper()
	db := sql.OpenDB(nowhere{})
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestStoreSQL_SQLite(t *testing.T) {
	for _, prefix := range []string{"idem_", "Retry_"} {
		t.Run(prefix, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "idem.db")
			db, err := sql.Open("sqlite", path)
			must(t, err)
			defer db.Close()
			up, down := halves(t, printed(t, "--dialect", "sqlite", "--table-prefix", prefix))
			for range 2 { // what is removed can be made again
				mustExec(t, db, "PRAGMA journal_mode=WAL;"+up)
				s, err := sqlite.New(db, sqlite.WithTablePrefix(prefix), sqlite.WithReaderDB(db))
				must(t, err)
				must(t, s.Close())
				must(t, sqlite.Migrate(t.Context(), db, sqlite.WithTablePrefix(prefix)))
				mustExec(t, db, down)
			}
			if n := rows(t, db, "SELECT count(*) FROM sqlite_schema"); n != 0 {
				t.Errorf("%d definitions are left", n)
			}
			mustExec(t, db, printed(t, "--dialect", "sqlite", "--table-prefix", prefix, "--format", "plain"))
		})
	}
}

func TestStoreSQL_MySQL(t *testing.T) {
	for _, variable := range []string{servertest.MySQL, servertest.MySQL8} {
		t.Run(variable, func(t *testing.T) {
			db, err := sql.Open("mysql", servertest.URL(t, variable))
			must(t, err)
			defer db.Close()
			prefix := "sql" + strings.ToLower(rand.Text()[:10]) + "_"
			up, down := halves(t, printed(t, "--dialect", "mysql", "--table-prefix", prefix))
			each := func(half string) {
				for statement := range strings.SplitSeq(half, ";\n") { // as goose does
					if strings.Contains(statement, prefix) {
						mustExec(t, db, statement)
					}
				}
			}
			each(up)
			s, err := mysql.New(t.Context(), db, mysql.WithTablePrefix(prefix))
			must(t, err)
			must(t, s.Close())
			must(t, mysql.Migrate(t.Context(), db, mysql.WithTablePrefix(prefix)))
			each(down)
			if n := rows(t, db, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name LIKE '"+prefix+"%'"); n != 0 {
				t.Errorf("%d tables are left", n)
			}
		})
	}
}

func TestStoreSQL_PostgreSQL(t *testing.T) {
	ctx := t.Context()
	db, err := pgxpool.New(ctx, servertest.URL(t, servertest.Postgres))
	must(t, err)
	defer db.Close()
	script := func(text string) {
		t.Helper()
		_, err := db.Exec(ctx, text, pgx.QueryExecModeSimpleProtocol)
		must(t, err)
	}
	schema := `Shop "` + strings.ToLower(rand.Text()) + `"`
	defer func() {
		_, err := db.Exec(context.Background(), "DROP SCHEMA "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		must(t, err)
	}()
	names := []postgres.Option{postgres.WithSchema(schema), postgres.WithTablePrefix("retry_")}
	up, down := halves(t, printed(t, "--dialect", "postgres", "--schema", schema, "--table-prefix", "retry_"))
	for range 2 { // the schema may exist
		script(up)
		_, err = postgres.New(ctx, db, names...)
		must(t, err)
		must(t, postgres.Migrate(ctx, db, names...))
		script(down)
	}
	var left int
	must(t, db.QueryRow(ctx, "SELECT count(*) FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)", schema).Scan(&left))
	if left != 0 {
		t.Errorf("%d relations are left", left)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustExec(t *testing.T, db *sql.DB, text string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), text); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func rows(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	must(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

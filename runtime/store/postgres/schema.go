package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/idemgen/idemgen/runtime/store/postgres/migrations"
)

// Migrate creates the store's tables in the database of db, or brings them up to
// date, in one transaction. It may be called at each start and by several
// processes at once. Of the options only WithSchema and WithTablePrefix matter;
// a schema that is named is created if need be. The same files may be applied by
// goose instead; see package migrations.
func Migrate(ctx context.Context, db *pgxpool.Pool, opts ...Option) error {
	return migrate(ctx, pgxPool{db}, opts)
}

// MigrateSQL is [Migrate] for a database that was opened with database/sql.
func MigrateSQL(ctx context.Context, db *sql.DB, opts ...Option) error {
	return migrate(ctx, sqlPool{db}, opts)
}

func migrate(ctx context.Context, p pool, opts []Option) error {
	o, err := newOptions(opts)
	if err != nil {
		return err
	}
	c, err := p.acquire(ctx)
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	defer c.free()
	err = c.do(func(pc *pgx.Conn) error {
		err := o.apply(ctx, pc)
		if err != nil {
			err = errors.Join(err, execRollback(ctx, pc))
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("postgres: migrate: %w", err)
	}
	return nil
}

// migrateLock is the advisory lock of Migrate: the first octets of "idemgen".
const migrateLock = 0x6964656d67656e00

// apply executes the migrations that the database lacks.
func (o *options) apply(ctx context.Context, pc *pgx.Conn) error {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return err
	}
	version := 0
	// The lock comes before the look at the version: of two processes the
	// second one finds the work done.
	script := beginTx.text + "; SELECT pg_advisory_xact_lock(" + strconv.FormatInt(migrateLock, 10) + ")"
	if err := o.script(ctx, pc, script); err != nil {
		return err
	}
	if err := o.enterSchema(ctx, pc); err != nil {
		return err
	}
	var exists bool
	if err := pc.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", o.prefix+"schema").Scan(&exists); err != nil {
		return err
	}
	if exists {
		row := pc.QueryRow(ctx, "SELECT COALESCE(max(version), 0) FROM "+o.prefix+"schema")
		if err := row.Scan(&version); err != nil {
			return err
		}
	}
	for _, name := range files { // sorted by name, which begins with the number
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.Atoi(number); err != nil || n <= version {
			continue
		}
		text, err := migrations.FS.ReadFile(name)
		if err != nil {
			return err
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		if err := o.script(ctx, pc, strings.ReplaceAll(up, "idem_", o.prefix)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return o.script(ctx, pc, commitTx.text)
}

// enterSchema makes the schema, if it has a name, the one that names without a
// schema mean until the end of the transaction. PostgreSQL wants the right to
// create one even where it exists, so it is asked first.
func (o *options) enterSchema(ctx context.Context, pc *pgx.Conn) error {
	if o.schema == "" {
		return nil
	}
	var exists bool
	err := pc.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", o.schema).Scan(&exists)
	if err != nil {
		return err
	}
	name := pgx.Identifier{o.schema}.Sanitize()
	script := "SET LOCAL search_path = " + name
	if !exists {
		script = "CREATE SCHEMA " + name + "; " + script
	}
	return o.script(ctx, pc, script)
}

// script executes several statements without parameters.
func (o *options) script(ctx context.Context, pc *pgx.Conn, text string) error {
	_, err := pc.PgConn().Exec(ctx, text).ReadAll()
	return err
}

// columns are what the statements need of the table.
var columns = []struct{ name, kind string }{
	{"k", "bytea"},
	{"fp", "bytea"},
	{"state", "smallint"},
	{"hold", "boolean"},
	{"fence", "bigint"},
	{"attempts", "integer"},
	{"lease_until", "timestamp with time zone"},
	{"expires_at", "timestamp with time zone"},
	{"status", "smallint"},
	{"headers", "bytea"},
	{"body", "bytea"},
	{"flags", "integer"},
	{"operation", "text"},
	{"created_at", "timestamp with time zone"},
}

const remedy = "run postgres.Migrate, or apply the files of runtime/store/postgres/migrations"

// prepare finds the tables, says what is wrong with them and how to repair it,
// and makes the statements.
func (s *Store) prepare(ctx context.Context) error {
	c, err := s.acquire(ctx)
	if err != nil {
		return err
	}
	defer c.free()
	return c.do(func(pc *pgx.Conn) error {
		schema, err := s.check(ctx, pc)
		if err != nil {
			return err
		}
		s.unnamed = pc.Config().DefaultQueryExecMode != pgx.QueryExecModeCacheStatement
		s.sql = statementsFor(pgx.Identifier{schema}.Sanitize() + "." + s.prefix)
		return nil
	})
}

// check returns the schema in which the tables are.
func (s *Store) check(ctx context.Context, pc *pgx.Conn) (schema string, err error) {
	table := s.prefix + "keys"
	if s.schema != "" {
		table = pgx.Identifier{s.schema}.Sanitize() + "." + table
	}
	var (
		oid     uint32
		indexed bool
	)
	err = pc.QueryRow(ctx, `SELECT c.oid, n.nspname, EXISTS (
	SELECT FROM pg_index AS i
	JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'k'
	WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
		AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = to_regclass($1)`, table).Scan(&oid, &schema, &indexed)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", fmt.Errorf("table %s is missing: %s", table, remedy)
	}
	if err != nil {
		return "", err
	}
	if err := checkColumns(ctx, pc, oid, table); err != nil {
		return "", err
	}
	if !indexed {
		return "", fmt.Errorf(`table %s has no primary key (k): ALTER TABLE %[1]s ADD PRIMARY KEY (k)`, table)
	}
	s.seed = s.options.seed ^ int64(uint64(oid)*0x9e3779b97f4a7c15) // spread over all bits
	return schema, checkSequence(ctx, pc, pgx.Identifier{schema}.Sanitize()+"."+s.prefix+"fence")
}

func checkColumns(ctx context.Context, pc *pgx.Conn, table uint32, name string) error {
	rows, err := pc.Query(ctx, `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped`, table)
	if err != nil {
		return err
	}
	have := map[string]string{}
	var column, kind string
	if _, err := pgx.ForEachRow(rows, []any{&column, &kind}, func() error {
		have[column] = kind
		return nil
	}); err != nil {
		return err
	}
	for _, c := range columns {
		switch kind := have[c.name]; kind {
		case c.kind:
		case "":
			return fmt.Errorf("column %q of table %s is missing: the schema is older than this program; %s", c.name, name, remedy)
		default:
			return fmt.Errorf("column %q of table %s is %s, not %s: something else made this table; choose another WithSchema or WithTablePrefix, or remove it and %s", c.name, name, kind, c.kind, remedy)
		}
	}
	return nil
}

func checkSequence(ctx context.Context, pc *pgx.Conn, name string) error {
	var cache int64
	err := pc.QueryRow(ctx, "SELECT seqcache FROM pg_sequence WHERE seqrelid = to_regclass($1)", name).Scan(&cache)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("sequence %s is missing: %s", name, remedy)
	case err != nil:
		return err
	case cache != 1:
		return fmt.Errorf("sequence %s caches %d numbers per session, so that fences would not rise: ALTER SEQUENCE %[1]s CACHE 1", name, cache)
	}
	return nil
}

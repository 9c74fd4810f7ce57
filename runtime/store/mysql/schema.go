package mysql

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/runtime/store/mysql/migrations"
)

// migrateWait is how long one process waits for another that migrates, in
// seconds.
const migrateWait = 60

// Migrate creates the store's tables in the database that the DSN of db names, or
// brings them up to date. It may be called at each start and by several processes
// at once. Of the options only WithTablePrefix matters. The same files may be
// applied by goose instead; see package migrations.
func Migrate(ctx context.Context, db *sql.DB, opts ...Option) error {
	o, err := newOptions(opts)
	if err != nil {
		return err
	}
	if err := migrate(ctx, db, o.prefix); err != nil {
		return fmt.Errorf("mysql: migrate: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB, prefix string) error {
	about, err := inspect(ctx, db)
	if err != nil {
		return err
	}
	x, err := (&Store{options: options{prefix: prefix, busy: DefaultBusyTimeout}, db: db, server: about}).connect(ctx)
	if err != nil {
		return err
	}
	defer x.free()

	// The lock comes before the look at the version: of two processes the second
	// one finds the work done. Definitions cannot be undone with a transaction.
	name := sha256.Sum256([]byte("migrate\x00" + about.database + "\x00" + prefix))
	lock := fmt.Sprintf("%x", name[:31])
	var locked sql.NullInt64
	if err := x.conn.QueryRowContext(ctx, "SELECT GET_LOCK(?, ?)", lock, migrateWait).Scan(&locked); err != nil {
		return err
	}
	if locked.Int64 != 1 {
		return fmt.Errorf("another process has been migrating for %d s", migrateWait)
	}
	x.lock = lock
	return apply(ctx, x.conn, about.database, prefix)
}

// apply executes the migrations that the database lacks.
func apply(ctx context.Context, conn *sql.Conn, database, prefix string) error {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return err
	}
	have, _, err := tableColumns(ctx, conn, database, prefix+"schema")
	if err != nil {
		return err
	}
	version := 0
	if len(have) > 0 {
		row := conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM "+prefix+"schema")
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
		for _, statement := range upStatements(string(text)) {
			if _, err := conn.ExecContext(ctx, named(statement, prefix)); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// upStatements splits the first half of a migration as goose does: a statement
// ends with a semicolon at the end of a line. Comments go, because the server
// would take the last of them for a statement without text.
func upStatements(text string) (statements []string) {
	up, _, _ := strings.Cut(text, "-- +goose Down")
	var b strings.Builder
	for line := range strings.Lines(up) {
		line, _, _ = strings.Cut(line, "--")
		line = strings.TrimRight(line, " \n")
		if line == "" {
			continue
		}
		line, ends := strings.CutSuffix(line, ";")
		b.WriteString(line + "\n")
		if ends {
			statements = append(statements, b.String())
			b.Reset()
		}
	}
	return statements
}

// column is what matters of a column: its type, and its size in octets or in
// digits of a second, where that matters too.
type column struct {
	kind string
	size int64
}

func (c column) String() string {
	if c.size == 0 {
		return c.kind
	}
	return fmt.Sprintf("%s(%d)", c.kind, c.size)
}

// columns are what the statements need of the table, in the migration's order.
var columns = []struct {
	name string
	column
}{
	{"k", column{"binary", 32}},
	{"fp", column{"binary", 33}},
	{"state", column{"tinyint", 0}},
	{"hold", column{"tinyint", 0}},
	{"fence", column{"bigint", 0}},
	{"attempts", column{"int", 0}},
	{"lease_until", column{"datetime", 6}},
	{"expires_at", column{"datetime", 6}},
	{"status", column{"smallint", 0}},
	{"headers", column{"mediumblob", 0}},
	{"body", column{"longblob", 0}},
	{"flags", column{"smallint", 0}},
	{"operation", column{"varchar", 0}},
	{"created_at", column{"datetime", 6}},
}

const remedy = "run mysql.Migrate, or apply the files of runtime/store/mysql/migrations"

// check says what is wrong with the database, and how to repair it.
func (s *Store) check(ctx context.Context) error {
	table := s.prefix + "keys"
	have, key, err := tableColumns(ctx, s.db, s.server.database, table)
	if err != nil {
		return err
	}
	if len(have) == 0 {
		return fmt.Errorf("table %q is missing in database %q: %s", table, s.server.database, remedy)
	}
	for _, want := range columns {
		got, ok := have[want.name]
		if !ok {
			return fmt.Errorf("column %q of table %q is missing: the schema is older than this program; %s", want.name, table, remedy)
		}
		if got != want.column {
			return fmt.Errorf("column %q of table %q is %s, want %s: define it as in runtime/store/mysql/migrations", want.name, table, got, want.column)
		}
	}
	if !slices.Equal(key, []string{"k"}) {
		return fmt.Errorf("the primary key of table %q is %q, want \"k\" alone, or two runs could both be recorded: define it as in runtime/store/mysql/migrations", table, key)
	}
	var engine sql.NullString
	row := s.db.QueryRowContext(ctx, "SELECT engine FROM information_schema.tables WHERE table_schema = ? AND table_name = ?", s.server.database, table)
	if err := row.Scan(&engine); err != nil {
		return err
	}
	if !strings.EqualFold(engine.String, "InnoDB") {
		return fmt.Errorf("table %q has the engine %s, which has no transactions: execute ALTER TABLE %s ENGINE = InnoDB", table, engine.String, table)
	}
	return nil
}

// A queryer is a pool or a connection.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tableColumns returns the columns of a table by name, and the names of those
// that are its primary key; none when there is no such table.
func tableColumns(ctx context.Context, db queryer, database, table string) (have map[string]column, key []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT column_name, LOWER(data_type),
	COALESCE(datetime_precision, IF(LOWER(data_type) = 'binary', character_octet_length, 0)), column_key = 'PRI'
FROM information_schema.columns WHERE table_schema = ? AND table_name = ? ORDER BY ordinal_position`, database, table)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	have = map[string]column{}
	for rows.Next() {
		var (
			name    string
			c       column
			primary bool
		)
		if err := rows.Scan(&name, &c.kind, &c.size, &primary); err != nil {
			return nil, nil, err
		}
		have[name] = c
		if primary {
			key = append(key, name)
		}
	}
	return have, key, rows.Err()
}

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/idemgen/idemgen/runtime/store/sqlite/migrations"
)

// Migrate creates the store's tables in db, or brings them up to date, in one
// transaction. It may be called at each start and by several processes at once.
// Of the options only WithTablePrefix matters. The same files may be applied by
// goose instead; see package migrations.
func Migrate(ctx context.Context, db *sql.DB, opts ...Option) error {
	o, err := newOptions(opts)
	if err != nil {
		return err
	}
	if err := migrate(ctx, db, o); err != nil {
		return fmt.Errorf("sqlite: %w", err)
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB, o options) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()

	// The lock comes before the look at the version: of two processes the
	// second one finds the work done.
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("migrate: %w", busyError(err))
	}
	if err := o.apply(ctx, conn); err != nil {
		_, undo := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(fmt.Errorf("migrate: %w", err), undo)
	}
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		return fmt.Errorf("migrate: commit: %w", err)
	}
	return nil
}

// apply executes the migrations that the database lacks.
func (o *options) apply(ctx context.Context, conn *sql.Conn) error {
	files, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil {
		return err
	}
	var version int
	columns, err := tableColumns(ctx, conn, o.prefix+"schema")
	if err != nil {
		return err
	}
	if len(columns) > 0 {
		row := conn.QueryRowContext(ctx, "SELECT COALESCE(max(version), 0) FROM "+o.prefix+"schema")
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
		if _, err := conn.ExecContext(ctx, strings.ReplaceAll(up, "idem_", o.prefix)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// columns are what the statements need of the table.
var columns = []string{
	"k", "fp", "state", "hold", "fence", "attempts", "lease_until", "expires_at",
	"status", "headers", "body", "flags", "operation", "created_at",
}

// check says what is wrong with the database, and how to repair it.
func (s *Store) check(ctx context.Context) error {
	table := s.prefix + "keys"
	const remedy = "run sqlite.Migrate, or apply the files of runtime/store/sqlite/migrations"
	for _, db := range []*sql.DB{s.writer, s.reader} {
		have, err := tableColumns(ctx, db, table)
		if err != nil {
			return err
		}
		if len(have) == 0 {
			return fmt.Errorf("table %q is missing: %s", table, remedy)
		}
		for _, c := range columns {
			if !have[c] {
				return fmt.Errorf("column %q of table %q is missing: the schema is older than this program; %s", c, table, remedy)
			}
		}
	}
	var journal string
	if err := s.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&journal); err != nil {
		return err
	}
	if journal != "wal" {
		return fmt.Errorf("journal_mode is %s, and readers would block the writer: execute PRAGMA journal_mode=WAL on the file (in memory, use runtime/store/memory)", journal)
	}
	var now sql.NullInt64
	if err := s.writer.QueryRowContext(ctx, "SELECT "+now1, 0).Scan(&now); err != nil {
		return err
	}
	if !now.Valid {
		return errors.New("the driver's SQLite is older than 3.42, which has no clock in milliseconds: upgrade the driver")
	}
	return nil
}

// A querier is a *sql.DB or *sql.Conn.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// tableColumns returns the names of a table's columns; none when there is no
// such table.
func tableColumns(ctx context.Context, db querier, table string) (names map[string]bool, err error) {
	rows, err := db.QueryContext(ctx, "SELECT name FROM pragma_table_info(?)", table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names = map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names[name] = true
	}
	return names, rows.Err()
}

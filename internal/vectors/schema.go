package vectors

import (
	"context"
	"database/sql"
)

// schema is a schema in a PostgreSQL server.
type schema struct {
	db   *sql.DB
	text string
}

func (s schema) name() string { return s.text }

func (s schema) enter(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "CREATE SCHEMA "+s.text+
		" CREATE TABLE vectors_effects (run integer NOT NULL)"+
		" CREATE TABLE vectors_resources (path text PRIMARY KEY, version bigint NOT NULL, last_write bytea, body bytea)")
	return err
}

func (s schema) leave(ctx context.Context) error {
	_, err := s.db.ExecContext(ctx, "DROP SCHEMA IF EXISTS "+s.text+" CASCADE")
	return err
}

// advance passes over records that a transaction is about to write: it writes
// instants that are later than the step.
func (s schema) advance(ctx context.Context, by int64) (bool, error) {
	keys := s.text + ".idem_keys"
	_, err := s.db.ExecContext(ctx, "UPDATE "+keys+" SET lease_until = lease_until - $1 * interval '1us', expires_at = expires_at - $1 * interval '1us'"+
		" WHERE k IN (SELECT k FROM "+keys+" FOR UPDATE SKIP LOCKED)", by)
	return true, err
}

// sessions knows those of the servers by the name that they give themselves.
func (s schema) sessions(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1", s.text).Scan(&n)
	return n, err
}

func (s schema) query(f func(tables) error) error {
	return f(tables{s.db, s.text + ".", true})
}

package vectors

import (
	"context"
	"database/sql"
	"errors"
)

// database is a database in a MySQL or MariaDB server.
type database struct {
	db   *sql.DB
	text string
}

func (d database) name() string { return d.text }

func (d database) enter(ctx context.Context) error {
	for _, statement := range []string{
		"CREATE DATABASE " + d.text,
		"CREATE TABLE " + d.text + ".vectors_effects (run INT NOT NULL) ENGINE = InnoDB",
		"CREATE TABLE " + d.text + ".vectors_resources (path VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin PRIMARY KEY, version BIGINT NOT NULL, last_write VARBINARY(65), body BLOB) ENGINE = InnoDB",
	} {
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

func (d database) leave(ctx context.Context) error {
	_, err := d.db.ExecContext(ctx, "DROP DATABASE IF EXISTS "+d.text)
	return err
}

// advance passes over records that a transaction is about to write, as that of
// a schema does.
func (d database) advance(ctx context.Context, by int64) (moved bool, err error) {
	tx, err := d.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return false, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	rows, err := tx.QueryContext(ctx, "SELECT k FROM "+d.text+".idem_keys FOR UPDATE SKIP LOCKED")
	if err != nil {
		return false, err
	}
	defer rows.Close()
	var ids [][]byte
	for rows.Next() {
		var id []byte
		if err := rows.Scan(&id); err != nil {
			return false, err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return false, err
	}
	for _, id := range ids {
		_, err := tx.ExecContext(ctx, "UPDATE "+d.text+".idem_keys SET lease_until = lease_until - INTERVAL ? MICROSECOND, expires_at = expires_at - INTERVAL ? MICROSECOND WHERE k = ?", by, by, id)
		if err != nil {
			return false, err
		}
	}
	return true, tx.Commit()
}

func (d database) sessions(ctx context.Context) (n int, err error) {
	err = d.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.processlist WHERE db = ?", d.text).Scan(&n)
	return n, err
}

func (d database) query(f func(tables) error) error {
	return f(tables{d.db, d.text + ".", false})
}

package vectors

import (
	"database/sql"
	"errors"
	"strconv"
	"strings"
)

// tables are what handlers write to in tx mode.
type tables struct {
	db       *sql.DB
	within   string // prefix of their names
	numbered bool   // parameters are $1, $2, ...
}

// text completes a statement.
func (t tables) text(statement string) string {
	statement = strings.ReplaceAll(statement, "vectors_", t.within+"vectors_")
	for n := 1; t.numbered && strings.Contains(statement, "?"); n++ {
		statement = strings.Replace(statement, "?", "$"+strconv.Itoa(n), 1)
	}
	return statement
}

func (t tables) rows() (n int, err error) {
	err = t.db.QueryRow(t.text("SELECT count(*) FROM vectors_effects")).Scan(&n)
	return n, err
}

func (t tables) resource(path string) (Resource, error) {
	r := Resource{Exists: true}
	err := t.db.QueryRow(t.text("SELECT version FROM vectors_resources WHERE path = ?"), path).Scan(&r.Version)
	if errors.Is(err, sql.ErrNoRows) {
		return Resource{}, nil
	}
	return r, err
}

// set gives a resource a state at once.
func (t tables) set(path string, r Resource) (err error) {
	tx, err := t.db.Begin()
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	if _, err := tx.Exec(t.text("DELETE FROM vectors_resources WHERE path = ?"), path); err != nil {
		return err
	}
	if r.Exists {
		if _, err := tx.Exec(t.text("INSERT INTO vectors_resources (path, version) VALUES (?, ?)"), path, r.Version); err != nil {
			return err
		}
	}
	return tx.Commit()
}

package server

import (
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// create are the tables of handlers; on a server they exist already.
const create = `
CREATE TABLE IF NOT EXISTS vectors_effects (run INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS vectors_resources (path TEXT PRIMARY KEY, version INTEGER NOT NULL, last_write BLOB, body BLOB) STRICT;`

// openSQLite opens a file. The budget for the writer is generous, because no
// vector is about a busy database.
func (w *World) openSQLite(file string) error {
	s, err := sqlite.Open(file,
		sqlite.WithBusyTimeout(generous),
		sqlite.WithSynchronousNormal(), // the machine does not fail, the process does
		sqlite.WithClockShift(func() time.Duration { return time.Duration(w.storeOffset.Load()) }),
	)
	if err != nil {
		return err
	}
	w.closers = append(w.closers, s.Close)
	if _, err := s.DB().Exec(create); err != nil {
		return err
	}
	w.store, w.tables = s, newSQLTables(etag.SQLite, s.Reader(), s.DB())
	return nil
}

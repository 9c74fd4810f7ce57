package vectors

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // to look into the server's file
)

// place is what a world has in its site, seen from outside the servers.
type place interface {
	// name is what a server calls it.
	name() string
	// enter prepares it, before a server opens it.
	enter(ctx context.Context) error
	// leave leaves nothing behind. No process uses it any more.
	leave(ctx context.Context) error
	// advance moves the instants of all records back by a number of
	// microseconds, and reports whether it did: where the clock is not a
	// server's, the processes move it.
	advance(ctx context.Context, by int64) (bool, error)
	// sessions counts the connections of processes that may hold transactions
	// and locks when the process is killed.
	sessions(ctx context.Context) (int, error)
	// query calls f with where the tables are that handlers write to in tx mode.
	query(f func(tables) error) error
}

// nowhere is the place of a world in memory, and what places have in common that
// are no server's.
type nowhere struct{}

func (nowhere) name() string                                 { return "" }
func (nowhere) enter(context.Context) error                  { return nil }
func (nowhere) leave(context.Context) error                  { return nil }
func (nowhere) advance(context.Context, int64) (bool, error) { return false, nil }
func (nowhere) sessions(context.Context) (int, error)        { return 0, nil }
func (nowhere) query(func(tables) error) error {
	return errors.New("this store has no tables")
}

// file is the file of a SQLite store. It goes with its directory.
type file struct {
	nowhere
	path string
}

func (f file) name() string { return f.path }

// query looks into the file through a connection of this process.
func (f file) query(do func(tables) error) (err error) {
	u := url.URL{Path: filepath.ToSlash(f.path)}
	db, err := sql.Open("sqlite", "file:"+u.EscapedPath()+"?_pragma=busy_timeout(120000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return do(tables{db: db})
}

package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver
)

// database looks at the server's file from outside, read-only: what the demo
// says about rows does not come from the server.
type database struct{ db *sql.DB }

func openDatabase(path string) (*database, error) {
	dsn := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: "mode=ro&_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", dsn.String())
	return &database{db}, err
}

func (d *database) close() error { return d.db.Close() }

// stand is what one shop has.
type stand struct{ orders, kibble int }

func (s stand) String() string {
	plural := "s"
	if s.orders == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d order%s, %d bags of kibble left", s.orders, plural, s.kibble)
}

func (d *database) shop(ctx context.Context, shop string) (s stand, err error) {
	err = d.db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM orders WHERE shop = ?1),
		(SELECT stock FROM inventory WHERE shop = ?1 AND item = 'kibble')`, shop).Scan(&s.orders, &s.kibble)
	return s, err
}

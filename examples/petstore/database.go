package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/postgres"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// database is where the shop has its rows and the runtime its keys. It is one,
// because they share transactions.
type database struct {
	store   keyStore
	reader  *sql.DB // for reads outside a transaction; SQLite's refuses to write
	dialect etag.Dialect
	close   func() error
}

// keyStore is what this program uses of a store.
type keyStore interface {
	idem.TxStore
	idem.Sweeper
}

// openDatabase opens what the flag -store names: a PostgreSQL database by its
// URL, or else an SQLite file.
func openDatabase(ctx context.Context, name string) (*database, error) {
	if strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://") {
		return openPostgres(ctx, name)
	}
	return openSQLite(ctx, name)
}

func openSQLite(ctx context.Context, path string, options ...sqlite.Option) (*database, error) {
	store, err := sqlite.Open(path, append(options, sqlite.WithPragma("foreign_keys", "ON"))...)
	if err != nil {
		return nil, err
	}
	if _, err := store.DB().ExecContext(ctx, sqliteSchema+wares); err != nil {
		return nil, errors.Join(fmt.Errorf("create the tables of the shop: %w", err), store.Close())
	}
	return &database{store: store, reader: store.Reader(), dialect: etag.SQLite, close: store.Close}, nil
}

func openPostgres(ctx context.Context, url string) (*database, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	store, err := preparePostgres(ctx, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &database{store: store, reader: db, dialect: etag.Postgres, close: db.Close}, nil
}

func preparePostgres(ctx context.Context, db *sql.DB) (*postgres.Store, error) {
	if err := postgres.MigrateSQL(ctx, db); err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, postgresSchema+wares); err != nil {
		return nil, fmt.Errorf("create the tables of the shop: %w", err)
	}
	return postgres.NewSQL(ctx, db)
}

// sqliteSchema is the shop's own part of the database; idemgen's table of keys
// lives beside it. AUTOINCREMENT keeps the id of a deleted pet from being used
// again: an old tag must never match a new animal.
const sqliteSchema = `
CREATE TABLE IF NOT EXISTS pets (
	id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL,
	name TEXT NOT NULL, kind TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1) STRICT;
CREATE TABLE IF NOT EXISTS photos (
	id INTEGER PRIMARY KEY, pet INTEGER NOT NULL REFERENCES pets ON DELETE CASCADE,
	sha256 TEXT NOT NULL, content BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS orders (
	id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL,
	item TEXT NOT NULL, quantity INTEGER NOT NULL, note TEXT, total INTEGER NOT NULL, status TEXT NOT NULL,
	placed_at INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))) STRICT;
CREATE TABLE IF NOT EXISTS inventory (
	shop TEXT NOT NULL, item TEXT NOT NULL, price INTEGER NOT NULL, stock INTEGER NOT NULL,
	PRIMARY KEY (shop, item)) STRICT;
CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, address TEXT NOT NULL) STRICT;`

// postgresSchema is the same in PostgreSQL's words. The lock lets several
// processes start at once.
const postgresSchema = `
SELECT pg_advisory_xact_lock(20071);
CREATE TABLE IF NOT EXISTS pets (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop text NOT NULL,
	name text NOT NULL, kind text NOT NULL, version bigint NOT NULL DEFAULT 1);
CREATE TABLE IF NOT EXISTS photos (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pet bigint NOT NULL REFERENCES pets ON DELETE CASCADE,
	sha256 text NOT NULL, content bytea NOT NULL);
CREATE TABLE IF NOT EXISTS orders (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, shop text NOT NULL,
	item text NOT NULL, quantity bigint NOT NULL, note text, total bigint NOT NULL, status text NOT NULL,
	placed_at bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint);
CREATE TABLE IF NOT EXISTS inventory (
	shop text NOT NULL, item text NOT NULL, price bigint NOT NULL, stock bigint NOT NULL,
	PRIMARY KEY (shop, item));
CREATE TABLE IF NOT EXISTS mails (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, address text NOT NULL);`

// wares are what the shops begin with.
const wares = `
INSERT INTO inventory (shop, item, price, stock) VALUES
	('whiskers', 'kibble', 1250, 100), ('whiskers', 'scratching post', 8900, 5),
	('pawsome', 'kibble', 1190, 100), ('pawsome', 'squeaky bone', 450, 30)
ON CONFLICT DO NOTHING;`

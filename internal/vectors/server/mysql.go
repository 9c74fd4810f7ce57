package server

import (
	"context"
	"database/sql"

	driver "github.com/go-sql-driver/mysql"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

// openMySQL opens a database of a MySQL or MariaDB server.
func (w *World) openMySQL(ctx context.Context, c *Command) error {
	config, err := driver.ParseDSN(c.Database)
	if err != nil {
		return err
	}
	config.DBName = c.Place
	connector, err := driver.NewConnector(config)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	w.closers = append(w.closers, db.Close)
	if err := mysql.Migrate(ctx, db); err != nil {
		return err
	}
	s, err := mysql.New(ctx, db, mysql.WithBusyTimeout(generous))
	if err != nil {
		return err
	}
	w.closers = append(w.closers, s.Close)
	w.store, w.tables = s, newSQLTables(etag.MySQL, db, db)
	return nil
}

package faults_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	mysqldriver "github.com/go-sql-driver/mysql"

	"github.com/idemgen/idemgen/internal/proof/faults"
	"github.com/idemgen/idemgen/internal/proof/stores"
	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

func openMySQL(tb testing.TB) *world {
	ctx := context.Background()
	config, err := mysqldriver.ParseDSN(servertest.URL(tb, servertest.MySQL))
	must(tb, err)
	config.Logger = &mysqldriver.NopLogger{} // it tells of broken connections
	connector, err := mysqldriver.NewConnector(config)
	must(tb, err)
	plain := sql.OpenDB(connector)
	plain.SetMaxOpenConns(4)
	plain.SetMaxIdleConns(4)
	tb.Cleanup(func() { must(tb, plain.Close()) })
	name := stores.Tables(tb, plain)
	prefix := mysql.WithTablePrefix(name)
	clean, err := mysql.New(ctx, plain, prefix)
	must(tb, err)
	tb.Cleanup(func() { must(tb, clean.Close()) })

	plan := new(faults.Plan)
	failing := &numbered{Connector: connector}
	w := &world{
		plan: plan, clean: clean, patience: patience,
		advance: func(id idem.ID, d time.Duration) error {
			_, err := plain.ExecContext(ctx, fmt.Sprintf(`UPDATE %skeys SET lease_until = lease_until - INTERVAL %[2]d SECOND,
				expires_at = expires_at - INTERVAL %[2]d SECOND WHERE k = ?`, name, int64(d.Seconds())), id[:])
			return err
		},
		write: func(ctx context.Context, tx any, key string) error {
			_, err := tx.(*sql.Tx).ExecContext(ctx, "INSERT INTO "+name+"effects (name) VALUES (?)", key)
			return err
		},
		count: func(key string) (n int, err error) {
			err = plain.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+name+"effects WHERE name = ?", key).Scan(&n)
			return n, err
		},
		open: func() (int, error) { return failing.active(ctx, plain) },
	}
	w.restart = func() (err error) {
		db := sql.OpenDB(faults.Connector{Connector: failing, Plan: plan})
		db.SetMaxOpenConns(2)
		db.SetMaxIdleConns(2)
		w.faulty, err = mysql.New(ctx, db, prefix, mysql.WithBusyTimeout(budget))
		w.inUse = func() int { return db.Stats().InUse }
		w.cool = func() { closeIdle(db, 2) }
		return err
	}
	must(tb, eventually(patience, w.restart))
	tb.Cleanup(func() { plan.Forget()() })
	return w
}

// numbered knows the server's numbers of the connections that it has made.
type numbered struct {
	driver.Connector
	mu    sync.Mutex
	conns map[int64]driver.Conn
}

// Connect implements [driver.Connector].
func (n *numbered) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := n.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	number := []driver.Value{nil}
	rows, err := c.(driver.QueryerContext).QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err == nil {
		err = errors.Join(rows.Next(number), rows.Close())
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	id, err := strconv.ParseInt(fmt.Sprint(number[0]), 10, 64)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conns == nil {
		n.conns = map[int64]driver.Conn{}
	}
	n.conns[id] = c
	return c, err
}

// active returns how many connections the server still works for: those that
// execute something, and those that the client has closed already.
func (n *numbered) active(ctx context.Context, db *sql.DB) (active int, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	query := "SELECT id, command FROM information_schema.processlist WHERE id IN (0"
	for id := range n.conns {
		query += "," + strconv.FormatInt(id, 10)
	}
	rows, err := db.QueryContext(ctx, query+")")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	there := map[int64]bool{}
	for rows.Next() {
		var (
			id      int64
			command string
		)
		if err := rows.Scan(&id, &command); err != nil {
			return 0, err
		}
		there[id] = true
		if command != "Sleep" || !n.conns[id].(driver.Validator).IsValid() {
			active++
		}
	}
	for id := range n.conns {
		if !there[id] {
			delete(n.conns, id)
		}
	}
	return active, rows.Err()
}

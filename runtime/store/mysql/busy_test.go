package mysql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/mysql"
)

// The one connection of the pool is taken all the time: a budget that ends does
// not depend on how fast anything is.
func TestBegin_BusyBeyondTheBudget(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		db, s := newFixture(t, dsn).open(t, mysql.WithBusyTimeout(20*time.Millisecond))
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		must(t, err)
		for name, err := range map[string]error{
			"Begin":               third(s.Begin(t.Context(), claim(1))),
			"Begin without a key": third(s.Begin(t.Context(), nil)),
			"Claim":               second(s.Claim(t.Context(), *claim(1))),
			"Lookup":              third(s.Lookup(t.Context(), claim(1).ID)),
			"Release":             s.Release(t.Context(), claim(1).ID, 1),
			"Sweep":               second(s.Sweep(t.Context(), 1)),
		} {
			if !errors.Is(err, idem.ErrStoreBusy) {
				t.Errorf("%s: error %v, want ErrStoreBusy", name, err)
			}
		}
		must(t, conn.Close())
	})
}

func TestBegin_WaitEndsWithTheContext(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		db, s := newFixture(t, dsn).open(t)
		db.SetMaxOpenConns(1)
		conn, err := db.Conn(t.Context())
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := third(s.Begin(ctx, claim(2))); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, idem.ErrStoreBusy) {
			t.Errorf("Begin: error %v, want the context's", err)
		}
		must(t, conn.Close())
		works(t, s, claim(2))
	})
}

// A transaction has all that it needs: its handler's connection is the only one.
func TestBegin_OneConnection(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		db, s := newFixture(t, dsn).open(t)
		db.SetMaxOpenConns(1)
		for n := range byte(3) {
			works(t, s, claim(n))
			notBegun(t, s, claim(n), idem.ClaimDone)
		}
		tx := begin(t, s, claim(9))
		notBegun(t, s, claim(9), idem.ClaimRunning) // without a connection
		must(t, tx.Complete(t.Context(), answer, true))
	})
}

func second[T any](_ T, err error) error { return err }

func third[T, U any](_ T, _ U, err error) error { return err }

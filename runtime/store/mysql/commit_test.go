package mysql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	idem "github.com/idemgen/idemgen/runtime"
)

// A cable is a connection to the server that can be cut while a COMMIT is on its
// way.
type cable struct {
	addr   string
	armed  atomic.Int32 // cutBefore or cutAfter
	server string
	commit []byte // is in the packet with the COMMIT
}

const (
	cutBefore = 1 + iota // the server does not see the COMMIT
	cutAfter             // the client does not see that it worked
)

func newCable(t *testing.T, dsn string) (*cable, string) {
	config, err := driver.ParseDSN(dsn)
	must(t, err)
	if config.Net != "tcp" {
		t.Skipf("the server is reached by %s: the cable is made of TCP", config.Net)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	c := &cable{addr: listener.Addr().String(), server: config.Addr, commit: []byte("\x03COMMIT")}
	if !strings.Contains(dsn, oneByOne) {
		c.commit = answer.Response.Body // a block's parameter
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go c.carry(client)
		}
	}()
	config.Addr = c.addr
	return c, config.FormatDSN()
}

func (c *cable) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", c.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var deaf atomic.Bool
	go func() {
		defer func() { _ = client.Close() }()
		b := make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			if err != nil || deaf.Load() {
				return
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	}()
	b := make([]byte, 1<<16)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		if bytes.Contains(b[:n], c.commit) {
			switch c.armed.Swap(0) {
			case cutBefore:
				return
			case cutAfter:
				deaf.Store(true)
			}
		}
		if _, err := io.Copy(server, bytes.NewReader(b[:n])); err != nil {
			return
		}
	}
}

// When the answer to a COMMIT is lost, Complete returns only when a Lookup tells
// the truth, and does not claim to know.
func TestComplete_CommitIsUnclear(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		for cut, committed := range map[int32]bool{cutBefore: false, cutAfter: true} {
			t.Run(fmt.Sprintf("committed %v", committed), func(t *testing.T) {
				f := newFixture(t, dsn)
				probe := f.probe(t)
				cable, dsn := newCable(t, dsn)
				f.dsn = dsn
				_, s := f.open(t)
				tx := begin(t, s, claim(1))
				mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('a')")
				cable.armed.Store(cut)
				err := tx.Complete(t.Context(), answer, true)
				if err == nil || errors.Is(err, idem.ErrRetryTx) || errors.Is(err, idem.ErrTxEnded) {
					t.Errorf("Complete: error %v, want one that says nothing of the outcome", err)
				}
				_, found, err := s.Lookup(t.Context(), claim(1).ID)
				if found != committed || err != nil {
					t.Errorf("Lookup: found %v, error %v, want %v", found, err, committed)
				}
				if n := f.rows(t); (n == 1) != committed {
					t.Errorf("%d rows", n)
				}
				if !committed {
					works(t, s, claim(1)) // the user lock is free
				}
			})
		}
	})
}

// What a killed process leaves behind is a session that the server ends.
func TestBegin_AfterTheSessionWasKilled(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		probe := f.probe(t)
		_, s := f.open(t)
		tx := begin(t, s, claim(1))
		mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('a')")
		var session int64
		must(t, handlerOf(tx).QueryRow("SELECT CONNECTION_ID()").Scan(&session))
		mustExec(t, f.db, fmt.Sprintf("KILL %d", session))
		f.gone(t, session)

		_, other := f.open(t)
		works(t, other, claim(1))
		if err := tx.Complete(t.Context(), answer, true); err == nil {
			t.Error("Complete of a killed session: no error")
		}
		if n := f.rows(t); n != 0 {
			t.Errorf("%d rows of the killed session", n)
		}
		works(t, s, claim(2))
	})
}

// gone waits until the server has ended a session.
func (f *fixture) gone(t *testing.T, session int64) {
	t.Helper()
	for range 10000 {
		var n int
		must(t, f.db.QueryRow("SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?", session).Scan(&n))
		if n == 0 {
			return
		}
	}
	t.Fatal("the server does not end the session")
}

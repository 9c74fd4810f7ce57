package mysql_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	driver "github.com/go-sql-driver/mysql"
	idem "github.com/idemgen/idemgen/runtime"
)

// A counted connection counts what is sent, which is one packet for each round
// trip.
type counted struct {
	net.Conn
	trips *atomic.Int64
}

func (c counted) Write(b []byte) (int, error) {
	c.trips.Add(1)
	return c.Conn.Write(b)
}

// What a request costs is round trips most of all.
func TestTrips(t *testing.T) {
	bothWays(t, func(t *testing.T, dsn string) {
		for name, dsn := range map[string]string{"level by the store": dsn, "level by the DSN": readCommitted(t, dsn)} {
			t.Run(name, func(t *testing.T) { testTrips(t, dsn, name == "level by the DSN") })
		}
	})
}

func testTrips(t *testing.T, dsn string, committed bool) {
	f := newFixture(t, dsn)
	probe := f.probe(t)
	config, err := driver.ParseDSN(dsn)
	must(t, err)
	if config.Net != "tcp" {
		t.Skipf("the server is reached by %s: connections are counted on TCP", config.Net)
	}
	var trips atomic.Int64
	driver.RegisterDialContext(f.prefix, func(ctx context.Context, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		return counted{conn, &trips}, err
	})
	t.Cleanup(func() { driver.DeregisterDialContext(f.prefix) })
	config.Net = f.prefix
	f.dsn = config.FormatDSN()
	_, s := f.open(t)

	first := func(c *idem.Claim) {
		tx := begin(t, s, c)
		mustExec(t, handlerOf(tx), "INSERT INTO "+probe+" VALUES ('a')")
		must(t, tx.Complete(t.Context(), answer, true))
	}
	count := func(what string, want int64, f func()) {
		t.Helper()
		before := trips.Load()
		f()
		if got := trips.Load() - before; got != want {
			t.Errorf("%s: %d round trips, want %d", what, got, want)
		}
	}
	first(claim(1)) // prepares
	notBegun(t, s, claim(1), idem.ClaimDone)
	want := int64(5)
	if !s.SendsBlocks() {
		want = 11
		if committed {
			want--
		}
	}
	count("a first request", want, func() { first(claim(2)) })
	count("its replay", 1, func() { notBegun(t, s, claim(2), idem.ClaimDone) })
	if s.SendsBlocks() && strings.Contains(dsn, oneByOne) {
		t.Error("one by one in blocks")
	}
}

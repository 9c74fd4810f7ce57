package mysql_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A statement that changes nothing has found its record all the same.
func TestAbandon_Twice(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		for _, dsn := range []string{dsn, with(dsn, "clientFoundRows=true")} {
			f.dsn = dsn
			_, s := f.open(t)
			got, err := s.Claim(t.Context(), *claim(1))
			must(t, err)
			must(t, s.Abandon(t.Context(), claim(1).ID, got.Fence))
			must(t, s.Abandon(t.Context(), claim(1).ID, got.Fence))
			must(t, s.Release(t.Context(), claim(1).ID, got.Fence))
		}
	})
}

// A heartbeat and the end of the lease leave fence and state of a record as they
// were, and its retention lives again: another body may not have it.
func TestClaim_RetentionExtendedMeanwhile(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		own, other := claim(1), claim(1)
		other.Fingerprint[1]++
		got, err := s.Claim(t.Context(), *own)
		must(t, err)
		f.advance(t, 2*max(own.TTL, own.Lease))
		late, err := s.ClaimAfter(t.Context(), other, func() {
			must(t, s.Heartbeat(t.Context(), own.ID, got.Fence, time.Hour))
			must(t, s.Abandon(t.Context(), own.ID, got.Fence))
		})
		if err != nil || late.State != 0 {
			t.Errorf("the record was taken: state %d, error %v", late.State, err)
		}
		again, err := s.Claim(t.Context(), *own)
		if err != nil || again.State != idem.ClaimOwned || again.Attempts != 2 {
			t.Errorf("its own request: state %d, attempt %d, error %v", again.State, again.Attempts, err)
		}
	})
}

func TestClaim_LongOperation(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		_, s := newFixture(t, dsn).open(t)
		c := *claim(1)
		c.Operation = strings.Repeat("ä😀", 200)
		got, err := s.Claim(t.Context(), c)
		if err != nil || got.State != idem.ClaimOwned {
			t.Fatalf("Claim: state %d, error %v", got.State, err)
		}
		if e, found, err := s.Get(t.Context(), c.ID); !found || err != nil || e.Operation != string([]rune(c.Operation)[:255]) {
			t.Errorf("Get: found %v, operation %q, error %v, want the first 255 characters", found, e.Operation, err)
		}
	})
}

// The zone of the session is that of people, not of records.
func TestLookup_TimeZone(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		works(t, s, claim(1))
		f.dsn = with(dsn, "time_zone=%27%2B09:30%27&parseTime=true&loc=Local")
		_, far := f.open(t)
		e, found, err := far.Get(t.Context(), claim(1).ID)
		if !found || err != nil || e.ExpiresIn > time.Hour || e.ExpiresIn < 50*time.Minute {
			t.Errorf("found %v, rest of the retention %v, error %v, want about an hour", found, e.ExpiresIn, err)
		}
		if since := time.Since(e.ClaimedAt); since > time.Hour || since < -time.Hour {
			t.Errorf("claimed at %v", e.ClaimedAt)
		}
	})
}

func TestSweep_ManyBatches(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		f.expired(t, 1200)
		works(t, s, claim(1))
		for _, want := range []int{1000, 200, 0} {
			if n, err := s.Sweep(t.Context(), 1000); err != nil || n != want {
				t.Errorf("Sweep removed %d with error %v, want %d", n, err, want)
			}
		}
		if _, found, err := s.Lookup(t.Context(), claim(1).ID); !found || err != nil {
			t.Errorf("Lookup of a live record: found %v, error %v", found, err)
		}
	})
}

func TestSweep_SkipsWhatIsLocked(t *testing.T) {
	onServers(t, func(t *testing.T, dsn string) {
		f := newFixture(t, dsn)
		_, s := f.open(t)
		f.expired(t, 10)
		tx, err := f.db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelReadCommitted})
		must(t, err)
		mustExec(t, tx, "SELECT k FROM "+f.prefix+"keys WHERE fence <= 3 FOR UPDATE")
		if n, err := s.Sweep(t.Context(), 100); err != nil || n != 7 {
			t.Errorf("Sweep removed %d with error %v, want the 7 that are not locked", n, err)
		}
		must(t, tx.Rollback())
		if n, err := s.Sweep(t.Context(), 100); err != nil || n != 3 {
			t.Errorf("Sweep removed %d with error %v, want the other 3", n, err)
		}
	})
}

// expired stores n answers whose retention is over.
func (f *fixture) expired(t *testing.T, n int) {
	t.Helper()
	var values []string
	for i := range n {
		values = append(values, fmt.Sprintf("(x'%064x', x'%066x', 2, %d, '2001-01-01', '2001-01-01')", i+1<<20, 1, i+1))
	}
	mustExec(t, f.db, "INSERT INTO "+f.prefix+"keys (k, fp, state, fence, expires_at, created_at) VALUES "+strings.Join(values, ","))
}

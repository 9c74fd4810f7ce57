package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/postgres"
)

// plain is what a request costs without a key.
var plain = map[string]func(t *testing.T, db *pgxpool.Pool) func(){
	"pgx": func(t *testing.T, db *pgxpool.Pool) func() {
		return func() {
			tx, err := db.BeginTx(t.Context(), pgx.TxOptions{})
			must(t, err)
			must(t, exec(tx, insert, "a"))
			must(t, tx.Commit(t.Context()))
		}
	},
	"sql": func(t *testing.T, db *pgxpool.Pool) func() {
		sdb := openSQL(t, db)
		return func() {
			tx, err := sdb.Begin()
			must(t, err)
			must(t, exec(tx, insert, "a"))
			must(t, tx.Commit())
		}
	},
}

// A keyed request takes as many round trips as its transaction would take
// anyway; in the database/sql form two more. Connections are warm, except where
// it is said.
func TestStore_RoundTrips(t *testing.T) {
	extra := map[string]int64{"pgx": 0, "sql": 2}
	for name, f := range forms {
		t.Run(name, func(t *testing.T) {
			w := &wire{}
			db := wired(t, newSchema(t), w)
			s, fresh := f.open(t, db), f.open(t, db) // the second one never sees an answer being stored
			count := func(call func()) int64 {
				before := w.trips.Load()
				call()
				return w.trips.Load() - before
			}
			n := byte(0)
			request := func(keyed, keep bool) func() {
				return func() {
					n++
					var c *idem.Claim
					if keyed {
						c = claim(n)
					}
					tx := begin(t, s, c)
					must(t, f.write(tx.Tx(), "a"))
					must(t, tx.Complete(t.Context(), answer, keep))
				}
			}
			do := plain[name](t, db)
			for range 2 { // warm connections
				do()
				request(true, true)()
				request(false, true)()
			}
			floor := count(do)
			if floor != 3 {
				t.Fatalf("BEGIN, INSERT and COMMIT take %d round trips, want 3: the count is wrong", floor)
			}
			for what, call := range map[string]func(){
				"a keyed run":                   request(true, true),
				"a run without a key":           request(false, true),
				"a run whose writes are undone": request(true, false),
			} {
				most := floor + extra[name]
				if what == "a run whose writes are undone" && name == "sql" {
					most++ // database/sql has a ROLLBACK of its own
				}
				if got := count(call); got > most {
					t.Errorf("%s takes %d round trips, want %d", what, got, most)
				}
			}
			done, running := claim(1), claim(250)
			begun := begin(t, s, running)
			defer func() { must(t, begun.Rollback(context.Background())) }()
			for what, test := range map[string]struct {
				call func()
				want int64
			}{
				"a replay that was seen":               {func() { mustState(t, s, done, idem.ClaimDone) }, 1},
				"a duplicate of a run in this process": {func() { mustState(t, s, running, idem.ClaimRunning) }, 0},
				"a duplicate of another process's run": {func() { mustState(t, fresh, running, idem.ClaimRunning) }, 2 + extra[name]/2},
				"a claim under a lease": {func() {
					_, err := s.Claim(t.Context(), *claim(251))
					must(t, err)
				}, 1},
				"a look-up": {func() { isDone(t, s, done) }, 1},
			} {
				test.call() // prepares what it needs
				if got := count(test.call); got != test.want {
					t.Errorf("%s takes %d round trips, want %d", what, got, test.want)
				}
			}
		})
	}
}

func mustState(t *testing.T, s *postgres.Store, c *idem.Claim, want idem.ClaimState) {
	t.Helper()
	if _, got, err := s.Begin(t.Context(), c); err != nil || got.State != want {
		t.Fatalf("Begin: state %d, error %v, want state %d", got.State, err, want)
	}
}

package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A panic of the driver costs this process its writer. It must come out at once,
// leave nobody waiting, and nothing locked for other processes.
func TestWriter_DriverPanics(t *testing.T) {
	for name, options := range map[string][]Option{
		"a commit for each request": nil,
		"group commit":              {WithGroupCommit(8)},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "idem.db")
			here := mustOpen(t, path, append(options, WithBusyTimeout(time.Second))...)
			c := idem.Claim{ID: idem.ID{1}, Fingerprint: idem.Fingerprint{1}, Lease: time.Minute, TTL: time.Hour}
			tx, _, err := here.Begin(t.Context(), &c)
			if err != nil {
				t.Fatal(err)
			}
			driverPanics(t, tx.(*storeTx))
			if _, running := here.running.owner(&c.ID); running {
				t.Error("the claim is still there in memory")
			}
			if _, err := here.Claim(t.Context(), c); !errors.Is(err, idem.ErrStoreBusy) {
				t.Errorf("Claim in this process: error %v, want ErrStoreBusy", err)
			}

			elsewhere := mustOpen(t, path)
			if got, err := elsewhere.Claim(t.Context(), c); err != nil || got.State != idem.ClaimOwned {
				t.Errorf("Claim in another process: state %d, error %v", got.State, err)
			}
		})
	}
}

// driverPanics lets the driver panic while it stores the answer.
func driverPanics(t *testing.T, tx *storeTx) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("the panic did not come out")
		}
	}()
	defer tx.finish() // as Complete does
	_ = tx.call(func() error { panic("out of order") })
}

func mustOpen(t *testing.T, path string, options ...Option) *Store {
	t.Helper()
	s, err := Open(path, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // what the driver has lost stays open
	return s
}

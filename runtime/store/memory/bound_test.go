package memory_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

const mib = 1 << 20

func claim(n int) idem.Claim {
	c := idem.Claim{Fingerprint: idem.Fingerprint{1}, Lease: time.Minute, TTL: time.Hour}
	binary.LittleEndian.PutUint64(c.ID[:], uint64(n))
	return c
}

// answer claims c and completes it with a body of that size.
func answer(t *testing.T, s *memory.Store, c idem.Claim, size int) error {
	t.Helper()
	got, err := s.Claim(t.Context(), c)
	if err != nil {
		return err
	}
	if got.State != idem.ClaimOwned {
		t.Fatalf("Claim: state %d", got.State)
	}
	return s.Complete(t.Context(), c.ID, got.Fence, idem.Response{Status: 200, Body: make([]byte, size)}, time.Hour)
}

const answerBytes = 4 << 10

// fill completes claims until the store is full and returns how many it took.
func fill(t *testing.T, s *memory.Store) int {
	t.Helper()
	for n := range 10_000 {
		err := answer(t, s, claim(n), answerBytes)
		if err == nil {
			continue
		}
		if !errors.Is(err, idem.ErrStoreBusy) || !strings.Contains(err.Error(), "WithMaxBytes") {
			t.Fatalf("a full store answers %v, want ErrStoreBusy and what to do", err)
		}
		return n
	}
	t.Fatal("the store is never full")
	return 0
}

func TestClaim_FullStoreKeepsWhatLives(t *testing.T) {
	clock := new(clock)
	s := memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(mib))
	n := fill(t, s)
	if n < 150 || n > 256 {
		t.Errorf("1 MiB has room for %d answers of 4 KiB", n)
	}
	for i := range n {
		if got, err := s.Claim(t.Context(), claim(i)); err != nil || got.State != idem.ClaimDone || len(got.Record.Response.Body) != answerBytes {
			t.Fatalf("record %d of a full store: state %d, error %v", i, got.State, err)
		}
	}
}

func TestClaim_FullStoreMakesRoomFromWhatExpired(t *testing.T) {
	clock := new(clock)
	s := memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(mib))
	first := fill(t, s)
	for range 3 {
		clock.advance(2 * time.Hour)
		if n := fill(t, s); n != first {
			t.Errorf("room for %d answers after all have expired, %d at first", n, first)
		}
	}
}

func TestComplete_TooLargeKeepsRunning(t *testing.T) {
	s := memory.New(memory.WithMaxBytes(mib))
	if err := answer(t, s, claim(1), 2*mib); !errors.Is(err, idem.ErrStoreBusy) {
		t.Fatalf("Complete: error %v, want ErrStoreBusy", err)
	}
	got, err := s.Claim(t.Context(), claim(1))
	if err != nil || got.State != idem.ClaimRunning {
		t.Errorf("Claim: state %d, error %v, want running", got.State, err)
	}
	if err := s.Complete(t.Context(), claim(1).ID, got.Record.Fence, idem.Response{Flags: idem.FlagTombstone}, time.Hour); err != nil {
		t.Errorf("Complete of what fits: %v", err)
	}
}

// New claims leave room for the answers of those that run.
func TestClaim_LeavesRoomForAnswers(t *testing.T) {
	s := memory.New(memory.WithMaxBytes(mib))
	var fences []idem.Fence
	for n := 0; ; n++ {
		got, err := s.Claim(t.Context(), claim(n))
		if errors.Is(err, idem.ErrStoreBusy) {
			break
		}
		if err != nil || n > 10_000 {
			t.Fatal(n, err)
		}
		fences = append(fences, got.Fence)
	}
	for n, f := range fences[:20] {
		if err := s.Complete(t.Context(), claim(n).ID, f, idem.Response{Body: make([]byte, answerBytes)}, time.Hour); err != nil {
			t.Fatalf("Complete %d in a store that is full of claims: %v", n, err)
		}
	}
}

// What is released, lost or expired is given back to the last byte: otherwise a
// long-lived store would fill up with nothing in it.
func TestStore_GivesMemoryBack(t *testing.T) {
	clock := new(clock)
	s := memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(mib))
	first := fill(t, s)
	for round := range 20 {
		clock.advance(2 * time.Hour)
		if round%2 == 0 {
			if _, err := s.Sweep(t.Context(), 1_000_000); err != nil {
				t.Fatal(err)
			}
		}
		for n := range 100 {
			c := claim(n)
			got, err := s.Claim(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			lost := s.Complete(t.Context(), c.ID, got.Fence+1, idem.Response{Body: make([]byte, 100)}, time.Hour)
			if !errors.Is(lost, idem.ErrClaimLost) {
				t.Fatal(lost)
			}
			if n%2 == 0 {
				err = s.Release(t.Context(), c.ID, got.Fence)
			} else {
				err = s.Complete(t.Context(), c.ID, got.Fence, idem.Response{Body: make([]byte, 100)}, time.Minute)
				clock.advance(2 * time.Minute)
				again, claimErr := s.Claim(t.Context(), c) // in the place of what has expired
				err = errors.Join(err, claimErr, s.Complete(t.Context(), c.ID, again.Fence, idem.Response{}, time.Minute))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	clock.advance(2 * time.Hour)
	if n := fill(t, s); n != first {
		t.Errorf("room for %d answers, %d in an empty store", n, first)
	}
}

func TestClaim_ReplayAllocatesNothing(t *testing.T) {
	s := memory.New()
	c := claim(1)
	if err := answer(t, s, c, 256); err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		if got, err := s.Claim(ctx, c); err != nil || got.State != idem.ClaimDone {
			t.Fatal(got.State, err)
		}
	}); n != 0 {
		t.Errorf("a replay allocates %v times", n)
	}
}

func TestNew_FencesRiseFromStoreToStore(t *testing.T) {
	var last idem.Fence
	for range 3 {
		got, err := memory.New().Claim(t.Context(), claim(1))
		if err != nil || got.Fence <= last {
			t.Errorf("fence %d after %d in another store, error %v", got.Fence, last, err)
		}
		last = got.Fence
	}
}

// A key that is used again after its answer expired occupies what it did before.
func TestClaim_ExpiredAnswerGivesItsMemoryBack(t *testing.T) {
	clock := new(clock)
	s := memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(mib))
	for range 1000 {
		for n := range 5 {
			if err := answer(t, s, claim(n), answerBytes); err != nil {
				t.Fatal(err)
			}
		}
		clock.advance(2 * time.Hour)
	}
	fresh := memory.New(memory.WithClock(clock.now), memory.WithMaxBytes(mib))
	if n, want := fill(t, s), fill(t, fresh); n != want {
		t.Errorf("a store whose answers have expired has room for %d, a fresh one for %d", n, want)
	}
}

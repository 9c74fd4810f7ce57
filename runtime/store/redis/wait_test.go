package redis_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/redis"
	goredis "github.com/redis/go-redis/v9"
)

// More replicas than any server of a test has.
const tooMany = 100

func TestWithWait_TooFewReplicas(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		_, careless := f.open(t)
		_, s := f.open(t, redis.WithWait(tooMany, time.Millisecond))
		c := claim(1)
		if _, err := s.Claim(t.Context(), *c); !errors.Is(err, idem.ErrStoreBusy) || !strings.Contains(err.Error(), "of 100 replicas") {
			t.Errorf("Claim: error %v, want ErrStoreBusy that says why", err)
		}
		fence := own(t, careless, c) // the claim was given back
		if err := s.Complete(t.Context(), c.ID, fence, answer, time.Hour); err == nil || errors.Is(err, idem.ErrClaimLost) {
			t.Errorf("Complete: error %v, want one that says that replicas are missing", err)
		}
		// Nothing is written for a duplicate: it does not wait.
		if got, err := s.Claim(t.Context(), *c); err != nil || got.State != idem.ClaimDone {
			t.Errorf("Claim on the answer: state %d, error %v", got.State, err)
		}
	})
}

// hear makes the server say that n replicas have what was written.
func hear(n int64) func(goredis.Cmder) {
	return func(cmd goredis.Cmder) { cmd.(*goredis.IntCmd).SetVal(n) }
}

func TestWithWait_EnoughReplicas(t *testing.T) {
	connect := connectorTo(t, servertest.Redis)
	f := newFixture(t, connect)
	client, s := f.open(t, redis.WithWait(2, time.Second))
	waits := 0
	client.(*goredis.Client).AddHook(intercept{"wait", func(cmd goredis.Cmder) {
		waits++
		hear(2)(cmd)
	}})
	c := claim(1)
	fence := own(t, s, c)
	must(t, s.Heartbeat(t.Context(), c.ID, fence, time.Minute))
	must(t, s.Complete(t.Context(), c.ID, fence, answer, time.Hour))
	if got, err := s.Claim(t.Context(), *c); err != nil || got.State != idem.ClaimDone {
		t.Errorf("Claim on the answer: state %d, error %v", got.State, err)
	}
	if waits != 2 {
		t.Errorf("%d WAITs, want one for the claim and one for the answer", waits)
	}
}

// A connection that broke after the write has nothing to wait for: a new one
// would confirm what it did not write.
func TestWithWait_NoAnswer(t *testing.T) {
	connect := connectorTo(t, servertest.Redis)
	f := newFixture(t, connect)
	client, s := f.open(t, redis.WithWait(1, time.Second))
	client.(*goredis.Client).AddHook(intercept{"wait", func(cmd goredis.Cmder) { cmd.SetErr(errors.New("the line is dead")) }})
	if _, err := s.Claim(t.Context(), *claim(1)); err == nil || !strings.Contains(err.Error(), "the line is dead") {
		t.Errorf("Claim: error %v, want the reason", err)
	}
	_, careless := f.open(t)
	own(t, careless, claim(1))
}

package redis_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/redis"
	goredis "github.com/redis/go-redis/v9"
)

var answer = idem.Response{Status: 201, Body: []byte("{}")}

func claim(n byte) *idem.Claim {
	return &idem.Claim{ID: idem.ID{n}, Fingerprint: idem.Fingerprint{1, n}, Lease: time.Minute, TTL: time.Hour}
}

func own(t *testing.T, s *redis.Store, c *idem.Claim) idem.Fence {
	t.Helper()
	got, err := s.Claim(t.Context(), *c)
	if err != nil || got.State != idem.ClaimOwned {
		t.Fatalf("Claim: state %d, error %v", got.State, err)
	}
	return got.Fence
}

// Each step sets anew when the key disappears, and there is one key only.
func TestStore_KeysExpire(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		_, s := f.open(t)
		c := claim(1)
		expires := func(after string, want time.Duration) {
			t.Helper()
			keys := f.keys(t)
			if len(keys) != 1 {
				t.Fatalf("keys %q after %s, want one", keys, after)
			}
			got, err := f.client.PTTL(t.Context(), keys[0]).Result()
			if must(t, err); got > want+time.Millisecond || got < want-30*time.Second { // rounded up
				t.Errorf("the key expires in %v after %s, want %v", got, after, want)
			}
		}
		fence := own(t, s, c)
		expires("Claim", time.Hour)
		must(t, s.Heartbeat(t.Context(), c.ID, fence, 2*time.Hour))
		expires("Heartbeat", 2*time.Hour)
		must(t, s.Abandon(t.Context(), c.ID, fence))
		expires("Abandon", 2*time.Hour)
		must(t, s.Release(t.Context(), c.ID, fence))
		expires("Release", time.Minute)
		short := *c
		short.TTL = time.Second // less than the lease
		fence = own(t, s, &short)
		expires("Claim with a short retention", time.Minute)
		must(t, s.Complete(t.Context(), c.ID, fence, answer, 3*time.Hour))
		expires("Complete", 3*time.Hour)
	})
}

// A server that has forgotten the scripts gets them again.
func TestStore_AfterScriptFlush(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		_, s := f.open(t)
		c := claim(1)
		flush := func() {
			if cluster, ok := f.client.(*goredis.ClusterClient); ok {
				must(t, cluster.ForEachMaster(t.Context(), func(ctx context.Context, node *goredis.Client) error {
					return node.ScriptFlush(ctx).Err()
				}))
				return
			}
			must(t, f.client.ScriptFlush(t.Context()).Err())
		}
		flush()
		fence := own(t, s, c)
		flush()
		must(t, s.Heartbeat(t.Context(), c.ID, fence, time.Minute))
		flush()
		must(t, s.Complete(t.Context(), c.ID, fence, answer, time.Hour))
		flush()
		if _, found, err := s.Lookup(t.Context(), c.ID); !found || err != nil {
			t.Errorf("Lookup: found %v, error %v", found, err)
		}
		flush()
		if list, err := s.Unknown(t.Context(), idem.Cursor{}, 10); len(list) != 0 || err != nil {
			t.Errorf("Unknown: %d records, error %v", len(list), err)
		}
	})
}

// A deaf connection loses the answer to one script, and breaks.
type deaf struct {
	net.Conn
	scripts *atomic.Int32 // until the one whose answer is lost; 0: none
	waiting atomic.Bool   // for the answer of a script
}

func (d *deaf) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("evalsha")) {
		d.waiting.Store(true)
	}
	return d.Conn.Write(b)
}

func (d *deaf) Read(b []byte) (int, error) {
	n, err := d.Conn.Read(b)
	if n > 0 && d.waiting.Swap(false) && d.scripts.Load() > 0 && d.scripts.Add(-1) == 0 {
		_ = d.Close() // the server has executed it
		return 0, io.EOF
	}
	return n, err
}

// The client repeats a command when it did not hear the answer. That must not
// make a caller meet its own claim, or find it lost.
func TestStore_AnswersAreLost(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		var scripts atomic.Int32
		f.connect = func(tb testing.TB, _ ...func(net.Conn) net.Conn) goredis.UniversalClient {
			tb.Helper()
			return connect(tb, func(conn net.Conn) net.Conn { return &deaf{Conn: conn, scripts: &scripts} })
		}
		_, s := f.open(t)
		c := claim(1)
		c.Hold = true
		for name, steps := range map[string][]func(idem.Fence) error{
			"Abandon":   {func(f idem.Fence) error { return s.Abandon(t.Context(), c.ID, f) }},
			"Release":   {func(f idem.Fence) error { return s.Release(t.Context(), c.ID, f) }},
			"Heartbeat": {func(f idem.Fence) error { return s.Heartbeat(t.Context(), c.ID, f, time.Minute) }},
			"Complete":  {func(f idem.Fence) error { return s.Complete(t.Context(), c.ID, f, answer, time.Hour) }},
			"Resolve": {
				func(f idem.Fence) error { return s.Abandon(t.Context(), c.ID, f) },
				func(f idem.Fence) error { return s.Resolve(t.Context(), c.ID, f, nil) },
			},
		} {
			for lost := range 1 + len(steps) { // the claim is the first step
				c.ID = idem.ID{name[0], byte(lost)}
				if _, _, err := s.Lookup(t.Context(), c.ID); err != nil { // a connection is open
					t.Fatal(err)
				}
				scripts.Store(int32(lost + 1))
				fence := own(t, s, c)
				for _, step := range steps {
					if err := step(fence); err != nil {
						t.Errorf("%s when answer %d was lost: %v", name, lost, err)
					}
				}
				if scripts.Swap(0) != 0 {
					t.Errorf("%s: answer %d was not lost", name, lost)
				}
			}
		}
	})
}

func TestClaim_TwoClientsRace(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		_, a := f.open(t)
		_, b := f.open(t)
		for n := range byte(20) {
			var wait sync.WaitGroup
			got := make([]idem.Claimed, 16)
			errs := make([]error, len(got))
			for i := range got {
				s := a
				if i%2 == 1 {
					s = b
				}
				wait.Go(func() { got[i], errs[i] = s.Claim(context.Background(), *claim(n)) })
			}
			wait.Wait()
			must(t, errors.Join(errs...))
			owners := 0
			for _, c := range got {
				if c.State == idem.ClaimOwned {
					owners++
				}
			}
			if owners != 1 {
				t.Fatalf("%d owners, want one", owners)
			}
		}
	})
}

// A value that is no record is never taken for the permission to run.
func TestStore_SomebodyElsesKey(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		client, s := f.open(t)
		ctx := t.Context()
		key := func(n byte) string { return f.prefix + hex.EncodeToString(append([]byte{n}, make([]byte, 31)...)) }
		own(t, s, claim(1))
		running := []byte(must1(client.Get(ctx, key(1)).Result())(t))
		fence := own(t, s, claim(2))
		must(t, s.Complete(ctx, claim(2).ID, fence, answer, time.Hour))
		done := []byte(must1(client.Get(ctx, key(2)).Result())(t))
		damaged := func(record []byte, at int, octets ...byte) []byte {
			record = bytes.Clone(record)
			copy(record[at:], octets)
			return record
		}
		nan := []byte{0x7f, 0xf8, 0, 0, 0, 0, 0, 0}
		for name, value := range map[string][]byte{
			"empty":                  {},
			"text":                   []byte("text"),
			"cut in the claim":       running[:91],
			"cut in the answer":      done[:len(done)-len(answer.Body)-1],
			"another version":        damaged(done, 0, 2),
			"another state":          damaged(done, 1, 3),
			"a lease of no length":   damaged(running, 2, nan...),
			"done until never":       damaged(done, 10, nan...),
			"running until never":    damaged(damaged(running, 10, nan...), 2, make([]byte, 8)...),
			"a fence that is none":   damaged(running, 34, nan...),
			"a long operation":       damaged(running, 88, 1),
			"headers that are short": damaged(done, 92+7, 1),
			"a running one answered": damaged(done, 1, 1),
			"a hash":                 nil,
		} {
			t.Run(name, func(t *testing.T) {
				must(t, client.Del(ctx, key(3)).Err())
				if value == nil {
					must(t, client.HSet(ctx, key(3), "s", "0").Err())
				} else {
					must(t, client.Set(ctx, key(3), value, 0).Err())
				}
				id := claim(3).ID
				_, _, lookupErr := s.Lookup(ctx, id)
				_, _, getErr := s.Get(ctx, id)
				_, claimErr := s.Claim(ctx, *claim(3))
				for verb, err := range map[string]error{"Lookup": lookupErr, "Get": getErr, "Claim": claimErr} {
					if err == nil || !strings.Contains(err.Error(), "the record is malformed") {
						t.Errorf("%s: error %v, want one that says that the record is malformed", verb, err)
					}
				}
				if err := s.Complete(ctx, id, 1, answer, time.Hour); err == nil {
					t.Error("Complete has no error")
				}
			})
		}
	})
}

// A server whose clock was put back gives no fence twice.
func TestClaim_FenceRisesWithoutTheClock(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		client, s := f.open(t)
		c := claim(1)
		later := own(t, s, c) + idem.Fence(time.Hour.Microseconds())
		key := f.keys(t)[0]
		octets := binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(later)))
		must(t, client.SetRange(t.Context(), key, 34, string(octets)).Err())
		must(t, s.Release(t.Context(), c.ID, later))
		if fence := own(t, s, c); fence != later+1 {
			t.Errorf("fence %d after %d", fence, later)
		}
	})
}

// What SCAN takes for a pattern is part of the prefix, and keys that are no
// records do not matter.
func TestUnknown_Prefixes(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) {
		f := newFixture(t, connect)
		f.prefix += `[a-z]*?\`
		_, s := f.open(t)
		g := &fixture{connect: connect, prefix: f.prefix + "more:", client: f.client}
		_, other := g.open(t)
		for n, s := range []*redis.Store{s, other} {
			c := claim(byte(n))
			c.Hold = true
			must(t, s.Abandon(t.Context(), c.ID, own(t, s, c)))
		}
		must(t, f.client.Set(t.Context(), f.prefix+"settings", "text", 0).Err())
		t.Cleanup(func() { _ = f.client.Del(context.Background(), f.prefix+"settings") })
		for n, s := range []*redis.Store{s, other} {
			list, err := s.Unknown(t.Context(), idem.Cursor{}, 10)
			if err != nil || len(list) != 1 || list[0].ID != claim(byte(n)).ID {
				t.Errorf("Unknown: %d records, error %v, want the store's own", len(list), err)
			}
		}
	})
}

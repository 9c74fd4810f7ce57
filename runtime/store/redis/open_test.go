package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/redis"
	goredis "github.com/redis/go-redis/v9"
)

// answering is a client whose server gives the same answer to a command. Others
// it cannot answer.
func answering(t *testing.T, name string, answer func(goredis.Cmder)) *goredis.Client {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:1", MaxRetries: -1, DialerRetries: 1})
	client.AddHook(intercept{name, answer})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// intercept is a hook that answers one command itself.
type intercept struct {
	name   string
	answer func(goredis.Cmder)
}

func (intercept) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (i intercept) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, cmd goredis.Cmder) error {
		if cmd.Name() != i.name {
			return next(ctx, cmd)
		}
		i.answer(cmd)
		return cmd.Err()
	}
}

func (intercept) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

// refusal is an error as a server sends it.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) RedisError()     {}

func memoryInfo(text string) func(goredis.Cmder) {
	return func(cmd goredis.Cmder) { cmd.(*goredis.StringCmd).SetVal(text) }
}

func TestNew_EvictionPolicy(t *testing.T) {
	for name, test := range map[string]struct {
		answer func(goredis.Cmder)
		want   []string // empty: accepted
	}{
		"noeviction": {memoryInfo("# Memory\r\nused_memory:1\r\nmaxmemory_policy:noeviction\r\n"), nil},
		"an evicting policy": {
			memoryInfo("# Memory\r\nmaxmemory_policy:allkeys-lru\r\nmem_fragmentation_ratio:1\r\n"),
			[]string{"maxmemory-policy is allkeys-lru", "set maxmemory-policy noeviction", "WithEvictionAccepted"},
		},
		"one for volatile keys": {memoryInfo("maxmemory_policy:volatile-ttl\r\n"), []string{"volatile-ttl"}},
		"no policy":             {memoryInfo("# Memory\r\nused_memory:1\r\n"), []string{"no maxmemory_policy", "WithEvictionAccepted"}},
		"no INFO": {
			func(cmd goredis.Cmder) { cmd.SetErr(refusal("NOPERM this user has no permissions")) },
			[]string{"INFO memory", "NOPERM"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := answering(t, "info", test.answer)
			_, err := redis.New(t.Context(), client)
			if len(test.want) == 0 {
				must(t, err)
			} else {
				refuses(t, err, test.want...)
			}
			_, err = redis.New(t.Context(), client, redis.WithEvictionAccepted())
			must(t, err)
		})
	}
}

func TestNew_Unreachable(t *testing.T) {
	client := answering(t, "ping", func(goredis.Cmder) {})
	_, err := redis.New(t.Context(), client)
	refuses(t, err, "INFO memory")
}

func refuses(t *testing.T, err error, want ...string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), "redis: ") {
		t.Fatalf("error %v, want one that begins with redis:", err)
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %v\nwant: …%s…", err, part)
		}
	}
}

func TestNew_Refuses(t *testing.T) {
	client := answering(t, "info", memoryInfo("maxmemory_policy:noeviction"))
	ring := goredis.NewRing(&goredis.RingOptions{})
	t.Cleanup(func() { _ = ring.Close() })
	for name, test := range map[string]struct {
		client goredis.UniversalClient
		opt    redis.Option
		want   string
	}{
		"no client":                      {nil, redis.WithPrefix("x"), "a client is needed"},
		"a ring":                         {ring, redis.WithPrefix("x"), "a Ring moves keys"},
		"no replica":                     {client, redis.WithWait(0, time.Second), "at least one replica"},
		"no time":                        {client, redis.WithWait(1, 0), "at least one replica and one millisecond"},
		"less than WAIT can tell":        {client, redis.WithWait(1, time.Microsecond), "one millisecond"},
		"a client without its own WAITs": {struct{ goredis.UniversalClient }{client}, redis.WithWait(1, time.Second), "WithWait needs a *Client"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := redis.New(t.Context(), test.client, test.opt, redis.WithEvictionAccepted())
			refuses(t, err, test.want)
		})
	}
}

// An operation that needs one commit with the handler's writes does not come up.
func TestNewHandler_RefusesTx(t *testing.T) {
	s, err := redis.New(t.Context(), answering(t, "info", memoryInfo("maxmemory_policy:noeviction")))
	must(t, err)
	op := &idem.Operation{
		ID: "placeOrder", Method: "POST", Path: "/orders", Pattern: "POST /orders",
		Idempotency: &idem.Idempotency{Required: true, Scope: []string{"operation"}, TTL: time.Hour, Lease: time.Minute, Mode: idem.ModeTx},
	}
	_, err = idem.NewHandler([]*idem.Operation{op}, idem.WithStore(s))
	if err == nil || !strings.Contains(err.Error(), "placeOrder") || !strings.Contains(err.Error(), "mode: tx") {
		t.Errorf("NewHandler: error %v, want one that names the operation and its mode", err)
	}
	op.Idempotency.Mode = idem.ModeAuto
	if _, err = idem.NewHandler([]*idem.Operation{op}, idem.WithStore(s)); err != nil {
		t.Errorf("NewHandler with mode auto: %v", err)
	}
}

// Some refusals pass by themselves; others say that something is wrong.
func TestStore_Busy(t *testing.T) {
	for text, want := range map[string]bool{
		"OOM command not allowed when used memory > 'maxmemory'. script: x, on @user_script:1.": true,
		"BUSY Redis is busy running a script.":                                                  true,
		"LOADING Redis is loading the dataset in memory":                                        true,
		"CLUSTERDOWN The cluster is down":                                                       true,
		"TRYAGAIN Multiple keys request during rehashing":                                       true,
		"NOREPLICAS Not enough good replicas to write.":                                         true,
		"MASTERDOWN Link with MASTER is down":                                                   true,
		"MOVED 3999 127.0.0.1:6381":                                                             true,
		"ERR max number of clients reached":                                                     true,
		"WRONGTYPE Operation against a key":                                                     false,
		"READONLY You can't write against a read only replica":                                  false,
		"NOPERM this user has no permissions":                                                   false,
	} {
		client := answering(t, "evalsha", func(cmd goredis.Cmder) { cmd.SetErr(refusal(text)) })
		s, err := redis.New(t.Context(), client, redis.WithEvictionAccepted())
		must(t, err)
		id := claim(1).ID
		_, claimErr := s.Claim(t.Context(), *claim(1))
		_, _, lookupErr := s.Lookup(t.Context(), id)
		_, _, getErr := s.Get(t.Context(), id)
		for verb, err := range map[string]error{
			"Claim": claimErr, "Lookup": lookupErr, "Get": getErr,
			"Heartbeat": s.Heartbeat(t.Context(), id, 1, time.Minute),
			"Complete":  s.Complete(t.Context(), id, 1, answer, time.Hour),
			"Release":   s.Release(t.Context(), id, 1),
			"Abandon":   s.Abandon(t.Context(), id, 1),
			"Resolve":   s.Resolve(t.Context(), id, 1, nil),
		} {
			if err == nil || errors.Is(err, idem.ErrStoreBusy) != want || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: error %v, want ErrStoreBusy: %v", verb, err, want)
			}
		}
	}
}

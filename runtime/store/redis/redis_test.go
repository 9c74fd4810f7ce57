package redis_test

import (
	"context"
	"crypto/rand"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/redis"
	"github.com/idemgen/idemgen/runtime/store/storetest"
	goredis "github.com/redis/go-redis/v9"
)

// servers are the variables that name the servers to test on. Each test has a
// prefix of its own there, and removes its keys.
var servers = []string{servertest.Redis, servertest.RedisCluster}

// onServers runs a test on each server that is there.
func onServers(t *testing.T, test func(t *testing.T, connect connector)) {
	t.Helper()
	for _, name := range servers {
		t.Run(name, func(t *testing.T) { test(t, connectorTo(t, name)) })
	}
}

// A connector returns a new client of a server, whose connections may be wrapped.
type connector func(tb testing.TB, wrap ...func(net.Conn) net.Conn) goredis.UniversalClient

func connectorTo(tb testing.TB, variable string) connector {
	tb.Helper()
	url := servertest.URL(tb, variable)
	return func(tb testing.TB, wrap ...func(net.Conn) net.Conn) goredis.UniversalClient {
		tb.Helper()
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, addr)
			for _, f := range wrap {
				conn = f(conn)
			}
			return conn, err
		}
		var client goredis.UniversalClient
		if variable == servertest.RedisCluster {
			opt, err := goredis.ParseClusterURL(url)
			must(tb, err)
			opt.Dialer = dial
			client = goredis.NewClusterClient(opt)
		} else {
			opt, err := goredis.ParseURL(url)
			must(tb, err)
			opt.Dialer = dial
			client = goredis.NewClient(opt)
		}
		tb.Cleanup(func() { _ = client.Close() })
		return client
	}
}

func TestStore(t *testing.T) {
	onServers(t, func(t *testing.T, connect connector) { storetest.Run(t, newHarness(connect)) })
}

func BenchmarkStore(b *testing.B) {
	for _, name := range servers {
		b.Run(name, func(b *testing.B) { storetest.Bench(b, newHarness(connectorTo(b, name))) })
	}
}

func newHarness(connect connector) func(testing.TB) storetest.Harness {
	return func(tb testing.TB) storetest.Harness {
		f := newFixture(tb, connect)
		client, s := f.open(tb)
		return storetest.Harness{
			Store:   s,
			Advance: func(d time.Duration) { f.advance(tb, d) },
			Reopen: func() (idem.Store, error) {
				if err := client.Close(); err != nil {
					return nil, err
				}
				client, s = f.open(tb)
				return s, nil
			},
		}
	}
}

// A fixture is a prefix of keys.
type fixture struct {
	connect connector
	prefix  string
	client  goredis.UniversalClient
}

func newFixture(tb testing.TB, connect connector) *fixture {
	f := &fixture{connect: connect, prefix: "test:" + rand.Text()[:10] + ":", client: connect(tb)}
	tb.Cleanup(func() {
		for _, key := range f.keys(tb) {
			must(tb, f.client.Del(context.Background(), key).Err())
		}
	})
	return f
}

// open returns a store with a client of its own, as another process would have.
func (f *fixture) open(tb testing.TB, opts ...redis.Option) (goredis.UniversalClient, *redis.Store) {
	tb.Helper()
	client := f.connect(tb)
	s, err := redis.New(context.Background(), client, append(opts, redis.WithPrefix(f.prefix))...)
	must(tb, err)
	return client, s
}

// advance moves all stored instants back.
func (f *fixture) advance(tb testing.TB, d time.Duration) {
	tb.Helper()
	script := goredis.NewScript(servertest.AdvanceRedis)
	for _, key := range f.keys(tb) {
		must(tb, script.Run(context.Background(), f.client, []string{key}, d.Microseconds()).Err())
	}
}

// keys returns what the server has under the prefix.
func (f *fixture) keys(tb testing.TB) (keys []string) {
	tb.Helper()
	ctx := context.Background()
	var mu sync.Mutex // servers of a cluster are asked at once
	scan := func(ctx context.Context, server *goredis.Client) error {
		found := server.Scan(ctx, 0, f.prefix+"*", 1000).Iterator()
		for found.Next(ctx) {
			mu.Lock()
			keys = append(keys, found.Val())
			mu.Unlock()
		}
		return found.Err()
	}
	switch client := f.client.(type) {
	case *goredis.ClusterClient:
		must(tb, client.ForEachMaster(ctx, scan))
	case *goredis.Client:
		must(tb, scan(ctx, client))
	}
	return keys
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// must1 is must for calls with a result.
func must1[T any](v T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		must(tb, err)
		return v
	}
}

package stores

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/idemgen/idemgen/internal/servertest"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/redis"
	"github.com/idemgen/idemgen/runtime/store/storetest"
)

var advanceScript = goredis.NewScript(servertest.AdvanceRedis)

func openRedis(tb testing.TB) storetest.Harness {
	tb.Helper()
	ctx := context.Background()
	config, err := goredis.ParseURL(servertest.URL(tb, servertest.Redis))
	must(tb, err)
	client := goredis.NewClient(config)
	prefix := "proof:" + rand.Text() + ":"
	each := func(f func(key string) error) {
		found := client.Scan(ctx, 0, prefix+"*", 1000).Iterator()
		var err error
		for found.Next(ctx) {
			err = errors.Join(err, f(found.Val()))
		}
		if err := errors.Join(err, found.Err()); err != nil {
			tb.Error(err)
		}
	}
	tb.Cleanup(func() {
		each(func(key string) error { return client.Del(ctx, key).Err() })
		must(tb, client.Close())
	})
	h := storetest.Harness{Advance: func(d time.Duration) {
		each(func(key string) error {
			return advanceScript.Run(ctx, client, []string{key}, d.Microseconds()).Err()
		})
	}}
	return reopenable(tb, h, func() (idem.Store, error) { return redis.New(ctx, client, redis.WithPrefix(prefix)) })
}

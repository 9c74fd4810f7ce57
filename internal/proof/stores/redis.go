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

// advanceScript moves the instants of one record back.
var advanceScript = goredis.NewScript(`
	if redis.call('EXISTS', KEYS[1]) == 0 then return end
	for _, field in ipairs({'l', 'e'}) do
		local instant = tonumber(redis.call('HGET', KEYS[1], field) or 0)
		if instant > 0 then redis.call('HSET', KEYS[1], field, string.format('%.0f', instant - ARGV[1])) end
	end
	redis.call('PEXPIREAT', KEYS[1], redis.call('PEXPIRETIME', KEYS[1]) - ARGV[1] / 1000)`)

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
			err := advanceScript.Run(ctx, client, []string{key}, d.Microseconds()).Err()
			if errors.Is(err, goredis.Nil) {
				return nil
			}
			return err
		})
	}}
	return reopenable(tb, h, func() (idem.Store, error) { return redis.New(ctx, client, redis.WithPrefix(prefix)) })
}

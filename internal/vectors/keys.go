package vectors

import (
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/idemgen/idemgen/internal/servertest"
)

// keys are the keys under a prefix in a Redis server.
type keys struct {
	nowhere
	client *goredis.Client
	prefix string
}

func (k keys) name() string { return k.prefix }

func (k keys) each(ctx context.Context, f func(key string) error) error {
	found := k.client.Scan(ctx, 0, k.prefix+"*", 1000).Iterator()
	for found.Next(ctx) {
		if err := f(found.Val()); err != nil {
			return err
		}
	}
	return found.Err()
}

func (k keys) leave(ctx context.Context) error {
	return k.each(ctx, func(key string) error { return k.client.Del(ctx, key).Err() })
}

var advanceScript = goredis.NewScript(servertest.AdvanceRedis)

func (k keys) advance(ctx context.Context, by int64) (bool, error) {
	return true, k.each(ctx, func(key string) error {
		return advanceScript.Run(ctx, k.client, []string{key}, by).Err()
	})
}

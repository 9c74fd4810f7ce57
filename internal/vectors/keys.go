package vectors

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
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

// advanceScript moves the instants of one record back, and with them the one at
// which the server forgets it.
var advanceScript = goredis.NewScript(`
for _, field in ipairs({'l', 'e'}) do
	local instant = tonumber(redis.call('HGET', KEYS[1], field) or 0)
	if instant > 0 then redis.call('HSET', KEYS[1], field, string.format('%.0f', instant - ARGV[1])) end
end
return redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', redis.call('PEXPIRETIME', KEYS[1]) - ARGV[1] / 1000))`)

func (k keys) advance(ctx context.Context, by int64) (bool, error) {
	return true, k.each(ctx, func(key string) error {
		return advanceScript.Run(ctx, k.client, []string{key}, by).Err()
	})
}

package server

import (
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/idemgen/idemgen/runtime/store/redis"
)

// openRedis opens a store under a prefix of a Redis server.
func (w *World) openRedis(ctx context.Context, c *Command) error {
	config, err := goredis.ParseURL(c.Database)
	if err != nil {
		return err
	}
	config.PoolSize = maxConns
	config.PoolTimeout = generous
	client := goredis.NewClient(config)
	w.closers = append(w.closers, client.Close)
	w.store, err = redis.New(ctx, client, redis.WithPrefix(c.Place))
	return err
}

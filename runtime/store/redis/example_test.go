package redis_test

import (
	"context"
	"log"
	"time"

	"github.com/idemgen/idemgen/runtime/store/redis"
	goredis "github.com/redis/go-redis/v9"
)

func ExampleNew() {
	client := goredis.NewClient(&goredis.Options{Addr: "127.0.0.1:6379"})

	// One replica has each claim and each answer before they are acknowledged.
	store, err := redis.New(context.Background(), client, redis.WithWait(1, 100*time.Millisecond))
	if err != nil {
		log.Fatal(err)
	}
	_ = store // idem.WithStore(store)
}

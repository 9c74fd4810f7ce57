package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/idemgen/idemgen/runtime/store/storetest"
)

// BenchmarkRatio sets claim and answer of a first request against two SETs in
// two round trips, and a replay against one GET, through the same client.
func BenchmarkRatio(b *testing.B) {
	for _, name := range servers {
		b.Run(name, func(b *testing.B) {
			connect := connectorTo(b, name)
			for _, clients := range []int{1, 8, 32} {
				b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) { benchRatio(b, connect, clients) })
			}
		})
	}
}

func benchRatio(b *testing.B, connect connector, clients int) {
	f := newFixture(b, connect)
	client, s := f.open(b)
	ctx := b.Context()
	var number atomic.Uint64
	key := func(n uint64) string { return fmt.Sprintf("%s%064x", f.prefix, n) }
	must(b, client.Set(ctx, key(0), storetest.BenchAnswer.Body, time.Minute).Err())
	b.Run("first", func(b *testing.B) {
		storetest.Compare(b, clients,
			storetest.Candidate{Name: "floor", Do: func() error {
				k := key(number.Add(1))
				if err := client.Set(ctx, k, "running", time.Minute).Err(); err != nil {
					return err
				}
				return client.Set(ctx, k, storetest.BenchAnswer.Body, time.Minute).Err()
			}},
			storetest.Separate("lease", s, func() error { return nil }),
		)
	})
	b.Run("replay", func(b *testing.B) {
		replay, _ := storetest.Replay(b, s)
		storetest.Compare(b, clients,
			storetest.Candidate{Name: "get", Do: func() error { return client.Get(ctx, key(0)).Err() }},
			replay,
		)
	})
}

package redis

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	idem "github.com/idemgen/idemgen/runtime"
	goredis "github.com/redis/go-redis/v9"
)

// Get implements [idem.Resolver].
func (s *Store) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	r, err := s.read(ctx, &id)
	if err != nil {
		return idem.Entry{}, false, fmt.Errorf("redis: get: %w", known(err))
	}
	if !r.live() {
		return idem.Entry{}, false, nil
	}
	return r.entry(&id), true, nil
}

// Resolve implements [idem.Resolver].
func (s *Store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	var err error
	if done == nil {
		err = outcome("resolve", s.run(ctx, resolveFreeScript, &id, octets(f), mark()))
	} else {
		err = s.finish(ctx, "resolve", resolveDoneScript, &id, f, &done.Response, done.TTL)
	}
	if errors.Is(err, idem.ErrClaimLost) {
		return idem.ErrNotUnknown
	}
	return err
}

// Unknown implements [idem.Resolver]. There is no index, because that would be a
// second key in each step: it looks at every key of every server (SCAN), a
// thousand at a time, and reads all unknown records for each page. It is for
// operators, not for each request.
func (s *Store) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var (
		mu   sync.Mutex // servers of a cluster are asked at once
		list []idem.Entry
	)
	add := func(e idem.Entry) {
		if compare(e.Cursor(), after) > 0 {
			mu.Lock()
			defer mu.Unlock()
			list = append(list, e)
		}
	}
	var err error
	if cluster, ok := s.client.(*goredis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, server *goredis.Client) error {
			return s.scan(ctx, server, add)
		})
	} else {
		err = s.scan(ctx, s.client, add)
	}
	if err != nil {
		return nil, fmt.Errorf("redis: unknown: %w", known(err))
	}
	slices.SortFunc(list, func(a, b idem.Entry) int { return compare(a.Cursor(), b.Cursor()) })
	list = slices.CompactFunc(list, func(a, b idem.Entry) bool { return a.ID == b.ID }) // SCAN may repeat a key
	return list[:min(len(list), max(limit, 0))], nil
}

func compare(a, b idem.Cursor) int {
	if c := a.ClaimedAt.Compare(b.ClaimedAt); c != 0 {
		return c
	}
	return bytes.Compare(a.ID[:], b.ID[:])
}

// A scanner is one server.
type scanner interface {
	goredis.Scripter
	Scan(ctx context.Context, cursor uint64, match string, count int64) *goredis.ScanCmd
	Pipelined(ctx context.Context, f func(goredis.Pipeliner) error) ([]goredis.Cmder, error)
}

// scan calls add with the unknown records of one server.
func (s *Store) scan(ctx context.Context, server scanner, add func(idem.Entry)) error {
	const batch = 1000
	if err := unknownScript.Load(ctx, server).Err(); err != nil {
		return err
	}
	pattern := literal(s.prefix) + strings.Repeat("[0-9a-f]", 2*len(idem.ID{}))
	for cursor := uint64(0); ; {
		keys, next, err := server.Scan(ctx, cursor, pattern, batch).Result()
		if err != nil {
			return err
		}
		replies := make([]*goredis.Cmd, len(keys))
		_, err = server.Pipelined(ctx, func(pipe goredis.Pipeliner) error {
			for i, key := range keys {
				replies[i] = unknownScript.EvalSha(ctx, pipe, []string{key})
			}
			return nil
		})
		if err != nil {
			return err
		}
		for i, key := range keys {
			var id idem.ID
			if _, err := hex.Decode(id[:], []byte(key[len(s.prefix):])); err != nil {
				return err
			}
			values, err := replies[i].Slice()
			if err == nil && len(values) == 0 {
				continue
			}
			if err != nil {
				return err
			}
			r, err := readRow(values)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			add(r.entry(&id))
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// literal is a pattern of SCAN that matches text alone.
func literal(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}

// entry is the record of id for operators.
func (r *row) entry(id *idem.ID) idem.Entry {
	return idem.Entry{Record: r.Record, ID: *id, Operation: r.operation, ClaimedAt: r.claimed}
}

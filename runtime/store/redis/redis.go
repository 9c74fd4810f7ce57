// Package redis keeps idempotency records in Redis (7 or later) or a server that
// speaks its language, through github.com/redis/go-redis/v9: a single server, one
// behind sentinels, or a cluster. Claim, the handler's writes and the recorded
// answer are separate commits (lease mode), because the handler's writes are
// elsewhere: an operation whose policy says mode: tx is refused when the handler
// is built.
//
// Each record is one string, and each step is one script on that one key, which
// takes its time from the server (TIME). Records expire by themselves: there is
// nothing to sweep. Nor can they be counted without looking at every key of the
// server, so that this store is no [idem.Counter].
//
// # What Redis can lose
//
// A record is what keeps a request from running twice, and Redis forgets records
// in three ways that a database on disk does not:
//
//   - Eviction. New refuses a server whose maxmemory-policy is not noeviction.
//     With it a full server refuses claims, and clients are answered 503.
//   - Failover. Replication is asynchronous: a replica that is promoted may lack
//     the last acknowledged claims and answers, and their requests run once more
//     when they are repeated. [WithWait] narrows this window by waiting for
//     replicas, and does not close it, because the promoted one may be another.
//   - A restart. Use the append-only file; appendfsync everysec loses a second.
//
// So Redis gives at-least-once where it fails over. An effect that must not
// happen twice belongs into a store with transactions, or checks the fence.
package redis

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	goredis "github.com/redis/go-redis/v9"
)

// Store is an [idem.Store] and [idem.Resolver] in Redis. Use New; the zero value is not usable. All
// methods may be called concurrently, also by any number of processes.
type Store struct {
	options
	client goredis.UniversalClient
}

var (
	_ idem.Store    = (*Store)(nil)
	_ idem.Resolver = (*Store)(nil)
)

type options struct {
	prefix   string
	evicting bool
	replicas int
	patience time.Duration
}

// An Option changes what New does.
type Option func(*options)

// WithPrefix is what the keys in Redis begin with; hexadecimal digits follow. The
// default is "idem:". A part of it in braces, as in "{idem}:", puts all records
// into one slot of a cluster, for which the store has no need.
func WithPrefix(prefix string) Option {
	return func(o *options) { o.prefix = prefix }
}

// WithEvictionAccepted accepts a server that may evict records before they
// expire, or that does not say what it does. The request of an evicted record
// runs again when it is repeated.
func WithEvictionAccepted() Option {
	return func(o *options) { o.evicting = true }
}

// WithWait makes Claim and Complete wait (WAIT) until that many replicas have
// the record, at least 1, and no longer than timeout, which has milliseconds and
// must be less than the client's ReadTimeout. A claim that too few replicas have
// is given back and answered with [idem.ErrStoreBusy]; an answer that too few
// have is kept, and Complete returns an error. By default nothing is waited for.
func WithWait(replicas int, timeout time.Duration) Option {
	return func(o *options) { o.replicas, o.patience = replicas, timeout }
}

// New returns a store that uses client, which the caller closes. It asks each
// server for its eviction policy and fails unless that is noeviction. A Ring is
// refused, because it moves the keys of a server that is down to others, where
// their records are not.
func New(ctx context.Context, client goredis.UniversalClient, opts ...Option) (*Store, error) {
	s := &Store{options: options{prefix: "idem:"}, client: client}
	for _, f := range opts {
		f(&s.options)
	}
	err := s.checkClient()
	if err == nil && !s.evicting {
		err = s.checkEviction(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("redis: %w", err)
	}
	return s, nil
}

// key is the name of a record.
func (s *Store) key(id *idem.ID) string {
	var digits [2 * len(id)]byte
	hex.Encode(digits[:], id[:])
	return s.prefix + string(digits[:])
}

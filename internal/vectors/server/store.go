package server

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// errFault is how a store fails that was told to.
var errFault = errors.New("vectors: the store was told to fail")

// store passes everything on to a real store. It can be told to fail, it stops
// requests at the points where they are to be killed, and it lets only those
// heartbeats through that were asked for.
type store struct {
	idem.Store
	world *World
}

func (s *store) failing(operation string) bool {
	fault, _ := s.world.fault.Load().(string)
	return fault == "all" || fault == operation
}

// Lookup implements [idem.Store].
func (s *store) Lookup(ctx context.Context, id idem.ID) (idem.Record, bool, error) {
	if s.failing("lookup") {
		return idem.Record{}, false, errFault
	}
	return s.Store.Lookup(ctx, id)
}

// Claim implements [idem.Store].
func (s *store) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if s.failing("claim") {
		return idem.Claimed{}, errFault
	}
	claimed, err := s.Store.Claim(ctx, c)
	if err == nil && claimed.State == idem.ClaimOwned {
		s.world.crash(ctx, AfterClaim)
	}
	return claimed, err
}

// Heartbeat implements [idem.Store].
func (s *store) Heartbeat(ctx context.Context, id idem.ID, f idem.Fence, lease time.Duration) error {
	if call := callOf(ctx); call == nil || !call.beating.CompareAndSwap(true, false) {
		return nil // not this one's turn
	}
	if s.failing("heartbeat") {
		return errFault
	}
	return s.Store.Heartbeat(ctx, id, f, lease)
}

// Complete implements [idem.Store].
func (s *store) Complete(ctx context.Context, id idem.ID, f idem.Fence, r idem.Response, ttl time.Duration) error {
	s.world.crash(ctx, AfterEffect, BeforeCommit)
	if s.failing("complete") {
		return errFault
	}
	err := s.Store.Complete(ctx, id, f, r, ttl)
	if err == nil {
		s.world.crash(ctx, AfterCommit)
	}
	return err
}

// Release implements [idem.Store].
func (s *store) Release(ctx context.Context, id idem.ID, f idem.Fence) error {
	s.world.crash(ctx, AfterEffect)
	if s.failing("release") {
		return errFault
	}
	return s.Store.Release(ctx, id, f)
}

// Abandon implements [idem.Store].
func (s *store) Abandon(ctx context.Context, id idem.ID, f idem.Fence) error {
	s.world.crash(ctx, AfterEffect)
	if s.failing("abandon") {
		return errFault
	}
	return s.Store.Abandon(ctx, id, f)
}

// Sweep implements [idem.Sweeper]; a store without a sweeper has nothing to
// remove.
func (s *store) Sweep(ctx context.Context, limit int) (int, error) {
	if s.failing("sweep") {
		return 0, errFault
	}
	sweeper, ok := s.Store.(idem.Sweeper)
	if !ok {
		return 0, nil
	}
	return sweeper.Sweep(ctx, limit)
}

// resolver is the real store, as an operator sees it.
func (s *store) resolver() (idem.Resolver, error) {
	if r, ok := s.Store.(idem.Resolver); ok {
		return r, nil
	}
	return nil, errors.New("vectors: the store has no records that can be resolved by hand")
}

// Unknown implements [idem.Resolver].
func (s *store) Unknown(ctx context.Context, after idem.Cursor, limit int) ([]idem.Entry, error) {
	r, err := s.resolver()
	if err != nil {
		return nil, err
	}
	return r.Unknown(ctx, after, limit)
}

// Get implements [idem.Resolver].
func (s *store) Get(ctx context.Context, id idem.ID) (idem.Entry, bool, error) {
	r, err := s.resolver()
	if err != nil {
		return idem.Entry{}, false, err
	}
	return r.Get(ctx, id)
}

// Resolve implements [idem.Resolver].
func (s *store) Resolve(ctx context.Context, id idem.ID, f idem.Fence, done *idem.Completion) error {
	r, err := s.resolver()
	if err != nil {
		return err
	}
	return r.Resolve(ctx, id, f, done)
}

// txStore is a store with transactions.
type txStore struct {
	store
	tx idem.TxStore
}

// Begin implements [idem.TxStore].
func (s *txStore) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if s.failing("claim") && c != nil || s.failing("begin") {
		return nil, idem.Claimed{}, errFault
	}
	tx, claimed, err := s.tx.Begin(ctx, c)
	if tx == nil || err != nil {
		return tx, claimed, err
	}
	s.world.crash(ctx, AfterClaim)
	return &storeTx{tx, s}, claimed, nil
}

// RetryableTx implements [idem.TxRetrier].
func (s *txStore) RetryableTx(err error) bool {
	retrier, ok := s.tx.(idem.TxRetrier)
	return ok && retrier.RetryableTx(err)
}

type storeTx struct {
	idem.StoreTx
	store *txStore
}

// Complete implements [idem.StoreTx].
func (tx *storeTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	tx.store.world.crash(ctx, AfterEffect, BeforeCommit)
	if tx.store.failing("complete") {
		return errors.Join(errFault, tx.Rollback(ctx))
	}
	err := tx.StoreTx.Complete(ctx, done, keep)
	if err == nil {
		tx.store.world.crash(ctx, AfterCommit)
	}
	return err
}

// watch wraps a world's store.
func watch(w *World, inner idem.Store) idem.Store {
	outer := store{inner, w}
	if tx, ok := inner.(idem.TxStore); ok {
		return &txStore{outer, tx}
	}
	return &outer
}

// call is a request as the server knows it.
type call struct {
	token     string
	crash     string
	operation string
	method    string
	path      string
	body      []byte // of a PUT
	beating   atomic.Bool
	gone      <-chan struct{} // closed when the client has gone away
	done      chan struct{}   // closed when the request has been served
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// Package storetest is the conformance suite of [idem.Store]. A store's test
// brings a constructor:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(tb testing.TB) storetest.Harness {
//			now := time.Unix(0, 0)
//			return storetest.Harness{
//				Store:   memory.New(memory.WithClock(func() time.Time { return now })),
//				Advance: func(d time.Duration) { now = now.Add(d) },
//			}
//		})
//	}
//
// Every rule of the contract is a [Rule] and a subtest whose name is the rule.
// The suite finds out by itself whether the store has transactions, a sweeper,
// a resolver and a counter. It never sleeps.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// Harness is one store without records, and the hands on it that the store's
// interface does not offer.
type Harness struct {
	Store idem.Store

	// Advance moves the store's clock forward, or moves all stored instants
	// back, that of the claim too. It is not called while a transaction is open.
	Advance func(d time.Duration)

	// Reopen closes the store and opens what it has stored again. Nil for a
	// store that is not durable.
	Reopen func() (idem.Store, error)

	// Write inserts a row with this key into a table of the harness through the
	// transaction that StoreTx.Tx returns. Needed for an [idem.TxStore].
	Write func(tx any, key string) error

	// Count counts the committed rows with this key. Needed for an
	// [idem.TxStore].
	Count func(key string) (int, error)
}

// Rule is one sentence of the contract and its check.
type Rule struct {
	Name  string
	needs needs
	check func(*trial)
}

type needs uint8

const (
	needsTx needs = 1 << iota
	needsSweeper
	needsReopen
	needsResolver
	needsCounter
)

// Rules returns all rules, in the order in which they build on each other.
func Rules() []Rule {
	var all []Rule
	for _, topic := range [][]Rule{
		claimRules, leaseRules, doneRules, releaseRules, lookupRules, sweepRules, txRules, txClaimRules, durableRules,
		resolveRules, countRules,
	} {
		all = append(all, topic...)
	}
	return all
}

// Missing says what h lacks for the rule to apply; empty when it applies.
func (r Rule) Missing(h Harness) string {
	_, tx := h.Store.(idem.TxStore)
	_, sweeper := h.Store.(idem.Sweeper)
	_, resolver := h.Store.(idem.Resolver)
	_, counter := h.Store.(idem.Counter)
	switch {
	case r.needs&needsTx != 0 && !tx:
		return "the store has no transactions"
	case r.needs&needsSweeper != 0 && !sweeper:
		return "the store is no Sweeper"
	case r.needs&needsResolver != 0 && !resolver:
		return "the store is no Resolver"
	case r.needs&needsCounter != 0 && !counter:
		return "the store is no Counter"
	case r.needs&needsReopen != 0 && h.Reopen == nil:
		return "the store is not durable"
	}
	return ""
}

// Check returns how the store breaks the rule, or nil. h must be fresh.
func (r Rule) Check(h Harness) (err error) {
	// The bound is for a store that blocks where it must not.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer func() {
		switch p := recover().(type) {
		case nil:
		case broken:
			err = p.err
		default:
			panic(p)
		}
	}()
	r.check(&trial{Harness: h, ctx: ctx})
	return nil
}

// Run checks every rule against a store of its own.
func Run(t *testing.T, newStore func(tb testing.TB) Harness) {
	t.Helper()
	for _, r := range Rules() {
		t.Run(r.Name, func(t *testing.T) {
			h := newStore(t)
			if missing := r.Missing(h); missing != "" {
				t.Skip(missing)
			}
			if err := h.complete(); err != nil {
				t.Fatal(err)
			}
			if err := r.Check(h); err != nil {
				t.Error(err)
			}
		})
	}
}

// complete says what the constructor forgot.
func (h *Harness) complete() error {
	if h.Store == nil || h.Advance == nil {
		return errors.New("storetest: the harness needs Store and Advance")
	}
	if _, ok := h.Store.(idem.TxStore); ok && (h.Write == nil || h.Count == nil) {
		return fmt.Errorf("storetest: %T has transactions: the harness needs Write and Count", h.Store)
	}
	return nil
}

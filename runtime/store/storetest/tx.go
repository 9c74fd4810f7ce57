package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	idem "github.com/idemgen/idemgen/runtime"
)

// txRules are about what one transaction commits and undoes; txClaimRules are
// about who gets one.
var txRules = []Rule{
	{Name: "a commit makes the writes and the answer visible together", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		t.rows(0, "before the commit")
		t.absent(id, "before the commit")
		t.must(tx.Complete(t.ctx, completion(), true), "Complete")
		t.rows(1, "after the commit")
		t.same(t.found(id, "after the commit").Response, answer, "after the commit")
	}},
	{Name: "an answer that a transaction stored is returned bit for bit", needs: needsTx, check: func(t *trial) {
		all := answers()
		all["no body"] = idem.Response{Status: 204}
		all["empty body"] = idem.Response{Status: 200, Body: []byte{}}
		for name, want := range all {
			c := ask(newID(name))
			tx := t.begin(c)
			t.must(tx.Complete(t.ctx, &idem.Completion{Response: want, TTL: keep}, true), "Complete")
			r := t.done(c, "after the commit")
			t.same(r.Response, want, "Claim, "+name)
			if (r.Response.Body == nil) != (want.Body == nil) {
				t.failf("%s: body is %#v, want %#v", name, r.Response.Body, want.Body)
			}
			if r.Fingerprint != fpA {
				t.failf("%s: fingerprint is %x, want the claim's", name, r.Fingerprint)
			}
		}
	}},
	{Name: "the retention of an answer starts with its commit", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		t.commit(ask(id))
		t.within(t.found(id, "after the commit").ExpiresIn, keep, 0, "ExpiresIn")
		t.Advance(keep + instant)
		t.absent(id, "of an expired answer")
	}},
	{Name: "a rollback leaves neither writes nor a record", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		t.must(tx.Rollback(t.ctx), "Rollback")
		t.rows(0, "after a rollback")
		t.absent(id, "after a rollback")
		t.commit(with(ask(id), fpB))
	}},
	{Name: "a rollback leaves the record that was there before", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		first := t.own(ask(id), "on an absent ID")
		t.Advance(lease + instant)
		t.must(t.begin(ask(id)).Rollback(t.ctx), "Rollback")
		t.shows(t.found(id, "after a rollback"), first)
		t.must(t.Store.Complete(t.ctx, id, first.Fence, answer, keep), "Complete of the owner from before")
	}},
	{Name: "without keep the writes are undone and the answer stays", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		t.must(tx.Complete(t.ctx, completion(), false), "Complete")
		t.rows(0, "after Complete without keep")
		t.same(t.found(id, "after Complete without keep").Response, answer, "after Complete without keep")
	}},
	{Name: "Complete without an answer commits the writes and records nothing", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		t.must(tx.Complete(t.ctx, nil, true), "Complete")
		t.rows(1, "after Complete without an answer")
		t.absent(id, "after Complete without an answer")
	}},
	{Name: "a run without a key commits its writes", needs: needsTx, check: func(t *trial) {
		tx := t.beginUnkeyed()
		t.write(tx)
		t.must(tx.Complete(t.ctx, nil, true), "Complete")
		t.rows(1, "after the commit")
	}},
	{Name: "a run without a key undoes its writes without keep", needs: needsTx, check: func(t *trial) {
		tx := t.beginUnkeyed()
		t.write(tx)
		t.must(tx.Complete(t.ctx, nil, false), "Complete")
		t.rows(0, "after Complete without keep")
	}},
	{Name: "a run without a key rolls back", needs: needsTx, check: func(t *trial) {
		tx := t.beginUnkeyed()
		t.write(tx)
		t.must(tx.Rollback(t.ctx), "Rollback")
		t.rows(0, "after a rollback")
	}},
	{Name: "a second Rollback does nothing", needs: needsTx, check: func(t *trial) {
		tx := t.begin(ask(newID("tx")))
		t.must(tx.Rollback(t.ctx), "Rollback")
		other := t.begin(ask(newID("other")))
		t.write(other)
		t.must(tx.Rollback(t.ctx), "a second Rollback")
		t.must(other.Complete(t.ctx, completion(), true), "Complete of another transaction")
		t.rows(1, "after another transaction's commit")
	}},
	{Name: "Rollback after Complete does nothing", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		t.must(tx.Complete(t.ctx, completion(), true), "Complete")
		t.must(tx.Rollback(t.ctx), "Rollback after Complete")
		t.rows(1, "after Rollback of what was committed")
		t.found(id, "after Rollback of what was committed")
	}},
	{Name: "a transaction outlives the context that it was begun with", needs: needsTx, check: func(t *trial) {
		ctx, cancel := context.WithCancel(t.ctx)
		c := ask(newID("tx"))
		tx := t.beginIn(ctx, &c)
		cancel()
		for range 1000 { // what follows the context does so in a goroutine of its own
			runtime.Gosched()
		}
		t.write(tx)
		t.must(tx.Complete(t.ctx, completion(), true), "Complete after the end of Begin's context")
		t.rows(1, "after the commit")
	}},
	{Name: "a handler that commits the transaction itself is found out", needs: needsTx, check: func(t *trial) {
		id := newID("tx")
		tx := t.begin(ask(id))
		t.write(tx)
		if err := t.commitItself(tx); err != nil && !errors.Is(err, idem.ErrTxEnded) {
			t.failf("the handler's own commit: %v", err) // it may be refused
		}
		if err := tx.Complete(t.ctx, completion(), true); !errors.Is(err, idem.ErrTxEnded) {
			t.failf("Complete after the handler's own commit: got error %v, want ErrTxEnded", err)
		}
		t.absent(id, "after the handler's own commit")
		t.commit(ask(newID("next")))
	}},
}

var txClaimRules = []Rule{
	{Name: "Begin on an absent ID is owned as attempt 1", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		tx, got, err := t.txStore().Begin(t.ctx, &c)
		t.must(err, "Begin")
		t.isOwned(got, "with Begin on an absent ID")
		t.must(tx.Rollback(t.ctx), "Rollback")
		if got.Attempts != 1 || got.Fence == 0 {
			t.failf("attempt %d with fence %d, want attempt 1 with a fence", got.Attempts, got.Fence)
		}
	}},
	{Name: "Begin without a claim is owned without a fence", needs: needsTx, check: func(t *trial) {
		tx, got, err := t.txStore().Begin(t.ctx, nil)
		t.must(err, "Begin")
		t.isOwned(got, "with Begin without a claim")
		t.must(tx.Rollback(t.ctx), "Rollback")
		if got.Fence != 0 {
			t.failf("fence %d, want none", got.Fence)
		}
	}},
	{Name: "a duplicate of a running transaction is refused without waiting", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		tx := t.begin(c)
		t.notBegun(c, idem.ClaimRunning, "while the first one runs")
		t.must(tx.Complete(t.ctx, completion(), true), "Complete")
		t.notBegun(c, idem.ClaimDone, "after the first one")
	}},
	{Name: "Begin returns an answer and opens nothing", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		t.commit(c)
		for range 20 { // more than any pool leaves open
			got := t.notBegun(c, idem.ClaimDone, "on an answered record")
			t.same(got.Record.Response, answer, "Begin on an answered record")
		}
		t.commit(ask(newID("next")))
	}},
	{Name: "Begin with another fingerprint shows the answer's own", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		t.commit(c)
		got := t.notBegun(with(c, fpB), idem.ClaimDone, "with another fingerprint")
		if got.Record.Fingerprint != fpA {
			t.failf("fingerprint is %x, want the answer's own", got.Record.Fingerprint)
		}
	}},
	{Name: "Begin is refused while a lease of the ID lives", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		owner := t.own(c, "on an absent ID")
		for range 20 {
			t.shows(t.notBegun(c, idem.ClaimRunning, "during a lease").Record, owner)
		}
		t.must(t.Store.Complete(t.ctx, c.ID, owner.Fence, answer, keep), "Complete of the lease's owner")
	}},
	{Name: "Begin takes a lapsed lease over", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		first := t.own(c, "on an absent ID")
		t.Advance(lease + instant)
		tx, second, err := t.txStore().Begin(t.ctx, &c)
		t.must(err, "Begin")
		t.isOwned(second, "with Begin after the lease")
		t.rises(first, second, "a takeover")
		t.must(tx.Complete(t.ctx, completion(), true), "Complete")
		t.lost(t.Store.Complete(t.ctx, c.ID, first.Fence, idem.Response{Status: 500}, keep), "Complete of the old owner")
		t.same(t.found(c.ID, "after a takeover").Response, answer, "after a takeover")
	}},
	{Name: "Begin does not take a held record or another fingerprint's lease over", needs: needsTx, check: func(t *trial) {
		c, h := ask(newID("tx")), held(ask(newID("held")))
		t.own(c, "on an absent ID")
		t.own(h, "on an absent ID")
		t.Advance(lease + instant)
		t.notBegun(with(c, fpB), idem.ClaimRunning, "with another fingerprint after the lease")
		t.notBegun(h, idem.ClaimRunning, "on a held record after the lease")
	}},
	{Name: "Begin replaces an expired answer", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		first := t.finish(c.ID)
		t.Advance(keep + instant)
		other := with(c, fpB)
		tx, second, err := t.txStore().Begin(t.ctx, &other)
		t.must(err, "Begin")
		t.isOwned(second, "with Begin on an expired answer")
		t.rises(first, second, "expiry")
		t.must(tx.Complete(t.ctx, &idem.Completion{Response: idem.Response{Status: 200}, TTL: keep}, true), "Complete")
		r := t.found(c.ID, "after the commit")
		if r.Fingerprint != fpB {
			t.failf("fingerprint is %x, want the new one", r.Fingerprint)
		}
		t.same(r.Response, idem.Response{Status: 200}, "after the commit")
	}},
	{Name: "the fence rises over a rollback", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		var last idem.Claimed
		for range 3 {
			tx, got, err := t.txStore().Begin(t.ctx, &c)
			t.must(err, "Begin")
			t.isOwned(got, "with Begin after a rollback")
			t.must(tx.Rollback(t.ctx), "Rollback")
			t.rises(last, got, "a rollback")
			last = got
		}
	}},
	{Name: "Begin with a cancelled context opens nothing", needs: needsTx, check: func(t *trial) {
		c := ask(newID("tx"))
		for range 20 {
			if tx, _, err := t.txStore().Begin(t.cancelled(), &c); err == nil || tx != nil {
				t.failf("Begin with a cancelled context: error %v, transaction %v", err, tx)
			}
		}
		t.commit(c)
	}},
	{Name: "of many concurrent transactions exactly one has an effect", needs: needsTx, check: func(t *trial) {
		c := ask(newID("race"))
		errs := make([]error, racers)
		race(func(i int) { errs[i] = t.attempt(c) })
		t.must(errors.Join(errs...), "a concurrent run")
		t.rows(1, "after concurrent runs")
		t.done(c, "after concurrent runs")
	}},
}

// txStore is what the rules that need transactions call.
func (t *trial) txStore() idem.TxStore { return t.Store.(idem.TxStore) }

func completion() *idem.Completion { return &idem.Completion{Response: answer, TTL: keep} }

func (t *trial) begin(c idem.Claim) idem.StoreTx { return t.beginIn(t.ctx, &c) }

func (t *trial) beginUnkeyed() idem.StoreTx { return t.beginIn(t.ctx, nil) }

// beginIn begins and expects to own. A rule that fails later leaves the
// transaction to the end of the process: nothing of the store is used again.
func (t *trial) beginIn(ctx context.Context, c *idem.Claim) idem.StoreTx {
	tx, got, err := t.txStore().Begin(ctx, c)
	t.must(err, "Begin")
	t.isOwned(got, "with Begin")
	return tx
}

// commit runs c to its answer.
func (t *trial) commit(c idem.Claim) {
	t.must(t.begin(c).Complete(t.ctx, completion(), true), "Complete")
}

// notBegun begins and expects no transaction.
func (t *trial) notBegun(c idem.Claim, want idem.ClaimState, when string) idem.Claimed {
	tx, got, err := t.txStore().Begin(t.ctx, &c)
	t.must(err, "Begin "+when)
	if got.State != want || tx != nil {
		t.failf("Begin %s: got %s with transaction %v, want %s without", when, claimState(got.State), tx, claimState(want))
	}
	return got
}

// attempt is a run as the runtime makes it: it may be told to come again.
func (t *trial) attempt(c idem.Claim) error {
	for {
		tx, got, err := t.txStore().Begin(t.ctx, &c)
		switch {
		case errors.Is(err, idem.ErrRetryTx):
			continue // bounded by t.ctx
		case err != nil:
			return err
		case got.State != idem.ClaimOwned:
			return nil
		}
		if err := t.Write(tx.Tx(), probe); err != nil {
			return errors.Join(err, tx.Rollback(t.ctx))
		}
		if err := tx.Complete(t.ctx, completion(), true); !errors.Is(err, idem.ErrRetryTx) {
			return err
		}
	}
}

// probe is the key of the rows that stand for a handler's writes.
const probe = "row"

func (t *trial) write(tx idem.StoreTx) {
	t.must(t.Write(tx.Tx(), probe), "the handler's write")
}

// rows expects so many writes to be committed.
func (t *trial) rows(want int, when string) {
	n, err := t.Count(probe)
	t.must(err, "Count")
	if n != want {
		t.failf("%d rows %s, want %d", n, when, want)
	}
}

// commitItself does what a handler must not do.
func (t *trial) commitItself(tx idem.StoreTx) error {
	switch tx := tx.Tx().(type) {
	case interface{ Commit() error }: // *sql.Tx
		return tx.Commit()
	case interface{ Commit(context.Context) error }: // pgx.Tx
		return tx.Commit(t.ctx)
	}
	return fmt.Errorf("storetest: %T has no Commit method that the suite knows", tx.Tx())
}

package linear

import (
	"context"
	"errors"
	"fmt"
	"math"

	idem "github.com/idemgen/idemgen/runtime"
)

// workTx is a step of a client that uses transactions: one from its begin to its
// end, or a look-up.
func (c *client) workTx() {
	if c.random.IntN(4) == 0 {
		c.lookup()
		return
	}
	in, ask := c.ask()
	in.verb, in.hold, in.tx = begin, false, int(c.tokens.Add(1))
	ask.Hold, ask.TTL = false, runHalves*half

	s := &span{tx: in.tx, from: c.tick(), to: math.MaxInt64}
	c.mu.Lock()
	c.spans = append(c.spans, s)
	c.mu.Unlock()
	certain := false
	defer func() {
		if !certain { // the server may still have it
			return
		}
		end := c.tick()
		c.mu.Lock()
		s.to = end
		c.mu.Unlock()
	}()

	var tx idem.StoreTx
	out, err := c.do(c.number, in, func(out *output) error {
		return c.faulty(in, func(ctx context.Context) (err error) {
			tx, out.claimed, err = c.store.Store.(idem.TxStore).Begin(ctx, &ask)
			return err
		})
	})
	if tx == nil {
		certain = err == nil
		if err == nil && out.claimed.State == idem.ClaimOwned {
			c.fail("%v: owned without a transaction", in)
		}
		return
	}
	if err != nil { // the client does not know that it has one; its process would undo it
		if err := tx.Rollback(context.Background()); err != nil {
			c.fail("%v: rollback: %w", in, err)
		}
		return
	}
	certain = c.endTx(tx, in)
}

// endTx writes an effect and ends the transaction. It reports whether it is over.
func (c *client) endTx(tx idem.StoreTx, begun *input) bool {
	effect := fmt.Sprintf("%s-%d", c.name, begun.tx)
	if err := c.store.Write(tx.Tx(), effect); err != nil {
		c.fail("%v: write: %w", begun, err)
	}
	c.yield()
	in := &input{verb: txComplete, fp: begun.fp, tx: begun.tx, effect: effect, mixed: c.mode.lease}
	if c.random.IntN(5) == 0 {
		in.verb = txRollback
		_, _ = c.do(c.number, in, func(*output) error {
			if err := tx.Rollback(context.Background()); err != nil {
				c.fail("%v: %w", in, err)
			}
			return nil
		})
		return true
	}
	in.answer = int(c.answers.Add(1))
	in.undone = c.random.IntN(4) == 0
	out, _ := c.do(c.number, in, func(out *output) error {
		err := c.faulty(in, func(ctx context.Context) error {
			return tx.Complete(ctx, &idem.Completion{Response: *response(in.answer), TTL: keepHalves * half}, !in.undone)
		})
		switch {
		case errors.Is(err, errBefore): // its process would undo it
			return errors.Join(err, tx.Rollback(context.Background()))
		case errors.Is(err, idem.ErrRetryTx), errors.Is(err, errUncalled):
			return nil
		}
		out.applied = err == nil
		return err
	})
	return out.known
}

package sqlite

import (
	"context"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

// The savepoint before the handler. Its name is unlikely in a handler's own SQL.
const (
	setSavepoint = "SAVEPOINT idem_handler"
	keepWrites   = "RELEASE idem_handler"
	undoWrites   = "ROLLBACK TO idem_handler"
)

// Begin implements [idem.TxStore]. A duplicate of a request that is in its
// transaction is refused at once, a replay is read beside the writer, and all
// others wait for the writer no longer than ctx and the budget allow.
func (s *Store) Begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if err := ctx.Err(); err != nil {
		return nil, idem.Claimed{}, err
	}
	if c == nil {
		return s.beginUnkeyed(ctx)
	}
	claimed, refused, err := s.refuse(ctx, c)
	if refused || err != nil {
		return nil, claimed, err
	}
	if r, ok := s.running.enter(c); !ok {
		return nil, idem.Claimed{State: idem.ClaimRunning, Record: r}, nil
	}
	var w *writer
	began := false
	defer func() { // also on a panic of the driver
		if began {
			return
		}
		defer s.running.leave(&c.ID)
		if w != nil {
			w.free()
		}
	}()
	if w, err = s.begin(ctx); err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("sqlite: begin: %w", err)
	}
	inTx := context.WithoutCancel(ctx)
	claimed, err = w.decide(inTx, c)
	if err == nil && claimed.State != idem.ClaimOwned {
		// A batch may show what is not durable yet: the commit waits for it.
		if err = w.commit(); err == nil {
			return nil, claimed, nil
		}
	}
	if err == nil {
		err = w.setSavepoint(inTx)
	}
	if err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("sqlite: begin: %w", busyError(err))
	}
	began = true
	s.running.own(&c.ID, claimed.Fence, claimed.Attempts)
	keyed := *c
	return &storeTx{writer: w, claim: &keyed, owned: claimed}, claimed, nil
}

// setSavepoint marks what the handler can be undone to. A share of a batch is
// such a savepoint.
func (w *writer) setSavepoint(ctx context.Context) error {
	if w.share != nil {
		return nil
	}
	return w.run(ctx, setSavepoint)
}

// beginUnkeyed begins a transaction that records nothing.
func (s *Store) beginUnkeyed(ctx context.Context) (idem.StoreTx, idem.Claimed, error) {
	w, err := s.begin(ctx)
	if err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("sqlite: begin: %w", err)
	}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			w.free()
		}
	}()
	if err := w.setSavepoint(context.WithoutCancel(ctx)); err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("sqlite: begin: %w", busyError(err))
	}
	begun = true
	return &storeTx{writer: w}, idem.Claimed{State: idem.ClaimOwned, Attempts: 1}, nil
}

// storeTx implements [idem.StoreTx].
type storeTx struct {
	*writer
	claim *idem.Claim // nil: nothing is recorded
	owned idem.Claimed
	spent bool
}

// Tx returns a *sql.Tx.
func (t *storeTx) Tx() any { return t.tx }

// Complete implements [idem.StoreTx]. A context that is cancelled before the
// call rolls back; later it is not looked at, because an interrupted commit
// would leave the outcome open.
func (t *storeTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	if t.spent {
		return errSpent
	}
	defer t.finish()
	err := ctx.Err()
	if err == nil {
		err = t.complete(context.WithoutCancel(ctx), done, keep)
	}
	if err != nil {
		return fmt.Errorf("sqlite: complete: %w", txError(err))
	}
	return nil
}

var errSpent = errors.New("sqlite: the transaction was completed or rolled back before")

func (t *storeTx) complete(ctx context.Context, done *idem.Completion, keep bool) error {
	if err := t.settle(ctx, keep); err != nil {
		return err
	}
	if done != nil && t.claim != nil {
		if err := t.answer(ctx, done); err != nil {
			return err
		}
	}
	return t.commit()
}

// settle keeps or undoes what the handler has written, and fails when the
// handler has ended the transaction: nothing may be written then, because it
// would be committed on the spot.
func (t *storeTx) settle(ctx context.Context, keep bool) error {
	if t.share != nil && t.share.batch.state.Load() != batchOpen {
		return errShareEnded
	}
	text := keepWrites
	if !keep {
		text = undoWrites
	} else if t.share != nil {
		return nil // the commit of a share releases its savepoint
	}
	return t.run(ctx, text) // fails without the savepoint
}

// answer stores the finished record.
func (t *storeTx) answer(ctx context.Context, done *idem.Completion) error {
	c, r := t.claim, &done.Response
	result, err := t.exec(ctx, t.s.sql.answer, t.s.shiftMS(), c.ID[:], c.Fingerprint[:],
		int64(t.owned.Fence), t.owned.Attempts, ms(done.TTL),
		r.Status, nullable(r.Headers), nullable(r.Body), int64(r.Flags), c.Operation)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("the record was taken by somebody else: %w", idem.ErrRetryTx)
}

// Rollback implements [idem.StoreTx]. It does not look at ctx: a transaction
// that stays open would stop all others. When the handler has ended the
// transaction, the first call says so with [idem.ErrTxEnded]. In a batch it says
// with [idem.ErrRetryTx] that what the handler has read there was undone.
func (t *storeTx) Rollback(context.Context) error {
	if t.spent {
		return nil
	}
	defer t.finish()
	err := t.rollback()
	if err == nil && t.share != nil && t.share.batch.kept {
		// The handler may have read what others have not committed yet, and
		// its answer may rest on that: it waits with them.
		t.free()
		<-t.share.batch.done
		err = t.share.batch.err
	}
	if err != nil {
		return fmt.Errorf("sqlite: rollback: %w", txError(err))
	}
	return nil
}

func (t *storeTx) finish() {
	t.spent = true
	if t.claim != nil {
		defer t.s.running.leave(&t.claim.ID)
	}
	t.free()
}

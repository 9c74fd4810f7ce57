package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

// The savepoint before the handler. Its name is unlikely in a handler's own SQL.
const (
	setSavepoint = "SAVEPOINT idem_handler"
	keepWrites   = "RELEASE SAVEPOINT idem_handler"
	undoWrites   = "ROLLBACK TO SAVEPOINT idem_handler"
)

// Begin implements [idem.TxStore]. A duplicate of a request that is in its
// transaction is refused at once, whatever process has it; a replay costs one
// SELECT.
func (s *Store) Begin(ctx context.Context, c *idem.Claim) (tx idem.StoreTx, claimed idem.Claimed, err error) {
	err = s.within(ctx, func(ctx context.Context) error {
		if c == nil {
			tx, claimed, err = s.beginUnkeyed(ctx)
			return err
		}
		tx, claimed, err = s.begin(ctx, c)
		return err
	})
	if err != nil {
		return nil, idem.Claimed{}, fmt.Errorf("mysql: begin: %w", err)
	}
	return tx, claimed, nil
}

func (s *Store) begin(ctx context.Context, c *idem.Claim) (idem.StoreTx, idem.Claimed, error) {
	if r, ok := s.running.owner(&c.ID); ok {
		return nil, idem.Claimed{State: idem.ClaimRunning, Record: r}, nil
	}
	seen, err := read(ctx, s.sql.read, &c.ID)
	if err != nil {
		return nil, idem.Claimed{}, err
	}
	if !seen.claimable(&c.Fingerprint) {
		return nil, seen.refusal(), nil
	}
	x, err := s.connect(ctx)
	if err != nil {
		return nil, idem.Claimed{}, err
	}
	t := &storeTx{session: x, claim: c}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			x.free()
		}
	}()
	claimed, err := t.begin(ctx)
	if err != nil || claimed.State != idem.ClaimOwned {
		return nil, claimed, err
	}
	begun = true
	return t, claimed, nil
}

// begin takes the lock and decides inside the transaction whether the claim is
// owned. Only what is read after the lock was taken counts.
func (t *storeTx) begin(ctx context.Context) (idem.Claimed, error) {
	c := t.claim
	fence, committed, ok, err := t.takeLock(ctx, &c.ID)
	if err != nil {
		return idem.Claimed{}, err
	}
	if !ok {
		return idem.Claimed{State: idem.ClaimRunning, Record: unseen(c)}, nil
	}
	if err := t.session.begin(ctx, committed); err != nil {
		return idem.Claimed{}, err
	}
	err = t.call(func() (err error) {
		t.seen, err = read(ctx, t.tx.StmtContext(ctx, t.s.sql.read), &c.ID)
		return err
	})
	if err != nil {
		return idem.Claimed{}, err
	}
	if !t.seen.claimable(&c.Fingerprint) {
		return t.seen.refusal(), nil
	}
	if err := t.run(ctx, setSavepoint); err != nil {
		return idem.Claimed{}, err
	}
	t.owned = idem.Claimed{
		State:    idem.ClaimOwned,
		Fence:    idem.Fence(max(fence, int64(t.seen.fence)+1)),
		Attempts: t.seen.attempt(&c.Fingerprint),
	}
	if !t.s.running.own(c, &t.owned) {
		return idem.Claimed{State: idem.ClaimRunning, Record: unseen(c)}, nil
	}
	keyed := *c
	t.claim = &keyed
	return t.owned, nil
}

// beginUnkeyed begins a transaction that records nothing.
func (s *Store) beginUnkeyed(ctx context.Context) (idem.StoreTx, idem.Claimed, error) {
	x, err := s.connect(ctx)
	if err != nil {
		return nil, idem.Claimed{}, err
	}
	begun := false
	defer func() { // also on a panic of the driver
		if !begun {
			x.free()
		}
	}()
	if err = x.begin(ctx, false); err == nil {
		err = x.run(ctx, setSavepoint)
	}
	if err != nil {
		return nil, idem.Claimed{}, err
	}
	begun = true
	return &storeTx{session: x}, idem.Claimed{State: idem.ClaimOwned, Attempts: 1}, nil
}

// storeTx implements [idem.StoreTx].
type storeTx struct {
	*session
	claim *idem.Claim // nil: nothing is recorded
	seen  row         // the row that the answer replaces
	owned idem.Claimed
	spent bool
}

// Tx returns a *sql.Tx.
func (t *storeTx) Tx() any { return t.tx }

// Complete implements [idem.StoreTx]. It follows ctx until it commits, not
// longer, because an interrupted commit would leave the outcome open.
func (t *storeTx) Complete(ctx context.Context, done *idem.Completion, keep bool) error {
	if t.spent {
		return errSpent
	}
	defer t.finish()
	err := ctx.Err()
	if err == nil {
		err = t.complete(ctx, done, keep)
	}
	if err != nil {
		return fmt.Errorf("mysql: complete: %w", err)
	}
	return nil
}

var errSpent = errors.New("mysql: the transaction was completed or rolled back before")

func (t *storeTx) complete(ctx context.Context, done *idem.Completion, keep bool) error {
	// Both forms fail when the savepoint is gone, that is when the handler has
	// ended the transaction: nothing may be written then, because it would be
	// committed on the spot.
	settle := keepWrites
	if !keep {
		settle = undoWrites
	}
	if err := t.run(ctx, settle); err != nil {
		return settleError(err)
	}
	if done != nil && t.claim != nil {
		if err := t.answer(ctx, done); err != nil {
			return undoneError(err)
		}
	}
	return t.commit(ctx)
}

// answer stores the finished record.
func (t *storeTx) answer(ctx context.Context, done *idem.Completion) error {
	c := t.claim
	args := append([]any{int64(t.owned.Fence), t.owned.Attempts}, answerArgs(&done.Response, done.TTL)...)
	args = append(args, operation(c))
	if !t.seen.exists {
		_, err := t.exec(ctx, t.s.sql.answerNew, append([]any{c.ID[:], c.Fingerprint[:]}, args...))
		if number(err) == duplicateEntry {
			return fmt.Errorf("%w: the key was taken by somebody else: %w", idem.ErrRetryTx, err)
		}
		return err
	}
	args = append(append([]any{c.Fingerprint[:]}, args...), c.ID[:], int64(t.seen.fence), int64(t.seen.state), c.Fingerprint[:])
	result, err := t.exec(ctx, t.s.sql.answer, args)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("%w: the key was taken by somebody else", idem.ErrRetryTx)
}

func (t *storeTx) exec(ctx context.Context, stmt *sql.Stmt, args []any) (result sql.Result, err error) {
	err = t.call(func() error {
		result, err = t.tx.StmtContext(ctx, stmt).ExecContext(ctx, args...)
		return err
	})
	return result, err
}

// commit commits. When it cannot tell whether it has, it does not return before
// a Lookup can, as long as the budget allows.
func (t *storeTx) commit(ctx context.Context) error {
	err := t.call(t.tx.Commit)
	if err == nil || errors.Is(err, sql.ErrTxDone) {
		return undoneError(err)
	}
	if isUndone(err) {
		t.stuck = true
		return undoneError(err)
	}
	lock := t.lock
	t.discard() // the server ends the session when the commit is over
	if lock == "" {
		return err
	}
	if unsettled := t.s.await(context.WithoutCancel(ctx), lock); unsettled != nil {
		return fmt.Errorf("%w (and the server has not ended the session: %w)", err, unsettled)
	}
	return err
}

// Rollback implements [idem.StoreTx]. It does not look at ctx: a transaction that
// stays open would hold its locks. When the handler has called Commit or Rollback
// itself, the first call says so with [idem.ErrTxEnded].
func (t *storeTx) Rollback(context.Context) error {
	if t.spent {
		return nil
	}
	defer t.finish()
	if err := t.rollback(); err != nil {
		return fmt.Errorf("mysql: rollback: %w", undoneError(err))
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

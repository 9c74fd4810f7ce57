package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	idem "github.com/idemgen/idemgen/runtime"
)

// The savepoint before the handler. Its name is unlikely in a handler's own SQL,
// and has nothing that named would replace.
const (
	setSavepoint = "SAVEPOINT idempotent_handler"
	keepWrites   = "RELEASE SAVEPOINT idempotent_handler"
	undoWrites   = "ROLLBACK TO SAVEPOINT idempotent_handler"
)

// Begin implements [idem.TxStore]. A duplicate of a request that is in its
// transaction is refused at once, whatever process has it. A replay costs one
// SELECT; on MariaDB the first one in a process looks it up in a transaction.
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
	if !s.server.blocks || s.answered.has(&c.ID) {
		seen, err := read(ctx, s.sql.read, &c.ID)
		if err != nil {
			return nil, idem.Claimed{}, err
		}
		if !seen.claimable(&c.Fingerprint) {
			return nil, s.refusal(&c.ID, &seen), nil
		}
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
// owned. Only what is read after the lock was taken makes it so.
func (t *storeTx) begin(ctx context.Context) (idem.Claimed, error) {
	c := t.claim
	open := t.open
	if t.s.server.blocks {
		open = t.openAtOnce
	}
	fence, ok, err := open(ctx)
	if err != nil {
		return idem.Claimed{}, err
	}
	if !t.seen.claimable(&c.Fingerprint) { // counts without the lock, which another duplicate may hold
		return t.s.refusal(&c.ID, &t.seen), nil
	}
	if !ok {
		return idem.Claimed{State: idem.ClaimRunning, Record: unseen(c)}, nil
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

// open does what openAtOnce does, one by one.
func (t *storeTx) open(ctx context.Context) (fence int64, ok bool, err error) {
	c := t.claim
	fence, level, ok, err := t.takeLock(ctx, &c.ID)
	if err != nil || !ok {
		return 0, false, err
	}
	if err := t.session.begin(ctx, level); err != nil {
		return 0, false, err
	}
	err = t.call(func() (err error) {
		t.seen, err = read(ctx, t.tx.StmtContext(ctx, t.s.sql.read), &c.ID)
		return err
	})
	if err == nil && t.seen.claimable(&c.Fingerprint) {
		err = t.run(ctx, setSavepoint)
	}
	return fence, true, err
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
	if s.server.blocks {
		if err = x.begin(ctx, sql.LevelDefault); err == nil {
			_, err = x.exec(ctx, s.sql.openUnkeyed, nil)
		}
	} else if err = x.begin(ctx, sql.LevelReadCommitted); err == nil {
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
	if done != nil && t.claim != nil {
		t.s.answered.add(&t.claim.ID)
	}
	return nil
}

var errSpent = errors.New("mysql: the transaction was completed or rolled back before")

func (t *storeTx) complete(ctx context.Context, done *idem.Completion, keep bool) error {
	if t.s.server.blocks && done != nil && t.claim != nil && !t.seen.exists {
		return t.answerAtOnce(ctx, done, keep)
	}
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
	args := t.newAnswerArgs(done)
	if !t.seen.exists {
		_, err := t.exec(ctx, t.s.sql.answerNew, args)
		if number(err) == duplicateEntry {
			return takenError(err)
		}
		return err
	}
	args = append(args[1:], c.ID[:], int64(t.seen.fence), int64(t.seen.state), c.Fingerprint[:])
	result, err := t.exec(ctx, t.s.sql.answer, args)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fmt.Errorf("%w: the key was taken by somebody else", idem.ErrRetryTx)
}

// newAnswerArgs are the parameters of answerNewSQL.
func (t *storeTx) newAnswerArgs(done *idem.Completion) []any {
	c := t.claim
	args := append([]any{c.ID[:], c.Fingerprint[:], int64(t.owned.Fence), t.owned.Attempts}, answerArgs(&done.Response, done.TTL)...)
	return append(args, operation(c))
}

// commit commits.
func (t *storeTx) commit(ctx context.Context) error {
	err := t.call(t.tx.Commit)
	if err == nil || errors.Is(err, sql.ErrTxDone) {
		return undoneError(err)
	}
	return t.unclear(ctx, err)
}

// unclear explains a COMMIT that failed. When nobody knows whether it has
// worked, it does not return before a Lookup can tell, as long as the budget
// allows.
func (t *storeTx) unclear(ctx context.Context, err error) error {
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

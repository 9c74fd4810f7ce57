package mysql

import (
	"context"
	"database/sql"

	idem "github.com/idemgen/idemgen/runtime"
)

// MariaDB prepares several statements as one, a block, and executes it in one
// round trip. It stops at the first statement that fails. Each has a time of its
// own: UTC_TIMESTAMP after the lock is later than that of whoever had it before.
const (
	// openBlock begins the transaction anew where its isolation level is not the
	// right one, then takes the lock, and only then reads. It returns one row, also
	// for a key that has none.
	openBlock = "BEGIN NOT ATOMIC DECLARE locked INT DEFAULT GET_LOCK(?, 0);\n" + committedBlock + `
SELECT locked, ` + clock + `, k IS NOT NULL, ` + rowColumns + ` FROM (SELECT 1) AS t LEFT JOIN idem_keys ON k = ?;
` + setSavepoint + `; END`
	openUnkeyedBlock = "BEGIN NOT ATOMIC " + committedBlock + setSavepoint + "; END"
	committedBlock   = `IF @@SESSION.%s <> 'READ-COMMITTED' THEN
	ROLLBACK; SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION; END IF;
`
	answerNewBlock = "BEGIN NOT ATOMIC IF ? THEN " + keepWrites + "; ELSE " + undoWrites + `; END IF;
` + answerNewSQL + `;
COMMIT; DO RELEASE_LOCK(?); END`
)

// openAtOnce begins the transaction, takes the user lock of the claim, reads
// what is recorded under it, and sets the savepoint.
func (t *storeTx) openAtOnce(ctx context.Context) (fence int64, ok bool, err error) {
	if err := t.session.begin(ctx, sql.LevelDefault); err != nil {
		return 0, false, err
	}
	id := &t.claim.ID
	lock := t.s.lockName(id)
	var locked sql.NullInt64
	err = t.call(func() error {
		fields := append([]any{&locked, &fence, &t.seen.exists}, t.seen.fields()...)
		return t.tx.StmtContext(ctx, t.s.sql.open).QueryRowContext(ctx, lock, id[:]).Scan(fields...)
	})
	if locked.Int64 == 1 {
		t.lock = lock
	}
	if err == nil && !locked.Valid {
		err = errNoLock
	}
	return fence, t.lock != "", err
}

// answerAtOnce settles the handler's writes, stores the finished record where
// there is none, commits, and gives up the user lock.
func (t *storeTx) answerAtOnce(ctx context.Context, done *idem.Completion, keep bool) error {
	args := append(append([]any{keep}, t.newAnswerArgs(done)...), t.lock)
	_, err := t.exec(context.WithoutCancel(ctx), t.s.sql.answerNewBlock, args)
	switch {
	case err == nil:
		t.lock = ""
		_ = t.call(t.tx.Commit) // of nothing: this is how a *sql.Tx ends
		return nil
	case number(err) == duplicateEntry:
		return takenError(err)
	case isUnsettled(err):
		return settleError(err)
	}
	// A *sql.Tx has to end before its connection can be discarded, and must not do
	// so by a round trip to a server that nobody hears.
	t.drop()
	_ = t.call(t.tx.Rollback)
	return t.unclear(ctx, err)
}

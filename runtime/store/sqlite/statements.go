package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// Parameters have the same number in every statement that uses them: ?1 is the
// shift of the clock in milliseconds, ?2 the stored key, ?3 the fingerprint or,
// where there is none, the fence.
const (
	now1 = "(CAST(unixepoch('subsec')*1000 AS INTEGER)+?1)"

	// claimable is the condition under which a record t that exists may be
	// taken over, or overwritten with the answer of a transaction.
	claimable = `(t.state = 0
	OR (t.state = 2 AND t.expires_at <= ` + now1 + `)
	OR (t.state = 1 AND t.lease_until <= ` + now1 + `
		AND (t.expires_at <= ` + now1 + ` OR (t.fp = ?3 AND t.hold = 0))))`

	// record is what recordRow receives. The driver allocates a column's name and
	// declared type with every answer: a name of one letter costs it nothing,
	// and neither does an expression, even if + is all that makes it one.
	record = `+t.fp AS p, +t.state AS s, +t.hold AS h, +t.fence AS f, +t.attempts AS a,
	t.lease_until - ` + now1 + ` AS l, t.expires_at - ` + now1 + ` AS e,
	+t.status AS c, +t.headers AS m, +t.body AS b, +t.flags AS g`

	// present is the condition of a record that Lookup sees.
	present = `WHERE t.k = ?2 AND t.state <> 0
	AND (t.expires_at > ` + now1 + ` OR (t.state = 1 AND t.lease_until > ` + now1 + `))`

	lookupSQL = `SELECT ` + record + ` FROM idem_keys AS t ` + present

	// decideSQL yields one row, whether a record exists or not: may the caller
	// have it, under which fence, as which attempt. ?4 is the lowest fence that
	// this process has not given out: the clock alone is too coarse when a
	// transaction was undone or a record deleted within its millisecond.
	decideSQL = `SELECT t.k IS NULL OR ` + claimable + ` AS c,
	max(COALESCE(t.fence, 0) + 1, ` + now1 + ` * 1000, ?4) AS f,
	CASE WHEN t.state = 1 AND t.fp = ?3 THEN t.attempts + 1 ELSE 1 END AS a
FROM (SELECT 1) LEFT JOIN idem_keys AS t ON t.k = ?2`

	// refuseSQL reads the record that is not claimable.
	refuseSQL = `SELECT ` + record + ` FROM idem_keys AS t WHERE t.k = ?2`

	// claimSQL follows decideSQL under the same lock: it has no condition left.
	claimSQL = `INSERT INTO idem_keys AS t
	(k, fp, state, hold, fence, attempts, lease_until, expires_at, operation, created_at)
VALUES (?2, ?3, 1, ?4, ?5, ?6, ` + now1 + ` + ?7, ` + now1 + ` + ?8, ?9, ` + now1 + `)
ON CONFLICT (k) DO UPDATE SET state = 1, fp = excluded.fp, hold = excluded.hold,
	fence = excluded.fence, attempts = excluded.attempts,
	lease_until = excluded.lease_until, expires_at = excluded.expires_at,
	status = NULL, headers = NULL, body = NULL, flags = 0,
	operation = excluded.operation, created_at = excluded.created_at`

	// answerSQL stores the answer of a transaction, which has no running row. It
	// repeats the condition, because the handler has had the transaction since.
	answerSQL = `INSERT INTO idem_keys AS t
	(k, fp, state, fence, attempts, expires_at, status, headers, body, flags, operation, created_at)
VALUES (?2, ?3, 2, ?4, ?5, ` + now1 + ` + ?6, ?7, ?8, ?9, ?10, ?11, ` + now1 + `)
ON CONFLICT (k) DO UPDATE SET state = 2, fp = excluded.fp, hold = 0,
	fence = excluded.fence, attempts = excluded.attempts,
	lease_until = 0, expires_at = excluded.expires_at,
	status = excluded.status, headers = excluded.headers, body = excluded.body, flags = excluded.flags,
	operation = excluded.operation, created_at = excluded.created_at
WHERE ` + claimable

	owned = ` WHERE k = ?2 AND fence = ?3 AND state = 1`

	heartbeatSQL = `UPDATE idem_keys SET lease_until = ` + now1 + ` + ?4,
	expires_at = max(expires_at, ` + now1 + ` + ?4)` + owned
	finish = `state = 2, lease_until = 0, expires_at = ` + now1 + ` + ?4,
	status = ?5, headers = ?6, body = ?7, flags = ?8`
	giveBack    = `state = 0, hold = 0, lease_until = 0, expires_at = max(expires_at, ` + now1 + `)`
	completeSQL = `UPDATE idem_keys SET ` + finish + owned
	releaseSQL  = `UPDATE idem_keys SET ` + giveBack + owned
	abandonSQL  = `UPDATE idem_keys SET lease_until = min(lease_until, ` + now1 + `)` + owned

	// unknown is the condition of a record whose outcome somebody must find out.
	unknown = `t.state = 1 AND t.hold = 1 AND t.lease_until <= ` + now1 + ` AND t.expires_at > ` + now1

	// entry is what entryRow receives.
	entry = record + `, t.k, t.operation, t.created_at`

	// unknownSQL continues behind the time ?2 and the key ?3.
	unknownSQL = `SELECT ` + entry + ` FROM idem_keys AS t
WHERE ` + unknown + ` AND (t.created_at, t.k) > (?2, ?3)
ORDER BY t.created_at, t.k LIMIT ?4`
	getSQL = `SELECT ` + entry + ` FROM idem_keys AS t ` + present

	resolved       = ` WHERE k = ?2 AND fence = ?3 AND ` + unknown
	resolveDoneSQL = `UPDATE idem_keys AS t SET ` + finish + resolved
	resolveFreeSQL = `UPDATE idem_keys AS t SET ` + giveBack + resolved

	// countSQL looks at ?2 rows that expire last.
	countSQL = `SELECT count(*) FILTER (WHERE t.state = 1 AND NOT (` + unknown + `)),
	count(*) FILTER (WHERE ` + unknown + `), count(*) FILTER (WHERE t.state = 2)
FROM (SELECT state, hold, lease_until, expires_at FROM idem_keys
	WHERE expires_at > ` + now1 + ` ORDER BY expires_at DESC LIMIT ?2) AS t`

	sweepSQL = `DELETE FROM idem_keys WHERE rowid IN (
	SELECT rowid FROM idem_keys
	WHERE expires_at <= ` + now1 + ` AND (state <> 1 OR lease_until <= ` + now1 + `)
	ORDER BY expires_at LIMIT ?2)`

	// lockSQL changes nothing and takes the write lock all the same. It makes
	// BEGIN immediate where the caller's DSN does not.
	lockSQL = `UPDATE idem_keys SET state = state WHERE k IS NULL`
)

// statements are prepared once; database/sql prepares them again on
// connections that have not seen them.
type statements struct {
	lookup, get, unknown, count           *sql.Stmt // on the reader
	decide, refuse, claim, answer, lock   *sql.Stmt // on the writer
	heartbeat, complete, release, abandon *sql.Stmt
	resolveDone, resolveFree, sweep       *sql.Stmt
}

// prepare checks the schema and prepares the statements.
func (s *Store) prepare(ctx context.Context) error {
	if err := s.check(ctx); err != nil {
		return err
	}
	var errs []error
	prepare := func(db *sql.DB, text string) *sql.Stmt {
		stmt, err := db.PrepareContext(ctx, strings.ReplaceAll(text, "idem_", s.prefix))
		if err != nil {
			errs = append(errs, fmt.Errorf("prepare: %w", err))
		}
		return stmt
	}
	q := &s.sql
	q.lookup = prepare(s.lookups, lookupSQL)
	q.get = prepare(s.lookups, getSQL)
	q.unknown = prepare(s.lookups, unknownSQL)
	q.count = prepare(s.lookups, countSQL)
	q.decide = prepare(s.writer, decideSQL)
	q.refuse = prepare(s.writer, refuseSQL)
	q.claim = prepare(s.writer, claimSQL)
	q.answer = prepare(s.writer, answerSQL)
	q.lock = prepare(s.writer, lockSQL)
	q.heartbeat = prepare(s.writer, heartbeatSQL)
	q.complete = prepare(s.writer, completeSQL)
	q.release = prepare(s.writer, releaseSQL)
	q.abandon = prepare(s.writer, abandonSQL)
	q.resolveDone = prepare(s.writer, resolveDoneSQL)
	q.resolveFree = prepare(s.writer, resolveFreeSQL)
	q.sweep = prepare(s.writer, sweepSQL)
	return errors.Join(errs...)
}

func (q *statements) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{
		q.lookup, q.get, q.unknown, q.count, q.decide, q.refuse, q.claim, q.answer, q.lock,
		q.heartbeat, q.complete, q.release, q.abandon, q.resolveDone, q.resolveFree, q.sweep,
	} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

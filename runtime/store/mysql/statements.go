package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// now stands still within a statement, and is the instant at which the statement
// began: a lease that ends while the statement waits for a row is not over yet.
const (
	now   = "UTC_TIMESTAMP(6)"
	later = "(" + now + " + INTERVAL ? MICROSECOND)"
	clock = "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " + now + ")"

	// rowColumns are what row receives.
	rowColumns = `fp, state, hold, fence, attempts,
	TIMESTAMPDIFF(MICROSECOND, ` + now + `, lease_until), TIMESTAMPDIFF(MICROSECOND, ` + now + `, expires_at),
	status, headers, body, flags`
	readSQL = "SELECT " + rowColumns + " FROM idem_keys WHERE k = ?"

	// lockSQL takes a user lock, or does not wait for it. With it comes what is
	// needed next: the session's isolation level, and the fence of a first claim.
	lockSQL = "SELECT GET_LOCK('%s', 0), @@SESSION.%s, " + clock

	// A fence is never given out twice, nor a lower one after a higher one, unless a
	// statement waited for the row while another record of the key was made, expired
	// and was swept, which is a minute at the least. The server returns it with the
	// acknowledgement, as an insert ID.
	insertSQL = `INSERT IGNORE INTO idem_keys
	(k, fp, state, hold, fence, attempts, lease_until, expires_at, operation, created_at)
VALUES (?, ?, 1, ?, LAST_INSERT_ID(` + clock + `), 1, ` + later + `, ` + later + `, ?, ` + now + `)`
	takeSQL = `UPDATE idem_keys SET state = 1, fp = ?, hold = ?,
	fence = LAST_INSERT_ID(GREATEST(fence + 1, ` + clock + `)), attempts = ?,
	lease_until = ` + later + `, expires_at = ` + later + `,
	status = NULL, headers = NULL, body = NULL, flags = 0, operation = ?, created_at = ` + now + unchanged

	// unchanged is the condition under which a row is as claimable as it was when
	// it was read: under the same fence and in the same state. A heartbeat may have
	// extended its lease and its retention since, and an end of the lease only the
	// one, so a running row is judged anew. The last parameter is the claim's
	// fingerprint.
	unchanged = ` WHERE k = ? AND fence = ? AND state = ? AND (state <> 1
	OR (lease_until <= ` + now + ` AND (expires_at <= ` + now + ` OR (fp = ? AND hold = FALSE))))`

	// The answer of a transaction, which has no running row.
	answerNewSQL = `INSERT INTO idem_keys
	(k, fp, state, fence, attempts, expires_at, status, headers, body, flags, operation, created_at)
VALUES (?, ?, 2, ?, ?, ` + later + `, ?, ?, ?, ?, ?, ` + now + `)`
	answerSQL = `UPDATE idem_keys SET state = 2, fp = ?, hold = FALSE, fence = ?, attempts = ?,
	lease_until = NULL, expires_at = ` + later + `,
	status = ?, headers = ?, body = ?, flags = ?, operation = ?, created_at = ` + now + unchanged

	owned = ` WHERE k = ? AND fence = ? AND state = 1`

	heartbeatSQL = `UPDATE idem_keys SET lease_until = ` + later + `,
	expires_at = GREATEST(expires_at, ` + later + `)` + owned
	finish = `UPDATE idem_keys SET lease_until = NULL, expires_at = ` + later + `,
	status = ?, headers = ?, body = ?, flags = ?, state = 2`
	giveBack = `UPDATE idem_keys SET hold = FALSE, lease_until = NULL,
	expires_at = GREATEST(expires_at, ` + now + `), state = 0`
	completeSQL = finish + owned
	releaseSQL  = giveBack + owned
	abandonSQL  = `UPDATE idem_keys SET lease_until = LEAST(lease_until, ` + now + `)` + owned
	ownsSQL     = `SELECT COUNT(*) FROM idem_keys` + owned

	// unknown is the condition of a record whose outcome somebody must find out.
	unknown        = `state = 1 AND hold AND lease_until <= ` + now + ` AND expires_at > ` + now
	resolveDoneSQL = finish + owned + ` AND ` + unknown
	resolveFreeSQL = giveBack + owned + ` AND ` + unknown

	// entryColumns are what entryRow receives.
	entryColumns = rowColumns + `, k, operation, TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at)`
	getSQL       = "SELECT " + entryColumns + " FROM idem_keys WHERE k = ?"
	unknownSQL   = "SELECT " + entryColumns + ` FROM idem_keys
WHERE ` + unknown + ` AND (created_at, k) > (TIMESTAMP('1970-01-01') + INTERVAL ? MICROSECOND, ?)
ORDER BY created_at, k LIMIT ?`

	// countSQL looks at the rows that expire last.
	countSQL = `SELECT COALESCE(SUM(state = 1 AND NOT (` + unknown + `)), 0),
	COALESCE(SUM(` + unknown + `), 0), COALESCE(SUM(state = 2), 0)
FROM (SELECT state, hold, lease_until, expires_at FROM idem_keys
	WHERE expires_at > ` + now + ` ORDER BY expires_at DESC LIMIT ?) AS t`

	expiredSQL = `SELECT k FROM idem_keys
WHERE expires_at <= ` + now + ` AND (state <> 1 OR lease_until <= ` + now + `)
ORDER BY expires_at LIMIT %d FOR UPDATE`
)

// statements are prepared once; database/sql prepares them again on
// connections that have not seen them.
type statements struct {
	read, insert, take, answerNew, answer       *sql.Stmt
	heartbeat, complete, release, abandon, owns *sql.Stmt
	get, unknown, resolveDone, resolveFree      *sql.Stmt
	count                                       *sql.Stmt
	// Blocks, which are nil where the server knows none.
	open, openUnkeyed, answerNewBlock *sql.Stmt
}

func (q *statements) prepare(ctx context.Context, db *sql.DB, server server, prefix string) error {
	type prepared struct {
		stmt **sql.Stmt
		text string
	}
	all := []prepared{
		{&q.read, readSQL},
		{&q.insert, insertSQL},
		{&q.take, takeSQL},
		{&q.answerNew, answerNewSQL},
		{&q.answer, answerSQL},
		{&q.heartbeat, heartbeatSQL},
		{&q.complete, completeSQL},
		{&q.release, releaseSQL},
		{&q.abandon, abandonSQL},
		{&q.owns, ownsSQL},
		{&q.get, getSQL},
		{&q.unknown, unknownSQL},
		{&q.resolveDone, resolveDoneSQL},
		{&q.resolveFree, resolveFreeSQL},
		{&q.count, countSQL},
	}
	if server.blocks {
		all = append(all,
			prepared{&q.open, fmt.Sprintf(openBlock, server.isolation)},
			prepared{&q.openUnkeyed, fmt.Sprintf(openUnkeyedBlock, server.isolation)},
			prepared{&q.answerNewBlock, answerNewBlock})
	}
	for _, p := range all {
		var err error
		if *p.stmt, err = db.PrepareContext(ctx, named(p.text, prefix)); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	return nil
}

func (q *statements) close() error {
	var errs []error
	for _, stmt := range []*sql.Stmt{
		q.read, q.insert, q.take, q.answerNew, q.answer,
		q.heartbeat, q.complete, q.release, q.abandon, q.owns,
		q.get, q.unknown, q.resolveDone, q.resolveFree, q.count,
		q.open, q.openUnkeyed, q.answerNewBlock,
	} {
		if stmt != nil {
			errs = append(errs, stmt.Close())
		}
	}
	return errors.Join(errs...)
}

// named puts the tables' names into a statement.
func named(text, prefix string) string { return strings.ReplaceAll(text, "idem_", prefix) }

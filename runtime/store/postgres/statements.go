package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// Durations are passed in microseconds, the resolution of PostgreSQL's clock.
// now() and CURRENT_TIMESTAMP stand still in a transaction: clock_timestamp()
// does not.
const (
	// claimable is the condition under which a record t that exists may be
	// taken over, or overwritten with the answer of a transaction. $2 is the
	// fingerprint.
	claimable = `(t.state = 0
	OR (t.state = 2 AND t.expires_at <= clock_timestamp())
	OR (t.state = 1 AND t.lease_until <= clock_timestamp()
		AND (t.expires_at <= clock_timestamp() OR (t.fp = $2 AND NOT t.hold))))`

	// lookupSQL reads what readRecord receives: also a record that is free or
	// expired.
	lookupSQL = `SELECT ` + record + ` FROM idem_keys WHERE k = $1`
	record    = `fp, state, hold, fence, attempts, lease_until, expires_at, clock_timestamp(),
	status, headers, body, flags`

	// getSQL and unknownSQL read what readEntry receives.
	getSQL     = `SELECT ` + record + entry + ` FROM idem_keys WHERE k = $1`
	unknownSQL = `SELECT ` + record + entry + ` FROM idem_keys
WHERE (created_at, k) > ($1, $2) AND ` + unknown + `
ORDER BY created_at, k LIMIT $3`
	entry   = `, k, operation, created_at`
	unknown = `state = 1 AND hold AND lease_until <= clock_timestamp() AND expires_at > clock_timestamp()`

	// claimSQL returns a row when the claim is owned. Its first condition keeps
	// a replay from locking the row, which would have to be flushed to disk like
	// a write; the last one decides, after waiting for others.
	//
	// nextval stands in SET again, because the number in VALUES was drawn before
	// waiting for the row: an older number could follow a newer one.
	claimSQL = `INSERT INTO idem_keys AS t
	(k, fp, state, hold, fence, lease_until, expires_at, operation)
SELECT $1, $2, 1, $5, nextval('idem_fence'),
	clock_timestamp() + $3 * interval '1 microsecond',
	clock_timestamp() + $4 * interval '1 microsecond', $6
WHERE NOT EXISTS (SELECT FROM idem_keys AS t WHERE t.k = $1 AND NOT ` + claimable + `)
ON CONFLICT (k) DO UPDATE SET state = 1, fp = excluded.fp, hold = excluded.hold,
	fence = nextval('idem_fence'),
	attempts = CASE WHEN t.state = 1 AND t.fp = excluded.fp THEN t.attempts + 1 ELSE 1 END,
	lease_until = excluded.lease_until, expires_at = excluded.expires_at,
	status = NULL, headers = NULL, body = NULL, flags = 0,
	operation = excluded.operation, created_at = excluded.created_at
WHERE ` + claimable + `
RETURNING t.fence, t.attempts`

	// lockSQL takes the advisory lock and draws a fence, or returns 0. It is a
	// statement of its own: the next one sees what was committed before the
	// lock was free. now() is when the transaction began, and tells it from all
	// others of the connection.
	lockSQL = `SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN nextval('idem_fence') ELSE 0 END, now()`

	// startedSQL is lockSQL for a run that has no key.
	startedSQL = `SELECT now()`

	// sameSQL fails when the transaction is not the one that began then: the
	// handler has ended that and begun another.
	sameSQL = `SELECT ` + same1 + `$1` + same2
	same1   = `(CASE WHEN now() = `
	same2   = ` THEN '2' ELSE 'the handler ended the transaction' END)::smallint`

	// awaitSQL returns when the transaction that holds the advisory lock is over.
	awaitSQL = `SELECT pg_advisory_xact_lock($1)`

	// insertSQL stores the answer of a transaction that has met no record. What
	// came since, such as a lease, which does not know of the lock, violates the
	// primary key, and the transaction fails before the COMMIT that follows in
	// the same round trip.
	//
	// $11 is when the transaction began, or null for one that the handler has
	// not seen.
	insertSQL = `INSERT INTO idem_keys AS t
	(k, fp, state, fence, attempts, expires_at, status, headers, body, flags, operation)
VALUES ($1, $2, ` + same1 + `COALESCE($11, now())` + same2 + `, $3, $4,
	clock_timestamp() + $5 * interval '1 microsecond', $6, $7, $8, $9, $10)`

	// replaceSQL does that for one that has met a record which it may replace.
	// Where this does not hold any more, the division by zero makes the
	// transaction fail. A lease may also have drawn a newer fence and been
	// released.
	replaceSQL = insertSQL + `
ON CONFLICT (k) DO UPDATE SET state = 2 / CASE WHEN ` + claimable + ` THEN 1 ELSE 0 END,
	fp = excluded.fp, hold = false,
	fence = CASE WHEN t.fence < excluded.fence THEN excluded.fence ELSE nextval('idem_fence') END,
	attempts = excluded.attempts, lease_until = NULL, expires_at = excluded.expires_at,
	status = excluded.status, headers = excluded.headers, body = excluded.body, flags = excluded.flags,
	operation = excluded.operation, created_at = excluded.created_at`

	owned = ` WHERE k = $1 AND fence = $2 AND state = 1`

	heartbeatSQL = `UPDATE idem_keys SET
	lease_until = clock_timestamp() + $3 * interval '1 microsecond',
	expires_at = GREATEST(expires_at, clock_timestamp() + $3 * interval '1 microsecond')` + owned
	completeSQL = `UPDATE idem_keys SET state = 2, lease_until = NULL,
	expires_at = clock_timestamp() + $3 * interval '1 microsecond',
	status = $4, headers = $5, body = $6, flags = $7` + owned
	releaseSQL = `UPDATE idem_keys SET state = 0, hold = false, lease_until = NULL` + owned
	abandonSQL = `UPDATE idem_keys SET lease_until = LEAST(lease_until, clock_timestamp())` + owned

	resolveDoneSQL = completeSQL + ` AND ` + unknown
	resolveFreeSQL = releaseSQL + ` AND ` + unknown

	// countSQL looks at the rows that expire last. It compares with a clock that
	// stands still, so that the index can be used.
	countSQL = `SELECT count(*) FILTER (WHERE state = 1 AND NOT (` + unknown + `)),
	count(*) FILTER (WHERE ` + unknown + `), count(*) FILTER (WHERE state = 2)
FROM (SELECT state, hold, lease_until, expires_at FROM idem_keys
	WHERE expires_at > statement_timestamp() ORDER BY expires_at DESC LIMIT $1) AS t`

	// sweepSQL compares with a clock that stands still, so that the index can be
	// used. The array makes the inner statement run once.
	sweepSQL = `DELETE FROM idem_keys WHERE k = ANY (ARRAY(
	SELECT k FROM idem_keys
	WHERE expires_at <= statement_timestamp() AND (state <> 1 OR lease_until <= statement_timestamp())
	ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED))`
)

// Types of parameters, by their numbers in every PostgreSQL.
const (
	tBool    uint32 = pgtype.BoolOID
	tBytes   uint32 = pgtype.ByteaOID
	tInt8    uint32 = pgtype.Int8OID
	tInt4    uint32 = pgtype.Int4OID
	tInt2    uint32 = pgtype.Int2OID
	tText    uint32 = pgtype.TextOID
	tInstant uint32 = pgtype.TimestamptzOID
)

// statements are the texts with the names of the store's tables.
type statements struct {
	lookup, claim, insert, replace         *statement
	lock, await, started, same             *statement
	heartbeat, complete, release, abandon  *statement
	get, unknown, resolveDone, resolveFree *statement
	count, sweep                           *statement
}

// statementsFor qualifies the names. tables is what idem_ stands for.
func statementsFor(tables string) statements {
	in := func(text string, params ...uint32) *statement {
		return newStatement(strings.ReplaceAll(text, "idem_", tables), params...)
	}
	answer := []uint32{tBytes, tBytes, tInt8, tInt4, tInt8, tInt2, tBytes, tBytes, tInt4, tText, tInstant}
	return statements{
		lookup:      in(lookupSQL, tBytes),
		claim:       in(claimSQL, tBytes, tBytes, tInt8, tInt8, tBool, tText),
		insert:      in(insertSQL, answer...),
		replace:     in(replaceSQL, answer...),
		lock:        in(lockSQL, tInt8),
		await:       in(awaitSQL, tInt8),
		started:     in(startedSQL),
		same:        in(sameSQL, tInstant),
		heartbeat:   in(heartbeatSQL, tBytes, tInt8, tInt8),
		complete:    in(completeSQL, tBytes, tInt8, tInt8, tInt2, tBytes, tBytes, tInt4),
		release:     in(releaseSQL, tBytes, tInt8),
		abandon:     in(abandonSQL, tBytes, tInt8),
		get:         in(getSQL, tBytes),
		unknown:     in(unknownSQL, tInstant, tBytes, tInt8),
		resolveDone: in(resolveDoneSQL, tBytes, tInt8, tInt8, tInt2, tBytes, tBytes, tInt4),
		resolveFree: in(resolveFreeSQL, tBytes, tInt8),
		count:       in(countSQL, tInt8),
		sweep:       in(sweepSQL, tInt8),
	}
}

package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	idem "github.com/idemgen/idemgen/runtime"
)

// Error codes (https://www.postgresql.org/docs/current/errcodes-appendix.html).
const (
	codeDivisionByZero     = "22012"
	codeDuplicate          = "23505"
	codeBadText            = "22P02"
	codeTransactionFailed  = "25P02"
	codeNoStatement        = "26000"
	codePlanChanged        = "0A000"
	codeSerialization      = "40001"
	codeDeadlock           = "40P01"
	codeTooManyConnections = "53300"
)

// codeOf returns the code of an error that the server reported; empty for all
// others, such as a lost connection.
func codeOf(err error) string {
	if reported, ok := errors.AsType[*pgconn.PgError](err); ok {
		return reported.Code
	}
	return ""
}

// RetryableTx implements [idem.TxRetrier]: serialization failures (40001) and
// deadlocks (40P01).
func (s *Store) RetryableTx(err error) bool {
	code := codeOf(err)
	return code == codeSerialization || code == codeDeadlock
}

// busyError marks what the caller can only wait for.
func busyError(err error) error {
	if codeOf(err) == codeTooManyConnections {
		return fmt.Errorf("%w: %w", idem.ErrStoreBusy, err)
	}
	return err
}

var (
	// errTaken: the record was claimable when the transaction began and is not
	// any more.
	errTaken = errors.New("the record was taken by somebody else")

	// errIgnored is a mistake of the handler. PostgreSQL has ended what it may
	// go on to call its transaction: nothing of it can be committed.
	errIgnored = fmt.Errorf("%w: a statement of the handler failed, and its answer does not say so: return the error, or make the statement under a savepoint", idem.ErrTxEnded)

	errLost = errors.New("the connection was lost while the handler ran; nothing was committed")

	errSpent = errors.New("postgres: the transaction was completed or rolled back before")
)

// txError marks what happened to a transaction that was not committed.
func (s *Store) txError(err error) error {
	switch code := codeOf(err); {
	case errors.Is(err, errTaken), s.RetryableTx(err):
		return fmt.Errorf("%w: %w", idem.ErrRetryTx, err)
	case code == codeTransactionFailed, errors.Is(err, pgx.ErrTxCommitRollback):
		return fmt.Errorf("%w: %w", errIgnored, err)
	}
	return err
}

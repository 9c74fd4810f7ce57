package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	idem "github.com/idemgen/idemgen/runtime"
)

// Primary result codes (https://www.sqlite.org/rescode.html).
const (
	codeBusy   = 5
	codeLocked = 6
)

// isBusy reports whether another connection held the lock that was needed.
func isBusy(err error) bool {
	var coded interface{ Code() int } // *sqlite.Error of modernc.org/sqlite
	if !errors.As(err, &coded) {
		return false
	}
	code := coded.Code() & 0xff
	return code == codeBusy || code == codeLocked
}

// isContextError reports whether a wait was ended rather than a statement refused.
func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// busyError marks what the caller can only wait for.
func busyError(err error) error {
	if err != nil && isBusy(err) {
		return fmt.Errorf("%w: %w", idem.ErrStoreBusy, err)
	}
	return err
}

// txError marks what happened to a transaction that was not committed.
func txError(err error) error {
	text := err.Error()
	switch {
	case errors.Is(err, sql.ErrTxDone),
		strings.Contains(text, "no such savepoint"),
		strings.Contains(text, "no transaction is active"):
		return fmt.Errorf("%w: %w", idem.ErrTxEnded, err)
	case isBusy(err):
		return fmt.Errorf("%w: %w", idem.ErrRetryTx, err)
	}
	return err
}

// RetryableTx implements [idem.TxRetrier]: SQLITE_BUSY and SQLITE_LOCKED.
func (s *Store) RetryableTx(err error) bool { return isBusy(err) }

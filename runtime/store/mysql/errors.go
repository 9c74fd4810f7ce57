package mysql

import (
	"database/sql"
	"errors"
	"fmt"

	driver "github.com/go-sql-driver/mysql"
	idem "github.com/idemgen/idemgen/runtime"
)

// Error numbers of the servers.
const (
	tooManyConnections     = 1040
	duplicateEntry         = 1062
	unknownVariable        = 1193
	tooManyUserConnections = 1203
	lockWaitTimeout        = 1205
	deadlock               = 1213
	resourceLimit          = 1226
	noSuchSavepoint        = 1305
	recordHasChanged       = 1020 // MariaDB with innodb_snapshot_isolation
	undoneByCommit         = 3101 // group replication
)

// number is the server's number of err; 0 when it comes from elsewhere.
func number(err error) uint16 {
	var e *driver.MySQLError
	if !errors.As(err, &e) {
		return 0
	}
	return e.Number
}

// isUndone reports whether the server undid the transaction, or a statement for
// which the transaction has to be given up, so that it may be run again.
func isUndone(err error) bool {
	switch number(err) {
	case deadlock, lockWaitTimeout, recordHasChanged, undoneByCommit:
		return true
	}
	return false
}

// busyError marks what the caller can only wait for.
func busyError(err error) error {
	switch number(err) {
	case tooManyConnections, tooManyUserConnections, resourceLimit, deadlock, lockWaitTimeout:
		return fmt.Errorf("%w: %w", idem.ErrStoreBusy, err)
	}
	return err
}

// takenError marks a run whose key has an answer already.
func takenError(err error) error {
	return fmt.Errorf("%w: the key was taken by somebody else: %w", idem.ErrRetryTx, err)
}

// isUnsettled reports whether the first statement after the handler failed, or
// was not sent.
func isUnsettled(err error) bool {
	return number(err) == noSuchSavepoint || errors.Is(err, sql.ErrTxDone) || errors.Is(err, driver.ErrBusyBuffer)
}

// settleError explains why the savepoint before the handler could not be reached
// any more. Nothing was committed since.
func settleError(err error) error {
	switch {
	case errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("%w: %w", idem.ErrTxEnded, err)
	case number(err) == noSuchSavepoint:
		return fmt.Errorf("%w, by COMMIT, ROLLBACK or DDL, or it went on after a deadlock had undone it: %w", idem.ErrTxEnded, err)
	case errors.Is(err, driver.ErrBusyBuffer), errors.Is(err, driver.ErrPktSync), errors.Is(err, driver.ErrPktSyncMul):
		return fmt.Errorf("the handler has left rows of its transaction unread: close each *sql.Rows: %w", err)
	}
	return undoneError(err)
}

// undoneError marks a transaction that may be run again.
func undoneError(err error) error {
	switch {
	case err == nil:
		return nil
	case isUndone(err):
		return fmt.Errorf("%w: %w", idem.ErrRetryTx, err)
	case errors.Is(err, sql.ErrTxDone):
		return fmt.Errorf("%w: %w", idem.ErrTxEnded, err)
	}
	return err
}

// RetryableTx implements [idem.TxRetrier]: deadlocks, lock wait timeouts, and
// what optimistic replication undoes.
func (s *Store) RetryableTx(err error) bool { return isUndone(err) }

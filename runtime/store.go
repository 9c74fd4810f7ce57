package runtime

import (
	"context"
	"errors"
	"time"
)

// ID is the stored key: the SHA-256 of the scope and the client's key. It is
// all that a store ever learns of either.
type ID [32]byte

// Fingerprint is the hash of what was asked: one version octet and a SHA-256
// (draft-ietf-httpapi-idempotency-key-header §2.4). Stores compare it for
// equality and never look inside.
type Fingerprint [33]byte

// Fence numbers the claims of one ID. It rises with every claim, also over
// release, expiry and deletion, so that a resource which checks it can refuse a
// claimant that has been replaced.
type Fence int64

// State is the state of a record.
type State uint8

// The states of a record. Running with its lease over is the derived state
// "unknown" when the record is held.
const (
	StateFree    State = iota // released: kept only so that the fence survives
	StateRunning              // claimed, no answer yet
	StateDone                 // answered: immutable until it expires
)

// Response is a recorded answer. Stores keep its parts bit for bit: a nil Body
// and an empty one differ. Headers is the runtime's own encoding and opaque.
type Response struct {
	Status  int
	Headers []byte
	Body    []byte
	Flags   Flags
}

// Flags qualify a recorded response.
type Flags uint16

const (
	// FlagTombstone marks an answer whose body was too large to keep.
	FlagTombstone Flags = 1 << 0
	// FlagSealed marks an answer whose body is all of it, sealed.
	FlagSealed Flags = 1 << 1
	// FlagReference marks an answer whose body is what its location leads to.
	FlagReference Flags = 1 << 2
)

// Record is what a store knows of an ID. Times are relative because only the
// store's clock decides: a caller that compared them with its own clock would
// reintroduce the skew.
type Record struct {
	Fingerprint Fingerprint
	State       State
	Hold        bool
	Fence       Fence
	Attempts    int
	LeaseLeft   time.Duration // running: the rest of the lease, zero when it is over
	ExpiresIn   time.Duration // rest of the retention
	Response    Response      // done only; read-only for the receiver
}

// Claim asks for the right to run.
type Claim struct {
	ID          ID
	Fingerprint Fingerprint
	Lease       time.Duration // how long the claim blocks others without a heartbeat
	TTL         time.Duration // retention of the record while it runs; at least the lease
	Hold        bool          // a lapsed lease is not taken over: somebody must resolve it
	Operation   string        // for listings; never part of the identity
}

// ClaimState says what a claim met.
type ClaimState uint8

// What a claim met.
const (
	ClaimOwned   ClaimState = iota + 1 // the caller runs; Fence and Attempts are set
	ClaimDone                          // an answer exists; Record is set
	ClaimRunning                       // somebody else runs, or ran and is held; Record is set
)

// Claimed is the answer to a Claim. The zero value is never returned without an
// error.
type Claimed struct {
	State    ClaimState
	Fence    Fence
	Attempts int // 1 for a first run, more after a takeover
	Record   Record
}

// Errors that a store returns. All other errors mean that the store could not
// tell: the caller must assume nothing.
var (
	// ErrClaimLost: the record does not run under this fence any more.
	ErrClaimLost = errors.New("idem: the claim was lost to another attempt")
	// ErrStoreBusy: the store is healthy but had no room within its budget.
	ErrStoreBusy = errors.New("idem: the store is busy")
	// ErrRetryTx: the database undid the transaction and it may be run again
	// (40001, 40P01, 1213, SQLITE_BUSY).
	ErrRetryTx = errors.New("idem: the transaction may be retried")
	// ErrTxEnded: the handler ended the runtime's transaction itself.
	ErrTxEnded = errors.New("idem: the handler ended the transaction that the runtime owns")
)

// Store keeps the records. Every method is linearizable per ID across all
// processes that share the store, uses the store's own clock, may be called
// concurrently, and honours a context that was cancelled before the call by
// changing nothing. A call that is interrupted later may or may not have taken
// effect. Byte slices that are passed in are not kept, and those returned belong
// to the caller, unless a method says otherwise.
//
// A store holds no policy: what a conflict means is decided from what Claim
// returned.
type Store interface {
	// Lookup returns the record of id. Absent, free and expired ones are false.
	// A held record whose lease is over is returned. Every completed commit is
	// seen.
	Lookup(ctx context.Context, id ID) (Record, bool, error)

	// Claim makes the caller the owner of c.ID, or says who is. Of any number of
	// concurrent callers exactly one owns. A record is claimable when it is
	// absent, free, done and expired, or running with its lease over and either
	// the same fingerprint without Hold, or its retention over too.
	Claim(ctx context.Context, c Claim) (Claimed, error)

	// Heartbeat extends the lease of a running record, and its retention to at
	// least the lease. ErrClaimLost if it does not run under this fence.
	Heartbeat(ctx context.Context, id ID, f Fence, lease time.Duration) error

	// Complete stores the answer; its retention starts now. The condition is
	// "running under this fence", not "the lease is valid": a late owner whom
	// nobody replaced keeps its result. Otherwise ErrClaimLost.
	Complete(ctx context.Context, id ID, f Fence, r Response, ttl time.Duration) error

	// Release frees the record: the handler definitely did nothing. The fence
	// survives. ErrClaimLost as for Complete.
	Release(ctx context.Context, id ID, f Fence) error

	// Abandon ends the lease now: the outcome is unclear. The fingerprint and
	// Hold stay in force. ErrClaimLost as for Complete.
	Abandon(ctx context.Context, id ID, f Fence) error
}

// TxStore is a Store that can put claim, the handler's own writes and the
// answer into one commit. It is optional; hiding it (LeaseOnly) is lease mode.
type TxStore interface {
	Store

	// Begin starts a transaction and decides on c inside it, with a savepoint
	// set for the handler when the claim is owned. When it is not owned, or on
	// an error, no transaction stays open and StoreTx is nil. A nil c is a run
	// without a key: the same transaction and savepoint, nothing recorded, and
	// Claimed is owned with a zero fence.
	//
	// The transaction is independent of ctx once Begin has returned: it ends by
	// Complete or Rollback only. ErrStoreBusy and ErrRetryTx may be returned.
	Begin(ctx context.Context, c *Claim) (StoreTx, Claimed, error)
}

// StoreTx is one run inside the store's transaction. It is used by one
// goroutine at a time. After Complete or Rollback it is spent; a further
// Rollback does nothing.
type StoreTx interface {
	// Tx returns the driver's transaction, such as *sql.Tx, for the handler.
	Tx() any

	// Complete commits. With done it stores the answer first, in the same
	// commit. With keep false the handler's writes are undone back to the
	// savepoint and only the answer stays. ErrTxEnded when the handler ended
	// the transaction itself; ErrRetryTx when nothing was committed and the run
	// may be repeated; any other error leaves the outcome unclear, and a Lookup
	// tells.
	Complete(ctx context.Context, done *Completion, keep bool) error

	// Rollback undoes everything: the record is as it was before Begin.
	Rollback(ctx context.Context) error
}

// Completion is the answer that a transaction stores.
type Completion struct {
	Response Response
	TTL      time.Duration
}

// TxRetrier is implemented by a TxStore whose driver reports serialization
// failures through the handler's own statements.
type TxRetrier interface {
	// RetryableTx reports whether err, as a handler returned it, means that the
	// transaction was undone by the database and may be run again.
	RetryableTx(err error) bool
}

// Sweeper is implemented by stores whose expired records must be removed.
type Sweeper interface {
	// Sweep removes up to limit records whose retention and lease are both over
	// and returns how many it removed. It skips records that somebody holds
	// locked, never touches a live one, and changes no answer.
	Sweep(ctx context.Context, limit int) (int, error)
}

// LeaseOnly hides the transactions of s, so that handlers run in lease mode:
// claim, writes and answer are separate commits. Sweeper and Resolver stay;
// what it returns is no Counter.
func LeaseOnly(s Store) Store {
	sweeper, sweeps := s.(Sweeper)
	resolver, resolves := s.(Resolver)
	switch {
	case sweeps && resolves:
		return struct {
			Store
			Sweeper
			Resolver
		}{s, sweeper, resolver}
	case sweeps:
		return struct {
			Store
			Sweeper
		}{s, sweeper}
	case resolves:
		return struct {
			Store
			Resolver
		}{s, resolver}
	}
	return struct{ Store }{s}
}

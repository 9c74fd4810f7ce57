package runtime

import (
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
)

// Operation is the declared policy of one API operation. Generated code holds
// one literal each; the runtime only reads it, so that it may be shared by any
// number of handlers and goroutines.
type Operation struct {
	ID      string // operationId as written in the spec, else "METHOD /template"
	Method  string
	Path    string // the spec's path template
	Pattern string // as registered with the router, without a base URL

	// Security lists the alternatives of the operation's security requirement:
	// scheme name to scopes. Empty means that anyone may call it.
	Security []Security

	// Idempotency is nil for an operation without keys: a key that a client
	// sends all the same is answered with Idempotency-Status: ignored.
	Idempotency *Idempotency

	// Precondition is nil for an operation without x-etag.
	Precondition *Precondition

	// OwnPreconditions lists precondition fields that the operation declares as
	// parameters of its own and therefore checks itself; on an operation
	// without x-etag every other one is refused (412 unsupported), unless
	// IgnorePreconditions is set.
	OwnPreconditions    []string
	IgnorePreconditions bool
}

// Security is one alternative of a security requirement: all schemes in it must
// be satisfied.
type Security map[string][]string

// Idempotency is the effective x-idempotency policy of an operation. Generated
// code writes Required, Scope, TTL and Lease always; the zero value of every
// other member is the default of the annotation.
type Idempotency struct {
	Required bool
	Scope    []string // tenant, principal, operation, path, ctx:<name>
	TTL      time.Duration
	Lease    time.Duration

	Key         KeyPolicy
	Fingerprint FingerprintPolicy
	Replay      ReplayPolicy
	Record      []string // status classes and codes; empty: 2XX 3XX 4XX

	MismatchStatus int         // 0: 409
	Concurrency    Concurrency // zero: reject
	MaxWait        time.Duration
	RetryAfter     time.Duration // 0: 1s
	Mode           Mode          // zero: auto
	NoHeartbeat    bool
	OnCrash        OnCrash      // zero: rerun
	OnStoreError   OnStoreError // zero: reject
	Rollout        Rollout      // zero: enforce
	Store          string       // name of the store; empty: the default one
	DocsURL        string       // Link of key problems; empty: the problem type's page
}

// KeyPolicy says where the key is and what it looks like.
type KeyPolicy struct {
	Header    string // empty: Idempotency-Key
	Aliases   []string
	Body      string // RFC 6901 pointer of a string member, instead of a header
	Strict    bool   // only the structured-field string of RFC 9651
	MinLength int    // 0: 1
	MaxLength int    // 0: 255
	Pattern   string // RE2, anchored at both ends by the runtime
}

// FingerprintPolicy says what makes two requests the same request.
type FingerprintPolicy struct {
	Mode        FingerprintMode // zero: auto
	Include     []string        // RFC 6901 pointers; JSON only
	Exclude     []string
	Headers     []string // lower-case, ascending
	IgnoreQuery bool
	MaxBody     int64 // 0: 1 MiB
}

// ReplayPolicy says how an answer is stored and sent again.
type ReplayPolicy struct {
	OK            bool     // replay.status 200: recorded 2xx are replayed as 200
	Headers       []string // added to the allow-list, canonical form
	Marker        string   // empty: Idempotent-Replayed
	ExpiresHeader bool
	NoBody        bool  // replay.body none
	Reference     bool  // replay.body reference
	Encrypt       bool  // needs WithSealer
	MaxResponse   int64 // 0: 1 MiB
}

// Concurrency says what a duplicate meets while the first request runs.
type Concurrency uint8

// A duplicate is refused at once, or waits up to MaxWait for the answer.
const (
	ConcurrencyReject Concurrency = iota
	ConcurrencyWait
)

// Mode chooses between one commit (tx) and separate ones (lease).
type Mode uint8

// ModeAuto is tx when the store has transactions, else lease.
const (
	ModeAuto Mode = iota
	ModeTx
	ModeLease
)

// OnCrash says what a lapsed lease means: run again, or hold for an operator.
type OnCrash uint8

// What happens to a record whose owner vanished.
const (
	OnCrashRerun OnCrash = iota
	OnCrashHold
)

// OnStoreError says what happens to a request whose claim fails.
type OnStoreError uint8

// Reject answers 503; Run lets the request through unprotected and says so.
const (
	OnStoreErrorReject OnStoreError = iota
	OnStoreErrorRun
)

// Rollout switches a policy on in steps.
type Rollout uint8

// Observe counts what would have happened and changes no answer.
const (
	RolloutEnforce Rollout = iota
	RolloutObserve
	RolloutOff
)

// FingerprintMode says how the body enters the fingerprint.
type FingerprintMode uint8

// FingerprintAuto chooses by content coding and media type.
const (
	FingerprintAuto FingerprintMode = iota
	FingerprintJSON
	FingerprintRaw
	FingerprintMultipart
	FingerprintForm
	FingerprintNone
)

// Precondition is the effective x-etag policy of an operation.
type Precondition struct {
	Resource string
	ReadPath string // path template of the read operation, for Link rel=self
	// Collection is an operation that creates a resource whose key is not in its
	// path. Nothing can be compared there, and preconditions are refused.
	Collection bool
	// AppliedMarker: the row keeps what LastWrite returned to its last write.
	AppliedMarker bool
	// EqualRepresentation: a PUT of what is stored already is done, although its
	// If-Match is false.
	EqualRepresentation bool
	Opaque              bool     // tags are sealed versions; needs WithTagSecret
	VaryBy              []string // request fields that choose between representations, canonical form
	PutETag             PutETag  // zero: always
	etag.Policy
}

// PutETag says when the answer to a PUT carries an ETag.
type PutETag uint8

// Always; only where the handler says that it stored the octets as they came; or
// never.
const (
	PutETagAlways PutETag = iota
	PutETagVerbatim
	PutETagNever
)

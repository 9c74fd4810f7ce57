// Package policy turns the annotations of a document into typed, merged values
// that remember which line set them.
package policy

import (
	"time"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// Level says how near to the operation a value was set. A greater level wins.
type Level uint8

// Levels, from far to near.
const (
	LevelDefault  Level = iota // built in
	LevelPreset                // by the profile; the position is that of the profile
	LevelDocument              // at the root of the document
	LevelPathItem
	LevelOperation
)

// Origin is where a value comes from. The zero Origin is a built-in default.
type Origin struct {
	Level Level
	Pos   diag.Pos // of the value; at LevelDefault of the schema it follows from, if any
}

// Value is an effective value with its witness: nothing is set without one.
type Value[T any] struct {
	V    T
	From Origin
}

// Set reports whether the value was written in the document, directly or by a
// profile, rather than being the built-in default.
func (v Value[T]) Set() bool { return v.From.Level != LevelDefault }

// Document is the policy of a whole document.
type Document struct {
	Operations []Operation // every operation, in document order
	Resources  []Resource  // by Name
}

// Operation is the policy of one operation.
type Operation struct {
	Op          source.Op
	Idempotency *Idempotency // nil: none
	Exempt      bool         // x-idempotency: exempt
	ETag        *ETag        // nil: none
	// Lists names the resource whose tags the items of a GET carry (listItems); empty:
	// it is no such list. The list has no ETag itself.
	Lists Value[string]
	// Unsupported says what happens to preconditions that an operation without
	// x-etag cannot check.
	Unsupported Value[Unsupported]
}

// Idempotency is the effective x-idempotency of an operation.
type Idempotency struct {
	On             Origin // what switched it on
	Required       Value[bool]
	Profile        Value[Profile]
	Public         Value[bool]
	Key            Key
	Scope          Value[[]string] // tenant, principal, operation, path, ctx:<name>; sorted in that order, no duplicates
	Fingerprint    Fingerprint
	MismatchStatus Value[int] // 409, 422 or 400
	Concurrency    Value[Concurrency]
	MaxWait        Value[time.Duration]
	RetryAfter     Value[time.Duration]
	TTL            Value[time.Duration]
	Mode           Value[Mode]
	Lease          Value[time.Duration]
	Heartbeat      Value[bool]
	OnCrash        Value[OnCrash]
	OnStoreError   Value[OnStoreError]
	Record         Record
	Replay         Replay
	Rollout        Value[Rollout]
	Store          Value[string] // "default" or a store's name
	Docs           Docs
}

// Key says where the key is and what it looks like.
type Key struct {
	Header    Value[string]   // canonical field name
	Aliases   Value[[]string] // canonical field names
	Source    Value[string]   // "header" or "body:<pointer>"
	Syntax    Value[Syntax]
	MinLength Value[int] // octets
	MaxLength Value[int] // octets
	Pattern   Value[string]
}

// Fingerprint says what makes two requests the same request.
type Fingerprint struct {
	Mode    Value[FingerprintMode]
	Include Value[[]string] // RFC 6901 pointers
	Exclude Value[[]string] // RFC 6901 pointers
	Headers Value[[]string] // canonical field names
	Query   Value[bool]
	MaxBody Value[int64] // bytes
}

// Record says which answers are stored.
type Record struct {
	Statuses Value[[]string] // classes such as 2XX and exact codes
}

// Replay says how a stored answer is sent again.
type Replay struct {
	Status        Value[ReplayStatus]
	Headers       Value[[]string] // canonical field names
	Marker        Value[string]   // canonical field name
	ExpiresHeader Value[bool]
	Body          Value[ReplayBody]
	MaxResponse   Value[int64] // bytes
	Encrypt       Value[bool]
}

// Docs points readers of problems to the API's own documentation.
type Docs struct {
	URL Value[string] // empty: none
}

// Resource is what an ETag describes.
type Resource struct {
	Name string   // Go-exportable, unique
	Pos  diag.Pos // of the definition
	Home string   // path template of the home; where it is read
	Definition
}

// Definition holds the members of x-etag that may stand once per resource.
type Definition struct {
	Key           Value[[]string] // path parameters, in the order of the home's template
	Strategy      Value[Strategy]
	Field         Value[string] // RFC 6901 pointer into the 2xx body of readers
	Type          Value[VersionType]
	Strength      Value[Strength]
	Encoding      Value[Encoding]
	Variants      Value[[]string]
	LastModified  Value[string] // RFC 6901 pointer; empty: none
	AppliedMarker Value[bool]
	StripSuffixes Value[[]string]
}

// ETag is the effective x-etag of an operation.
type ETag struct {
	On       Origin // what switched it on
	Resource Value[string]
	Definition
	Role           Value[Role]
	Require        Value[[]Field] // empty: not guarded
	Wildcard       Value[Verdict]
	Tags           Value[Tags]
	WeakIfMatch    Value[Verdict]
	Malformed      Value[Malformed]
	Missing        Value[Missing]
	NotModified    Value[bool]
	Precheck       Value[bool]
	PutETag        Value[PutETag]
	AlreadyApplied Value[AlreadyApplied]
	ExposeCurrent  Value[bool]
	ListItems      Value[string] // resource name; empty: none
	Unsupported    Value[Unsupported]
	Driver         Value[Driver]
}

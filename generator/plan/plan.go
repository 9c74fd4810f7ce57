// Package plan is the generator's model of an API: plain, sorted data that the
// emitters print. It holds final Go identifiers, router patterns and resolved
// policy values, and no reference to the OpenAPI document.
package plan

import (
	"time"

	"github.com/idemgen/idemgen/generator/diag"
)

// Format is the version of the JSON form of an API. It rises when a member
// changes its meaning or goes away.
const Format = 1

// Pos is a place in an input file; it prints as file:line:col.
type Pos struct{ diag.Pos }

// MarshalText returns file:line:col.
func (p Pos) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Duration is a time.Duration that prints like one, "24h0m0s".
type Duration time.Duration

// MarshalText returns the duration in the form of [time.Duration.String].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// API is one package to generate.
type API struct {
	Format     int         `json:"format"`
	Package    string      `json:"package"`    // Go package name
	Source     string      `json:"source"`     // base name of the OpenAPI document
	Router     string      `json:"router"`     // name of one of Routers
	Resources  []Resource  `json:"resources"`  // by Name
	Operations []Operation `json:"operations"` // by Path, then Method
	// LeftOut are the operations of the document that are not generated, by Path,
	// then Method.
	LeftOut []LeftOut `json:"leftOut,omitempty"`
	// Parts are the interfaces per tag that Service embeds, by Name; empty: it has
	// every method itself.
	Parts []Part `json:"parts,omitempty"`
}

// Part is an interface with the methods of a tag.
type Part struct {
	Name string `json:"name"` // Go name, "PetsService"
	Tag  string `json:"tag"`
}

// LeftOut is an operation that is not generated.
type LeftOut struct {
	Pos    Pos    `json:"pos"`
	ID     string `json:"id"` // as Operation.ID
	Method string `json:"method"`
	Path   string `json:"path"`
	Reason string `json:"reason"` // "excluded"
}

// Operation is one API operation.
type Operation struct {
	Pos     Pos    `json:"pos"`
	ID      string `json:"id"`      // operationId as written, else "METHOD /template"
	Name    string `json:"name"`    // Go method name, unique
	Method  string `json:"method"`  // upper case
	Path    string `json:"path"`    // path template
	Pattern string `json:"pattern"` // method and path as registered with the router

	Part       string `json:"part,omitempty"` // name of the interface that has its method; empty: Service
	Summary    string `json:"summary,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
	Streaming  bool   `json:"streaming,omitempty"` // a response is an event stream

	PathParams []Param    `json:"pathParams,omitempty"` // in the order of the template
	Responses  []Response `json:"responses,omitempty"`  // by Status
	Security   []Security `json:"security,omitempty"`   // alternatives; empty: anyone
	Public     bool       `json:"public,omitempty"`     // may be called without credentials

	// OwnPreconditions are the precondition fields, in canonical form, that an
	// operation without x-etag declares and therefore checks itself.
	OwnPreconditions    []string `json:"ownPreconditions,omitempty"`
	IgnorePreconditions bool     `json:"ignorePreconditions,omitempty"`

	order int // place among the operations of the document

	Idempotency  *Idempotency  `json:"idempotency,omitempty"`  // nil: no keys
	Precondition *Precondition `json:"precondition,omitempty"` // nil: no x-etag
}

// Annotated reports whether requests of the operation pass through the runtime.
func (o *Operation) Annotated() bool { return o.Idempotency != nil || o.Precondition != nil }

// Security is one alternative of a security requirement: scheme name to scopes.
type Security map[string][]string

// Param is a path parameter.
type Param struct {
	Name  string `json:"name"`  // as in the template
	Field string `json:"field"` // Go field name in a resource key
}

// Response is a declared response.
type Response struct {
	Status  string   `json:"status"`            // "200", "2XX" or "default"
	Headers []string `json:"headers,omitempty"` // declared fields, canonical, ascending
}

// Idempotency is the effective x-idempotency policy of an operation. Every
// member has its effective value.
type Idempotency struct {
	Required       bool        `json:"required"`
	Scope          []string    `json:"scope"`
	TTL            Duration    `json:"ttl"`
	Lease          Duration    `json:"lease"`
	Key            Key         `json:"key"`
	Fingerprint    Fingerprint `json:"fingerprint"`
	Replay         Replay      `json:"replay"`
	Record         []string    `json:"record"`
	MismatchStatus int         `json:"mismatchStatus"`
	Concurrency    string      `json:"concurrency"`
	MaxWait        Duration    `json:"maxWait"`
	RetryAfter     Duration    `json:"retryAfter"`
	Mode           string      `json:"mode"`
	Heartbeat      bool        `json:"heartbeat"`
	OnCrash        string      `json:"onCrash"`
	OnStoreError   string      `json:"onStoreError"`
	Rollout        string      `json:"rollout"`
	Store          string      `json:"store,omitempty"` // empty: the default store
	DocsURL        string      `json:"docsUrl,omitempty"`
}

// Key says where the key is and what it looks like. Header is empty when the
// key is a member of the body.
type Key struct {
	Header    string   `json:"header,omitempty"`
	Aliases   []string `json:"aliases,omitempty"`
	Body      string   `json:"body,omitempty"` // RFC 6901 pointer
	Strict    bool     `json:"strict,omitempty"`
	MinLength int      `json:"minLength"` // octets
	MaxLength int      `json:"maxLength"` // octets
	Pattern   string   `json:"pattern,omitempty"`
}

// Fingerprint says what makes two requests the same request.
type Fingerprint struct {
	Mode    string   `json:"mode"`
	Include []string `json:"include,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	Headers []string `json:"headers,omitempty"` // lower case, ascending
	Query   bool     `json:"query"`
	MaxBody int64    `json:"maxBody"` // bytes
}

// Replay says how a recorded answer is sent again. Headers are the fields that
// the annotation and the declared responses add to the runtime's allow-list.
type Replay struct {
	Status        string   `json:"status"`            // original or 200
	Headers       []string `json:"headers,omitempty"` // canonical, ascending
	Marker        string   `json:"marker"`
	ExpiresHeader bool     `json:"expiresHeader,omitempty"`
	Body          string   `json:"body"` // store, none or reference
	Encrypt       bool     `json:"encrypt,omitempty"`
	MaxResponse   int64    `json:"maxResponse"` // bytes
}

// Resource is what an ETag describes, with the names that it has in Go.
type Resource struct {
	Pos     Pos     `json:"pos"`
	Name    string  `json:"name"`             // Go-exportable, unique
	Part    string  `json:"part,omitempty"`   // name of the interface that has its methods; empty: Service
	Type    string  `json:"type"`             // int64, string, uuid or timestamp
	Dated   bool    `json:"dated,omitempty"`  // reads and CurrentX say when it was modified
	Hashed  bool    `json:"hashed,omitempty"` // tags are hashes of what reads send: there are no versions
	Key     []Param `json:"key"`              // path parameters, in the order of the home
	Keyed   bool    `json:"keyed"`            // an operation's path has the key
	Version string  `json:"-"`                // Go type of a version
	KeyType string  `json:"-"`                // Go type of the key
	Codec   string  `json:"-"`                // Go variable: version to tag and back
	Current string  `json:"-"`                // Go method of Service
	Wrapper string  `json:"-"`                // Go method of the decorator
	State   string  `json:"-"`                // Go type of what a GET shows; empty: it has no name
}

// Precondition is the effective x-etag policy of an operation.
type Precondition struct {
	Resource string `json:"resource"`
	ReadPath string `json:"readPath"` // path template of the operation that reads it
	Keyed    bool   `json:"keyed"`    // the path has the resource's key
	// Expect is the argument that the handler gets, one of the constants below;
	// empty for an operation that reads or adds to a collection.
	Expect            string   `json:"expect,omitempty"`
	Collection        bool     `json:"collection,omitempty"` // creates what its path does not name
	AppliedMarker     bool     `json:"appliedMarker,omitempty"`
	EqualStored       bool     `json:"equalRepresentation,omitempty"`
	Swap              bool     `json:"cas,omitempty"` // the handler loads, changes and stores
	Role              string   `json:"role"`
	Require           []string `json:"require,omitempty"`
	Wildcard          string   `json:"wildcard"`
	Tags              string   `json:"tags"`
	WeakIfMatch       string   `json:"weakIfMatch"`
	Malformed         string   `json:"malformed"`
	Missing           string   `json:"missing"`
	Strength          string   `json:"strength"`
	LastModified      bool     `json:"lastModified,omitempty"`
	NotModified       bool     `json:"notModified"`
	Precheck          bool     `json:"precheck"`
	Encoding          string   `json:"encoding"`
	PutETag           string   `json:"putEtag,omitempty"` // of a PUT
	StripSuffixes     []string `json:"stripSuffixes,omitempty"`
	Variants          []string `json:"variants,omitempty"`
	IgnoreUnsupported bool     `json:"ignoreUnsupported,omitempty"`
	ExposeCurrent     bool     `json:"exposeCurrent,omitempty"`
}

// The forms of an expectation; each is a type of package etag.
const (
	ExpectMatch              = "match"
	ExpectUnmodified         = "unmodified"
	ExpectAbsent             = "absent"
	ExpectMatchOrAbsent      = "matchOrAbsent"
	ExpectMaybeMatch         = "maybeMatch"
	ExpectMaybeMatchOrAbsent = "maybeMatchOrAbsent"
)

package etag

// Role says what an operation does to its resource.
type Role uint8

// The roles. RoleNone is an operation that cannot check preconditions.
const (
	RoleNone   Role = iota
	RoleRead        // GET, HEAD
	RoleUpdate      // PUT, PATCH of something that exists
	RoleUpsert      // PUT that may also create
	RoleCreate      // creates only
	RoleDelete
	RoleAction // POST on a resource
)

// Field is a precondition that can be required.
type Field uint8

// The fields.
const (
	IfMatch Field = iota + 1
	IfNoneMatch
	IfUnmodifiedSince
	ifModifiedSince // decides, and is never required
)

// String returns the field's name as it is sent.
func (f Field) String() string {
	switch f {
	case IfMatch:
		return "If-Match"
	case IfNoneMatch:
		return "If-None-Match"
	case IfUnmodifiedSince:
		return "If-Unmodified-Since"
	case ifModifiedSince:
		return "If-Modified-Since"
	}
	return ""
}

// Missing says how a condition on an absent resource is answered.
type Missing uint8

// MissingAuto answers 404 unless the operation can create.
const (
	MissingAuto Missing = iota
	MissingNotFound
	MissingPreconditionFailed
)

// Policy is what an operation declares about preconditions. The zero value is
// an operation without x-etag.
type Policy struct {
	Role              Role
	Require           []Field // any of these satisfies an unsafe method
	RejectWildcard    bool    // If-Match: * does not satisfy Require
	OneTag            bool    // a list of two tags is malformed
	AcceptWeak        bool    // If-Match compares opaque octets: a deviation for compressing proxies
	MalformedRFC      bool    // malformed If-Match is a false condition (412) instead of 400
	Missing           Missing
	Weak              bool     // the resource's tags are weak
	LastModified      bool     // the resource declares a date
	NoNotModified     bool     // reads answer 200 instead of 304
	NoPrecheck        bool     // writes are not evaluated before the handler runs
	StripSuffixes     []string // cut from tags in If-None-Match on reads, such as "-gzip"
	Variants          bool     // tags are "version.variant"; If-Match compares the version
	IgnoreUnsupported bool     // RoleNone: tags on an unsafe method are ignored
	ExposeCurrent     bool     // a 412 shows the current tag
}

// canCreate reports whether the operation may answer an absent resource with
// something else than 404.
func (p *Policy) canCreate() bool { return p.Role == RoleUpsert || p.Role == RoleCreate }

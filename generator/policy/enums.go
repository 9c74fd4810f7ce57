package policy

// Each enumeration is written in the document as its string value.
type (
	// Profile names a preset of several members.
	Profile string
	// Syntax says which forms of a key are accepted.
	Syntax string
	// FingerprintMode says how the body enters the fingerprint.
	FingerprintMode string
	// Concurrency says what a duplicate meets while the first request runs.
	Concurrency string
	// Mode chooses between one commit and separate ones.
	Mode string
	// OnCrash says what a lapsed lease means.
	OnCrash string
	// OnStoreError says what happens to a request whose claim fails.
	OnStoreError string
	// ReplayStatus says which status a replay has.
	ReplayStatus string
	// ReplayBody says which body a replay has.
	ReplayBody string
	// Rollout switches a policy on in steps.
	Rollout string
	// Strategy says what a version is made of.
	Strategy string
	// VersionType is the Go shape of a version.
	VersionType string
	// Strength says whether a resource's tags are strong or weak.
	Strength string
	// Encoding says how a version is written into a tag.
	Encoding string
	// Role says what an operation does to its resource.
	Role string
	// Field names a precondition that satisfies require.
	Field string
	// Verdict accepts or rejects a form of a precondition.
	Verdict string
	// Tags says how many entity-tags a precondition may list.
	Tags string
	// Malformed says what a malformed If-Match becomes.
	Malformed string
	// Missing says what an absent resource answers to If-Match.
	Missing string
	// PutETag says when the answer to a PUT carries an ETag.
	PutETag string
	// AlreadyApplied says when a stale write counts as done.
	AlreadyApplied string
	// Unsupported says what happens to a precondition that cannot be checked.
	Unsupported string
	// Driver says who performs the comparison of a write.
	Driver string
)

// Values of the enumerations.
const (
	ProfileDefault Profile = "default"
	ProfileIETF    Profile = "ietf"
	ProfileStripe  Profile = "stripe"

	SyntaxLax    Syntax = "lax"
	SyntaxStrict Syntax = "strict"

	FingerprintAuto      FingerprintMode = "auto"
	FingerprintJSON      FingerprintMode = "json"
	FingerprintRaw       FingerprintMode = "raw"
	FingerprintMultipart FingerprintMode = "multipart"
	FingerprintForm      FingerprintMode = "form"
	FingerprintNone      FingerprintMode = "none"

	ConcurrencyReject Concurrency = "reject"
	ConcurrencyWait   Concurrency = "wait"

	ModeAuto  Mode = "auto"
	ModeTx    Mode = "tx"
	ModeLease Mode = "lease"

	OnCrashRerun OnCrash = "rerun"
	OnCrashHold  OnCrash = "hold"

	OnStoreErrorReject OnStoreError = "reject"
	OnStoreErrorRun    OnStoreError = "run"

	ReplayOriginal ReplayStatus = "original"
	Replay200      ReplayStatus = "200"

	ReplayStore     ReplayBody = "store"
	ReplayNone      ReplayBody = "none"
	ReplayReference ReplayBody = "reference"

	RolloutEnforce Rollout = "enforce"
	RolloutObserve Rollout = "observe"
	RolloutOff     Rollout = "off"

	StrategyVersion     Strategy = "version"
	StrategyUpdatedAt   Strategy = "updatedAt"
	StrategyContentHash Strategy = "contentHash"
	StrategyHandler     Strategy = "handler"

	TypeInt64     VersionType = "int64"
	TypeString    VersionType = "string"
	TypeUUID      VersionType = "uuid"
	TypeTimestamp VersionType = "timestamp"

	StrengthStrong Strength = "strong"
	StrengthWeak   Strength = "weak"

	EncodingPlain  Encoding = "plain"
	EncodingOpaque Encoding = "opaque"

	RoleRead   Role = "read"
	RoleUpdate Role = "update"
	RoleUpsert Role = "upsert"
	RoleCreate Role = "create"
	RoleDelete Role = "delete"
	RoleAction Role = "action"

	IfMatch           Field = "ifMatch"
	IfNoneMatch       Field = "ifNoneMatch"
	IfUnmodifiedSince Field = "ifUnmodifiedSince"

	VerdictAccept Verdict = "accept"
	VerdictReject Verdict = "reject"

	TagsMany Tags = "many"
	TagsOne  Tags = "one"

	MalformedReject Malformed = "reject"
	MalformedRFC    Malformed = "rfc"

	MissingAuto               Missing = "auto"
	MissingNotFound           Missing = "notFound"
	MissingPreconditionFailed Missing = "preconditionFailed"

	PutETagAlways   PutETag = "always"
	PutETagVerbatim PutETag = "verbatim"
	PutETagNever    PutETag = "never"

	AlreadyAppliedOff                 AlreadyApplied = "off"
	AlreadyAppliedEqualRepresentation AlreadyApplied = "equalRepresentation"

	UnsupportedReject Unsupported = "reject"
	UnsupportedIgnore Unsupported = "ignore"

	DriverUpdate Driver = "update"
	DriverCAS    Driver = "cas"
)

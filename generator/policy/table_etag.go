package policy

// definitionNames are the members of x-etag that describe the resource and may
// stand once for each.
var definitionNames = map[string]bool{
	"key": true, "strategy": true, "field": true, "type": true, "strength": true, "encoding": true,
	"variants": true, "lastModified": true, "appliedMarker": true, "stripSuffixes": true,
}

// etagTable is x-etag: the one list that decoding, documentation and JSON
// Schema share. resources is read apart, because only the root has it.
var etagTable = table[ETag]{"x-etag", []member[ETag]{
	field("resource", text("resource name", "Pet", resourceName), "", func(p *ETag) *Value[string] { return &p.Resource },
		"What the tag describes; named after the schema of the path's GET 200."),
	field("key", list(text("path parameter", "petId", anyName)), nil, func(p *ETag) *Value[[]string] { return &p.Key },
		"Path parameters that identify the resource; those of its home."),
	field("strategy", oneOf(StrategyVersion, StrategyUpdatedAt, StrategyContentHash, StrategyHandler), StrategyVersion, func(p *ETag) *Value[Strategy] { return &p.Strategy },
		"What a version is made of."),
	field("field", text("JSON pointer", "/version", pointer), "/version", func(p *ETag) *Value[string] { return &p.Field },
		"Where the 2xx body of readers shows the version."),
	field("type", oneOf(TypeInt64, TypeString, TypeUUID, TypeTimestamp), "", func(p *ETag) *Value[VersionType] { return &p.Type },
		"Type of the version; that of the field's schema."),
	field("strength", oneOf(StrengthStrong, StrengthWeak), StrengthStrong, func(p *ETag) *Value[Strength] { return &p.Strength },
		"Strong or weak tags."),
	field("encoding", oneOf(EncodingPlain, EncodingOpaque), EncodingPlain, func(p *ETag) *Value[Encoding] { return &p.Encoding },
		"How a version is written into a tag."),
	field("variants", list(text("field name", "Accept", fieldName)), []string{}, func(p *ETag) *Value[[]string] { return &p.Variants },
		"Request fields that choose between representations."),
	field("lastModified", text("JSON pointer", "/updatedAt", pointer), "", func(p *ETag) *Value[string] { return &p.LastModified },
		"Where the body shows a date; enables date conditions."),
	field("appliedMarker", boolean, false, func(p *ETag) *Value[bool] { return &p.AppliedMarker },
		"The row remembers the key of its last write."),
	field("stripSuffixes", list(text("suffix", "-gzip", anyName)), []string{}, func(p *ETag) *Value[[]string] { return &p.StripSuffixes },
		"Suffixes that proxies add inside the quotes."),
	field("role", oneOf(RoleRead, RoleUpdate, RoleDelete, RoleAction, RoleUpsert, RoleCreate), "", func(p *ETag) *Value[Role] { return &p.Role },
		"What the operation does to the resource; derived from method, path and statuses."),
	field("require", list(oneOf(IfMatch, IfNoneMatch, IfUnmodifiedSince)), nil, func(p *ETag) *Value[[]Field] { return &p.Require },
		"Conditions without which a write is answered with 428."),
	field("wildcard", oneOf(VerdictReject, VerdictAccept), "", func(p *ETag) *Value[Verdict] { return &p.Wildcard },
		"If-Match: * is refused where the operation is guarded, else accepted."),
	field("tags", oneOf(TagsMany, TagsOne), TagsMany, func(p *ETag) *Value[Tags] { return &p.Tags },
		"one: a list of two entity-tags is answered with 400."),
	field("weakIfMatch", oneOf(VerdictReject, VerdictAccept), VerdictReject, func(p *ETag) *Value[Verdict] { return &p.WeakIfMatch },
		"accept compares opaque parts, for proxies that weaken tags."),
	field("malformed", oneOf(MalformedReject, MalformedRFC), MalformedReject, func(p *ETag) *Value[Malformed] { return &p.Malformed },
		"A malformed If-Match is 400, or with rfc a condition that fails."),
	field("missing", oneOf(MissingAuto, MissingNotFound, MissingPreconditionFailed), MissingAuto, func(p *ETag) *Value[Missing] { return &p.Missing },
		"What If-Match on an absent resource is answered with."),
	field("notModified", boolean, true, func(p *ETag) *Value[bool] { return &p.NotModified },
		"Reads answer 304."),
	field("precheck", boolean, true, func(p *ETag) *Value[bool] { return &p.Precheck },
		"Compare before the body is decoded, besides the write's own comparison."),
	field("putEtag", oneOf(PutETagAlways, PutETagVerbatim, PutETagNever), PutETagAlways, func(p *ETag) *Value[PutETag] { return &p.PutETag },
		"When the answer to a PUT carries an ETag."),
	field("alreadyApplied", oneOf(AlreadyAppliedOff, AlreadyAppliedEqualRepresentation), AlreadyAppliedOff, func(p *ETag) *Value[AlreadyApplied] { return &p.AlreadyApplied },
		"When a stale write counts as done."),
	field("exposeCurrent", boolean, false, func(p *ETag) *Value[bool] { return &p.ExposeCurrent },
		"The 412 problem names the current tag."),
	field("listItems", text("resource name", "Pet", resourceName), "", func(p *ETag) *Value[string] { return &p.ListItems },
		"Resource whose tags the items of a list carry."),
	field("unsupported", oneOf(UnsupportedReject, UnsupportedIgnore), UnsupportedReject, func(p *ETag) *Value[Unsupported] { return &p.Unsupported },
		"At the root or an operation: preconditions on operations without x-etag."),
	field("driver", oneOf(DriverUpdate, DriverCAS), DriverUpdate, func(p *ETag) *Value[Driver] { return &p.Driver },
		"cas: the handler loads, changes and stores, and the runtime repeats it where another write came between."),
}}

// ETagMembers returns the members of x-etag in the order of the documentation.
func ETagMembers() []Member {
	resources := Member{
		Name: "resources", Type: "object", Default: "",
		Doc: "At the root only: definitions by resource name.",
	}
	return append([]Member{resources}, membersOf(etagTable)...)
}

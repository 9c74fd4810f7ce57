package plan

import (
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
)

// idempotency resolves an x-idempotency policy; responses are the operation's.
func idempotency(p *policy.Idempotency, responses []Response) *Idempotency {
	if p == nil {
		return nil
	}
	key := Key{
		Header: p.Key.Header.V, Aliases: p.Key.Aliases.V, Strict: p.Key.Syntax.V == policy.SyntaxStrict,
		MinLength: p.Key.MinLength.V, MaxLength: p.Key.MaxLength.V, Pattern: p.Key.Pattern.V,
	}
	if pointer, ok := strings.CutPrefix(p.Key.Source.V, "body:"); ok {
		key.Header, key.Aliases, key.Body = "", nil, pointer
	}
	store := p.Store.V
	if store == "default" {
		store = ""
	}
	return &Idempotency{
		Required: p.Required.V, Scope: p.Scope.V, TTL: Duration(p.TTL.V), Lease: Duration(p.Lease.V), Key: key,
		Fingerprint: Fingerprint{
			Mode: string(p.Fingerprint.Mode.V), Include: p.Fingerprint.Include.V, Exclude: p.Fingerprint.Exclude.V,
			Headers: lowerAll(p.Fingerprint.Headers.V), Query: p.Fingerprint.Query.V, MaxBody: p.Fingerprint.MaxBody.V,
		},
		Replay: Replay{
			Status: string(p.Replay.Status.V), Headers: replayed(p.Replay.Headers.V, responses), Marker: p.Replay.Marker.V,
			ExpiresHeader: p.Replay.ExpiresHeader.V, Body: string(p.Replay.Body.V), Encrypt: p.Replay.Encrypt.V,
			MaxResponse: p.Replay.MaxResponse.V,
		},
		Record: p.Record.Statuses.V, MismatchStatus: p.MismatchStatus.V,
		Concurrency: string(p.Concurrency.V), MaxWait: Duration(p.MaxWait.V), RetryAfter: Duration(p.RetryAfter.V),
		Mode: string(p.Mode.V), Heartbeat: p.Heartbeat.V, OnCrash: string(p.OnCrash.V), OnStoreError: string(p.OnStoreError.V),
		Rollout: string(p.Rollout.V), Store: store, DocsURL: p.Docs.URL.V,
	}
}

func lowerAll(names []string) []string {
	var list []string
	for _, name := range names {
		list = append(list, strings.ToLower(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// alwaysReplayed are the fields that the runtime replays without being asked.
var alwaysReplayed = canonical([]string{
	"Content-Type", "Content-Language", "Content-Encoding", "Content-Disposition",
	"Location", "Content-Location", "ETag", "Last-Modified", "Link",
})

// neverReplayed are the fields that describe one exchange, not its answer.
var neverReplayed = canonical([]string{
	"Set-Cookie", "Authorization", "WWW-Authenticate", "Date", "Retry-After", "Content-Length",
	"Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
	"Traceparent", "Tracestate", "Request-Id", "X-Request-Id", "Correlation-Id", "X-Correlation-Id",
})

// replayed returns what a policy adds to the runtime's allow-list: the fields
// that it names and those that the responses declare, unless they are denied.
func replayed(named []string, responses []Response) []string {
	all := slices.Clone(named)
	for _, r := range responses {
		all = append(all, r.Headers...)
	}
	return slices.DeleteFunc(canonical(all), func(name string) bool {
		return slices.Contains(alwaysReplayed, name) || slices.Contains(neverReplayed, name) ||
			strings.HasPrefix(name, "Proxy-") || strings.HasPrefix(name, "Ratelimit") || strings.HasPrefix(name, "X-Ratelimit-")
	})
}

// resource plans a resource.
func resource(p policy.Resource) Resource {
	r := Resource{Pos: Pos{p.Pos}, Name: p.Name, Type: string(p.Type.V), Dated: p.LastModified.V != "", Hashed: p.Computed()}
	for _, name := range p.Key.V {
		r.Key = append(r.Key, Param{Name: name, Field: GoName(name)})
	}
	nameResource(&r)
	return r
}

// precondition resolves an x-etag policy of an operation.
func precondition(p *policy.ETag, o Operation, errs *diag.List) *Precondition {
	if p == nil {
		return nil
	}
	pre := &Precondition{
		Resource: p.Resource.V, Role: string(p.Role.V), Wildcard: string(p.Wildcard.V), Tags: string(p.Tags.V),
		WeakIfMatch: string(p.WeakIfMatch.V), Malformed: string(p.Malformed.V), Missing: string(p.Missing.V),
		Strength: string(p.Strength.V), LastModified: p.LastModified.V != "", NotModified: p.NotModified.V,
		Precheck: p.Precheck.V, StripSuffixes: p.StripSuffixes.V, Variants: p.Variants.V, Encoding: string(p.Encoding.V),
		IgnoreUnsupported: p.Unsupported.V == policy.UnsupportedIgnore, ExposeCurrent: p.ExposeCurrent.V,
		Keyed: hasAll(o.PathParams, p.Key.V), AppliedMarker: p.AppliedMarker.V && p.Role.V != policy.RoleRead,
		Swap:        p.Driver.V == policy.DriverCAS,
		EqualStored: p.AlreadyApplied.V == policy.AlreadyAppliedEqualRepresentation && o.Method == http.MethodPut && p.Role.V != policy.RoleCreate,
	}
	if o.Method == http.MethodPut {
		pre.PutETag = string(p.PutETag.V)
	}
	for _, f := range p.Require.V {
		pre.Require = append(pre.Require, string(f))
	}
	checkStatuses(o, errs)
	pre.Collection = p.Role.V == policy.RoleCreate && !pre.Keyed
	pre.Expect = expect(p, pre.Collection)
	return pre
}

// expect chooses the form of an operation's expectation. The runtime chooses by
// the same rules.
func expect(p *policy.ETag, collection bool) string {
	role := p.Role.V
	only := func(f policy.Field) bool { return len(p.Require.V) == 1 && p.Require.V[0] == f }
	switch {
	case role == policy.RoleRead, collection:
		return ""
	case role == policy.RoleCreate, role == policy.RoleUpsert && only(policy.IfNoneMatch):
		return ExpectAbsent
	case role == policy.RoleUpsert && len(p.Require.V) == 0:
		return ExpectMaybeMatchOrAbsent
	case role == policy.RoleUpsert && !only(policy.IfMatch):
		return ExpectMatchOrAbsent
	case len(p.Require.V) == 0:
		return ExpectMaybeMatch
	case only(policy.IfUnmodifiedSince):
		return ExpectUnmodified
	}
	return ExpectMatch
}

// checkStatuses reports success statuses that have no constructor.
func checkStatuses(o Operation, errs *diag.List) {
	for _, r := range o.Responses {
		if r.Status == "2XX" {
			errs.Add(o.Pos.Pos, diag.RuleRole, "declare each status that the operation answers, such as '200'",
				"%s has x-etag and declares 2XX: each success status must be declared, because its constructor carries the version", o.ID)
		}
	}
}

// hasAll reports whether every name is a path parameter.
func hasAll(params []Param, names []string) bool {
	for _, name := range names {
		if !slices.ContainsFunc(params, func(p Param) bool { return p.Name == name }) {
			return false
		}
	}
	return true
}

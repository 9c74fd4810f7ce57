package policy

import (
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
)

// checkDefinition applies the rules between the members that define a resource.
func (r *reader) checkDefinition(res *resource) {
	d := res.users[0].policy
	fault := func(at diag.Pos, fix, format string, args ...any) {
		r.list.Add(at, diag.RuleVersionField, fix, format, args...)
	}
	if d.Strategy.V == StrategyHandler && d.Field.Set() {
		fault(d.Field.From.Pos, "remove field", "x-etag.field of resource %s: with strategy handler the handler says the version, no member does", res.Name)
	}
	if d.Type.Set() && (d.Type.V == TypeTimestamp) != (d.Strategy.V == StrategyUpdatedAt) && d.Strategy.V != StrategyHandler {
		fault(d.Type.From.Pos, "remove type", "x-etag.type of resource %s: %s and strategy %s contradict each other", res.Name, d.Type.V, d.Strategy.V)
	}
	if len(d.Variants.V) > 0 && d.Encoding.V == EncodingPlain && d.Type.V == TypeTimestamp {
		fault(d.Variants.From.Pos, "encoding: opaque", "x-etag.variants of resource %s: a plain timestamp has a dot, which parts version and variant", res.Name)
	}
	if d.Computed() {
		r.checkComputed(res)
	}
}

// checkComputed reports what a resource without versions cannot do.
func (r *reader) checkComputed(res *resource) {
	for _, t := range res.users {
		d := &t.policy.Definition
		switch {
		case t.op.Method == "HEAD":
			r.list.Add(t.annotation(), diag.RuleRole, "remove the HEAD: net/http answers it with the GET",
				"%s reads resource %s, whose tags are hashes of what is sent, and sends nothing", t.name(), res.Name)
		case !t.reads():
			r.list.Add(t.annotation(), diag.RuleRequire, t.off(),
				"%s writes resource %s, whose tags are hashes of what is read: nothing can compare them in the write; give it a stored hash with field", t.name(), res.Name)
		case d.AppliedMarker.V:
			r.list.Add(d.AppliedMarker.From.Pos, diag.RuleRequire, "appliedMarker: false", "x-etag.appliedMarker of resource %s: its tags are hashes of what is read, and no row has them", res.Name)
		}
	}
}

// checkMembers applies the rules about one operation.
func (r *reader) checkMembers(t *tagged) {
	p := t.policy
	if p.Strength.V == StrengthWeak && p.WeakIfMatch.V != VerdictAccept && slices.Contains(p.Require.V, IfMatch) {
		r.list.Add(p.Strength.From.Pos, diag.RuleRequire, "weakIfMatch: accept",
			"x-etag.strength: weak of resource %s: If-Match compares strongly, so what demands it could never be written", t.resource)
	}
	if v, ok := t.etag.settings["alreadyApplied"]; ok && t.op.Method != "PUT" && p.AlreadyApplied.V != AlreadyAppliedOff {
		r.list.Add(v.from.Pos, diag.RulePlace, "alreadyApplied: off",
			"x-etag.alreadyApplied on %s: only the body of a PUT is the representation that it leads to (RFC 9110 §13.1.1)", t.name())
	}
	if v, ok := t.etag.settings["putEtag"]; ok && t.op.Method != "PUT" && p.PutETag.V != PutETagAlways {
		r.list.Add(v.from.Pos, diag.RulePlace, "putEtag: always", "x-etag.putEtag on %s is about PUT", t.name())
	}
}

// driver decides who performs the comparison of a write. Only what changes
// something that is there can be loaded, changed and stored.
func (r *reader) driver(t *tagged, p *ETag) {
	if p.Driver.V != DriverCAS || t.role == RoleUpdate || t.role == RoleAction {
		return
	}
	if v, ok := t.etag.settings["driver"]; ok {
		r.list.Add(v.from.Pos, diag.RuleRole, "driver: update", "x-etag.driver of %s: cas changes what is there, and the role is %s", t.name(), t.role)
	}
	p.Driver = Value[Driver]{V: DriverUpdate}
}

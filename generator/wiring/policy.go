package wiring

import (
	"fmt"
	"time"

	"github.com/dave/jennifer/jen"

	"github.com/idemgen/idemgen/generator/plan"
)

// policies writes the policy literal of every operation.
func (w *writer) policies() {
	var defs []jen.Code
	for i := range w.operations {
		o := w.operations[i].Operation
		defs = append(defs, jen.Id(policyVar(o)).Op("=").Qual(runtimePath, "Operation").Add(operationLiteral(o)))
	}
	w.file.Comment("// The policies of the operations.")
	w.file.Var().Defs(defs...)
	w.file.Line()
}

func policyVar(o *plan.Operation) string { return "op" + o.Name }

func operationLiteral(o *plan.Operation) jen.Code {
	var l literal
	l.lit("ID", o.ID).lit("Method", o.Method).lit("Path", o.Path).lit("Pattern", o.Pattern).end()
	if len(o.Security) > 0 {
		l.add("Security", security(o.Security), "").end()
	}
	if o.Idempotency != nil {
		l.nested("Idempotency", jen.Op("&").Qual(runtimePath, "Idempotency"), idempotency(o.Idempotency))
	}
	if o.Precondition != nil {
		l.nested("Precondition", jen.Op("&").Qual(runtimePath, "Precondition"), precondition(o.Precondition))
	}
	l.strings("OwnPreconditions", o.OwnPreconditions).flag("IgnorePreconditions", o.IgnorePreconditions)
	return l.block()
}

func security(alternatives []plan.Security) jen.Code {
	var list []jen.Code
	for _, a := range alternatives {
		var schemes []jen.Code
		for _, name := range sorted(a) {
			scopes := jen.Values()
			if len(a[name]) > 0 {
				scopes = values(a[name])
			}
			schemes = append(schemes, jen.Lit(name).Op(":").Add(scopes))
		}
		list = append(list, jen.Values(schemes...))
	}
	return jen.Index().Qual(runtimePath, "Security").Values(list...)
}

func idempotency(p *plan.Idempotency) *literal {
	var l literal
	l.add("Required", jen.Lit(p.Required), "true").strings("Scope", p.Scope).
		duration("TTL", p.TTL).duration("Lease", p.Lease).end()
	l.nested("Key", jen.Qual(runtimePath, "KeyPolicy"), key(p.Key))
	l.nested("Fingerprint", jen.Qual(runtimePath, "FingerprintPolicy"), fingerprint(p.Fingerprint))
	l.nested("Replay", jen.Qual(runtimePath, "ReplayPolicy"), replay(p.Replay))
	if !isDefaultRecord(p.Record) {
		l.strings("Record", p.Record)
	}
	l.number("MismatchStatus", int64(p.MismatchStatus), 409).
		choice("Concurrency", p.Concurrency, map[string]string{"wait": "ConcurrencyWait"})
	if p.Concurrency == "wait" {
		l.duration("MaxWait", p.MaxWait)
	}
	if p.RetryAfter != plan.Duration(time.Second) {
		l.duration("RetryAfter", p.RetryAfter)
	}
	return l.choice("Mode", p.Mode, map[string]string{"tx": "ModeTx", "lease": "ModeLease"}).
		flag("NoHeartbeat", !p.Heartbeat).
		choice("OnCrash", p.OnCrash, map[string]string{"hold": "OnCrashHold"}).
		choice("OnStoreError", p.OnStoreError, map[string]string{"run": "OnStoreErrorRun"}).
		choice("Rollout", p.Rollout, map[string]string{"observe": "RolloutObserve", "off": "RolloutOff"}).
		text("Store", p.Store, "").text("DocsURL", p.DocsURL, "")
}

func key(p plan.Key) *literal {
	var l literal
	if p.Body == "" {
		l.text("Header", p.Header, "Idempotency-Key")
	}
	return l.strings("Aliases", p.Aliases).text("Body", p.Body, "").flag("Strict", p.Strict).
		number("MinLength", int64(p.MinLength), 1).number("MaxLength", int64(p.MaxLength), 255).
		text("Pattern", p.Pattern, "")
}

func fingerprint(p plan.Fingerprint) *literal {
	var l literal
	return l.choice("Mode", p.Mode, map[string]string{
		"json": "FingerprintJSON", "raw": "FingerprintRaw", "multipart": "FingerprintMultipart",
		"form": "FingerprintForm", "none": "FingerprintNone",
	}).strings("Include", p.Include).strings("Exclude", p.Exclude).strings("Headers", p.Headers).
		flag("IgnoreQuery", !p.Query).number("MaxBody", p.MaxBody, 1<<20)
}

func replay(p plan.Replay) *literal {
	var l literal
	return l.flag("OK", p.Status == "200").strings("Headers", p.Headers).text("Marker", p.Marker, "Idempotent-Replayed").
		flag("ExpiresHeader", p.ExpiresHeader).flag("NoBody", p.Body == "none").flag("Reference", p.Body == "reference").
		flag("Encrypt", p.Encrypt).number("MaxResponse", p.MaxResponse, 1<<20)
}

func isDefaultRecord(statuses []string) bool {
	return len(statuses) == 3 && statuses[0] == "2XX" && statuses[1] == "3XX" && statuses[2] == "4XX"
}

func precondition(p *plan.Precondition) *literal {
	var l literal
	return l.lit("Resource", p.Resource).lit("ReadPath", p.ReadPath).flag("Collection", p.Collection).
		flag("AppliedMarker", p.AppliedMarker).flag("EqualRepresentation", p.EqualStored).
		flag("Opaque", p.Encoding == "opaque").strings("VaryBy", p.Variants).
		choice("PutETag", p.PutETag, map[string]string{"verbatim": "PutETagVerbatim", "never": "PutETagNever"}).
		add("Policy", jen.Qual(etagPath, "Policy").Add(etagPolicy(p).code(40)), "")
}

func etagPolicy(p *plan.Precondition) *literal {
	var policy literal
	policy.etag("Role", roles[p.Role])
	if len(p.Require) > 0 {
		var require []jen.Code
		for _, f := range p.Require {
			require = append(require, jen.Qual(etagPath, fields[f]))
		}
		policy.add("Require", jen.Index().Qual(etagPath, "Field").Values(require...), fmt.Sprintf("[]etag.Field{etag.%q}", p.Require))
	}
	policy.flag("RejectWildcard", p.Wildcard == "reject").flag("OneTag", p.Tags == "one").
		flag("AcceptWeak", p.WeakIfMatch == "accept").flag("MalformedRFC", p.Malformed == "rfc").
		etag("Missing", missing[p.Missing]).flag("Weak", p.Strength == "weak").
		flag("LastModified", p.LastModified).flag("NoNotModified", !p.NotModified).flag("NoPrecheck", !p.Precheck).
		strings("StripSuffixes", p.StripSuffixes).flag("Variants", len(p.Variants) > 0).
		flag("IgnoreUnsupported", p.IgnoreUnsupported).flag("ExposeCurrent", p.ExposeCurrent)
	return &policy
}

// Names of package etag by the annotation's values; an empty one is the default.
var (
	roles = map[string]string{
		"read": "RoleRead", "update": "RoleUpdate", "upsert": "RoleUpsert",
		"create": "RoleCreate", "delete": "RoleDelete", "action": "RoleAction",
	}
	fields  = map[string]string{"ifMatch": "IfMatch", "ifNoneMatch": "IfNoneMatch", "ifUnmodifiedSince": "IfUnmodifiedSince"}
	missing = map[string]string{"notFound": "MissingNotFound", "preconditionFailed": "MissingPreconditionFailed"}
)

package policy

import "time"

// idempotencyTable is x-idempotency: the one list that decoding, documentation
// and JSON Schema share. apply is read apart, because only the root has it.
var idempotencyTable = table[Idempotency]{"x-idempotency", []member[Idempotency]{
	field("required", boolean, true, func(p *Idempotency) *Value[bool] { return &p.Required },
		"A request without a key is answered with 400 key-missing."),
	field("profile", oneOf(ProfileDefault, ProfileIETF, ProfileStripe), ProfileDefault, func(p *Idempotency) *Value[Profile] { return &p.Profile },
		"Preset of mismatchStatus, key.syntax, replay.marker and record.statuses."),
	field("public", boolean, false, func(p *Idempotency) *Value[bool] { return &p.Public },
		"The operation has no caller to tell apart: scope becomes [operation]."),
	field("key.header", text("field name", "Idempotency-Key", keyField), "Idempotency-Key", func(p *Idempotency) *Value[string] { return &p.Key.Header },
		"Header field that carries the key."),
	field("key.aliases", list(text("field name", "X-Idempotency-Key", keyField)), nil, func(p *Idempotency) *Value[[]string] { return &p.Key.Aliases },
		"Further field names; a request may send several if their values are equal."),
	field("key.source", text("string", "body:/requestId", keySource), "header", func(p *Idempotency) *Value[string] { return &p.Key.Source },
		"header, or body:<JSON pointer> of a string member of the request body."),
	field("key.syntax", oneOf(SyntaxLax, SyntaxStrict), SyntaxLax, func(p *Idempotency) *Value[Syntax] { return &p.Key.Syntax },
		"strict takes only the quoted string of RFC 9651; lax also takes a bare token."),
	field("key.minLength", integer(1, 255), 1, func(p *Idempotency) *Value[int] { return &p.Key.MinLength },
		"Least number of octets after decoding."),
	field("key.maxLength", integer(1, 255), 255, func(p *Idempotency) *Value[int] { return &p.Key.MaxLength },
		"Greatest number of octets after decoding."),
	field("key.pattern", text("RE2 pattern", "'[0-9a-f-]{36}'", re2), "", func(p *Idempotency) *Value[string] { return &p.Key.Pattern },
		"RE2 pattern, anchored at both ends."),
	field("scope", list(text("label", "tenant", scopeLabel)), []string{"tenant", "operation"}, func(p *Idempotency) *Value[[]string] { return &p.Scope },
		"What parts equal keys: tenant, principal, operation, path, ctx:<name>."),
	field("fingerprint.mode", oneOf(FingerprintAuto, FingerprintJSON, FingerprintRaw, FingerprintMultipart, FingerprintForm, FingerprintNone), FingerprintAuto,
		func(p *Idempotency) *Value[FingerprintMode] { return &p.Fingerprint.Mode },
		"How the body enters the fingerprint."),
	field("fingerprint.include", list(text("JSON pointer", "/amount", pointer)), nil, func(p *Idempotency) *Value[[]string] { return &p.Fingerprint.Include },
		"Only these members of a JSON body count."),
	field("fingerprint.exclude", list(text("JSON pointer", "/sentAt", pointer)), nil, func(p *Idempotency) *Value[[]string] { return &p.Fingerprint.Exclude },
		"These members of a JSON body do not count."),
	field("fingerprint.headers", list(text("field name", "X-Api-Version", fingerprintField)), nil, func(p *Idempotency) *Value[[]string] { return &p.Fingerprint.Headers },
		"Further fields of the request that count."),
	field("fingerprint.query", boolean, true, func(p *Idempotency) *Value[bool] { return &p.Fingerprint.Query },
		"The query counts."),
	field("fingerprint.maxBody", size(1, 64<<20), 1<<20, func(p *Idempotency) *Value[int64] { return &p.Fingerprint.MaxBody },
		"A larger request body is answered with 413."),
	field("mismatchStatus", integerOf(409, 422, 400), 409, func(p *Idempotency) *Value[int] { return &p.MismatchStatus },
		"Status of key-reused: one key, two different requests."),
	field("concurrency", oneOf(ConcurrencyReject, ConcurrencyWait), ConcurrencyReject, func(p *Idempotency) *Value[Concurrency] { return &p.Concurrency },
		"A duplicate of a running request is refused, or waits up to maxWait."),
	field("maxWait", duration(0, 30*time.Second), 2*time.Second, func(p *Idempotency) *Value[time.Duration] { return &p.MaxWait },
		"Longest wait; Prefer: wait=n can only lower it."),
	field("retryAfter", duration(time.Second, time.Minute), time.Second, func(p *Idempotency) *Value[time.Duration] { return &p.RetryAfter },
		"Retry-After of in-flight, at most the rest of the lease."),
	field("ttl", duration(time.Minute, 720*time.Hour), 24*time.Hour, func(p *Idempotency) *Value[time.Duration] { return &p.TTL },
		"How long an answer replays, from its completion."),
	field("mode", oneOf(ModeAuto, ModeTx, ModeLease), ModeAuto, func(p *Idempotency) *Value[Mode] { return &p.Mode },
		"One commit (tx) or separate ones (lease); auto is tx when the store can."),
	field("lease", duration(time.Second, time.Hour), 30*time.Second, func(p *Idempotency) *Value[time.Duration] { return &p.Lease },
		"How long a claim holds without a heartbeat; less than ttl."),
	field("heartbeat", boolean, true, func(p *Idempotency) *Value[bool] { return &p.Heartbeat },
		"Renew the lease each third of it."),
	field("onCrash", oneOf(OnCrashRerun, OnCrashHold), OnCrashRerun, func(p *Idempotency) *Value[OnCrash] { return &p.OnCrash },
		"A lapsed lease means run again, or hold for an operator."),
	field("onStoreError", oneOf(OnStoreErrorReject, OnStoreErrorRun), OnStoreErrorReject, func(p *Idempotency) *Value[OnStoreError] { return &p.OnStoreError },
		"503, or run unprotected."),
	field("record.statuses", list(status), []string{"2XX", "3XX", "4XX"}, func(p *Idempotency) *Value[[]string] { return &p.Record.Statuses },
		"Answers that are stored: classes or exact codes."),
	field("replay.status", oneOf(ReplayOriginal, Replay200), ReplayOriginal, func(p *Idempotency) *Value[ReplayStatus] { return &p.Replay.Status },
		"Status of a replay; 200 changes recorded 2xx only."),
	field("replay.headers", list(text("field name", "X-Example", replayField)), nil, func(p *Idempotency) *Value[[]string] { return &p.Replay.Headers },
		"Fields added to those that are replayed."),
	field("replay.marker", text("field name", "Idempotent-Replayed", fieldName), "Idempotent-Replayed", func(p *Idempotency) *Value[string] { return &p.Replay.Marker },
		"Field that marks a replay."),
	field("replay.expiresHeader", boolean, false, func(p *Idempotency) *Value[bool] { return &p.Replay.ExpiresHeader },
		"Replays carry Idempotency-Expires."),
	field("replay.body", oneOf(ReplayStore, ReplayNone, ReplayReference), ReplayStore, func(p *Idempotency) *Value[ReplayBody] { return &p.Replay.Body },
		"Stored body, none, or a fresh rendering of what Location names."),
	field("replay.maxResponse", size(1, 64<<20), 1<<20, func(p *Idempotency) *Value[int64] { return &p.Replay.MaxResponse },
		"A larger answer is recorded without its body."),
	field("replay.encrypt", boolean, false, func(p *Idempotency) *Value[bool] { return &p.Replay.Encrypt },
		"The stored answer is sealed."),
	field("rollout", oneOf(RolloutEnforce, RolloutObserve, RolloutOff), RolloutEnforce, func(p *Idempotency) *Value[Rollout] { return &p.Rollout },
		"observe only counts and changes no answer."),
	field("store", text("name", "default", anyName), "default", func(p *Idempotency) *Value[string] { return &p.Store },
		"Name of the store."),
	field("docs.url", text("URL", "https://api.example/docs/keys", webPage), "", func(p *Idempotency) *Value[string] { return &p.Docs.URL },
		"Page that the Link field of key problems names."),
}}

// presets are the values that a profile gives instead of the defaults.
var presets = map[Profile]func(*Idempotency, Origin){
	ProfileIETF: func(p *Idempotency, from Origin) {
		p.MismatchStatus = Value[int]{422, from}
		p.Key.Syntax = Value[Syntax]{SyntaxStrict, from}
		p.Replay.Marker = Value[string]{"Idempotency-Replayed", from}
	},
	ProfileStripe: func(p *Idempotency, from Origin) {
		p.MismatchStatus = Value[int]{400, from}
		p.Record.Statuses = Value[[]string]{[]string{"2XX", "3XX", "4XX", "5XX"}, from}
	},
}

// IdempotencyMembers returns the members of x-idempotency in the order of the
// documentation.
func IdempotencyMembers() []Member {
	apply := Member{
		Name: "apply", Type: "list of method", Default: "[]", Limits: "post, put, patch, delete",
		Doc: "At the root only: methods whose operations x-idempotency is switched on for.",
	}
	return append([]Member{apply}, membersOf(idempotencyTable)...)
}

func membersOf[P any](t table[P]) []Member {
	all := make([]Member, len(t.members))
	for i, m := range t.members {
		all[i] = m.Member
	}
	return all
}

package lint

import (
	"slices"

	"github.com/idemgen/idemgen/generator/diag"
)

// table is the one list of rules, ascending.
var table = slices.Concat(keyRules, tagRules, ignoreRules)

var keyRules = []Rule{
	{
		ID: RuleUndecidedRetry, Severity: diag.Warning,
		Title: "a POST or PATCH has no policy: nobody decided what a retry does",
		Why: `POST and PATCH are not idempotent (RFC 9110 §9.2.2). A client that loses the answer can only guess: repeat the request
and perhaps perform it twice, or give up and perhaps lose it.`,
		Fix: "Write `x-idempotency: required`, or `optional` while old clients are still around. Where a repetition does no harm,\n" +
			"write `x-idempotency: exempt` with a comment that says why; the rule is quiet then. `x-etag` decides it as well. Where\n" +
			"IDM103, IDM114, IDM120 or IDM122 knows what to write, the rule leaves it to them.",
		Bad: `/pets:
  post:
    responses: {'201': {description: Created}}
`,
		Good: `/pets:
  post:
    x-idempotency: required
    responses: {'201': {description: Created}, '400': {description: Key missing}, '409': {description: Conflict}}
/searches:
  post:
    x-idempotency: exempt # a search changes nothing
    responses: {'200': {description: Found}}
`,
		check: undecidedRetry, spectral: undecided("post", "patch"),
	},
	{
		ID: RuleUndecidedOverwrite, Severity: diag.Info,
		Title: "a PUT or DELETE has no policy: the last writer wins",
		Why: `PUT and DELETE may be repeated safely, but they overwrite what somebody else wrote in between: a lost update. A
repeated DELETE also answers 404 to a client whose first request succeeded.`,
		Fix: "Write `x-etag` as the finding has it, so that a write names the version that it replaces, or `x-idempotency`, so that\n" +
			"a retry gets the first answer; `x-idempotency: exempt` where the last writer may win. Where IDM103, IDM114, IDM120 or\n" +
			"IDM122 knows what to write, the rule leaves it to them.",
		Bad: `/flags/{name}:
  parameters: [{name: name, in: path, required: true, schema: {type: string}}]
  delete:
    responses: {'204': {description: Gone}}
`,
		Good: `/flags/{name}:
  parameters: [{name: name, in: path, required: true, schema: {type: string}}]
  delete:
    x-idempotency: exempt # a flag has one owner
    responses: {'204': {description: Gone}}
`,
		check: undecidedOverwrite, spectral: undecided("put", "delete"),
	},
	{
		ID: RuleStreaming, Severity: diag.Warning,
		Title: "an unsafe operation answers with a stream, which cannot be replayed, and is not exempt",
		Why: `A stream has no end that could be recorded, so x-idempotency is refused on it (IDM027). Without a decision a reader of
the document cannot tell an operation that is safe to repeat from one that was forgotten.`,
		Fix: "Write `x-idempotency: exempt`. Where the call starts something that must not start twice, make two operations of it: a\n" +
			"keyed POST that creates, and a GET that streams.",
		Bad: `/chats:
  post:
    responses: {'200': {description: Words, content: {text/event-stream: {}}}}
`,
		Good: `/chats:
  post:
    x-idempotency: exempt # nothing is stored
    responses: {'200': {description: Words, content: {text/event-stream: {}}}}
`,
		check: streamingUndecided, spectral: spectralStreaming,
	},
	{
		ID: RuleTenant, Severity: diag.Warning,
		Title: "the scope of a key has no tenant, although callers authenticate",
		Why: `A key belongs to whoever made it. Without the tenant in the scope, two tenants that send the same key share one record:
the second one gets the first one's answer, or a conflict that it did not cause. A principal separates users, but not
one user who acts for two tenants.`,
		Fix: "Write `scope: [tenant, operation]`, the default. An API without tenants resolves a constant one, or suppresses the rule\n" +
			"with that reason.",
		Bad: `/pets:
  post:
    x-idempotency: {scope: [principal, operation]}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		Good: `/pets:
  post:
    x-idempotency: {scope: [tenant, principal, operation]}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		check: scopeWithoutTenant, spectral: spectralTenant,
	},
	{
		ID: RuleLongTTL, Severity: diag.Warning,
		Title: "answers are kept for more than 72 hours",
		Why: `Retries come within seconds, from a queue within hours. A key that is remembered for weeks fills the store, keeps
personal data of recorded answers, and turns an innocent reuse of a key into a conflict.`,
		Fix: "Write `ttl: 24h`, or as long as the slowest client retries. What has to be unique for ever is a constraint of the\n" +
			"business data, not a key.",
		Bad: `/pets:
  post:
    x-idempotency: {ttl: 168h}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		Good: `/pets:
  post:
    x-idempotency: {ttl: 72h}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		check: longTTL, spectral: spectralTTL,
	},
	{
		ID: RuleShortTTL, Severity: diag.Warning,
		Title: "answers are forgotten before the last retry that the document announces",
		Why: "A retry after `ttl` is a new request: it is performed again. The document announces how long clients retry with\n" +
			"`x-idemgen-retry-window` (a duration; at the root, a path item or an operation), or to Speakeasy's SDKs with\n" +
			"`x-speakeasy-retries` (`backoff.maxElapsedTime`, milliseconds).",
		Fix: "Make `ttl` longer than the window, or the window shorter.",
		Bad: `/pets:
  post:
    x-idempotency: {ttl: 1h}
    x-idemgen-retry-window: 6h
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		Good: `/pets:
  post:
    x-idempotency: {ttl: 12h}
    x-idemgen-retry-window: 6h
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		check: shortTTL,
	},
	{
		ID: RuleFingerprint, Severity: diag.Warning,
		Title: "fingerprint.mode: none replays an answer to a different request",
		Why: `With mode none the body does not count. A client that reuses a key for another body, by a bug or a collision, is told
that the second request succeeded, with the answer of the first; it was never performed.`,
		Fix: "Remove `mode: none`. If only parts of a body differ between honest retries, name them: `fingerprint: {exclude: [/sentAt]}`.",
		Bad: `/pets:
  post:
    x-idempotency: {fingerprint: {mode: none}}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		Good: `/pets:
  post:
    x-idempotency: {fingerprint: {exclude: [/sentAt]}}
    responses: {'201': {description: Created}, default: {description: Error}}
`,
		check: noFingerprint, spectral: spectralFingerprint,
	},
	{
		ID: RuleKeyHeader, Severity: diag.Warning,
		Title: "a declared Idempotency-Key is not honoured",
		Why: `A client that reads the parameter believes that it may retry. Nothing looks at the key, so the retry is performed again.
The rule knows Idempotency-Key, X-Idempotency-Key and the fields that the document itself uses for keys. It never takes
a correlation id such as X-Request-ID for one: those are new in every attempt.`,
		Fix: "Write `x-idempotency: required` or `optional`; where the key has another name, `x-idempotency: {key: {header: …}}`.\n" +
			"Remove the parameter from reads. If the handler honours the key itself, write `x-idempotency: exempt`.",
		Bad: `/pets:
  put:
    parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}}
`,
		Good: `/pets:
  put:
    x-idempotency: optional
    parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}, default: {description: Error}}
`,
		check: keyHeaderIgnored, spectral: spectralKeyHeader,
	},
	{
		ID: RuleSecret, Severity: diag.Warning,
		Title: "a recorded answer contains a secret",
		Why: `The answer to a keyed request is stored, for as long as it may be replayed. A token or password in it lies in the store
in plain text, in its backups too, and whoever sends the key again gets it. The rule goes by the names of members
(password, secret, token, apiKey, privateKey and the like, not nextPageToken) and by format: password.`,
		Fix: "Write `replay: {encrypt: true}` and give the runtime a Sealer, or `replay: {body: none}`, or `replay: {body: reference}`,\n" +
			"which renders the present state anew.",
		Bad: `/api-keys:
  post:
    x-idempotency: required
    responses:
      '201':
        description: Created
        content:
          application/json: {schema: {type: object, properties: {apiKey: {type: string}}}}
      default: {description: Error}
`,
		Good: `/api-keys:
  post:
    x-idempotency: {replay: {encrypt: true}}
    responses:
      '201':
        description: Created
        content:
          application/json: {schema: {type: object, properties: {apiKey: {type: string}}}}
      default: {description: Error}
`,
		check: secretRecorded,
	},
}

var tagRules = []Rule{
	{
		ID: RulePrecondition, Severity: diag.Warning,
		Title: "a declared precondition is left to the handler",
		Why: `Without x-etag nothing compares the tag with what the write replaces. The handler has to parse lists, weak tags and * by
itself, and to put the version into the statement that writes; a comparison before the write leaves a gap.`,
		Fix: "Write `x-etag: true` at the path item: the operation gets a typed expectation. The parameter may stay.",
		Bad: `/pets/{id}:
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet, headers: {ETag: {schema: {type: string}}}}}
  put:
    x-idempotency: exempt
    parameters: [{name: If-Match, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}}
`,
		Good: `/pets/{id}:
  x-etag: true
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  put:
    parameters: [{name: If-Match, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}, default: {description: Error}}
`,
		check: preconditionUnchecked, spectral: spectralPrecondition,
	},
	{
		ID: RuleGuardWithoutTag, Severity: diag.Warning,
		Title: "a write takes If-Match, and no read answers with an ETag",
		Why: `A client can only send back a tag that it was given. Without one it invents a value or leaves the field out, and the
precondition protects nobody. With x-etag this is an error already (IDM030).`,
		Fix: "Write `x-etag: true` at the path item that has the GET, or declare the ETag header in its 200.",
		Bad: `/pets/{id}:
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet}}
  put:
    x-idempotency: exempt
    parameters: [{name: If-Match, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}}
`,
		Good: `/pets/{id}:
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet, headers: {ETag: {schema: {type: string}}}}}
  put:
    x-idempotency: exempt
    parameters: [{name: If-Match, in: header, schema: {type: string}}]
    responses: {'204': {description: Replaced}}
`,
		check: guardWithoutTag,
	},
	{
		ID: RuleTagWithoutGuard, Severity: diag.Warning,
		Title: "a write ignores or does not demand the ETag that its resource is read with",
		Why: `The GET hands out the tag with which a lost update could be recognized, and the write of the same path does not ask for
it. Two editors overwrite each other, although the API looks as if that could not happen.`,
		Fix: "Write `x-etag: true` at the path item, and leave `require` to its default. A tag that is meant for caches only is a\n" +
			"reason to suppress the rule.",
		Bad: `/pets/{id}:
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet, headers: {ETag: {schema: {type: string}}}}}
  put:
    x-idempotency: exempt
    responses: {'204': {description: Replaced}}
`,
		Good: `/pets/{id}:
  x-etag: true
  parameters: [{name: id, in: path, required: true, schema: {type: string}}]
  get:
    responses: {'200': {description: Pet, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}}
  put:
    responses: {'204': {description: Replaced}, default: {description: Error}}
`,
		check: tagWithoutGuard,
	},
	{
		ID: RuleStatus, Severity: diag.Info,
		Title: "a status that the policy answers is not declared",
		Why: `Clients are generated from the document. One that has never heard of 409, 412 or 428 turns them into an unknown error,
and cannot tell "wait and repeat" from "fetch again".`,
		Fix: "Give clients the document that `idemgen spec` writes, which declares them all; the rule is worth its place where they\n" +
			"read the source. There, declare the status, whose body is `application/problem+json` (docs/problems.md). `4XX` and\n" +
			"`default` count.",
		Bad: `/pets:
  post:
    x-idempotency: optional
    responses: {'201': {description: Created}}
`,
		Good: `/pets:
  post:
    x-idempotency: optional
    responses: {'201': {description: Created}, '409': {description: In flight or another request}}
`,
		check: undeclaredStatus, spectral: spectralStatus,
	},
}

var ignoreRules = []Rule{
	{
		ID: RuleBadIgnore, Severity: diag.Warning,
		Title: "x-idemgen-ignore has no reason, names no rule, or stands where nothing reads it",
		Why:   `A suppression without a reason is a finding that somebody hid. It suppresses nothing.`,
		Fix: "Write `x-idemgen-ignore: {IDM101: the gateway deduplicates}` at the root, a path item or an operation; a list of\n" +
			"`{rule: IDM101, reason: …}` does as well.",
		Bad: `/pets:
  post:
    x-idempotency: exempt
    x-idemgen-ignore: {IDM101: ''}
    responses: {'201': {description: Created}}
`,
		Good: `/pets:
  post:
    x-idemgen-ignore: {IDM101: the gateway in front recognizes repetitions}
    responses: {'201': {description: Created}}
`,
	},
	{
		ID: RuleIdleIgnore, Severity: diag.Warning,
		Title: "x-idemgen-ignore suppresses nothing",
		Why:   `What it excused has been repaired, or never happened. Left in place it would hide the next mistake of the kind.`,
		Fix:   "Remove it.",
		Bad: `/pets:
  post:
    x-idempotency: exempt
    x-idemgen-ignore: {IDM101: the gateway in front recognizes repetitions}
    responses: {'201': {description: Created}}
`,
		Good: `/pets:
  post:
    x-idemgen-ignore: {IDM101: the gateway in front recognizes repetitions}
    responses: {'201': {description: Created}}
`,
	},
}

package breaking

import (
	"fmt"
	"slices"

	"github.com/idemgen/idemgen/generator/policy"
)

// forgets is what happens when the stored key of a request is another one.
const forgets = "keys that are live in the deploy are forgotten: their retries have the effect again"

// rehashed is what happens when the fingerprint of a request is another one.
const rehashed = "honest retries across the deploy are answered with key-reused, for up to ttl"

// keys compares x-idempotency.
func (c *comparison) keys(then, now *policy.Operation) {
	was, is := then.Idempotency, now.Idempotency
	wasOn, isOn := enforced(was), enforced(is)
	switch {
	case !wasOn && !isOn:
		return
	case !wasOn:
		c.switchedOn(then, now)
		return
	case !isOn:
		c.switchedOff(then, now)
		return
	}
	if slices.Contains(was.Scope.V, "operation") && slices.Contains(is.Scope.V, "operation") && id(then) != id(now) {
		at := now.Op.Node.Get("operationId").Pos()
		if !at.IsValid() {
			at = now.Op.Pos
		}
		c.add(now, Change{Pos: at, Severity: Breaking, Member: "operationId", Old: id(then), New: id(now), Reason: "it is part of the stored key: " + forgets})
	}
	if (then.ETag == nil) != (now.ETag == nil) {
		at := now.Op.Pos
		switch {
		case now.ETag != nil:
			at = now.ETag.On.Pos
		case then.ETag != nil:
			at = then.ETag.On.Pos
		}
		c.add(now, Change{Pos: at, Severity: Risky, Member: "x-idempotency.fingerprint", Reason: "x-etag makes preconditions part of it: " + rehashed})
	}
	members(c, "x-idempotency", keyRules, was, is, (*policy.Idempotency).Members, now)
}

// enforced reports whether a policy changes answers.
func enforced(p *policy.Idempotency) bool {
	return p != nil && p.Rollout.V == policy.RolloutEnforce
}

func (c *comparison) switchedOn(then, now *policy.Operation) {
	is := now.Idempotency
	change := Change{Pos: is.On.Pos, Severity: Breaking, Member: "x-idempotency", New: "required", Reason: "requests without a key are answered with 400 key-missing"}
	if !is.Required.V {
		change.Severity, change.New = Note, "optional"
		change.Reason = "keys that were ignored are honoured: a key that a client reuses for another request is refused"
	}
	if then.Idempotency != nil {
		change.Pos = place(then.Idempotency.Rollout.From, is.Rollout.From, now)
		change.Member, change.Old, change.New = "x-idempotency.rollout", string(then.Idempotency.Rollout.V), "enforce"
	}
	c.add(now, change)
}

func (c *comparison) switchedOff(then, now *policy.Operation) {
	change := Change{
		Pos: then.Idempotency.On.Pos, Severity: Breaking, Member: "x-idempotency", Old: "on",
		Reason: "the key is ignored: a retry has its effect again",
	}
	if is := now.Idempotency; is != nil {
		change.Pos = place(then.Idempotency.Rollout.From, is.Rollout.From, now)
		change.Member, change.Old, change.New = "x-idempotency.rollout", "enforce", string(is.Rollout.V)
	}
	c.add(now, change)
}

// keyRules judge each member of x-idempotency. Nil: no client notices.
var keyRules = map[string]rule[policy.Idempotency]{
	"required": func(_, now *policy.Idempotency) verdict {
		if now.Required.V {
			return verdict{Breaking, "requests without a key are answered with 400 key-missing"}
		}
		return verdict{Note, "a client that forgets its key is no longer told, and its retries have the effect again"}
	},
	"profile": nil, // its members speak for it
	"public":  nil, // so does the scope
	"key.header": func(then, now *policy.Idempotency) verdict {
		if slices.Contains(now.Key.Aliases.V, then.Key.Header.V) {
			return verdict{Note, "the former field is an alias"}
		}
		return verdict{Breaking, lostField(now) + "; keep the former field in key.aliases"}
	},
	"key.aliases": func(then, now *policy.Idempotency) verdict {
		for _, name := range then.Key.Aliases.V {
			if name != now.Key.Header.V && !slices.Contains(now.Key.Aliases.V, name) {
				return verdict{Breaking, "a key in " + name + " is not seen: " + lostField(now)}
			}
		}
		return verdict{Note, "further fields carry the key"}
	},
	"key.source": func(_, now *policy.Idempotency) verdict {
		return verdict{Breaking, "keys in the former place are not seen: " + lostField(now)}
	},
	"key.syntax": func(_, now *policy.Idempotency) verdict {
		if now.Key.Syntax.V == policy.SyntaxStrict {
			return verdict{Breaking, "a key without quotes is answered with 400 key-invalid"}
		}
		return verdict{Note, "keys without quotes are accepted too"}
	},
	"key.minLength": func(then, now *policy.Idempotency) verdict {
		return narrower(now.Key.MinLength.V > then.Key.MinLength.V, "shorter keys")
	},
	"key.maxLength": func(then, now *policy.Idempotency) verdict {
		return narrower(now.Key.MaxLength.V < then.Key.MaxLength.V, "longer keys")
	},
	"key.pattern": func(_, now *policy.Idempotency) verdict {
		return narrower(now.Key.Pattern.V != "", "keys of another form")
	},
	"scope":               always[policy.Idempotency](Breaking, "it is part of the stored key: "+forgets),
	"fingerprint.mode":    always[policy.Idempotency](Risky, rehashed),
	"fingerprint.include": always[policy.Idempotency](Risky, rehashed),
	"fingerprint.exclude": always[policy.Idempotency](Risky, rehashed),
	"fingerprint.headers": always[policy.Idempotency](Risky, rehashed),
	"fingerprint.query":   always[policy.Idempotency](Risky, rehashed),
	"fingerprint.maxBody": func(then, now *policy.Idempotency) verdict {
		if now.Fingerprint.MaxBody.V < then.Fingerprint.MaxBody.V {
			return verdict{Breaking, "larger bodies are answered with 413"}
		}
		return verdict{Note, "larger bodies are accepted"}
	},
	"mismatchStatus": always[policy.Idempotency](Breaking, "key-reused has another status"),
	"concurrency": func(_, now *policy.Idempotency) verdict {
		if now.Concurrency.V == policy.ConcurrencyReject {
			return verdict{Risky, "a duplicate that waited for the answer is refused with 409 in-flight"}
		}
		return verdict{Note, "a duplicate waits before it is refused"}
	},
	"maxWait":    always[policy.Idempotency](Note, "a duplicate waits for another time"),
	"retryAfter": always[policy.Idempotency](Note, "a duplicate is told another wait"),
	"ttl": func(then, now *policy.Idempotency) verdict {
		if now.TTL.V < then.TTL.V {
			return verdict{Breaking, "a retry that comes later has its effect again"}
		}
		return verdict{Note, "answers replay for longer, and a key is taken for longer"}
	},
	"mode": func(_, now *policy.Idempotency) verdict {
		if now.Mode.V == policy.ModeLease {
			return verdict{Risky, "claim, writes and answer are separate commits: a crash between them can repeat the effect"}
		}
		return verdict{Note, "claim, writes and answer become one commit where the store can"}
	},
	"lease":     always[policy.Idempotency](Note, "a crash blocks a key for another time"),
	"heartbeat": always[policy.Idempotency](Note, "a run that outlives its lease is judged differently"),
	"onCrash": func(_, now *policy.Idempotency) verdict {
		if now.OnCrash.V == policy.OnCrashHold {
			return verdict{Risky, "a retry after a crash is answered with 409 outcome-unknown until an operator decides"}
		}
		return verdict{Risky, "a retry after a crash runs again, and may repeat the effect"}
	},
	"onStoreError": func(_, now *policy.Idempotency) verdict {
		if now.OnStoreError.V == policy.OnStoreErrorRun {
			return verdict{Risky, "without the store, requests run unprotected: a retry has its effect again"}
		}
		return verdict{Risky, "without the store, requests are answered with 503"}
	},
	"record.statuses": always[policy.Idempotency](Risky, "a retry after such an answer is executed where it was replayed, or the other way round"),
	"replay.status":   always[policy.Idempotency](Risky, "replays have another status"),
	"replay.headers": func(then, now *policy.Idempotency) verdict {
		for _, name := range then.Replay.Headers.V {
			if !slices.Contains(now.Replay.Headers.V, name) {
				return verdict{Risky, "replays have no " + name + ", unless a response declares it"}
			}
		}
		return verdict{Note, "replays have further fields"}
	},
	"replay.marker": always[policy.Idempotency](Risky, "clients that look for the former field take a replay for a first answer"),
	"replay.expiresHeader": func(_, now *policy.Idempotency) verdict {
		if now.Replay.ExpiresHeader.V {
			return verdict{Note, "replays tell when they expire"}
		}
		return verdict{Risky, "replays do not tell when they expire"}
	},
	"replay.body": func(_, now *policy.Idempotency) verdict {
		switch now.Replay.Body.V {
		case policy.ReplayNone:
			return verdict{Breaking, "replays have no body"}
		case policy.ReplayReference:
			return verdict{Risky, "replays show the present state instead of the first answer"}
		}
		return verdict{Note, "replays have the first answer's body"}
	},
	"replay.maxResponse": func(then, now *policy.Idempotency) verdict {
		if now.Replay.MaxResponse.V < then.Replay.MaxResponse.V {
			return verdict{Risky, "the retry after a larger answer gets 409 response-unavailable"}
		}
		return verdict{Note, "larger answers are replayed"}
	},
	"replay.encrypt": nil, // what is stored changes its form, not what is sent
	"rollout":        nil, // enforced in both
	"store":          always[policy.Idempotency](Breaking, "the other store knows no keys yet: "+forgets),
	"docs.url":       nil,
}

// lostField is what becomes of a key that is sent where nobody looks.
func lostField(now *policy.Idempotency) string {
	if now.Required.V {
		return "they are answered with 400 key-missing"
	}
	return "they are ignored, and a retry has its effect again"
}

func narrower(yes bool, what string) verdict {
	if yes {
		return verdict{Breaking, what + " are answered with 400 key-invalid"}
	}
	return verdict{Note, fmt.Sprintf("%s are accepted", what)}
}

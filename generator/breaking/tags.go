package breaking

import (
	"slices"

	"github.com/idemgen/idemgen/generator/policy"
)

// staleTags is what happens when the tag of an unchanged resource is another
// one.
const staleTags = "tags that clients hold match no more: their next write is answered with 412, their next read in full"

// tags compares x-etag, and what becomes of preconditions without it.
func (c *comparison) tags(then, now *policy.Operation) {
	c.lists(then, now)
	was, is := then.ETag, now.ETag
	switch {
	case was == nil && is == nil:
		c.unsupported(then, now)
		return
	case was == nil:
		change := Change{Pos: is.On.Pos, Severity: Note, Member: "x-etag", New: is.Resource.V, Reason: "preconditions are checked"}
		switch {
		case len(is.Require.V) > 0:
			change.Severity, change.Reason = Breaking, "requests without a precondition are answered with 428"
		case is.Role.V == policy.RoleRead:
			change.Reason = "answers carry an ETag, and If-None-Match is answered with 304"
		}
		c.add(now, change)
		return
	case is == nil:
		change := Change{Pos: was.On.Pos, Severity: Breaking, Member: "x-etag", Old: was.Resource.V}
		switch {
		case was.Role.V == policy.RoleRead:
			change.Reason = "answers carry no ETag: clients have nothing to send with their writes"
		case now.Unsupported.V == policy.UnsupportedIgnore:
			change.Reason = "If-Match is ignored: updates are lost"
		default:
			change.Reason = "If-Match is answered with 412, because nothing checks it"
		}
		c.add(now, change)
		return
	}
	members(c, "x-etag", tagRules, was, is, (*policy.ETag).Members, now)
}

// unsupported compares what happens to preconditions that nothing checks.
func (c *comparison) unsupported(then, now *policy.Operation) {
	if then.Unsupported.V == now.Unsupported.V || safe(now.Op.Method) {
		return
	}
	change := Change{
		Pos: place(then.Unsupported.From, now.Unsupported.From, now), Severity: Breaking, Member: "x-etag.unsupported",
		Old: string(then.Unsupported.V), New: string(now.Unsupported.V), Reason: "If-Match and If-None-Match, ignored before, are answered with 412",
	}
	if now.Unsupported.V == policy.UnsupportedIgnore {
		change.Severity, change.Reason = Risky, "If-Match is ignored: a client that relies on it loses updates"
	}
	c.add(now, change)
}

// lists compares whether the items of a list carry tags.
func (c *comparison) lists(then, now *policy.Operation) {
	was, is := then.Lists, now.Lists
	if (was.V == "") == (is.V == "") {
		return // another name in Go is no change
	}
	change := Change{
		Pos: place(was.From, is.From, now), Severity: Note, Member: "x-etag.listItems",
		Old: orNone(was.V), New: orNone(is.V), Reason: "the items of a list carry tags",
	}
	if is.V == "" {
		change.Severity, change.Reason = Risky, "the items of a list carry no tags"
	}
	c.add(now, change)
}

func safe(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE"}, method)
}

// tagRules judge each member of x-etag. Nil: no client notices.
var tagRules = map[string]rule[policy.ETag]{
	"resource": nil, // a name in Go; what it means are the other members
	"key":      nil, // the generated Current method's
	"strategy": always[policy.ETag](Risky, staleTags),
	"field":    always[policy.ETag](Risky, staleTags),
	"type":     always[policy.ETag](Risky, staleTags),
	"strength": always[policy.ETag](Risky, "If-Match compares strongly: "+staleTags),
	"encoding": always[policy.ETag](Risky, staleTags),
	"role":     always[policy.ETag](Breaking, "an absent resource and If-None-Match are answered differently"),
	"require": func(then, now *policy.ETag) verdict {
		switch {
		case len(now.Require.V) == 0:
			return verdict{Risky, "writes without a precondition are accepted: updates can be lost"}
		case len(then.Require.V) == 0:
			return verdict{Breaking, "requests without a precondition are answered with 428"}
		}
		for _, f := range then.Require.V {
			if !slices.Contains(now.Require.V, f) {
				return verdict{Breaking, string(f) + " alone is answered with 428"}
			}
		}
		return verdict{Note, "further preconditions are accepted"}
	},
	"wildcard": func(then, now *policy.ETag) verdict {
		if !then.Wildcard.Set() && !now.Wildcard.Set() {
			return verdict{} // it follows from require, which speaks for it
		}
		if now.Wildcard.V == policy.VerdictReject {
			return verdict{Breaking, "If-Match: * is answered with 428"}
		}
		return verdict{Risky, "If-Match: * is accepted: it protects from no lost update"}
	},
	"tags": func(_, now *policy.ETag) verdict {
		if now.Tags.V == policy.TagsOne {
			return verdict{Breaking, "a list of two tags is answered with 400"}
		}
		return verdict{Note, "lists of tags are accepted"}
	},
	"weakIfMatch": func(_, now *policy.ETag) verdict {
		if now.WeakIfMatch.V == policy.VerdictReject {
			return verdict{Breaking, "a tag that a proxy weakened is answered with 412"}
		}
		return verdict{Note, "tags that a proxy weakened are accepted"}
	},
	"malformed": func(_, now *policy.ETag) verdict {
		if now.Malformed.V == policy.MalformedReject {
			return verdict{Risky, "a malformed If-Match is answered with 400 instead of 412"}
		}
		return verdict{Risky, "a malformed If-Match is answered with 412 instead of 400"}
	},
	"missing": always[policy.ETag](Breaking, "If-Match on an absent resource has another status (404 or 412)"),
	"notModified": func(_, now *policy.ETag) verdict {
		if now.NotModified.V {
			return verdict{Risky, "If-None-Match is answered with 304"}
		}
		return verdict{Note, "If-None-Match is answered in full"}
	},
	"precheck": always[policy.ETag](Note, "a stale write and a malformed body are answered in another order"),
	"exposeCurrent": func(_, now *policy.ETag) verdict {
		if now.ExposeCurrent.V {
			return verdict{Note, "412 names the current tag"}
		}
		return verdict{Risky, "412 does not name the current tag"}
	},
	"unsupported": nil, // of operations without x-etag
	"variants":    always[policy.ETag](Risky, staleTags),
	"lastModified": func(_, now *policy.ETag) verdict {
		if now.LastModified.V == "" {
			return verdict{Breaking, "If-Unmodified-Since is ignored, and answers have no Last-Modified"}
		}
		return verdict{Note, "dates are compared, and answers have a Last-Modified"}
	},
	"appliedMarker": func(_, now *policy.ETag) verdict {
		if now.AppliedMarker.V {
			return verdict{Note, "a retry that meets its own success gets it"}
		}
		return verdict{Risky, "a retry that meets its own success gets 412 once the recorded answer is gone"}
	},
	"stripSuffixes": func(then, now *policy.ETag) verdict {
		for _, suffix := range then.StripSuffixes.V {
			if !slices.Contains(now.StripSuffixes.V, suffix) {
				return verdict{Risky, "a tag that a proxy gave the suffix " + suffix + " matches no more: reads are answered in full"}
			}
		}
		return verdict{Note, "tags that a proxy gave a suffix match"}
	},
	"putEtag": func(_, now *policy.ETag) verdict {
		if now.PutETag.V == policy.PutETagAlways {
			return verdict{Note, "the answer to every PUT carries an ETag"}
		}
		return verdict{Risky, "the answer to a PUT can lack its ETag: the next write needs a GET first"}
	},
	"alreadyApplied": func(_, now *policy.ETag) verdict {
		if now.AlreadyApplied.V == policy.AlreadyAppliedOff {
			return verdict{Risky, "a stale PUT of what is stored already gets 412"}
		}
		return verdict{Note, "a stale PUT of what is stored already succeeds"}
	},
	"listItems": nil, // compared with the list, which has no x-etag in force
	"driver":    nil, // how the handler compares, not what clients see
}

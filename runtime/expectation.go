package runtime

import (
	"context"
	"fmt"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

// Current reads the present version of the resource that a request is about,
// in the transaction of its context if there is one. It is made by [CurrentOf].
type Current func(ctx context.Context) (present, error)

// present is what a resource is now.
type present struct {
	exists bool
	opaque string // the version, as its codec writes it
	expect.Details
	known bool // it was looked at
}

// CurrentOf adapts a service's CurrentX method for one resource.
func CurrentOf[V any](codec etag.Codec[V], read func(context.Context) (etag.Current[V], error)) Current {
	return func(ctx context.Context) (present, error) {
		current, err := read(ctx)
		if err != nil || !current.Exists() {
			return present{known: true}, err
		}
		opaque, ok := codec.Format(current.Version())
		if !ok {
			return present{}, fmt.Errorf("idem: the current version %v cannot be expressed as an entity tag (RFC 9110 §8.8.3)", current.Version())
		}
		return present{exists: true, opaque: opaque, Details: expect.DetailsOf(current), known: true}, nil
	}
}

// argument is the form in which a handler gets its expectation.
type argument uint8

const (
	argNone               argument = iota // reads, and creations whose key is not known yet
	argMatch                              // guarded by If-Match
	argUnmodified                         // guarded by If-Unmodified-Since alone
	argAbsent                             // creates
	argMatchOrAbsent                      // upserts
	argMaybeMatch                         // demands no condition
	argMaybeMatchOrAbsent                 // upserts, and demands no condition
)

// argumentOf is the form for a policy; the generator chooses by the same rules.
func argumentOf(p *Precondition) argument {
	only := func(f etag.Field) bool { return len(p.Require) == 1 && p.Require[0] == f }
	switch {
	case p.Role == etag.RoleNone, p.Role == etag.RoleRead, p.Collection:
		return argNone
	case p.Role == etag.RoleCreate, p.Role == etag.RoleUpsert && only(etag.IfNoneMatch):
		return argAbsent
	case p.Role == etag.RoleUpsert && len(p.Require) == 0:
		return argMaybeMatchOrAbsent
	case p.Role == etag.RoleUpsert && !only(etag.IfMatch):
		return argMatchOrAbsent
	case len(p.Require) == 0:
		return argMaybeMatch
	case only(etag.IfUnmodifiedSince):
		return argUnmodified
	}
	return argMatch
}

// carries reports whether the argument can hold all that the request asks for.
// What it cannot hold is evaluated on the current version, and the argument
// holds that one.
func (n *run) carries() bool {
	c, arg := n.conditions, n.p.argument
	match, absent, dated := c.IfMatch.Present(), c.IfNoneMatch.Present(), n.dated()
	switch {
	case match && absent, absent && dated, absent && !c.IfNoneMatch.Any():
		return false
	case match:
		return arg != argAbsent && arg != argUnmodified
	case absent:
		return arg == argAbsent || arg == argMatchOrAbsent || arg == argMaybeMatchOrAbsent
	}
	return !dated || arg == argUnmodified
}

// dated reports whether the request has a date that counts.
func (n *run) dated() bool {
	return n.p.policy.LastModified && !n.conditions.IfUnmodifiedSince.IsZero()
}

// expectedOf is what the request expects, and the versions that it lists; used
// takes note of who looks at them. A tag that is no version of this resource is
// well-formed and matches nothing.
func expectedOf[V any](n *run, used *expect.Used, codec etag.Codec[V]) (expect.Kind, etag.Match[V]) {
	c := n.conditions
	match := func(wildcard bool, versions []V) etag.Match[V] {
		return expect.NewMatch(used, wildcard, versions, codec)
	}
	switch {
	case n.seen != nil && !n.carries():
		if !n.seen.exists {
			return expect.KindAbsent, match(false, nil)
		}
		if v, ok := codec.Parse(n.seen.opaque); ok {
			return expect.KindMatch, match(false, []V{v})
		}
	case c.IfMatch.Present():
		return expect.KindMatch, match(c.IfMatch.Any(), listed(n, codec))
	case c.IfNoneMatch.Any():
		return expect.KindAbsent, match(false, nil)
	case !c.IfNoneMatch.Present() && !n.dated():
		return expect.KindNone, match(false, nil)
	}
	return expect.KindMatch, match(false, nil)
}

// listed are the versions in If-Match, compared strongly (RFC 9110 §13.1.1)
// unless the policy says otherwise.
func listed[V any](n *run, codec etag.Codec[V]) []V {
	condition, policy := &n.conditions.IfMatch, &n.p.policy
	versions := make([]V, 0, condition.Len())
	for i := range condition.Len() {
		tag := condition.At(i)
		if (tag.Weak || policy.Weak) && !policy.AcceptWeak {
			continue
		}
		opaque, ok := n.p.versionOf(tag.Opaque)
		if !ok {
			continue
		}
		if v, ok := codec.Parse(opaque); ok {
			versions = append(versions, v)
		}
	}
	return versions
}

// ExpectMatch returns the condition of the request as the typed expectation of
// an operation that demands If-Match. Like that of the other Expect functions,
// it is the zero value outside a run, which matches nothing and whose witness is
// refused.
func ExpectMatch[V any](ctx context.Context, codec etag.Codec[V]) etag.Match[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.Match[V]{}
	}
	_, m := expectedOf(n, &n.used, codec)
	return m
}

// ExpectUnmodified is for an operation that demands If-Unmodified-Since.
func ExpectUnmodified[V any](ctx context.Context, codec etag.Codec[V]) etag.Unmodified[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.Unmodified[V]{}
	}
	since := n.conditions.IfUnmodifiedSince
	if seen := n.seen; seen != nil && !n.carries() && seen.Modified.Before(since) {
		since = seen.Modified.Truncate(time.Second)
	}
	return expect.NewUnmodified(&n.used, since, codec)
}

// ExpectAbsent is for an operation that creates.
func ExpectAbsent[V any](ctx context.Context, codec etag.Codec[V]) etag.Absent[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.Absent[V]{}
	}
	return expect.NewAbsent(&n.used, codec)
}

// ExpectMatchOrAbsent is for an upsert.
func ExpectMatchOrAbsent[V any](ctx context.Context, codec etag.Codec[V]) etag.MatchOrAbsent[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.MatchOrAbsent[V]{}
	}
	return expect.NewMatchOrAbsent(expectedOf(n, &n.used, codec))
}

// ExpectMaybeMatch is for an operation that demands no condition.
func ExpectMaybeMatch[V any](ctx context.Context, codec etag.Codec[V]) etag.MaybeMatch[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.MaybeMatch[V]{}
	}
	return expect.NewMaybeMatch(expectedOf(n, &n.used, codec))
}

// ExpectMaybeMatchOrAbsent is for an upsert that demands no condition.
func ExpectMaybeMatchOrAbsent[V any](ctx context.Context, codec etag.Codec[V]) etag.MaybeMatchOrAbsent[V] {
	n := runOf(ctx)
	if n == nil {
		return etag.MaybeMatchOrAbsent[V]{}
	}
	return expect.NewMaybeMatchOrAbsent(expectedOf(n, &n.used, codec))
}

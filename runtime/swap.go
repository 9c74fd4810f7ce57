package runtime

import (
	"context"
	"fmt"

	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/internal/expect"
)

// maxSwaps bounds how often a request that named no version is tried.
const maxSwaps = 8

// Swap performs an operation with driver: cas on a resource of type S, which K
// identifies and whose versions are V. It loads the resource, evaluates the
// request's condition on the version that was loaded, has the change made, and
// stores it where that version is still the current one. Where another write
// came between, a request that named no version is tried anew; one that named
// some is refused. Mutate writes nothing, because it may be called again; what it
// refuses with, if that is not the zero R, is the answer.
func Swap[V, K, S any, R comparable](ctx context.Context, codec etag.Codec[V], key K,
	load func(context.Context, K) (S, etag.Current[V], error),
	mutate func(old S) (changed S, refusal R),
	store func(context.Context, K, etag.Match[V], S) (S, etag.Applied[V], error),
	answer func(etag.Applied[V], S) R,
) (R, error) {
	var none R
	n := runOf(ctx)
	if n == nil {
		return none, etag.Match[V]{}.NoMatch()
	}
	var own expect.Used // that the runtime looks at the versions proves nothing about store
	kind, asked := expectedOf(n, &own, codec)
	dated := n.p.argument == argUnmodified && n.carries()
	repeats := dated || kind == expect.KindNone || asked.Any()
	for range maxSwaps {
		old, current, err := load(ctx, key)
		if err != nil {
			return none, err
		}
		modified := expect.DetailsOf(current).Modified
		switch {
		case !current.Exists(), dated && modified.Unix() > n.conditions.IfUnmodifiedSince.Unix(),
			!repeats && !lists(asked, codec, current.Version()):
			return none, asked.NoMatch()
		case dated && modified.IsZero():
			return none, NotExecuted(noDate(n.p.Precondition.Resource))
		}
		changed, refusal := mutate(old)
		if refusal != none {
			return refusal, nil
		}
		stored, applied, err := store(ctx, key, expect.NewMatch(&n.used, false, []V{current.Version()}, codec), changed)
		if err == nil {
			return answer(applied, stored), nil
		}
		if refused, _ := noMatch(err); !refused || !repeats {
			return none, err
		}
	}
	return none, NotExecuted(fmt.Errorf("idem: operation %s: another write came between load and store %d times in a row", n.p.ID, maxSwaps))
}

// lists reports whether a version is among those that a request expects.
func lists[V any](m etag.Match[V], codec etag.Codec[V], v V) bool {
	want, ok := codec.Format(v)
	if !ok {
		return false
	}
	for _, listed := range m.Versions() {
		if got, _ := codec.Format(listed); got == want {
			return true
		}
	}
	return false
}

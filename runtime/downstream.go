package runtime

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
)

// MinSecret is the least number of octets that [WithSecret] accepts.
const MinSecret = 32

// ErrNoKey says that the context belongs to no run under an idempotency key. Either it is
// not the one that the handler got, or the request runs without protection: it
// has no key, its policy is only observed, or the store failed.
var ErrNoKey = errors.New("idem: no run under an idempotency key: the request has none or runs unprotected, or the context is not the handler's")

// errNoSecret says how to get one.
var errNoSecret = errors.New("idem: DownstreamKey: the handler has no secret: pass idem.WithSecret")

// WithSecret sets the secret that [DownstreamKey] derives keys from: at least
// [MinSecret] random octets, the same in every process and after every restart.
// With another secret a retry gets other keys, so it is changed only while no
// attempt is under way. Default: none, and DownstreamKey fails.
func WithSecret(secret []byte) Option {
	return func(o *options) error {
		if len(secret) < MinSecret {
			return fmt.Errorf("idem: WithSecret: the secret has %d octets, and %d random ones are the least", len(secret), MinSecret)
		}
		o.secret = bytes.Clone(secret)
		return nil
	}
}

// DownstreamKey derives an idempotency key for a call that the handler makes to
// another service, such as "charge". It is the same in every attempt of this
// request, another one in every other step and request, and tells nothing about
// the client's key: 52 characters A to Z and 2 to 7, the base32 form without
// padding of HMAC-SHA-256(secret, stored key ‖ step) (RFC 2104, RFC 4648 §6).
//
// The error is [ErrNoKey] where there is no key to derive from: a handler that
// also serves requests without one decides itself what to send then. It is
// another one when the handler was built without [WithSecret].
func DownstreamKey(ctx context.Context, step string) (string, error) {
	n := runOf(ctx)
	switch {
	case n == nil || !n.hasKey:
		return "", ErrNoKey
	case n.h.secret == nil:
		return "", errNoSecret
	}
	mac := hmac.New(sha256.New, n.h.secret)
	mac.Write(n.id[:]) // a hash does not fail
	mac.Write([]byte(step))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)), nil
}

// FenceOf returns the number of the claim that ctx runs under, for a resource
// that is outside the transaction and refuses a number that is lower than one it
// has seen: so it can tell a handler that was replaced from its successor. It is
// false outside a run and without a key.
func FenceOf(ctx context.Context) (Fence, bool) {
	n := runOf(ctx)
	if n == nil || !n.hasKey {
		return 0, false
	}
	return n.fence, true
}

package runtime

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/idemgen/idemgen/runtime/etag"
)

// prepared is an operation with everything about it that can be worked out
// once.
type prepared struct {
	*Operation
	keyed       bool // has an x-idempotency policy that is in force
	observe     bool
	policy      etag.Policy // of Precondition, or that of an operation that cannot compare
	argument    argument
	opaque      *opaqueTags // nil: plain
	store       Store       // nil when neither keys nor transactions are used
	tx          TxStore     // nil: lease mode
	fingerprint *fingerprinter
	pattern     *regexp.Regexp
	recorded    [600]bool // by status
	remember    bool      // repeated requests may be recognised without hashing
	keyNames    []string
	marker      string // canonical
	maxBody     int64
	maxResponse int
	retryAfter  time.Duration
	mismatch    int
	pulse       *pulse // apart: its timer must not keep a handler that nobody uses any more
}

const (
	defaultMaxBody     = 1 << 20
	defaultMaxResponse = 1 << 20
	defaultRetryAfter  = time.Second
	defaultMarker      = "Idempotent-Replayed"
	holdRetention      = 720 * time.Hour // of a held record, so that it does not become runnable quietly
)

func prepare(op *Operation, o *options) (*prepared, error) {
	p := &prepared{Operation: op, policy: etag.Policy{Role: etag.RoleNone, IgnoreUnsupported: op.IgnorePreconditions}}
	p.recordStatuses(nil)
	var errs []error
	if op.Precondition != nil {
		errs = append(errs, p.prepareTags(o))
	}
	if op.Idempotency != nil && op.Idempotency.Rollout != RolloutOff {
		errs = append(errs, p.prepareKeys(o))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if p.store == nil && p.guarded() {
		p.useStore(o.stores[""], ModeAuto)
	}
	return p, nil
}

func (p *prepared) prepareTags(o *options) error {
	declared := p.Precondition
	p.argument = argumentOf(declared)
	if declared.Collection { // nothing to compare; its tags are those of the resource
		p.policy.IgnoreUnsupported, p.policy.Weak = declared.IgnoreUnsupported, declared.Weak
	} else {
		p.policy = declared.Policy
	}
	p.policy.NoPrecheck = p.policy.NoPrecheck || o.noPrecheck
	p.policy.Variants = len(declared.VaryBy) > 0
	if !declared.Opaque {
		return nil
	}
	if o.tagSecret == nil {
		return fmt.Errorf("idem: operation %s: the tags of resource %s are opaque: pass idem.WithTagSecret", p.ID, declared.Resource)
	}
	p.opaque = newOpaqueTags(o.tagSecret, o.tagEpoch, declared.Resource)
	return nil
}

// guarded reports whether a success must carry a version: the witness of its
// expectation or, from a collection, that of what was created.
func (p *prepared) guarded() bool {
	return p.argument != argNone || p.Precondition != nil && p.Precondition.Collection
}

func (p *prepared) useStore(s Store, mode Mode) {
	if s == nil {
		return
	}
	p.store = s
	if tx, ok := s.(TxStore); ok && mode != ModeLease {
		p.tx = tx
	}
}

func (p *prepared) prepareKeys(o *options) error {
	policy := p.Idempotency
	p.keyed, p.observe, p.pulse = true, policy.Rollout == RolloutObserve, new(pulse)
	var errs []error
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("idem: operation %s: "+format, append([]any{p.ID}, args...)...))
	}
	p.useStore(o.stores[policy.Store], policy.Mode)
	switch {
	case p.store == nil && policy.Store == "":
		fail("keys need a store: pass idem.WithStore")
	case p.store == nil:
		fail("no store is named %q: pass idem.WithNamedStore(%q, …)", policy.Store, policy.Store)
	case policy.Mode == ModeTx && p.tx == nil:
		fail("its policy says mode: tx, but the store has no transactions: use a store that has, or mode: lease")
	}
	if o.scope == nil && slices.ContainsFunc(policy.Scope, needsResolver) {
		fail("its scope is %v: pass idem.WithScope to tell whose request it is", policy.Scope)
	}
	if policy.Replay.Encrypt && o.sealer == nil {
		fail("its policy says replay.encrypt: pass idem.WithSealer, for example with idem.NewAESSealer")
	}
	if policy.Key.Pattern != "" {
		re, err := regexp.Compile(`\A(?:` + policy.Key.Pattern + `)\z`)
		if err != nil {
			fail("key pattern: %w", err)
		}
		p.pattern = re
	}
	fp, err := newFingerprinter(p.Operation)
	if err != nil {
		fail("fingerprint: %w", err)
	}
	p.fingerprint = fp
	p.remember = err == nil && p.mayRemember()
	p.recordStatuses(policy.Record)
	p.keyNames = keyNames(&policy.Key)
	p.marker = http.CanonicalHeaderKey(orDefault(policy.Replay.Marker, defaultMarker))
	p.maxBody = orDefault(policy.Fingerprint.MaxBody, defaultMaxBody)
	p.maxResponse = int(orDefault(policy.Replay.MaxResponse, defaultMaxResponse))
	p.retryAfter = orDefault(policy.RetryAfter, defaultRetryAfter)
	p.mismatch = orDefault(policy.MismatchStatus, keyReused.status)
	return errors.Join(errs...)
}

func needsResolver(part string) bool {
	return part == "tenant" || part == "principal" || strings.HasPrefix(part, "ctx:")
}

func orDefault[T comparable](value, byDefault T) T {
	var zero T
	if value == zero {
		return byDefault
	}
	return value
}

// verdict is what an answer means for the record.
type verdict uint8

const (
	verdictRecord  verdict = iota // keep the answer
	verdictRefuse                 // definitely not performed: give the key back
	verdictUnclear                // may have been performed
)

// recordStatuses works out which answers are kept. Some never describe an
// outcome: they speak about the caller, the moment or the precondition, and
// would be wrong for the retry.
func (p *prepared) recordStatuses(listed []string) {
	if len(listed) == 0 {
		listed = []string{"2XX", "3XX", "4XX"}
	}
	for status := range p.recorded {
		code := strconv.Itoa(status)
		class := code[:1] + "XX"
		switch status {
		case 304, 401, 403, 412, 428:
		case 408, 425, 429: // of their class only when listed by code
			p.recorded[status] = slices.Contains(listed, code)
		default:
			p.recorded[status] = status >= 200 && (slices.Contains(listed, code) || slices.Contains(listed, class))
		}
	}
}

// verdict classifies a status.
func (p *prepared) verdict(status int) verdict {
	switch {
	case status < len(p.recorded) && p.recorded[status]:
		return verdictRecord
	case status >= 500:
		return verdictUnclear
	}
	return verdictRefuse
}

package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// secret marks what must not be readable in a store.
const secret = "TOP-SECRET-TOKEN"

func sealedOrder() *idem.Operation {
	op := placeOrder()
	op.Idempotency.Replay.Encrypt = true
	op.Idempotency.Replay.Headers = []string{"X-Note"}
	return op
}

func answerSecret(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Note", secret)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(`{"token":"` + secret + `"}`))
}

func aesSealer(t *testing.T, keys ...byte) idem.Sealer {
	t.Helper()
	var all [][]byte
	for _, k := range keys {
		all = append(all, bytes.Repeat([]byte{k}, 32))
	}
	s, err := idem.NewAESSealer(all[0], all[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// record is what the store keeps under tenant t1 and key "k".
func record(t *testing.T, h http.Handler, s idem.Store) (idem.ID, idem.Record) {
	t.Helper()
	handler, _ := idem.HandlerOf(h)
	id, err := handler.KeyID("placeOrder", idem.Scope{Tenant: "t1"}, "", "k")
	if err != nil {
		t.Fatal(err)
	}
	r, found, err := s.Lookup(t.Context(), id)
	if err != nil || !found {
		t.Fatalf("Lookup: found %v, %v", found, err)
	}
	return id, r
}

func TestSealer_SealsHeadersAndBody(t *testing.T) {
	check := func(t *testing.T, s idem.Store) {
		o, h := serve(t, sealedOrder(), idem.WithStore(s), idem.WithSealer(aesSealer(t, 1)))
		o.handler = answerSecret
		first, again := do(h, post("k", `{}`)), do(h, post("k", `{}`))
		wantStatus(t, again, 201)
		if again.Body.String() != first.Body.String() || again.Header().Get("X-Note") != secret ||
			again.Header().Get("Content-Type") != "application/json" || again.Header().Get("Idempotent-Replayed") != "true" {
			t.Errorf("the replay is %v %s", again.Header(), again.Body)
		}
		_, r := record(t, h, s)
		if all := string(r.Response.Headers) + string(r.Response.Body); strings.Contains(all, secret) || strings.Contains(all, "json") {
			t.Errorf("the record is readable: %q", all)
		}
		if r.Response.Flags != idem.FlagSealed || r.Response.Status != 201 {
			t.Errorf("the record has flags %#x and status %d", r.Response.Flags, r.Response.Status)
		}
	}
	t.Run("lease", func(t *testing.T) { check(t, memory.New()) })
	t.Run("tx", func(t *testing.T) {
		s, err := sqlite.Open(filepath.Join(t.TempDir(), "idem.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		check(t, s)
	})
}

// A tombstone and an answer without a body stay what they are.
func TestSealer_KeepsTheKindOfAnswer(t *testing.T) {
	op := sealedOrder()
	op.Idempotency.Replay.MaxResponse = 8
	o, h := serve(t, op, idem.WithSealer(aesSealer(t, 1)))
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/orders/1")
		answerSecret(w, r)
	}
	wantStatus(t, do(h, post("k", `{}`)), 201)
	w := do(h, post("k", `{}`))
	wantProblem(t, w, 409, "response-unavailable")
	if w.Header().Get("Location") != "/orders/1" || w.Header().Get("X-Note") != "" {
		t.Errorf("header %v", w.Header())
	}
	o.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }
	wantStatus(t, do(h, post("l", `{}`)), 204)
	if w := do(h, post("l", `{}`)); w.Code != 204 || w.Body.Len() != 0 {
		t.Errorf("status %d, body %q", w.Code, w.Body)
	}
}

// Whatever cannot be opened is never sent: the client may ask again later.
func TestSealer_WhatCannotBeOpenedIsNotSent(t *testing.T) {
	s := memory.New()
	o, first := serve(t, sealedOrder(), idem.WithStore(s), idem.WithSealer(aesSealer(t, 1)))
	o.handler = answerSecret
	wantStatus(t, do(first, post("k", `{}`)), 201)
	plain := placeOrder()
	for name, tt := range map[string]struct {
		op      *idem.Operation
		options []idem.Option
	}{
		"another key":      {sealedOrder(), []idem.Option{idem.WithSealer(aesSealer(t, 2))}},
		"a broken sealer":  {sealedOrder(), []idem.Option{idem.WithSealer(faulty{})}},
		"no sealer":        {plain, nil},
		"another envelope": {sealedOrder(), []idem.Option{idem.WithSealer(constant("\x02something else"))}},
		"no envelope":      {sealedOrder(), []idem.Option{idem.WithSealer(constant(""))}},
		"a long header":    {sealedOrder(), []idem.Option{idem.WithSealer(constant("\x01\x00\xc8\x00\x00\x01\xff\xff\xff\xffx"))}},
		"a body or none":   {sealedOrder(), []idem.Option{idem.WithSealer(constant("\x01\x00\xc8\x00\x00\x00\x00\x00\x00\x01xy"))}},
		"bad headers":      {sealedOrder(), []idem.Option{idem.WithSealer(constant("\x01\x00\xc8\x00\x00\x01\x00\x00\x00\x02\x01\xff"))}},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			o, h := serve(t, tt.op, append(tt.options, idem.WithStore(s), idem.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))...)
			w := do(h, post("k", `{}`))
			wantProblem(t, w, 503, "store-unavailable")
			if w.Header().Get("Retry-After") == "" || w.Header().Get("X-Note") != "" || o.runs.Load() != 0 {
				t.Errorf("header %v after %d runs", w.Header(), o.runs.Load())
			}
			if !strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), secret) {
				t.Errorf("log: %s", &log)
			}
		})
	}
	wantStatus(t, do(first, post("k", `{}`)), 201)
}

// A record that was moved to another key, or changed, does not open.
func TestSealer_BindsTheRecordToItsKey(t *testing.T) {
	s := memory.New()
	o, h := serve(t, sealedOrder(), idem.WithStore(s), idem.WithSealer(aesSealer(t, 1)))
	o.handler = answerSecret
	wantStatus(t, do(h, post("k", `{}`)), 201)
	_, stolen := record(t, h, s)
	for name, resp := range map[string]idem.Response{
		"moved":     stolen.Response,
		"cut":       {Status: 201, Flags: idem.FlagSealed, Body: stolen.Response.Body[:20]},
		"empty":     {Status: 201, Flags: idem.FlagSealed},
		"unflagged": {Status: 201, Flags: idem.FlagSealed, Headers: stolen.Response.Body},
	} {
		handler, _ := idem.HandlerOf(h)
		id, err := handler.KeyID("placeOrder", idem.Scope{Tenant: "t1"}, "", name)
		if err != nil {
			t.Fatal(err)
		}
		plant := &planted{Store: s, id: id, resp: resp, like: stolen}
		_, victim := serve(t, sealedOrder(), idem.WithStore(plant), idem.WithSealer(aesSealer(t, 1)))
		w := do(victim, post(name, `{}`))
		if w.Code != 503 || strings.Contains(w.Body.String(), secret) {
			t.Errorf("%s: status %d, body %s", name, w.Code, w.Body)
		}
	}
}

// planted is a store whose table somebody wrote to.
type planted struct {
	idem.Store
	id   idem.ID
	resp idem.Response
	like idem.Record
}

func (s *planted) Claim(ctx context.Context, c idem.Claim) (idem.Claimed, error) {
	if c.ID != s.id {
		return s.Store.Claim(ctx, c)
	}
	r := s.like
	r.Fingerprint, r.Response = c.Fingerprint, s.resp
	return idem.Claimed{State: idem.ClaimDone, Record: r}, nil
}

// The answer reaches its client although it cannot be sealed; a retry learns
// that there was one, and nothing is stored in plain text.
func TestSealer_FailureKeepsTheEffectSingle(t *testing.T) {
	s := memory.New()
	o, h := serve(t, sealedOrder(), idem.WithStore(s), idem.WithSealer(faulty{}))
	o.handler = answerSecret
	wantStatus(t, do(h, post("k", `{}`)), 201)
	wantProblem(t, do(h, post("k", `{}`)), 409, "response-unavailable")
	if _, r := record(t, h, s); len(r.Response.Headers)+len(r.Response.Body) != 0 || o.runs.Load() != 1 {
		t.Errorf("after %d runs the record is %+v", o.runs.Load(), r.Response)
	}
	handler, _ := idem.HandlerOf(h)
	if _, err := handler.Completion(t.Context(), "placeOrder", idem.ID{}, 201, nil, nil); !errors.Is(err, errFaulty) {
		t.Errorf("Completion: %v", err)
	}
}

// What was plain when the policy began to seal is replayed until it expires.
func TestSealer_PlainRecordsStayReadable(t *testing.T) {
	s := memory.New()
	_, before := serve(t, placeOrder(), idem.WithStore(s))
	wantStatus(t, do(before, post("k", `{}`)), 201)
	o, after := serve(t, sealedOrder(), idem.WithStore(s), idem.WithSealer(aesSealer(t, 1)))
	if w := do(after, post("k", `{}`)); w.Code != 201 || w.Header().Get("Idempotent-Replayed") != "true" || o.runs.Load() != 0 {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
}

func TestSealer_IsNeededWhereThePolicySaysSo(t *testing.T) {
	op := sealedOrder()
	op.Idempotency.Scope = []string{"operation"}
	_, err := idem.NewHandler([]*idem.Operation{op}, idem.WithStore(memory.New()))
	if err == nil || !strings.Contains(err.Error(), "placeOrder") || !strings.Contains(err.Error(), "idem.WithSealer") {
		t.Errorf("error %v", err)
	}
	if _, err := idem.NewHandler(nil, idem.WithSealer(nil)); err == nil {
		t.Error("a nil sealer was accepted")
	}
}

func TestCompletion_IsSealed(t *testing.T) {
	s := memory.New()
	op := sealedOrder()
	op.Idempotency.OnCrash = idem.OnCrashHold
	o, h := serve(t, op, idem.WithStore(s), idem.WithSealer(aesSealer(t, 1)))
	o.handler = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	wantStatus(t, do(h, post("k", `{}`)), 500)
	handler, e := find(t, h, s)
	done, err := handler.Completion(t.Context(), "placeOrder", e.ID, 201, nil, []byte(secret))
	if err != nil || bytes.Contains(done.Response.Body, []byte(secret)) || done.Response.Flags != idem.FlagSealed {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := s.Resolve(t.Context(), e.ID, e.Fence, done); err != nil {
		t.Fatal(err)
	}
	if w := do(h, post("k", `{}`)); w.Code != 201 || w.Body.String() != secret {
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
}

func TestAESSealer_Rotation(t *testing.T) {
	ctx, id := t.Context(), idem.ID{7}
	old, err := aesSealer(t, 1).Seal(ctx, id, []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	rotated := aesSealer(t, 2, 1)
	if plain, err := rotated.Open(ctx, id, old); err != nil || string(plain) != secret {
		t.Errorf("an older key: %q, %v", plain, err)
	}
	young, err := rotated.Seal(ctx, id, []byte(secret))
	if err != nil || bytes.Contains(young, []byte(secret)) {
		t.Fatalf("%q, %v", young, err)
	}
	if plain, err := aesSealer(t, 2).Open(ctx, id, young); err != nil || string(plain) != secret {
		t.Errorf("the primary key alone: %q, %v", plain, err)
	}
	if _, err := aesSealer(t, 2).Open(ctx, id, old); err == nil || !strings.Contains(err.Error(), "not known any more") {
		t.Errorf("a forgotten key: %v", err)
	}
	if _, err := rotated.Open(ctx, idem.ID{8}, young); err == nil {
		t.Error("what was sealed for one record opened as another")
	}
	again, _ := rotated.Seal(ctx, id, []byte(secret))
	if bytes.Equal(again, young) {
		t.Error("the same answer is sealed to the same octets twice")
	}
	for i := range young {
		damaged := bytes.Clone(young)
		damaged[i] ^= 1
		if _, err := rotated.Open(ctx, id, damaged); err == nil {
			t.Errorf("octet %d may be changed", i)
		}
	}
}

// With so many keys two have the same octet: each must open its own.
func TestAESSealer_KeysWithOneOctet(t *testing.T) {
	const keys = 64
	var all []byte
	for k := range byte(keys) {
		all = append(all, k)
	}
	every := aesSealer(t, all...)
	octets := map[byte]bool{}
	for _, k := range all {
		sealed, err := aesSealer(t, k).Seal(t.Context(), idem.ID{}, []byte{k})
		if err != nil {
			t.Fatal(err)
		}
		octets[sealed[0]] = true
		if plain, err := every.Open(t.Context(), idem.ID{}, sealed); err != nil || len(plain) != 1 || plain[0] != k {
			t.Errorf("key %d: %v, %v", k, plain, err)
		}
	}
	if len(octets) == keys {
		t.Fatal("no two of the keys have the same octet: choose others")
	}
}

func TestNewAESSealer_RefusesKeys(t *testing.T) {
	good := make([]byte, 32)
	for _, keys := range [][][]byte{{nil}, {make([]byte, 16)}, {good, make([]byte, 31)}} {
		if _, err := idem.NewAESSealer(keys[0], keys[1:]...); err == nil || !strings.Contains(err.Error(), "AES-256 needs 32") {
			t.Errorf("error %v", err)
		}
	}
}

var errFaulty = errors.New("the key service is gone")

// faulty fails always.
type faulty struct{}

func (faulty) Seal(context.Context, idem.ID, []byte) ([]byte, error) { return nil, errFaulty }
func (faulty) Open(context.Context, idem.ID, []byte) ([]byte, error) { return nil, errFaulty }

// constant opens everything as itself.
type constant string

func (constant) Seal(context.Context, idem.ID, []byte) ([]byte, error) { return nil, errFaulty }
func (c constant) Open(context.Context, idem.ID, []byte) ([]byte, error) {
	return []byte(c), nil
}

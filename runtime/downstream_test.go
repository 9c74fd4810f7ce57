package runtime_test

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/store/memory"
	"github.com/idemgen/idemgen/runtime/store/sqlite"
)

// counting is the secret 00 01 … 1f.
func counting() []byte {
	secret := make([]byte, idem.MinSecret)
	for i := range secret {
		secret[i] = byte(i)
	}
	return secret
}

// The values were computed with Python's hashlib, hmac and base64.
func TestDownstreamKey_Vectors(t *testing.T) {
	want := map[string]string{
		"charge":      "AMCZO5C36ZPTO3TVGKGNDQKWTHIF4BU7EQ6PBFJROQVACHFE7M3A",
		"refund":      "B5CHNHO663FFDAFR73TOTG7KU5B5F44KOXV7QC4JCIVIDZDYXTFQ",
		"überweisung": "OOM7CLCP2UFOFX4IIRCQLHFP7OKDIOEMI2CFZNBJU6ZG2BLCAOPQ",
		"":            "56MLTTYKP2VG2GDONH7TPERDMXQKWFS5ZE5MTMSJWFFHPOQARXFA",
	}
	check := func(t *testing.T, s idem.Store) {
		o, h := serve(t, placeOrder(), idem.WithStore(s), idem.WithSecret(counting()))
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			for step, key := range want {
				if got, err := idem.DownstreamKey(r.Context(), step); got != key || err != nil {
					t.Errorf("%q: got %q (%v), want %q", step, got, err, key)
				}
			}
			w.WriteHeader(http.StatusCreated)
		}
		wantStatus(t, do(h, post(`"k"`, `{}`)), 201)
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

func TestDownstreamKey_AnotherSecretIsAnotherKey(t *testing.T) {
	o, h := serve(t, placeOrder(), idem.WithSecret([]byte("another secret of at least 32 octets")))
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		const want = "SKKJJFNNNUWNEK4YFJYI4KIWALYVXSE2HQVBQO6JJIGLRNLEEH7A"
		if got, err := idem.DownstreamKey(r.Context(), "charge"); got != want || err != nil {
			t.Errorf("got %q (%v), want %q", got, err, want)
		}
		w.WriteHeader(http.StatusCreated)
	}
	wantStatus(t, do(h, post("k", `{}`)), 201)
}

// Every attempt derives the same keys and runs under a higher fence.
func TestDownstreamKey_IsTheSameInEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		op := placeOrder()
		op.Idempotency.NoHeartbeat = true
		o, h := serve(t, op, idem.WithSecret(counting()))
		var keys []string
		var fences []idem.Fence
		o.handler = func(w http.ResponseWriter, r *http.Request) {
			key, err := idem.DownstreamKey(r.Context(), "charge")
			fence, ok := idem.FenceOf(r.Context())
			if err != nil || !ok {
				t.Errorf("key %q (%v), fence %d (%v)", key, err, fence, ok)
			}
			keys, fences = append(keys, key), append(fences, fence)
			w.WriteHeader(http.StatusInternalServerError)
		}
		for range 3 {
			wantStatus(t, do(h, post("k", `{}`)), 500)
			time.Sleep(time.Minute)
		}
		if len(keys) != 3 || keys[0] != keys[1] || keys[1] != keys[2] {
			t.Errorf("the attempts derived %q", keys)
		}
		if len(fences) != 3 || fences[0] <= 0 || fences[1] <= fences[0] || fences[2] <= fences[1] {
			t.Errorf("the attempts ran under %d", fences)
		}
	})
}

func TestDownstreamKey_Refuses(t *testing.T) {
	optional := func() *idem.Operation {
		op := placeOrder()
		op.Idempotency.Required = false
		return op
	}
	observed := func() *idem.Operation {
		op := placeOrder()
		op.Idempotency.Rollout = idem.RolloutObserve
		return op
	}
	for _, tt := range []struct {
		name   string
		op     *idem.Operation
		key    string
		secret bool
		noKey  bool
		fence  bool
	}{
		{"without a secret", placeOrder(), "k", false, false, true},
		{"without a key", optional(), "", true, true, false},
		{"observed", observed(), "k", true, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var options []idem.Option
			if tt.secret {
				options = append(options, idem.WithSecret(counting()))
			}
			o, h := serve(t, tt.op, options...)
			o.handler = func(w http.ResponseWriter, r *http.Request) {
				key, err := idem.DownstreamKey(r.Context(), "charge")
				if key != "" || err == nil || errors.Is(err, idem.ErrNoKey) != tt.noKey {
					t.Errorf("key %q, error %v", key, err)
				}
				if !tt.noKey && !strings.Contains(err.Error(), "idem.WithSecret") {
					t.Errorf("error %v does not say what to do", err)
				}
				if f, ok := idem.FenceOf(r.Context()); ok != tt.fence {
					t.Errorf("fence %d, %v", f, ok)
				}
				w.WriteHeader(http.StatusCreated)
			}
			wantStatus(t, do(h, post(tt.key, `{}`)), 201)
		})
	}
	if key, err := idem.DownstreamKey(context.Background(), "charge"); key != "" || !errors.Is(err, idem.ErrNoKey) {
		t.Errorf("outside a run: %q, %v", key, err)
	}
	if f, ok := idem.FenceOf(context.Background()); ok {
		t.Errorf("outside a run: fence %d", f)
	}
}

func TestWithSecret_RefusesShortOnes(t *testing.T) {
	_, err := idem.NewHandler(nil, idem.WithSecret(make([]byte, idem.MinSecret-1)))
	if err == nil || !strings.Contains(err.Error(), "31 octets") {
		t.Errorf("error %v", err)
	}
	mine := counting()
	o, h := serve(t, placeOrder(), idem.WithSecret(mine))
	clear(mine) // callers wipe what they do not need any more
	o.handler = func(w http.ResponseWriter, r *http.Request) {
		if key, _ := idem.DownstreamKey(r.Context(), "charge"); !strings.HasPrefix(key, "AMCZO5") {
			t.Errorf("the secret was not copied: %q", key)
		}
		w.WriteHeader(http.StatusCreated)
	}
	wantStatus(t, do(h, post("k", `{}`)), 201)
}

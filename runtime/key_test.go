package runtime

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/dunglas/httpsfv"
)

func TestParseKey(t *testing.T) {
	tests := []struct {
		line   string
		strict bool
		want   string // empty: refused
	}{
		{line: `"abc"`, want: "abc"},
		{line: `"abc"`, strict: true, want: "abc"},
		{line: "\t \"abc\" \t", want: "abc"},
		{line: `" abc "`, want: " abc "},
		{line: `"a\"b\\c"`, want: `a"b\c`},
		{line: `"a\nb"`},
		{line: `"a\`},
		{line: `"abc`},
		{line: `"`},
		{line: `abc"`},
		{line: `""`},
		{line: ``},
		{line: " \t"},
		{line: "\"a\tb\""},
		{line: "\"a\x7f\""},
		{line: "\"caf\xe9\""},
		{line: `"a", "b"`},
		{line: `"a" b`},

		{line: `"abc";p`, want: "abc"},
		{line: `"abc";p=1;q="x;y\"";*r-1=tok/en:*`, want: "abc"},
		{line: `"abc";  p=:YWJj:;q=?0;r=@-12;s=%"caf%c3%a9";t=-12.125`, want: "abc"},
		{line: `"abc";p=:YWJ:`, want: "abc"}, // padding may be missing
		{line: `"abc" ;p=1`},
		{line: `"abc";`},
		{line: `"abc";P=1`},
		{line: `"abc";p=`},
		{line: `"abc";p=1.`},
		{line: `"abc";p=1.1234`},
		{line: `"abc";p=1234567890123456`},
		{line: `"abc";p=1234567890123.1`},
		{line: `"abc";p=-`},
		{line: `"abc";p=?2`},
		{line: `"abc";p=@1.5`},
		{line: `"abc";p=:Y*:`},
		{line: `"abc";p=:YWJj`},
		{line: `"abc";p="x\y"`},
		{line: `"abc";p="x`},
		{line: `"abc";p=%"%C3%A9"`},
		{line: `"abc";p=%"%c3"`},
		{line: `"abc";p=(1)`},
		{line: `"abc";p=1,`},

		{line: `abc`, want: "abc"},
		{line: `8e03978e-40d5-43e8-bc93-6894a57f9324`, want: "8e03978e-40d5-43e8-bc93-6894a57f9324"},
		{line: ` order/7:b=c@d `, want: "order/7:b=c@d"},
		{line: `abc`, strict: true},
		{line: `a,b`},
		{line: `a;b`},
		{line: `a b`},
		{line: `(a)`},
		{line: `a\b`},
		{line: `?1`},
		{line: `:YWJj:`},
		{line: `@1659578233`},
		{line: `%"x"`},
		{line: "caf\xe9"},
	}
	for _, tt := range tests {
		key, present, err := parseKey([]string{tt.line}, &KeyPolicy{Strict: tt.strict})
		switch {
		case !present:
			t.Errorf("parseKey(%q): not present; a key that was sent must not be overlooked", tt.line)
		case tt.want == "" && err == nil:
			t.Errorf("parseKey(%q, strict %v) = %q, want an error", tt.line, tt.strict, key)
		case tt.want != "" && (err != nil || key != tt.want):
			t.Errorf("parseKey(%q, strict %v) = %q, %v, want %q", tt.line, tt.strict, key, err, tt.want)
		}
	}
}

func TestParseKey_Lines(t *testing.T) {
	if key, present, err := parseKey(nil, &KeyPolicy{}); key != "" || present || err != nil {
		t.Errorf("no line: %q, %v, %v, want absent", key, present, err)
	}
	if _, present, err := parseKey([]string{"a", "a"}, &KeyPolicy{}); !present || err == nil {
		t.Errorf("two equal lines: present %v, error %v, want an error", present, err)
	}
}

func TestParseKey_Length(t *testing.T) {
	long := strings.Repeat("k", 255)
	tests := []struct {
		line string
		p    KeyPolicy
		ok   bool
	}{
		{long, KeyPolicy{}, true},
		{long + "k", KeyPolicy{}, false},
		{`"` + long + `"`, KeyPolicy{}, true},
		{`"` + strings.Repeat(`\\`, 255) + `"`, KeyPolicy{}, true}, // counted after decoding
		{`"` + strings.Repeat(`\\`, 256) + `"`, KeyPolicy{}, false},
		{"short", KeyPolicy{MinLength: 6}, false},
		{"longer", KeyPolicy{MinLength: 6}, true},
		{"longer", KeyPolicy{MaxLength: 5}, false},
	}
	for _, tt := range tests {
		if _, _, err := parseKey([]string{tt.line}, &tt.p); (err == nil) != tt.ok {
			t.Errorf("parseKey(%.20q… of %d octets, %+v): %v, want accepted: %v", tt.line, len(tt.line), tt.p, err, tt.ok)
		}
	}
}

// A refusal is sent to clients and written to logs: it must not hold the key.
func TestParseKey_ErrorsHideTheKey(t *testing.T) {
	const secret = "s3cr3t"
	for _, lines := range [][]string{
		{secret + ","},
		{`"` + secret},
		{`"` + secret + `"x`},
		{secret, secret},
		{":" + secret},
		{`"` + secret + "\x01\""},
		{secret + strings.Repeat("x", 300)},
	} {
		_, _, err := parseKey(lines, &KeyPolicy{})
		if _, ok := errors.AsType[*keyError](err); !ok {
			t.Errorf("%q: error %v, want a *keyError", lines, err)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func TestRequestKey_Aliases(t *testing.T) {
	policy := &KeyPolicy{Aliases: []string{"x-idempotency-key", "X-Request-Key"}}
	tests := []struct {
		name   string
		header http.Header
		want   string
		ok     bool
	}{
		{"none", http.Header{}, "", true},
		{"alias alone", http.Header{"X-Idempotency-Key": {"k"}}, "k", true},
		{"equal in other forms", http.Header{"Idempotency-Key": {`"k"`}, "X-Request-Key": {"k"}}, "k", true},
		{"different", http.Header{"Idempotency-Key": {"k"}, "X-Request-Key": {"K"}}, "", false},
		{"aliases differ", http.Header{"X-Idempotency-Key": {"a"}, "X-Request-Key": {"b"}}, "", false},
		{"malformed alias", http.Header{"Idempotency-Key": {"k"}, "X-Request-Key": {""}}, "", false},
	}
	for _, tt := range tests {
		key, present, err := requestKey(tt.header, keyNames(policy), policy)
		if (err == nil) != tt.ok || key != tt.want || present != (len(tt.header) > 0) {
			t.Errorf("%s: %q, present %v, %v, want %q, ok %v", tt.name, key, present, err, tt.want, tt.ok)
		}
	}
	key, present, err := requestKey(http.Header{"Request-Id": {"r-1"}}, keyNames(&KeyPolicy{Header: "request-id"}), &KeyPolicy{})
	if key != "r-1" || !present || err != nil {
		t.Errorf("own header name: %q, %v, %v, want r-1", key, present, err)
	}
}

func TestRequestKey_Allocates(t *testing.T) {
	policy := &KeyPolicy{}
	names := keyNames(policy)
	for _, line := range []string{"8e03978e-40d5-43e8-bc93-6894a57f9324", `"8e03978e-40d5-43e8-bc93-6894a57f9324";v=1`} {
		h := http.Header{"Idempotency-Key": {line}}
		if n := testing.AllocsPerRun(100, func() {
			if _, _, err := requestKey(h, names, policy); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want none", line, n)
		}
	}
}

func TestStoredKey_Scope(t *testing.T) {
	whole := Scope{Tenant: "t", Principal: "p", Values: map[string]string{"env": "live", "shop": "s"}}
	all := []string{"ctx:shop", "path", "operation", "principal", "ctx:env", "tenant"}
	id := func(namespace string, parts []string, s Scope, operation, path, key string) ID {
		t.Helper()
		id, err := storedKey(namespace, parts, &s, operation, path, key)
		if err != nil {
			t.Fatalf("storedKey(%v): %v", parts, err)
		}
		return id
	}
	first := id("", all, whole, "op", "/p", "k")
	if again := id("", []string{"tenant", "principal", "operation", "path", "ctx:env", "ctx:shop", "tenant"}, whole, "op", "/p", "k"); again != first {
		t.Error("the order of the scope list changes the stored key")
	}
	other := map[string]ID{
		"namespace": id("n", all, whole, "op", "/p", "k"),
		"operation": id("", all, whole, "op2", "/p", "k"),
		"path":      id("", all, whole, "op", "/P", "k"),
		"key":       id("", all, whole, "op", "/p", "K"),
		"tenant":    id("", all, Scope{"T", "p", whole.Values}, "op", "/p", "k"),
		"principal": id("", all, Scope{"t", "P", whole.Values}, "op", "/p", "k"),
		"ctx":       id("", all, Scope{"t", "p", map[string]string{"env": "test", "shop": "s"}}, "op", "/p", "k"),
		"swapped":   id("", all, Scope{"p", "t", whole.Values}, "op", "/p", "k"),
		"fewer":     id("", []string{"tenant", "operation"}, whole, "op", "/p", "k"),
	}
	seen := map[ID]string{first: "the first"}
	for name, id := range other {
		if twin, ok := seen[id]; ok {
			t.Errorf("another %s has the same stored key as %s", name, twin)
		}
		seen[id] = name
	}
}

func TestStoredKey_Unresolved(t *testing.T) {
	for part, s := range map[string]Scope{
		"tenant":    {Principal: "p", Values: map[string]string{"env": "x"}},
		"principal": {Tenant: "t", Values: map[string]string{"env": "x"}},
		"ctx:env":   {Tenant: "t", Principal: "p"},
	} {
		_, err := storedKey("", []string{"operation", part}, &s, "op", "/", "k")
		if unresolved, ok := errors.AsType[*scopeError](err); !ok || unresolved.part != part {
			t.Errorf("without %s: error %v, want a *scopeError about it", part, err)
		}
	}
	if _, err := storedKey("", []string{"operation", "tennant"}, &Scope{Tenant: "t"}, "op", "/", "k"); err == nil {
		t.Error("an unknown scope part is ignored, which widens the scope")
	}
}

func TestStoredKey_Allocates(t *testing.T) {
	parts := []string{"tenant", "operation", "ctx:env"}
	s := &Scope{Tenant: "t1", Values: map[string]string{"env": "live"}}
	if n := testing.AllocsPerRun(100, func() {
		if _, err := storedKey("n", parts, s, "createOrder", "/v1/orders", "8e03978e-40d5-43e8-bc93-6894a57f9324"); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

// oracleKey is what github.com/dunglas/httpsfv makes of a field line, whose
// white space at either end is HTTP's and not the field's (RFC 9110 §5.5).
func oracleKey(line string) (string, error) {
	item, err := httpsfv.UnmarshalItem([]string{strings.Trim(line, " \t")})
	if err != nil {
		return "", err
	}
	key, ok := item.Value.(string)
	if !ok {
		return "", fmt.Errorf("the item is a %T", item.Value)
	}
	return key, checkKeyLength(key, &KeyPolicy{})
}

func FuzzParseKey(f *testing.F) {
	for _, line := range []string{`"abc"`, "abc", `"a\"b\\";p=1;q=:YWJj:`, `"x";s=%"%c3%a9"`, `"x";s=%"%C3%A9"`, `"x";d=@1.5`, `"x";q=:YQ:;n=1234567890123.5`, "?1", ` "a" `, `"a`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		strictKey, present, strictErr := parseKey([]string{line}, &KeyPolicy{Strict: true})
		key, _, err := parseKey([]string{line}, &KeyPolicy{})
		if !present {
			t.Fatalf("%q: not present", line)
		}
		want, wantErr := oracleKey(line)
		// It insists on the padding of Byte Sequences, which RFC 9651 §4.2.7 does not.
		_, padding := errors.AsType[base64.CorruptInputError](wantErr)
		if (strictErr == nil) != (wantErr == nil) && !padding || wantErr == nil && strictKey != want {
			t.Fatalf("%q: %q, %v; another implementation of RFC 9651 says %q, %v", line, strictKey, strictErr, want, wantErr)
		}
		if strictErr == nil && (err != nil || key != strictKey) {
			t.Fatalf("%q: strict %q, lax %q, %v", line, strictKey, key, err)
		}
		if err != nil {
			return
		}
		if len(key) < 1 || len(key) > 255 {
			t.Fatalf("%q: key of %d octets", line, len(key))
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		if again, _, err := parseKey([]string{quoted}, &KeyPolicy{Strict: true}); err != nil || again != key {
			t.Fatalf("%q: key %q, written as %s it is %q, %v", line, key, quoted, again, err)
		}
	})
}

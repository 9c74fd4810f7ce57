package policy

import (
	"strings"
	"testing"
)

// A name is a slip of an annotation's when it is nothing else: what others write for
// their own tools stays theirs.
func TestMeantBy(t *testing.T) {
	type meant struct {
		annotation string
		sure       bool
	}
	keyed, tagged, perhaps := meant{"x-idempotency", true}, meant{"x-etag", true}, meant{"x-idempotency", false}
	for key, want := range map[string]meant{
		"x-idempotancy": keyed, "x-idempotentcy": keyed, "x-indempotency": keyed,
		"x-Idempotency": keyed, "X-IDEMPOTENCY": keyed, "x-idem-potency": keyed,
		"x-etags": tagged, "x-ETag": tagged, "x-eatg": tagged, "x-e-tag": tagged,
		"x-idempotent": perhaps, "x-Idempotent": perhaps, "x-idempotence": perhaps, "x-idempotencies": perhaps, "x-idempotency-key": perhaps,
		"x-idempotency": {}, "x-etag": {}, "x-fern-idempotent": {}, "x-idempotency-header": {},
		"x-tag": {}, "x-tags": {}, "x-beta": {}, "x-stage": {}, "x-meta": {}, "x-flag": {}, "etag": {},
	} {
		if annotation, sure := meantBy(key); (meant{annotation, sure}) != want {
			t.Errorf("%s is taken for %q, sure: %v; want %+v", key, annotation, sure, want)
		}
	}
}

// An annotation that nothing is protected by does not pass.
func TestRead_WithoutEffect(t *testing.T) {
	const safe = "  /pets:\n    x-idempotency: true\n    get: {responses: {'200': {description: D}}}\n"
	for name, c := range map[string]struct{ text, want string }{
		"operation": {order("", "", "x-idempotancy: required"), "api.yaml:7:7: IDM010: x-idempotancy has no meaning; did you mean x-idempotency?\n\tfix: x-idempotency: required"},
		"item":      {order("", "x-Etag: {field: /v}", ""), "api.yaml:5:5: IDM010: x-Etag has no meaning; did you mean x-etag?\n\tfix: x-etag: {…}"},
		"root":      {order("x-idempotency-: {}", "", ""), "api.yaml:2:1: IDM010: "},
		"defaults":  {order("x-idempotency: {required: true}", "", ""), "api.yaml:2:1: IDM013: x-idempotency at the root holds defaults, and nothing switches it on"},
		"safe":      {strings.Replace(order("", "", ""), "paths:\n", "paths:\n"+safe, 1), "IDM013: x-idempotency reaches no operation here"},
		"decided":   {order("x-idempotency: {ttl: 1h}", "", "x-idempotency: exempt"), ""},
		"theirs":    {order("", "x-tags: [a]", "x-idempotent: true"), "api.yaml:7:7: warning: IDM010: x-idempotent has no meaning"},
		"off":       {strings.Replace(order("", "", ""), "paths:\n", "paths:\n"+strings.Replace(safe, "true", "false", 1), 1), ""},
	} {
		_, list := read(t, map[string]string{"api.yaml": c.text})
		if got := rendered(list); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

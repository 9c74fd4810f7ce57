package vectors

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestMerge(t *testing.T) {
	tests := []struct{ name, base, policy, want string }{
		{"no policy", `true`, ``, `true`},
		{"object over true", `true`, `{"ttl":"5m"}`, `{"ttl":"5m"}`},
		{"nested", `{"key":{"minLength":2,"aliases":["A"]}}`, `{"key":{"aliases":["B"]}}`, `{"key":{"minLength":2,"aliases":["B"]}}`},
		{"object over shorthand", `"optional"`, `{"ttl":"5m"}`, `{"required":false,"ttl":"5m"}`},
		{"shorthand over object", `{"public":true}`, `"optional"`, `{"public":true,"required":false}`},
		{"required over optional", `"optional"`, `"required"`, `{"required":true}`},
		{"true keeps", `{"ttl":"5m"}`, `true`, `{"ttl":"5m"}`},
		{"object leaves off alone", `"exempt"`, `{"ttl":"5m"}`, `"exempt"`},
		{"object leaves false alone", `false`, `{"ttl":"5m"}`, `false`},
		{"shorthand switches on", `false`, `"required"`, `{"required":true}`},
		{"switches off", `true`, `false`, `false`},
		{"absent", ``, `{"ttl":"5m"}`, `{"ttl":"5m"}`},
		{"empty object", `true`, `{}`, `true`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := merge(value(t, test.base), value(t, test.policy))
			if err != nil {
				t.Fatal(err)
			}
			if want := value(t, test.want); !reflect.DeepEqual(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	for _, bad := range []any{"no", 3.0} {
		if got, err := merge(true, bad); err == nil {
			t.Errorf("policy %v over true gives %v, want an error", bad, got)
		}
		if got, err := merge(bad, map[string]any{"a": 1.0}); err == nil {
			t.Errorf("a policy over %v gives %v, want an error", bad, got)
		}
	}
}

func value(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMarker(t *testing.T) {
	for text, want := range map[string]string{
		`true`:                 "Idempotent-Replayed",
		``:                     "Idempotent-Replayed",
		`{"profile":"ietf"}`:   "Idempotency-Replayed",
		`{"profile":"stripe"}`: "Idempotent-Replayed",
		`{"profile":"ietf","replay":{"marker":"X-Again"}}`: "X-Again",
	} {
		if got := marker(value(t, text)); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	fixture := []Operation{
		{OperationID: "get", Method: "GET", Path: "/v1/orders/{orderId}"},
		{OperationID: "refund", Method: "POST", Path: "/v1/orders/{orderId}/refund"},
		{OperationID: "any", Method: "POST", Path: "/v1/orders/{orderId}"},
		{OperationID: "search", Method: "POST", Path: "/v1/orders/search"},
	}
	tests := []struct{ method, path, want string }{
		{"GET", "/v1/orders/7", "get"},
		{"HEAD", "/v1/orders/7", "get"},
		{"GET", "/v1/orders/7?a=/b", "get"},
		{"POST", "/v1/orders/a%2Fb/refund", "refund"},
		{"POST", "/v1/orders/search", "search"},
		{"POST", "/v1/orders/7", "any"},
		{"DELETE", "/v1/orders/7", ""},
		{"GET", "/v1/orders", ""},
		{"GET", "/v1/orders/", ""},
	}
	for _, test := range tests {
		got := ""
		if op := find(fixture, test.method, test.path); op != nil {
			got = op.OperationID
		}
		if got != test.want {
			t.Errorf("%s %s is %q, want %q", test.method, test.path, got, test.want)
		}
	}
}

func TestRequestBody(t *testing.T) {
	const sku = `"sku":{"type":"string"}`
	schema := func(properties string) string {
		return `{"content":{"application/json":{"schema":{"type":"object","additionalProperties":true,"properties":{` + properties + `}}}}}`
	}
	tests := []struct{ text, policy, want string }{
		{"no body", "", "null"},
		{"any media type", "", `{"content":{"*/*":{"schema":{"type":"string","format":"binary"}}}}`},
		{`JSON object; "sku", when present, is a string; every other member takes any value`, "", schema(sku)},
		{`JSON object; every other member takes any value; required`, "", strings.Replace(schema(""), `{"content"`, `{"required":true,"content"`, 1)},
		{`JSON object`, `{"key":{"source":"body:/requestId"}}`, schema(`"requestId":{"type":"string"}`)},
		{`JSON object`, `{"key":{"source":"body:/a~1b/c"}}`, schema(`"a/b":{"type":"object","additionalProperties":true,"properties":{"c":{"type":"string"}}}`)},
		{`JSON object`, `{"key":{"source":"header"}}`, schema("")},
		{`application/octet-stream; required`, "", `{"required":true,"content":{"application/octet-stream":{"schema":{"type":"string","format":"binary"}}}}`},
		{`JSON object; "n" is an integer`, "", strings.Replace(schema(`"n":{"type":"integer"}`), `"additionalProperties"`, `"required":["n"],"additionalProperties"`, 1)},
	}
	for _, test := range tests {
		got, err := requestBody(test.text, value(t, test.policy))
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(value(t, string(text)), value(t, test.want)) {
			t.Errorf("%s: got %s, want %s", test.text, text, test.want)
		}
	}
	if _, err := requestBody("JSON object; in verse", nil); err == nil || !strings.Contains(err.Error(), "in verse") {
		t.Errorf("got %v, want an error that quotes what is not understood", err)
	}
}

func TestBuild(t *testing.T) {
	status := 201
	fixture := []Operation{
		{OperationID: "create", Method: "POST", Path: "/things", Idempotency: json.RawMessage(`true`), Request: "JSON object", Answer: Answer{Status: &status}},
		{OperationID: "subscribe", Method: "POST", Path: "/letters", Idempotency: json.RawMessage(`{"public":true}`)},
		{OperationID: "replace", Method: "PUT", Path: "/widgets/{id}", ETag: json.RawMessage(`{"require":["ifMatch"]}`)},
		{OperationID: "touch", Method: "POST", Path: "/widgets/{id}"},
	}
	policy, etag := json.RawMessage(`{"ttl":"5m","store":"second"}`), json.RawMessage(`{"tags":"one","notModified":false}`)
	named := map[string]bool{"create": true, "replace": true}
	doc, err := Build(fixture, policy, etag, named, false)
	if err != nil {
		t.Fatal(err)
	}
	twice, err := Build(fixture, policy, etag, named, false)
	if err != nil || !bytes.Equal(doc.Content, twice.Content) {
		t.Errorf("built twice, the documents differ (%v)", err)
	}
	root := value(t, string(doc.Content))
	for _, test := range []struct {
		path []string
		want string
	}{
		{[]string{"paths", "/things", "post", "x-idempotency"}, `{"ttl":"5m","store":"second"}`},
		{[]string{"paths", "/things", "post", "security"}, `[{"caller":[]}]`},
		{[]string{"paths", "/letters", "post", "x-idempotency"}, `{"public":true}`},
		{[]string{"paths", "/letters", "post", "security"}, `null`},
		{[]string{"paths", "/widgets/{id}", "put", "x-etag"}, `{"require":["ifMatch"],"tags":"one"}`},
		{[]string{"paths", "/widgets/{id}", "post", "x-etag"}, `false`},
		{[]string{"paths", "/widgets/{id}", "x-etag"}, `{"resource":"Widget","notModified":false}`},
		{[]string{"paths", "/widgets/{id}", "get", "operationId"}, `"readWidget"`},
	} {
		if got := member(root, test.path...); !reflect.DeepEqual(got, value(t, test.want)) {
			t.Errorf("%v is %v, want %s", test.path, got, test.want)
		}
	}
	if !slices.Equal(doc.Stores, []string{"second"}) {
		t.Errorf("stores are %v, want second", doc.Stores)
	}
	alone, err := Build(fixture, nil, nil, map[string]bool{"create": true}, true)
	if err != nil {
		t.Fatal(err)
	}
	if paths := member(value(t, string(alone.Content)), "paths").(map[string]any); len(paths) != 1 {
		t.Errorf("for one operation alone the document has %v", paths)
	}
}

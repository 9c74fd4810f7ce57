package vectors

import (
	"strings"
	"testing"
)

const generated = `package api
type AResponseObject interface { VisitAResponse(w http.ResponseWriter) error }
type AResult interface { AResponseObject; aResult() }
func A200(version ThingVersion, body Thing) AResult { return nil }
`

func TestAdapter(t *testing.T) {
	tests := []struct{ name, service, want string }{
		{"plain", `A(ctx context.Context, req ARequestObject) (AResponseObject, error)`, "s.w.Run(ctx)"},
		{"read", `A(ctx context.Context, req ARequestObject) (AResult, error)`, "server.Read[ThingVersion]"},
		{"write", `A(ctx context.Context, req ARequestObject, expect etag.Match[ThingVersion]) (AResult, error)`, "server.Write(ctx, s.w, expect)"},
		{"create", `A(ctx context.Context, req ARequestObject, expect etag.Absent[ThingVersion]) (AResult, error)`, "server.Create(ctx, s.w, expect)"},
		{"upsert", `A(ctx context.Context, req ARequestObject, expect etag.MatchOrAbsent[ThingVersion]) (AResult, error)`, "server.Upsert(ctx, s.w, expect)"},
		{"maybe write", `A(ctx context.Context, req ARequestObject, expect etag.MaybeMatch[ThingVersion]) (AResult, error)`, "server.MaybeWrite(ctx, s.w, expect)"},
		{"maybe upsert", `A(ctx context.Context, req ARequestObject, expect etag.MaybeMatchOrAbsent[ThingVersion]) (AResult, error)`, "server.MaybeUpsert(ctx, s.w, expect)"},
		{"current", `CurrentThing(ctx context.Context, key ThingKey) (etag.Current[ThingVersion], error)`, "server.Current[ThingVersion]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			source := generated + "type Service interface {\n" + test.service + "\n}\n"
			got, err := Adapter("api", nil, [][]byte{[]byte(source)})
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(got), test.want) {
				t.Errorf("the adapter lacks %q:\n%s", test.want, got)
			}
		})
	}
}

func TestAdapter_Refuses(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"no service", "package api", "no interface Service"},
		{"no Go", "pakcage", "expected 'package'"},
		{"unknown argument", generated + `type Service interface { A(ctx context.Context, req R, expect etag.Other[V]) (AResult, error) }`, "etag.Other[V]"},
		{"unknown results", generated + `type Service interface { A(ctx context.Context, req R) error }`, "returns [error]"},
		{"unknown object", generated + `type Service interface { B(ctx context.Context, req R) (BResponseObject, error) }`, "BResponseObject has no Visit method"},
		{"unsealed", generated + `type Service interface { A(ctx context.Context, req R) (Other, error) }`, "Other is not sealed"},
		{"expectation without seal", generated + `type Service interface { A(ctx context.Context, req R, expect etag.Match[V]) (AResponseObject, error) }`, "without a sealed result"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Adapter("api", nil, [][]byte{[]byte(test.source)})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

package runtime

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// The link leads to the resource also where net/http has another name for a
// parameter than the document.
func TestReadLink_NamesOfParameters(t *testing.T) {
	for name, pattern := range map[string]string{
		"id":     "PUT /pets/{id}/name",
		"pet-id": "PUT /pets/{pet_id}/name",
		"1st":    "PUT /pets/{_st}/name",
	} {
		p := &prepared{Operation: &Operation{
			Path:         "/pets/{" + name + "}/name",
			Precondition: &Precondition{ReadPath: "/pets/{" + name + "}"},
		}}
		var link string
		mux := http.NewServeMux()
		mux.HandleFunc(pattern, func(_ http.ResponseWriter, r *http.Request) { link = p.readLink(r, "/api") })
		mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPut, "/pets/a%2Fb/name", nil))
		if link != "/api/pets/a%2Fb" {
			t.Errorf("%s: %q", name, link)
		}
	}
}

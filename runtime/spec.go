package runtime

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// SpecHandler serves an OpenAPI document to GET and HEAD, as JSON or as
// application/yaml (RFC 9512), with a strong tag, so that a client that has it
// gets 304. The document is what `idemgen spec` writes, embedded with go:embed;
// it must not be changed afterwards. The handler is safe for concurrent use.
func SpecHandler(document []byte) http.Handler {
	sum := sha256.Sum256(document)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	media := "application/yaml"
	if start := bytes.TrimLeft(document, "\ufeff \t\r\n"); len(start) > 0 && start[0] == '{' {
		media = "application/json"
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			header.Set("Allow", "GET, HEAD")
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		header.Set("Content-Type", media)
		header.Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(document))
	})
}

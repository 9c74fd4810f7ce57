package runtime

import (
	"net/http"
	"slices"
)

// ExposedHeaders returns the response fields that scripts of other origins have
// to be allowed to read, for Access-Control-Expose-Headers: without them a
// browser's client sees neither the tag that it must send back nor that an answer
// was a replay. Canonical form, ascending; the caller may change the list.
func (h *Handler) ExposedHeaders() []string {
	names := []string{"Content-Location", "Etag", "Idempotency-Status", "Link", "Location", "Retry-After"}
	for _, p := range h.operations {
		if !p.keyed {
			continue
		}
		names = append(names, http.CanonicalHeaderKey(p.marker))
		if p.Idempotency.Replay.ExpiresHeader {
			names = append(names, "Idempotency-Expires")
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// AllowedHeaders returns the request fields that scripts of other origins have
// to be allowed to send, for Access-Control-Allow-Headers: preconditions and the
// keys of the operations, with their aliases, and Prefer where waiting is
// possible. What the API itself reads, such as Authorization and Content-Type,
// comes on top. Canonical form, ascending; the caller may change the list.
func (h *Handler) AllowedHeaders() []string {
	var names []string
	for _, p := range h.operations {
		if p.Precondition != nil {
			names = append(names, "If-Match", "If-None-Match")
			if p.Precondition.LastModified {
				names = append(names, "If-Modified-Since", "If-Unmodified-Since")
			}
		}
		if !p.keyed {
			continue
		}
		if p.Idempotency.Concurrency == ConcurrencyWait {
			names = append(names, "Prefer")
		}
		if p.Idempotency.Key.Body != "" {
			continue
		}
		for _, name := range append([]string{orDefault(p.Idempotency.Key.Header, defaultKeyHeader)}, p.Idempotency.Key.Aliases...) {
			names = append(names, http.CanonicalHeaderKey(name))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

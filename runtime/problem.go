package runtime

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"time"
)

// Problem is the body of every refusal (RFC 9457). It never holds the key, a
// stored body, or anything of another request.
type Problem struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Instance  string `json:"instance,omitempty"`
	Operation string `json:"operation,omitempty"`

	// Retry says what a client may do next: "same-key" (send it again under the
	// same key), "new-key" (a further attempt needs a fresh key) or "none" (do
	// not repeat automatically).
	Retry string `json:"retry,omitempty"`
	// RetryAfterMs is a jittered wait, 0.5 to 1.0 of the Retry-After header.
	RetryAfterMs int64 `json:"retryAfterMs,omitempty"`

	// Members of precondition problems (RFC 9110 §13).
	Field          string   `json:"field,omitempty"`
	Offset         *int     `json:"offset,omitempty"`
	Reason         string   `json:"reason,omitempty"`
	AcceptedFields []string `json:"acceptedFields,omitempty"`
	Example        string   `json:"example,omitempty"`
	CurrentETag    string   `json:"currentEtag,omitempty"`
}

// kind is a row of the one table from refusal to answer.
type kind struct {
	suffix string
	status int
	title  string
	retry  string
	detail string
}

const (
	retrySame = "same-key"
	retryNew  = "new-key"
	retryNone = "none"
)

var (
	keyMissing          = kind{"key-missing", 400, "Idempotency key missing", retryNew, "This operation requires an idempotency key. Send a fresh one, and the same one again with every retry."}
	keyInvalid          = kind{"key-invalid", 400, "Idempotency key invalid", retryNew, ""}
	malformedBody       = kind{"malformed-body", 400, "Malformed request body", retrySame, ""}
	malformedRequest    = kind{"malformed-request", 400, "Malformed request", retrySame, ""}
	malformedCondition  = kind{"malformed-precondition", 400, "Malformed precondition", retrySame, "The precondition field is not a list of entity tags."}
	keyReused           = kind{"key-reused", 409, "Idempotency key reused", retryNew, "This key was used for a different request. A different request needs a key of its own."}
	inFlight            = kind{"in-flight", 409, "Request in flight", retrySame, "The first request with this key still runs. Send the same request again later."}
	outcomeUnknown      = kind{"outcome-unknown", 409, "Outcome unknown", retryNone, "An earlier attempt with this key ended without a known outcome. It must be looked into before anything is repeated."}
	responseUnavailable = kind{"response-unavailable", 409, "Response unavailable", retryNone, "The request was performed; its response cannot be shown again."}
	scopeUnresolved     = kind{"scope-unresolved", 403, "Scope unresolved", retryNone, "It could not be determined whose request this is."}
	bodyTooLarge        = kind{"body-too-large", 413, "Request body too large", retryNone, ""}
	storeUnavailable    = kind{"store-unavailable", 503, "Idempotency store unavailable", retrySame, "The store of the idempotency keys did not answer. Send the same request again later."}
	preconditionFailed  = kind{"precondition-failed", 412, "Precondition failed", retrySame, "The resource is not in the state that the request expects. Fetch it again, reapply the change, and retry with the new tag."}
	preconditionMissing = kind{"precondition-required", 428, "Precondition required", retrySame, "This operation changes a versioned resource. Fetch it first and send its tag."}
	notFound            = kind{"not-found", 404, "Not found", retrySame, ""}
	methodNotAllowed    = kind{"method-not-allowed", 405, "Method not allowed", retryNone, ""}
	notImplemented      = kind{"not-implemented", 501, "Not implemented", retryNone, ""}
	internalError       = kind{"internal-error", 500, "Internal error", retrySame, "The server failed to answer. The same request may be sent again."}
)

// unclear is k where nothing finds an effect again: a client that repeats the
// request by itself could have it performed twice.
func (k kind) unclear() kind {
	k.retry = retryNone
	k.detail = "The server failed, and it is not known whether the request was performed. Find out before sending it again."
	return k
}

// kinds lists every problem type; the documentation has a section for each.
var kinds = []kind{
	keyMissing, keyInvalid, malformedBody, malformedRequest, malformedCondition, keyReused, inFlight,
	outcomeUnknown, responseUnavailable, scopeUnresolved, bodyTooLarge, storeUnavailable,
	preconditionFailed, preconditionMissing, notFound, methodNotAllowed, notImplemented, internalError,
}

// problem fills in the members that every refusal has.
func (h *Handler) problem(r *http.Request, op *Operation, k kind, detail string) Problem {
	if detail == "" {
		detail = k.detail
	}
	p := Problem{Type: h.problemTypes[k.suffix], Title: k.title, Status: k.status, Detail: detail, Retry: k.retry}
	if op != nil {
		p.Operation = op.ID
	}
	if h.requestID != nil {
		p.Instance = h.requestID(r)
	}
	return p
}

// writeProblem sends p. Headers that a handler prepared for another answer must
// not remain, so w's own content headers are replaced.
func (h *Handler) writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	media, body := "", []byte(nil)
	if h.problemBody != nil {
		theirs := *p // the status is not theirs to change
		media, body = h.problemBody(r, &theirs)
	}
	contentType := problemContentType
	if media != "" {
		contentType = []string{media}
	} else {
		buffer := buffers.Get().(*bytes.Buffer)
		defer func() { buffer.Reset(); buffers.Put(buffer) }()
		body = p.appendJSON(buffer.AvailableBuffer())
		buffer.Write(body) // keeps what it has grown to
	}
	header := w.Header()
	header["Content-Type"] = contentType
	header["Cache-Control"] = noStore
	setLength(header, p.Status, len(body))
	if len(body) == 0 {
		header["Content-Length"] = []string{"0"}
	}
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) //nolint:gosec // G705: what HTML would read is escaped; a failing connection is the server's to notice
}

var (
	problemContentType = []string{"application/problem+json"}
	noStore            = []string{"no-store"}
)

// refuse answers with a problem of kind k.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, op *Operation, k kind, detail string) {
	p := h.problem(r, op, k, detail)
	h.writeProblem(w, r, &p)
}

// refuseKey answers about the key itself, with a link to its documentation
// (draft §2.7).
func (h *Handler) refuseKey(w http.ResponseWriter, r *http.Request, op *Operation, k kind, detail string) {
	p := h.problem(r, op, k, detail)
	page := op.Idempotency.DocsURL
	if page == "" {
		page = p.Type
	}
	w.Header().Add("Link", "<"+page+`>; rel="describedby"`)
	h.writeProblem(w, r, &p)
}

// refuseLater answers that the same request may succeed after a wait.
func (h *Handler) refuseLater(w http.ResponseWriter, r *http.Request, op *Operation, k kind, wait time.Duration) {
	p := h.problem(r, op, k, "")
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	p.RetryAfterMs = seconds*500 + rand.Int64N(seconds*500+1)
	w.Header()["Retry-After"] = []string{itoa(seconds)}
	h.writeProblem(w, r, &p)
}

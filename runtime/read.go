package runtime

import (
	"maps"
	"net/http"
	"strings"

	"github.com/idemgen/idemgen/runtime/etag"
)

// serveRead serves a versioned read: the handler runs, and its answer is
// decided on by the version it carries, so that tag and body cannot disagree.
func (h *Handler) serveRead(w http.ResponseWriter, r *http.Request, p *prepared, next func(http.ResponseWriter, *http.Request)) {
	rw := &readWriter{ResponseWriter: w, h: h, p: p, r: r}
	if header := w.Header(); len(header) > 0 {
		rw.before = header.Clone()
	}
	p.conditions(r, &rw.conditions)
	if verdict := etag.Stateless(r.Method, &rw.conditions, &p.policy); verdict.Status != 0 {
		h.refuseCondition(w, r, p, verdict, "")
		return
	}
	next(rw, r)
	rw.finish()
}

// readWriter passes a versioned answer on, or replaces it by 304 or 412.
type readWriter struct {
	http.ResponseWriter
	h          *Handler
	p          *prepared
	r          *http.Request
	conditions etag.Conditions
	version    Versioned
	before     http.Header // what a middleware set; nil: nothing
	decided    bool
	replaced   bool // the body belongs to an answer that is not sent
	kept       int  // status of an answer that is kept until its hash is known
	body       []byte
}

func (rw *readWriter) setVersion(v Versioned) { rw.version = v }

// Unwrap lets http.ResponseController reach the connection.
func (rw *readWriter) Unwrap() http.ResponseWriter { return rw.ResponseWriter }

// FlushError implements what http.ResponseController asks for: flushing sends
// the status, so the decision comes first.
func (rw *readWriter) FlushError() error {
	if rw.kept != 0 {
		return http.ErrNotSupported
	}
	if !rw.decided {
		rw.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(rw.ResponseWriter).Flush()
}

// withdraw replaces the handler's answer: its headers go, those of the
// middleware, such as CORS, stay.
func (rw *readWriter) withdraw() {
	rw.replaced = true
	header := rw.Header()
	clear(header)
	maps.Copy(header, rw.before)
}

func (rw *readWriter) Write(b []byte) (int, error) {
	if !rw.decided {
		rw.WriteHeader(http.StatusOK)
	}
	switch {
	case rw.kept != 0:
		rw.body = append(rw.body, b...)
		return len(b), nil
	case rw.replaced:
		return len(b), nil
	}
	return rw.ResponseWriter.Write(b)
}

// finish sends an answer that was kept back.
func (rw *readWriter) finish() {
	status := rw.kept
	if status == 0 {
		return
	}
	rw.kept, rw.version = 0, Versioned{opaque: hashOf(rw.body), ok: true, modified: rw.version.modified}
	rw.decide(status)
	if !rw.replaced {
		_, _ = rw.ResponseWriter.Write(rw.body) // the connection's failure is the server's to notice
	}
}

func (rw *readWriter) WriteHeader(status int) {
	if rw.kept != 0 && status >= 400 { // the answer could not be completed, and nothing of it was sent
		rw.kept, rw.body = 0, nil
	}
	if rw.decided || status < 200 {
		rw.ResponseWriter.WriteHeader(status)
		return
	}
	rw.decided = true
	if status > 299 {
		if status != http.StatusNotFound || !rw.absent() {
			rw.ResponseWriter.WriteHeader(status)
		}
		return
	}
	if rw.version.hashed {
		rw.kept = status
		return
	}
	rw.decide(status)
}

// decide sends a 2xx, or what the preconditions make of it.
func (rw *readWriter) decide(status int) {
	if !rw.version.ok {
		rw.withdraw()
		rw.h.fault(rw.r.Context(), rw.p.Operation, nil, "the read has no version that an entity tag can express", nil)
		rw.h.refuse(rw.ResponseWriter, rw.r, rw.p.Operation, internalError, "")
		return
	}
	tag := rw.p.tag(rw.r, rw.version.opaque)
	state := etag.State{Exists: true, HasTag: true, Tag: tag}
	header := rw.Header()
	if rw.p.policy.LastModified {
		state.LastModified = rw.version.modified
		header["Last-Modified"] = []string{state.LastModified.UTC().Format(http.TimeFormat)}
	}
	verdict := etag.Stateful(rw.r.Method, &rw.conditions, &state, &rw.p.policy)
	header["Etag"] = []string{tag.String()}
	for _, name := range rw.p.Precondition.VaryBy {
		vary(header, name)
	}
	switch verdict.Status {
	case 0:
		rw.ResponseWriter.WriteHeader(status)
	case http.StatusNotModified:
		rw.replaced = true
		// RFC 9110 §15.4.5: what describes the content is left out; the tag
		// makes Last-Modified redundant.
		for _, name := range [...]string{"Content-Type", "Content-Length", "Content-Encoding", "Content-Language", "Content-Range", "Last-Modified"} {
			delete(header, name)
		}
		rw.h.precondition(rw.r.Context(), rw.p, PreconditionNotModified, verdict)
		rw.ResponseWriter.WriteHeader(http.StatusNotModified)
	default:
		rw.withdraw()
		exposed := ""
		if rw.p.policy.ExposeCurrent {
			exposed = tag.String()
		}
		rw.h.refuseCondition(rw.ResponseWriter, rw.r, rw.p, verdict, exposed)
	}
}

// vary adds a field name to Vary (RFC 9110 §12.5.5), unless it is there.
func vary(header http.Header, name string) {
	for _, line := range header["Vary"] {
		for listed := range strings.SplitSeq(line, ",") {
			if listed = strings.TrimSpace(listed); listed == "*" || strings.EqualFold(listed, name) {
				return
			}
		}
	}
	header["Vary"] = append(header["Vary"], name)
}

// absent decides where the handler has found nothing. Its own answer stands,
// unless the policy wants 412 for an If-Match.
func (rw *readWriter) absent() (refused bool) {
	verdict := etag.Stateful(rw.r.Method, &rw.conditions, &etag.State{}, &rw.p.policy)
	if verdict.Status != http.StatusPreconditionFailed {
		return false
	}
	rw.withdraw()
	rw.h.refuseCondition(rw.ResponseWriter, rw.r, rw.p, verdict, "")
	return true
}

package runtime

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// representation are the headers that describe a body (RFC 9110 §8.3 to §8.8).
// Where the body is rendered anew, they come with it.
var representation = [...]string{
	"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Type", "Etag", "Last-Modified",
}

// notOfRead are the request headers that speak of the first request's body, key
// or conditions, or of its connection: a read of the result must not have them.
// Without Accept-Encoding the body is not coded twice.
var notOfRead = [...]string{
	"Accept-Encoding", "Connection", "Content-Digest", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Length", "Content-Location", "Content-Range", "Content-Type", "Digest", "Expect", "Idempotency-Key",
	"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Keep-Alive", "Prefer",
	"Range", "Repr-Digest", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "X-Http-Method-Override",
}

// byReference reports whether the body of an answer is rendered anew instead of
// being recorded: a success that says where its result is. Other answers are
// about the request, and no read operation knows them.
func byReference(status int, header http.Header, body []byte) (refers, found bool) {
	if status < 200 || status > 299 || len(body) == 0 {
		return false, false
	}
	return true, header.Get("Location") != "" || header.Get("Content-Location") != ""
}

// renderAnew performs the read operation that the recorded headers, which stand
// in header already, lead to: as the caller, through the same router and the
// same middleware, so that it sees what it may see now. It puts the headers that
// describe the body into header.
func (x *exchange) renderAnew(header http.Header) (body []byte, ok bool) {
	location := header.Get("Location")
	if location == "" {
		location = header.Get("Content-Location")
	}
	target := x.readTarget(location)
	if target == nil {
		return nil, false
	}
	read, ok := x.read(x.r.Context(), target)
	if !ok {
		return nil, false
	}
	for _, name := range representation {
		delete(header, name)
		if values := read.sent[name]; len(values) > 0 {
			header[name] = values
		}
	}
	return read.body, true
}

// read performs the read operation at target as the caller, through the same
// router and the same middleware. It is false when that did not succeed, or its
// body is larger than the policy's maxResponse.
func (x *exchange) read(ctx context.Context, target *url.URL) (answer *boundedWriter, ok bool) {
	r := x.r.Clone(ctx)
	r.Method, r.URL, r.RequestURI = http.MethodGet, target, target.RequestURI()
	r.Body, r.ContentLength, r.GetBody, r.TransferEncoding = http.NoBody, 0, nil, nil
	r.Form, r.PostForm, r.MultipartForm, r.Trailer, r.Pattern = nil, nil, nil, nil, ""
	for _, name := range notOfRead {
		delete(r.Header, name)
	}
	for _, name := range x.p.keyNames {
		delete(r.Header, name)
	}
	answer = &boundedWriter{header: http.Header{}, limit: orDefault(x.p.maxResponse, defaultMaxResponse)}
	x.h.router.ServeHTTP(answer, r)
	answer.WriteHeader(http.StatusOK) // of a handler that wrote nothing
	return answer, answer.status >= 200 && answer.status <= 299 && !answer.over
}

// readTarget resolves a recorded location against the request (RFC 9110
// §10.2.2). It is nil for one that is not of this server: nothing is fetched
// from elsewhere in a caller's name.
func (x *exchange) readTarget(location string) *url.URL {
	if location == "" {
		return nil
	}
	target, err := x.r.URL.Parse(location)
	if err != nil || target.Host != x.r.URL.Host && !strings.EqualFold(target.Host, x.r.Host) || target.User != nil ||
		!strings.HasPrefix(target.Path, "/") {
		return nil
	}
	target.Scheme, target.Host, target.Fragment, target.RawFragment = x.r.URL.Scheme, x.r.URL.Host, "", ""
	return target
}

// boundedWriter keeps an answer in memory, up to a limit.
type boundedWriter struct {
	header http.Header
	sent   http.Header // as of WriteHeader
	status int
	body   []byte
	limit  int
	over   bool
}

func (b *boundedWriter) Header() http.Header { return b.header }

func (b *boundedWriter) WriteHeader(status int) {
	if b.status == 0 && status >= 200 { // informational answers are not the answer
		b.status, b.sent = status, b.header.Clone() // what comes later is not sent
	}
}

func (b *boundedWriter) Write(content []byte) (int, error) {
	b.WriteHeader(http.StatusOK)
	if b.over = b.over || len(b.body)+len(content) > b.limit; b.over {
		b.body = nil
		return len(content), nil
	}
	b.body = append(b.body, content...)
	return len(content), nil
}

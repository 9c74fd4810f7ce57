package runtime

import (
	"encoding/binary"
	"errors"
	"math"
	"net/http"
	"slices"
	"strings"
)

// headersVersion is the first octet of encoded headers.
const headersVersion = 1

// recordedHeaders are the response headers that a replay repeats, besides those
// that the policy adds.
var recordedHeaders = []string{
	"Content-Disposition", "Content-Encoding", "Content-Language", "Content-Location", "Content-Type",
	"Etag", "Last-Modified", "Link", "Location",
}

// deniedHeaders are never recorded, even if they are declared: they belong to
// the caller, the connection or the moment of the first answer.
var deniedHeaders = []string{
	"Authorization", "Connection", "Content-Length", "Correlation-Id", "Date", "Keep-Alive", "Request-Id",
	"Retry-After", "Set-Cookie", "Te", "Traceparent", "Tracestate", "Trailer", "Transfer-Encoding", "Upgrade",
	"Www-Authenticate", "X-Amzn-Requestid", "X-Amzn-Trace-Id", "X-Correlation-Id", "X-Request-Id", "X-Trace-Id",
}

var deniedPrefixes = []string{"Proxy-", "Ratelimit", "X-Ratelimit-"}

// deniedHeader reports whether a header must not be recorded.
func deniedHeader(name string) bool {
	name = http.CanonicalHeaderKey(name)
	return slices.Contains(deniedHeaders, name) ||
		slices.ContainsFunc(deniedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// traceparent is the canonical name of the field of W3C Trace Context that a
// record keeps of its first request. It has 55 octets so far.
const (
	traceparent    = "Traceparent"
	maxTraceparent = 255
)

var errHeaders = errors.New("idem: the recorded headers are damaged, or a newer version of the runtime wrote them")

// recordableHeader encodes the headers that a replay will repeat: a version
// octet, then for each lower-case name in ascending order its length and
// octets, the number of its values, and each value's length and octets. Numbers
// are unsigned varints. The names in added are in canonical form. Trace are the
// traceparent lines of the request, which are kept with the headers and never
// replayed. The encoding is appended to b.
func recordableHeader(b []byte, h http.Header, added, trace []string) []byte {
	type field struct {
		name   string // canonical
		values []string
	}
	var room [8]field
	fields, connection := room[:0], h["Connection"]
	for name, values := range h {
		if !slices.Contains(recordedHeaders, name) {
			name = http.CanonicalHeaderKey(name)
			if deniedHeader(name) || !slices.Contains(added, name) && !slices.Contains(recordedHeaders, name) {
				continue
			}
		}
		if len(values) > 0 && !perConnection(connection, name) {
			fields = append(fields, field{name, values})
		}
	}
	if len(trace) == 1 && len(trace[0]) <= maxTraceparent {
		fields = append(fields, field{traceparent, trace})
	}
	slices.SortFunc(fields, func(a, b field) int { return compareFold(a.name, b.name) })
	b = append(b, headersVersion)
	for _, f := range fields {
		b = appendCounted(b, f.name)
		for i := len(b) - len(f.name); i < len(b); i++ { // the name, not its length
			b[i] = lowerOctet(b[i])
		}
		b = binary.AppendUvarint(b, uint64(len(f.values)))
		for _, value := range f.values {
			b = appendCounted(b, value)
		}
	}
	return b
}

// perConnection reports whether the answer's Connection makes a header hop-by-hop
// (RFC 9110 §7.6.1).
func perConnection(connection []string, name string) bool {
	for _, line := range connection {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), name) {
				return true
			}
		}
	}
	return false
}

// compareFold orders names by the octets of their lower-case forms.
func compareFold(a, b string) int {
	for i := range min(len(a), len(b)) {
		if c := int(lowerOctet(a[i])) - int(lowerOctet(b[i])); c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

func lowerOctet(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendCounted(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decodeHeaders calls visit for every value of encoded headers, in order, with
// the name in canonical form. Nothing was recorded where b is empty. After an
// error what was visited must not be used.
func decodeHeaders(b []byte, visit func(name, value string)) error {
	if len(b) == 0 {
		return nil
	}
	if b[0] != headersVersion {
		return errHeaders
	}
	for rest := string(b[1:]); rest != ""; { // values are parts of one string
		name, after, ok := cutCounted(rest)
		if !ok || name == "" {
			return errHeaders
		}
		count, after, ok := cutNumber(after)
		if !ok || count > len(after) {
			return errHeaders
		}
		rest = after
		canonical := canonicalName(name)
		for range count {
			var value string
			if value, rest, ok = cutCounted(rest); !ok {
				return errHeaders
			}
			visit(canonical, value)
		}
	}
	return nil
}

// cutCounted splits a length and that many octets from s.
func cutCounted(s string) (value, rest string, ok bool) {
	length, rest, ok := cutNumber(s)
	if !ok || length > len(rest) {
		return "", "", false
	}
	return rest[:length], rest[length:], true
}

// cutNumber splits an unsigned varint from s.
func cutNumber(s string) (n int, rest string, ok bool) {
	if s != "" && s[0] < 0x80 { // nearly all of them
		return int(s[0]), s[1:], true
	}
	const most = 5 // octets: header sections are far smaller than what they can say
	var octets [most]byte
	number, size := binary.Uvarint(octets[:copy(octets[:], s)])
	if size <= 0 || number > math.MaxInt32 {
		return 0, "", false
	}
	return int(number), s[size:], true
}

// canonicalName is http.CanonicalHeaderKey without an allocation for the usual
// names.
func canonicalName(lower string) string {
	if lower == "traceparent" {
		return traceparent
	}
	for _, name := range recordedHeaders {
		if len(name) == len(lower) && strings.EqualFold(name, lower) {
			return name
		}
	}
	return http.CanonicalHeaderKey(lower)
}

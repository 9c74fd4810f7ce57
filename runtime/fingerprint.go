package runtime

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/runtime/etag"
)

// fingerprintVersion is the first octet of every fingerprint. A change of the
// algorithm takes a new one, so that no record is compared by the wrong rules.
const fingerprintVersion = 1

// fingerprinter hashes what a request asks for, as one operation's policy says
// (draft-ietf-httpapi-idempotency-key-header §2.4). It is built once and safe
// for concurrent use.
type fingerprinter struct {
	policy       *FingerprintPolicy
	exclude      *pointerTree
	include      []selection
	headers      []fieldName
	conditional  bool // the operation has x-etag
	lastModified bool
}

// newFingerprinter compiles the fingerprint policy of an operation with keys.
func newFingerprinter(op *Operation) (*fingerprinter, error) {
	f := &fingerprinter{policy: &op.Idempotency.Fingerprint}
	if op.Precondition != nil {
		f.conditional, f.lastModified = true, op.Precondition.LastModified
	}
	if len(f.policy.Include) > 0 && len(f.policy.Exclude) > 0 {
		return nil, errors.New("include and exclude are exclusive of each other")
	}
	var err error
	if f.exclude, err = newPointerTree(f.policy.Exclude); err != nil {
		return nil, err
	}
	for _, p := range slices.Compact(slices.Sorted(slices.Values(f.policy.Include))) {
		s, err := newSelection(p)
		if err != nil {
			return nil, err
		}
		f.include = append(f.include, s)
	}
	for _, name := range f.policy.Headers {
		f.headers = append(f.headers, fieldName{strings.ToLower(name), http.CanonicalHeaderKey(name)})
	}
	slices.SortFunc(f.headers, func(a, b fieldName) int { return strings.Compare(a.lower, b.lower) })
	f.headers = slices.Compact(f.headers)
	return f, nil
}

// fieldName is the name of a header: as it is hashed, and as http.Header knows
// it.
type fieldName struct{ lower, canonical string }

// workspace is the memory that one fingerprint needs.
type workspace struct {
	preimage []byte
	text     []byte // canonical JSON from which members are selected
	json     canonicaliser
}

// room is about how much memory the workspace holds, in bytes.
func (ws *workspace) room() int { return cap(ws.preimage) + cap(ws.text) + ws.json.room() }

// sum returns the fingerprint of a request whose canonical path and parsed
// preconditions are path and c. Errors are *bodyError and *requestError.
func (f *fingerprinter) sum(ws *workspace, r *http.Request, path string, body []byte, c *etag.Conditions) (Fingerprint, error) {
	preimage, err := f.preimage(ws.preimage[:0], ws, r, path, body, c)
	if err != nil {
		return Fingerprint{}, err
	}
	ws.preimage = preimage
	fp := Fingerprint{fingerprintVersion}
	hash := sha256.Sum256(preimage)
	copy(fp[1:], hash[:])
	return fp, nil
}

// preimage appends the octets that are hashed: a label, then sections in a
// fixed order, each a tag and a length-prefixed content.
func (f *fingerprinter) preimage(b []byte, ws *workspace, r *http.Request, path string, body []byte, c *etag.Conditions) ([]byte, error) {
	b = slices.Grow(b, len(body)+len(path)+len(r.URL.RawQuery)+256)
	b = append(b, "idemgen/fp/1\x00"...)
	b = appendLengthed(append(b, 'M'), r.Method)
	b = appendLengthed(append(b, 'P'), path)
	var err error
	if !f.policy.IgnoreQuery {
		b, err = section(b, 'Q', func(b []byte) ([]byte, error) { return appendPairs(b, r.URL.RawQuery) })
		if err != nil {
			return nil, err
		}
	}
	if len(f.headers) > 0 {
		b, _ = section(b, 'H', func(b []byte) ([]byte, error) { return f.appendHeaders(b, r), nil })
	}
	if f.conditional {
		b, _ = section(b, 'E', func(b []byte) ([]byte, error) { return f.appendConditions(b, c), nil })
	}
	if f.policy.Mode == FingerprintNone {
		return b, nil
	}
	contentType, media, coding := "", "", ""
	if len(body) > 0 {
		if lines := r.Header["Content-Type"]; len(lines) > 0 {
			contentType = lines[0]
			media = mediaType(contentType)
		}
		b = appendLengthed(append(b, 'T'), media)
		if coding = contentCoding(r.Header); coding != "" && coding != "identity" {
			b = appendLengthed(append(b, 'C'), coding)
		}
	}
	return section(b, 'B', func(b []byte) ([]byte, error) {
		return f.appendBody(b, ws, contentType, media, coding, body)
	})
}

// section appends a tag, room for the length, and the content, and then fills
// in the length.
func section(b []byte, tag byte, content func([]byte) ([]byte, error)) ([]byte, error) {
	b = append(b, tag, 0, 0, 0, 0)
	begin := len(b)
	b, err := content(b)
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(b[begin-4:], uint32(len(b)-begin))
	return b, nil
}

func (f *fingerprinter) appendHeaders(b []byte, r *http.Request) []byte {
	for _, name := range f.headers {
		lines := r.Header[name.canonical]
		if name.lower == "host" { // net/http keeps it elsewhere
			lines = []string{r.Host}
		}
		b = appendLengthed(b, name.lower)
		b = binary.BigEndian.AppendUint32(b, uint32(len(lines)))
		for _, line := range lines {
			b = appendLengthed(b, strings.Trim(line, " \t"))
		}
	}
	return b
}

// appendConditions appends what the preconditions ask for. A date counts only
// where it would be evaluated.
func (f *fingerprinter) appendConditions(b []byte, c *etag.Conditions) []byte {
	b = c.IfMatch.AppendFingerprint(b)
	b = c.IfNoneMatch.AppendFingerprint(b)
	if !f.lastModified || c.IfMatch.Present() || c.IfUnmodifiedSince.IsZero() {
		return append(b, 0x00)
	}
	return binary.BigEndian.AppendUint64(append(b, 0x03), uint64(c.IfUnmodifiedSince.Unix()))
}

// mediaType is the lower-case type/subtype without parameters.
func mediaType(contentType string) string {
	essence, _, _ := strings.Cut(contentType, ";")
	return lowerASCII(strings.Trim(essence, " \t"))
}

// contentCoding is the Content-Encoding in lower case without white space.
func contentCoding(h http.Header) string {
	lines := h["Content-Encoding"]
	if len(lines) == 0 {
		return ""
	}
	coding := lowerASCII(strings.Join(lines, ","))
	return strings.ReplaceAll(strings.ReplaceAll(coding, " ", ""), "\t", "")
}

// lowerASCII lower-cases the letters of ASCII and keeps all other octets, which
// strings.ToLower does not.
func lowerASCII(s string) string {
	for i := range len(s) {
		if lowerOctet(s[i]) == s[i] {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			b[i] = lowerOctet(b[i])
		}
		return string(b)
	}
	return s
}

// appendBody appends the mode octet and the body in that mode. Media is the
// mediaType of contentType.
func (f *fingerprinter) appendBody(b []byte, ws *workspace, contentType, media, coding string, body []byte) ([]byte, error) {
	if len(body) == 0 {
		return append(b, '-'), nil
	}
	mode := f.policy.Mode
	if mode == FingerprintAuto {
		mode = modeOf(media, coding)
	}
	switch mode {
	case FingerprintJSON:
		return f.appendJSON(b, ws, body)
	case FingerprintMultipart:
		return appendMultipart(append(b, 'm'), contentType, body)
	case FingerprintForm:
		b, err := appendPairs(append(b, 'f'), string(body))
		if err != nil {
			return nil, &bodyError{-1, err.Error()}
		}
		return b, nil
	}
	return append(append(b, 'r'), body...), nil
}

func modeOf(media, coding string) FingerprintMode {
	switch {
	case coding != "" && coding != "identity":
		return FingerprintRaw
	case media == "application/json", strings.HasSuffix(media, "+json"):
		return FingerprintJSON
	case strings.HasPrefix(media, "multipart/"):
		return FingerprintMultipart
	case media == "application/x-www-form-urlencoded":
		return FingerprintForm
	}
	return FingerprintRaw
}

// appendJSON appends the canonical text of the body without the excluded
// members, or only the included ones. All of the body must be acceptable, also
// what does not count.
func (f *fingerprinter) appendJSON(b []byte, ws *workspace, body []byte) ([]byte, error) {
	ws.json.use(body, f.exclude)
	if len(f.include) == 0 {
		return ws.json.text(append(b, 'j'))
	}
	text, err := ws.json.text(ws.text[:0])
	if err != nil {
		return nil, err
	}
	ws.text = text
	b = append(b, 'i')
	for i := range f.include {
		s := &f.include[i]
		b = appendLengthed(b, s.pointer)
		value, found := s.find(text)
		if !found {
			b = append(b, 0x00)
			continue
		}
		b = appendLengthed(append(b, 0x01), value)
	}
	return b, nil
}

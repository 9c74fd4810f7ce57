package runtime

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"

	"github.com/idemgen/idemgen/runtime/etag"
)

// WithTagSecret sets the secret of the resources whose tags are opaque: at least
// [MinSecret] random octets, the same in every process and after every restart.
// A client sees neither the version in such a tag nor how it rises, and cannot
// make a tag of its own.
//
// With another secret or epoch all tags that were given out match nothing any
// more, and clients fetch again. The epoch, any text, is to be changed when a
// database is restored from a backup: it counts on from older versions, and a
// tag from before could match what somebody else has written since. Required
// when a resource has encoding: opaque.
func WithTagSecret(secret []byte, epoch string) Option {
	return func(o *options) error {
		if len(secret) < MinSecret {
			return fmt.Errorf("idem: WithTagSecret: the secret has %d octets, and %d random ones are the least", len(secret), MinSecret)
		}
		o.tagSecret, o.tagEpoch = bytes.Clone(secret), epoch
		return nil
	}
}

// tag is the wire tag of a version of this resource, as r gets it.
func (p *prepared) tag(r *http.Request, version string) etag.ETag {
	if p.opaque != nil {
		version = p.opaque.seal(version)
	}
	if p.policy.Variants {
		version += "." + variant(r.Header, p.Precondition.VaryBy)
	}
	return etag.ETag{Opaque: version, Weak: p.policy.Weak}
}

// versionOf is the version in a tag that a client has sent; false: this resource
// has given out no such tag.
func (p *prepared) versionOf(opaque string) (version string, ok bool) {
	if p.policy.Variants {
		i := strings.LastIndexByte(opaque, '.')
		if i < 0 {
			return "", false
		}
		opaque = opaque[:i]
	}
	if p.opaque == nil {
		return opaque, true
	}
	return p.opaque.open(opaque)
}

// variant names the representation that a request chooses by header fields. Two
// wordings of one choice are two variants, which costs a cache entry.
func variant(header http.Header, names []string) string {
	const octets = 9 // 12 characters
	hash := sha256.New()
	var b []byte
	for _, name := range names {
		lines := header[http.CanonicalHeaderKey(name)]
		b = binary.BigEndian.AppendUint32(b[:0], uint32(len(lines)))
		for _, line := range lines {
			b = appendLengthed(b, strings.Trim(line, " \t"))
		}
		hash.Write(b)
	}
	return base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:octets])
}

// opaqueTags seals versions: deterministic authenticated encryption in the way
// of SIV (RFC 5297), with HMAC-SHA-256 in both its places. Equal versions have
// equal tags, as tags must.
type opaqueTags struct{ key []byte }

const (
	sivSize   = 16 // octets
	padded    = 16 // versions are filled up to a multiple, so that the length tells little
	padMarker = 0x80
)

func newOpaqueTags(secret []byte, epoch, resource string) *opaqueTags {
	b := appendLengthed([]byte("idemgen/tag/1\x00"), epoch)
	return &opaqueTags{hmacOf(secret, appendLengthed(b, resource))}
}

func hmacOf(key []byte, message ...[]byte) []byte {
	mac := hmac.New(sha256.New, key)
	for _, m := range message {
		mac.Write(m) // a hash does not fail
	}
	return mac.Sum(nil)
}

func (o *opaqueTags) seal(version string) string {
	plain := append([]byte(version), padMarker)
	for len(plain)%padded != 0 {
		plain = append(plain, 0)
	}
	siv := hmacOf(o.key, []byte{0}, plain)[:sivSize]
	o.mask(siv, plain)
	return base64.RawURLEncoding.EncodeToString(append(siv, plain...))
}

func (o *opaqueTags) open(opaque string) (version string, ok bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(opaque)
	if err != nil || len(sealed) < sivSize+padded || len(sealed)%padded != 0 {
		return "", false
	}
	siv, plain := sealed[:sivSize], sealed[sivSize:]
	o.mask(siv, plain)
	if subtle.ConstantTimeCompare(hmacOf(o.key, []byte{0}, plain)[:sivSize], siv) != 1 {
		return "", false
	}
	return string(plain[:bytes.LastIndexByte(plain, padMarker)]), true
}

// mask adds the key stream of siv.
func (o *opaqueTags) mask(siv, text []byte) {
	for i := 0; i < len(text); i += sha256.Size {
		block := hmacOf(o.key, []byte{1}, siv, binary.BigEndian.AppendUint32(nil, uint32(i)))
		subtle.XORBytes(text[i:], text[i:], block)
	}
}

// hashOf is the version of what has none of its own: the hash of its octets.
func hashOf(body []byte) string {
	const octets = 18 // 24 characters
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(sum[:octets])
}

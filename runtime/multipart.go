package runtime

import (
	"bytes"
	"crypto/sha256"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"
)

// part is what counts of one part of a multipart body.
type part struct {
	name        string
	filename    string
	hasFilename bool
	media       string
	hash        [sha256.Size]byte
}

// appendMultipart appends the parts of a multipart body, sorted by the octets
// of their names; parts of one name keep their order. The boundary and all else
// of the envelope do not count: clients choose it anew with every attempt.
func appendMultipart(b []byte, contentType string, body []byte) ([]byte, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, &bodyError{-1, "the Content-Type of the multipart body names no boundary"}
	}
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	var parts []part
	for {
		p, err := reader.NextRawPart() // Content-Transfer-Encoding does not count
		if err == io.EOF {             //nolint:errorlint // a wrapped one is a body that ends without its last boundary
			break
		}
		if err != nil {
			return nil, &bodyError{-1, "the multipart body is malformed, or ends without its closing boundary"}
		}
		one, err := readPart(p)
		if err != nil {
			return nil, err
		}
		parts = append(parts, one)
	}
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.name, b.name) })
	for i := range parts {
		p := &parts[i]
		b = appendLengthed(b, p.name)
		if p.hasFilename {
			b = appendLengthed(append(b, 0x01), p.filename)
		} else {
			b = append(b, 0x00)
		}
		b = appendLengthed(b, p.media)
		b = append(b, p.hash[:]...)
	}
	return b, nil
}

// readPart reads one part. A part without Content-Disposition has an empty
// name, but one that is there must be readable: else parts that a server would
// tell apart could have one fingerprint.
func readPart(p *multipart.Part) (part, error) {
	one := part{media: mediaType(p.Header.Get("Content-Type"))}
	if disposition := p.Header.Get("Content-Disposition"); disposition != "" {
		_, params, err := mime.ParseMediaType(disposition)
		if err != nil {
			return one, &bodyError{-1, "a part of the multipart body has a malformed Content-Disposition"}
		}
		one.name = params["name"]
		one.filename, one.hasFilename = params["filename"]
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, p); err != nil {
		return one, &bodyError{-1, "the multipart body ends within a part"}
	}
	hash.Sum(one.hash[:0])
	return one, nil
}

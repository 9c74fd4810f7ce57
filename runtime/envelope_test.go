package runtime

import (
	"bytes"
	"reflect"
	"testing"
)

// FuzzEnvelope: what is sealed together comes back as it was, and damaged or
// foreign octets are an error, never a panic or an answer that was not given.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte{1, 0, 201, 0, 0, 1, 0, 0, 0, 1, 1, '{', '}'}, uint16(201), uint16(0), []byte{1}, []byte("{}"), true, uint8(3))
	f.Add([]byte{1, 0, 201, 0, 0, 0, 0, 0, 0, 0}, uint16(204), uint16(1), []byte{}, []byte{}, false, uint8(0))
	f.Add([]byte{1, 0, 201, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}, uint16(404), uint16(4), []byte{1, 2}, []byte("x"), true, uint8(255))
	f.Add([]byte{1, 0, 201, 0, 0, 2, 0, 0, 0, 0}, uint16(200), uint16(0), []byte{}, []byte{}, true, uint8(9))
	f.Fuzz(func(t *testing.T, received []byte, status, flags uint16, headers, body []byte, hasBody bool, cut uint8) {
		if r, err := parseEnvelope(received); err == nil && !bytes.Equal(appendEnvelope(nil, &r), received) {
			t.Fatalf("%x parses as %+v, which is written otherwise", received, r)
		}
		want := Response{Status: int(status), Flags: Flags(flags), Headers: append([]byte{}, headers...)}
		if hasBody {
			want.Body = append([]byte{}, body...)
		}
		sealed := appendEnvelope([]byte("before"), &want)[len("before"):]
		got, err := parseEnvelope(sealed)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v comes back as %+v, %v", want, got, err)
		}
		if n := int(cut) % envelopeFixed; n < len(sealed) {
			if r, err := parseEnvelope(sealed[:n]); err == nil {
				t.Fatalf("the first %d octets of %x parse as %+v", n, sealed, r)
			}
		}
		if n := envelopeFixed + len(headers); len(headers) > 0 {
			if r, err := parseEnvelope(sealed[:n-1]); err == nil {
				t.Fatalf("%x without the end of its headers parses as %+v", sealed, r)
			}
		}
		sealed[0]++
		if r, err := parseEnvelope(sealed); err == nil {
			t.Fatalf("an unknown version parses as %+v", r)
		}
	})
}

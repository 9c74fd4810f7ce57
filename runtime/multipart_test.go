package runtime

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// plainPart is a part as the test knows it.
type plainPart struct {
	name, filename string
	file           bool
	media, content string
}

// plainParts reads parts from a fuzzer's text: lines of name, filename, media
// type and content.
func plainParts(text string) []plainPart {
	var all []plainPart
	for line := range strings.SplitSeq(text, "\n") {
		fields := append(strings.Split(line, "|"), "", "", "")
		p := plainPart{name: fields[0], filename: fields[1], file: fields[1] != "", media: fields[2], content: fields[3]}
		if p.sendable() {
			all = append(all, p)
		}
	}
	return all
}

// sendable reports whether a client can put such a part into a body without
// another encoding.
func (p *plainPart) sendable() bool {
	visible := func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7E || r == '"' || r == '\\' }) < 0
	}
	return visible(p.name) && visible(p.filename) && visible(p.media) && strings.Trim(p.media, " ") == p.media
}

// write puts the parts into a body with this boundary.
func write(t *testing.T, boundary string, parts []plainPart) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.SetBoundary(boundary); err != nil {
		t.Fatal(err)
	}
	for _, p := range parts {
		disposition := `form-data; name="` + p.name + `"`
		if p.file {
			disposition += `; filename="` + p.filename + `"`
		}
		header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
		if p.media != "" {
			header.Set("Content-Type", p.media)
		}
		one, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(one, p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

// plainMultipart is the text of the parts as the design says it, in the order in
// which a stable sort leaves them.
func plainMultipart(parts []plainPart) string {
	sorted := slices.Clone(parts)
	for i := range sorted { // insertion keeps equal names in their order
		for j := i; j > 0 && sorted[j].name < sorted[j-1].name; j-- {
			sorted[j], sorted[j-1] = sorted[j-1], sorted[j]
		}
	}
	var b bytes.Buffer
	text := func(s string) {
		_ = binary.Write(&b, binary.BigEndian, uint32(len(s)))
		b.WriteString(s)
	}
	for _, p := range sorted {
		text(p.name)
		if p.file {
			b.WriteByte(1)
			text(p.filename)
		} else {
			b.WriteByte(0)
		}
		essence, _, _ := strings.Cut(p.media, ";")
		text(strings.ToLower(strings.Trim(essence, " \t")))
		hash := sha256.Sum256([]byte(p.content))
		b.Write(hash[:])
	}
	return b.String()
}

// FuzzMultipart: what is hashed are the parts, and neither the boundary nor the
// order of parts with different names.
func FuzzMultipart(f *testing.F) {
	f.Add("title||text/plain|spec\nfile|a.txt|Text/Plain; charset=utf-8|one\nfile|b||two", "zz", "other", uint8(1))
	f.Add("a|||\na|||1", "x", "xx", uint8(0))
	f.Add("|f||--x--", "x", "y", uint8(7))
	f.Add("|f||--", "y", "x", uint8(0))
	f.Fuzz(func(t *testing.T, text, boundary, other string, turn uint8) {
		parts := plainParts(text)
		fits := func(s string) bool {
			return multipart.NewWriter(io.Discard).SetBoundary(s) == nil && !strings.Contains(text, "--"+s)
		}
		if !fits(boundary) || !fits(other) || len(parts) == 0 {
			return
		}
		want := plainMultipart(parts)
		contentType, body := write(t, boundary, parts)
		got, err := appendMultipart(nil, contentType, []byte(body))
		if err != nil || string(got) != want {
			t.Fatalf("%q: %q, %v, want %q", body, got, err, want)
		}
		moved := slices.Clone(parts)
		i := int(turn) % len(moved)
		if j := (i + 1) % len(moved); i < j && moved[i].name != moved[j].name {
			moved[i], moved[j] = moved[j], moved[i]
		}
		contentType, body = write(t, other, moved)
		if again, err := appendMultipart(nil, contentType, []byte(body)); err != nil || string(again) != want {
			t.Fatalf("%q: %q, %v; in another order and with another boundary it was %q", body, again, err, want)
		}
		if moved[i].content += "x"; strings.Contains(moved[i].content, "--"+other) {
			return // it became the boundary
		}
		contentType, body = write(t, other, moved)
		if again, err := appendMultipart(nil, contentType, []byte(body)); err != nil || string(again) == want {
			t.Fatalf("%q: other content has the same text, %v", body, err)
		}
	})
}

// FuzzMultipart_Received: whatever a client sends is refused with a *bodyError,
// or says the same when its parts are put into a body anew.
func FuzzMultipart_Received(f *testing.F) {
	body := "--zz\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\nContent-Type: a/b\r\n\r\none\r\n--zz\r\n\r\ntwo\r\n--zz--\r\n"
	f.Add("multipart/form-data; boundary=zz", body)
	f.Add("multipart/mixed; boundary=\"zz\"; x=y", strings.ReplaceAll(body, "\r\n", "\n"))
	f.Add("multipart/form-data; boundary=zz", body[:len(body)-9])
	f.Add("multipart/form-data", body)
	f.Add("multipart/form-data; boundary=zz", "--zz\r\nContent-Disposition: form-data; name*=utf-8''%e2%82%ac\r\n\r\n\r\n--zz--")
	f.Fuzz(func(t *testing.T, contentType, body string) {
		got, err := appendMultipart(nil, contentType, []byte(body))
		if err != nil {
			if _, ok := errors.AsType[*bodyError](err); !ok {
				t.Fatalf("%q, %q: error %#v, want a *bodyError", contentType, body, err)
			}
			return
		}
		parts, ok := cutParts(got)
		if !ok {
			t.Fatalf("%q, %q: the text %q is not one of parts", contentType, body, got)
		}
		if !slices.IsSortedFunc(parts, func(a, b plainPart) int { return strings.Compare(a.name, b.name) }) {
			t.Fatalf("%q, %q: the parts of %q are not sorted", contentType, body, got)
		}
		if received := receive(t, contentType, body); !slices.EqualFunc(received, parts, func(a, b plainPart) bool {
			hash := sha256.Sum256([]byte(a.content))
			return a.name == b.name && a.filename == b.filename && a.file == b.file && string(hash[:]) == b.content
		}) {
			t.Fatalf("%q, %q: a server gets %+v, the text says %+v", contentType, body, received, parts)
		}
	})
}

// cutParts reverses the text of parts; a part's content is its hash.
func cutParts(b []byte) (parts []plainPart, ok bool) {
	text := func() (s string) {
		if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
			b = nil
			return ""
		}
		n := 4 + int(binary.BigEndian.Uint32(b))
		s, b = string(b[4:n]), b[n:]
		return s
	}
	for len(b) > 0 {
		p := plainPart{name: text()}
		if len(b) == 0 || b[0] > 1 {
			return nil, false
		}
		p.file = b[0] == 1
		if b = b[1:]; p.file {
			p.filename = text()
		}
		p.media = text()
		if len(b) < sha256.Size {
			return nil, false
		}
		p.content, b = string(b[:sha256.Size]), b[sha256.Size:]
		parts = append(parts, p)
	}
	return parts, true
}

// receive is what a server finds in a body that was accepted, sorted by name.
func receive(t *testing.T, contentType, body string) (parts []plainPart) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	r := multipart.NewReader(strings.NewReader(body), params["boundary"])
	for {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(fmt.Errorf("an accepted body: %w", err))
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(fmt.Errorf("an accepted body: %w", err))
		}
		_, disposition, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		_, file := disposition["filename"]
		parts = append(parts, plainPart{name: disposition["name"], filename: disposition["filename"], file: file, content: string(content)})
	}
	slices.SortStableFunc(parts, func(a, b plainPart) int { return strings.Compare(a.name, b.name) })
	return parts
}

package etag

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"testing"
)

func fingerprint(t *testing.T, lines ...string) string {
	t.Helper()
	c, _ := Parse(lines)
	return hex.EncodeToString(c.AppendFingerprint([]byte{0xEE}))
}

func TestAppendFingerprint(t *testing.T) {
	for _, test := range []struct {
		name  string
		lines []string
		want  string
	}{
		{"absent", nil, "ee" + "00"},
		{"any", []string{"*"}, "ee" + "01"},
		{"empty list", []string{""}, "ee" + "02" + "00000000"},
		{"malformed is no absent field", []string{"v1"}, "ee" + "02" + "00000000"},
		{"one", []string{`"a"`}, "ee" + "02" + "00000001" + "00000003" + "226122"},
		{"weak", []string{`W/"a"`}, "ee" + "02" + "00000001" + "00000005" + "572f226122"},
		{"order, repetition and space", []string{`"b" ,, "a"`, `"b"`}, "ee" + "02" + "00000002" + "00000003" + "226122" + "00000003" + "226222"},
	} {
		if got := fingerprint(t, test.lines...); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// The order is that of the wire octets, closing quote included: "!" sorts before
// the quote, everything else behind it.
func TestAppendFingerprint_SortsWireForms(t *testing.T) {
	opaque := []string{"", "!", "a", "a!", "a#", "aa", "a!!", "\xff", "W/a", "*"}
	var tags []ETag
	for _, o := range opaque {
		tags = append(tags, ETag{Opaque: o}, ETag{Opaque: o, Weak: true})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		random.Shuffle(len(tags), func(i, j int) { tags[i], tags[j] = tags[j], tags[i] })
		n := random.IntN(len(tags) + 1)
		var line string
		var wire []string
		for _, tag := range tags[:n] {
			line += tag.String() + "," + tag.String() + ","
			wire = append(wire, tag.String())
		}
		slices.Sort(wire)
		want := binary.BigEndian.AppendUint32([]byte{0x02}, uint32(n))
		for _, w := range wire {
			want = append(binary.BigEndian.AppendUint32(want, uint32(len(w))), w...)
		}
		c, err := Parse([]string{line})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.AppendFingerprint(nil); !bytes.Equal(got, want) {
			t.Fatalf("%s\n got %x\nwant %x", line, got, want)
		}
	}
}

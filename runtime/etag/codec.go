package etag

import (
	"encoding/hex"
	"strconv"
	"time"
)

// Int64 is the codec of integer versions: decimal, without sign of plus or
// leading zeros.
func Int64[V ~int64]() Codec[V] {
	return Codec[V]{
		Format: func(v V) (string, bool) { return strconv.FormatInt(int64(v), 10), true },
		Parse: func(opaque string) (V, bool) {
			n, err := strconv.ParseInt(opaque, 10, 64)
			if err != nil || !canonicalInt(opaque) {
				return 0, false
			}
			return V(n), true
		},
		Arg:  func(v V) any { return int64(v) },
		Args: func(list []V) any { return each(list, func(v V) int64 { return int64(v) }) },
	}
}

func each[V, A any](list []V, arg func(V) A) []A {
	all := make([]A, len(list))
	for i, v := range list {
		all[i] = arg(v)
	}
	return all
}

// canonicalInt reports whether an integer is written as FormatInt writes it.
func canonicalInt(s string) bool {
	if s == "0" {
		return true
	}
	if s[0] == '-' {
		s = s[1:]
	}
	return s[0] >= '1' && s[0] <= '9'
}

// String is the codec of text versions: the octets themselves, as far as a tag
// may hold them.
func String[V ~string]() Codec[V] {
	return Codec[V]{
		Format: func(v V) (string, bool) { return string(v), ValidOpaque(string(v)) },
		Parse:  func(opaque string) (V, bool) { return V(opaque), ValidOpaque(opaque) },
		Arg:    func(v V) any { return string(v) },
		Args:   func(list []V) any { return each(list, func(v V) string { return string(v) }) },
	}
}

// UUID is the codec of UUID versions (RFC 9562): lower-case, with hyphens.
func UUID[V ~[16]byte]() Codec[V] {
	return Codec[V]{
		Format: func(v V) (string, bool) { return formatUUID(v), true },
		Parse: func(opaque string) (V, bool) {
			var v V
			if len(opaque) != 36 {
				return v, false
			}
			digits := opaque[0:8] + opaque[9:13] + opaque[14:18] + opaque[19:23] + opaque[24:36]
			var b [16]byte
			if _, err := hex.Decode(b[:], []byte(digits)); err != nil {
				return v, false
			}
			v = V(b)
			return v, formatUUID(v) == opaque
		},
		Arg:  func(v V) any { return formatUUID(v) },
		Args: func(list []V) any { return each(list, formatUUID[V]) },
	}
}

// timestampLayout is RFC 3339 in UTC with all digits of a microsecond.
const timestampLayout = "2006-01-02T15:04:05.000000Z"

// Timestamp is the codec of versions that are times with the precision of a
// database's column, microseconds: RFC 3339 in UTC with six digits. A time that
// is finer, or beyond the years 0 to 9999, no tag can express: cut off, it would
// never match the row again. Of and from convert; they are needed because Go has
// no constraint for types whose underlying type is that of time.Time.
func Timestamp[V any](of func(time.Time) V, from func(V) time.Time) Codec[V] {
	utc := func(v V) time.Time { return from(v).UTC() }
	return Codec[V]{
		Format: func(v V) (string, bool) {
			t := utc(v)
			return t.Format(timestampLayout), t.Nanosecond()%int(time.Microsecond) == 0 && t.Year() >= 0 && t.Year() <= 9999
		},
		Parse: func(opaque string) (V, bool) {
			t, err := time.Parse(timestampLayout, opaque)
			return of(t), err == nil && t.Format(timestampLayout) == opaque
		},
		Arg:  func(v V) any { return utc(v) },
		Args: func(list []V) any { return each(list, utc) },
	}
}

func formatUUID[V ~[16]byte](v V) string {
	b := [16]byte(v)
	h := hex.EncodeToString(b[:])
	return h[0:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

package runtime

import (
	"encoding/json"
	"strconv"
	"strings"
)

// appendJSON appends what json.Marshal would write for p, whose strings are
// plain almost always: a conflict should cost its client's mistake no more than
// a replay does.
func (p *Problem) appendJSON(b []byte) []byte {
	b = appendString(append(b, `{"type":`...), p.Type)
	b = appendString(append(b, `,"title":`...), p.Title)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(p.Status), 10)
	b = appendMember(b, `,"detail":`, p.Detail)
	b = appendMember(b, `,"instance":`, p.Instance)
	b = appendMember(b, `,"operation":`, p.Operation)
	b = appendMember(b, `,"retry":`, p.Retry)
	if p.RetryAfterMs != 0 {
		b = strconv.AppendInt(append(b, `,"retryAfterMs":`...), p.RetryAfterMs, 10)
	}
	b = appendMember(b, `,"field":`, p.Field)
	if p.Offset != nil {
		b = strconv.AppendInt(append(b, `,"offset":`...), int64(*p.Offset), 10)
	}
	b = appendMember(b, `,"reason":`, p.Reason)
	if len(p.AcceptedFields) > 0 {
		b = append(b, `,"acceptedFields":[`...)
		for i, field := range p.AcceptedFields {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, field)
		}
		b = append(b, ']')
	}
	b = appendMember(b, `,"example":`, p.Example)
	b = appendMember(b, `,"currentEtag":`, p.CurrentETag)
	return append(b, '}')
}

// appendMember appends a member that is left out where it is empty.
func appendMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, name...), value)
}

// verbatim are the octets that json.Marshal never escapes.
var verbatim = func() (v [256]bool) {
	for c := ' '; c <= '~'; c++ {
		v[c] = !strings.ContainsRune(`"\<>&`, c)
	}
	return v
}()

// appendString appends a JSON string as json.Marshal writes it.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if !verbatim[s[i]] {
			quoted, _ := json.Marshal(s) // a string does not fail
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

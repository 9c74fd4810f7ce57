package redis

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// A record is one string, in which numbers are big-endian. Instants are
// microseconds since 1970 by the server's clock. They and the fence are floating
// point, because Lua has no other numbers; it holds them exactly until 2255.
//
//	place  octets
//	    0       1  version of the format: 1
//	    1       1  state: 0 free, 1 running, 2 done
//	    2       8  end of the lease, 0: none
//	   10       8  end of the retention, not before that of the lease
//	   18      16  mark of the call that changed it last
//	   34       8  fence
//	   42       8  when it was claimed
//	   50       4  attempts
//	   54       1  1: on hold
//	   55      33  fingerprint
//	   88       4  length of the operation
//	   92          operation
//
// After that a record that is done has its answer:
//
//	 0       4  status
//	 4       2  flags
//	 6       1  0: neither headers nor body, 1: headers, 2: body, 3: both
//	 7       4  length of the headers
//	11          headers, and what is left is the body
//
// The mark makes a call that the client repeats, because it did not hear the
// answer, find that it has been done.
const (
	version      = 1
	atState      = 1
	atLease      = 2
	atExpires    = 10
	atFence      = 34
	atClaimed    = 42
	atAttempts   = 50
	atHold       = 54
	atPrint      = 55
	atOperation  = 88
	headerLength = 92
	answerLength = 11
	hasHeaders   = 1
	hasBody      = 2
)

// errMalformed is about a value that is no record, also one of another type.
var errMalformed = errors.New("the record is malformed: something else wrote to its key")

// row is a record that is there, of whatever state.
type row struct {
	idem.Record
	operation string
	claimed   time.Time
}

// live reports whether there is a record for those who look it up.
func (r *row) live() bool {
	return r.State == idem.StateDone && r.ExpiresIn > 0 ||
		r.State == idem.StateRunning && (r.ExpiresIn > 0 || r.LeaseLeft > 0)
}

// readRow reads the answer of lookupScript. It is free where there is no record.
func readRow(values []any) (row, error) {
	if len(values) != 3 {
		return row{}, errMalformed
	}
	if values[2] == nil {
		return row{}, nil
	}
	s, err1 := integer(values[0])
	us, err2 := integer(values[1])
	text, ok := values[2].(string)
	if err1 != nil || err2 != nil || !ok {
		return row{}, errMalformed
	}
	return parse([]byte(text), s*1e6+us)
}

// parse reads a record at the instant now. The answer is a part of b.
func parse(b []byte, now int64) (r row, err error) {
	if len(b) < headerLength || b[0] != version {
		return row{}, errMalformed
	}
	number := func(at int) int64 {
		n := math.Float64frombits(binary.BigEndian.Uint64(b[at:]))
		if !(n >= 0 && n < 1<<62 && n == math.Trunc(n)) { // also for what is no number
			err = errMalformed
			return 0
		}
		return int64(n)
	}
	r.State = idem.State(b[atState])
	r.Fence = idem.Fence(number(atFence))
	r.Attempts = int(binary.BigEndian.Uint32(b[atAttempts:]))
	r.Hold = b[atHold] != 0
	r.Fingerprint = idem.Fingerprint(b[atPrint:atOperation])
	r.ExpiresIn = left(number(atExpires) - now)
	r.claimed = time.UnixMicro(number(atClaimed)).UTC()
	lease := left(number(atLease) - now)
	operation, answer, ok := cut(b[headerLength:], binary.BigEndian.Uint32(b[atOperation:]))
	r.operation = string(operation)
	switch r.State {
	case idem.StateFree:
		ok = ok && len(answer) == 0
	case idem.StateRunning:
		r.LeaseLeft = lease
		ok = ok && len(answer) == 0
	case idem.StateDone:
		if ok {
			r.Response, ok = parseAnswer(answer)
		}
	default:
		ok = false
	}
	if err != nil || !ok {
		return row{}, errMalformed
	}
	return r, nil
}

// parseAnswer is the reverse of appendAnswer.
func parseAnswer(b []byte) (r idem.Response, ok bool) {
	if len(b) < answerLength {
		return idem.Response{}, false
	}
	r.Status = int(binary.BigEndian.Uint32(b))
	r.Flags = idem.Flags(binary.BigEndian.Uint16(b[4:]))
	has := b[6]
	headers, body, ok := cut(b[answerLength:], binary.BigEndian.Uint32(b[7:]))
	if has&hasHeaders != 0 {
		r.Headers = headers
	}
	if has&hasBody != 0 {
		r.Body = body
	}
	return r, ok && len(headers) == len(r.Headers) && len(body) == len(r.Body)
}

// cut divides b after n octets.
func cut(b []byte, n uint32) (head, rest []byte, ok bool) {
	if uint64(n) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n:n], b[n:], true
}

// appendAnswer adds the part of a record that only one has that is done.
func appendAnswer(b []byte, r *idem.Response) []byte {
	var has byte
	if r.Headers != nil {
		has |= hasHeaders
	}
	if r.Body != nil {
		has |= hasBody
	}
	b = binary.BigEndian.AppendUint32(b, uint32(r.Status))
	b = binary.BigEndian.AppendUint16(b, uint16(r.Flags))
	b = append(b, has)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Headers)))
	b = append(b, r.Headers...)
	return append(b, r.Body...)
}

// appendClaim adds the part of a record that says what is to run.
func appendClaim(b []byte, c *idem.Claim) []byte {
	var hold byte
	if c.Hold {
		hold = 1
	}
	b = append(b, hold)
	b = append(b, c.Fingerprint[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.Operation)))
	return append(b, c.Operation...)
}

// octets is a fence as a record has it.
func octets(f idem.Fence) []byte {
	return binary.BigEndian.AppendUint64(nil, math.Float64bits(float64(f)))
}

// integer reads a number of a reply.
func integer(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case string:
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, errMalformed
}

func left(us int64) time.Duration {
	return time.Duration(min(max(us, 0), math.MaxInt64/1000)) * time.Microsecond
}

// us rounds up to what the clock can tell.
func us(d time.Duration) int64 { return int64((d + time.Microsecond - 1) / time.Microsecond) }

// life is how many milliseconds the key of a record lives at least as long as the
// record does, whose retention begins within one.
func life(retention time.Duration) int64 {
	return int64((retention+time.Millisecond-1)/time.Millisecond) + 1
}

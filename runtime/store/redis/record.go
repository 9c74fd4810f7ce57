package redis

import (
	"errors"
	"strconv"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
)

// record reads {rest of the lease, rest of the retention, fields in the order of
// readPrelude}.
func record(values []any) (r idem.Record, err error) {
	if len(values) != 3 {
		return idem.Record{}, errMalformed
	}
	fields, ok := values[2].([]any)
	if !ok || len(fields) != 12 {
		return idem.Record{}, errMalformed
	}
	number := func(v any) int64 {
		n, bad := integer(v)
		if bad != nil {
			err = bad
		}
		return n
	}
	fingerprint, _ := fields[1].(string)
	if copy(r.Fingerprint[:], fingerprint) != len(r.Fingerprint) || len(fingerprint) != len(r.Fingerprint) {
		err = errMalformed
	}
	r.State = idem.State(number(fields[0]))
	r.Fence = idem.Fence(number(fields[2]))
	r.Hold = number(fields[5]) != 0
	r.Attempts = int(number(fields[6]))
	r.ExpiresIn = left(number(values[1]))
	switch r.State {
	case idem.StateRunning:
		r.LeaseLeft = left(number(values[0]))
	case idem.StateDone:
		r.Response = idem.Response{
			Status:  int(number(fields[7])),
			Headers: octets(fields[8]),
			Body:    octets(fields[9]),
			Flags:   idem.Flags(number(fields[10])),
		}
	}
	if err != nil {
		return idem.Record{}, err
	}
	return r, nil
}

var errMalformed = errors.New("the record is malformed: its hash was changed by something else")

// integer reads a number of a reply, or of a hash.
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

// octets is nil for a field that is absent, not for one that is empty.
func octets(v any) []byte {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	return []byte(text)
}

func left(us int64) time.Duration { return max(time.Duration(us)*time.Microsecond, 0) }

// us rounds up to what the clock can tell.
func us(d time.Duration) int64 { return int64((d + time.Microsecond - 1) / time.Microsecond) }

package etag

import (
	"errors"
	"fmt"
	"testing"
)

type (
	stateError  string // as pgx and lib/pq have it
	codeError   int    // as modernc.org/sqlite has it
	numberError struct{ Number uint16 }
	otherError  struct{ Number int }
)

func (e stateError) Error() string    { return "state " + string(e) }
func (e stateError) SQLState() string { return string(e) }
func (e codeError) Error() string     { return fmt.Sprint("code ", int(e)) }
func (e codeError) Code() int         { return int(e) }
func (e *numberError) Error() string  { return fmt.Sprint("number ", e.Number) }
func (e otherError) Error() string    { return "other" }

func TestIsDuplicate(t *testing.T) {
	for _, test := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("UNIQUE constraint failed"), false},
		{stateError("23505"), true},
		{stateError("23503"), false}, // a foreign key
		{codeError(2067), true},
		{codeError(1555), true},
		{codeError(787), false}, // a foreign key
		{codeError(5), false},   // busy
		{&numberError{1062}, true},
		{&numberError{1586}, true},
		{&numberError{1213}, false}, // a deadlock
		{otherError{1062}, false},
	} {
		for _, err := range []error{test.err, fmt.Errorf("insert: %w", test.err)} {
			if test.err != nil && IsDuplicate(err) != test.want || test.err == nil && IsDuplicate(test.err) {
				t.Errorf("%v: want %v", err, test.want)
			}
		}
	}
}

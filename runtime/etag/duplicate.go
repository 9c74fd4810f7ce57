package etag

import (
	"errors"
	"reflect"
)

// IsDuplicate reports whether err, or an error that it wraps, is a database's
// violation of a unique index: SQLSTATE 23505 from an error with the method
// SQLState() string (PostgreSQL: pgx, lib/pq), extended result code 1555 or 2067
// from one with Code() int (SQLite: modernc.org/sqlite), or error 1062 or 1586 in
// a field Number (MySQL, MariaDB: go-sql-driver/mysql). Which index it was, it
// does not say: on the resource's own key the answer is [Absent.Exists], on
// another one the operation's own conflict.
func IsDuplicate(err error) bool {
	var state interface{ SQLState() string }
	if errors.As(err, &state) {
		return state.SQLState() == "23505"
	}
	var code interface{ Code() int }
	if errors.As(err, &code) {
		const primaryKey, unique = 1555, 2067 // SQLITE_CONSTRAINT_…
		return code.Code() == primaryKey || code.Code() == unique
	}
	for ; err != nil; err = errors.Unwrap(err) {
		if n, ok := mysqlNumber(err); ok {
			const duplicate, duplicateWithName = 1062, 1586 // ER_DUP_ENTRY…
			return n == duplicate || n == duplicateWithName
		}
	}
	return false
}

// mysqlNumber is the field Number of MySQL's error, which has no method for it.
func mysqlNumber(err error) (uint64, bool) {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return 0, false
	}
	f := v.FieldByName("Number")
	if !f.IsValid() || f.Kind() != reflect.Uint16 {
		return 0, false
	}
	return f.Uint(), true
}

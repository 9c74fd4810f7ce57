package expect

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
)

type version int64

var decimal = Codec[version]{
	Format: func(v version) (string, bool) { return fmt.Sprint(int64(v)), v >= 0 },
	Parse:  func(string) (version, bool) { return 0, false },
}

func TestMatch_EveryAccessorIsAUse(t *testing.T) {
	for name, use := range map[string]func(Match[version]){
		"Versions": func(m Match[version]) { m.Versions() },
		"One":      func(m Match[version]) { m.One() },
		"Any":      func(m Match[version]) { m.Any() },
		"Where":    func(m Match[version]) { m.Where(DialectSQLite, "version", 1) },
		"NoMatch":  func(m Match[version]) { _ = m.NoMatch() },
	} {
		var used Used
		m := NewMatch(&used, false, []version{1}, decimal)
		if used.Touched() {
			t.Fatalf("%s: used before it was called", name)
		}
		use(m)
		if !used.Touched() {
			t.Errorf("%s is not a use", name)
		}
	}
}

func TestMatch_AppliedIsNoUse(t *testing.T) {
	var used Used
	NewMatch(&used, false, []version{1}, decimal).Applied(2)
	if used.Touched() {
		t.Error("Applied counts as a look at the expectation: a handler that compares nothing would pass")
	}
}

func TestMatch_CopiesShareTheBit(t *testing.T) {
	var used Used
	m := NewMatch(&used, false, []version{1}, decimal)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			c := m
			c.One()
		})
	}
	wait.Wait()
	if w := WitnessOf(m.Applied(2)); !w.Used.Touched() || w.Used != &used {
		t.Error("the use of a copy is not seen through the witness of the original")
	}
}

func TestMatch_One(t *testing.T) {
	for _, test := range []struct {
		versions []version
		any, ok  bool
	}{{nil, false, false}, {[]version{7}, false, true}, {[]version{7, 8}, false, false}, {nil, true, false}} {
		v, ok := NewMatch(new(Used), test.any, test.versions, decimal).One()
		if ok != test.ok || ok && v != 7 || !ok && v != 0 {
			t.Errorf("One of %v, any %v: %d, %v", test.versions, test.any, v, ok)
		}
	}
}

func TestMatch_Where(t *testing.T) {
	one, three := []version{7}, []version{7, 8, 9}
	for _, test := range []struct {
		name     string
		dialect  Dialect
		any      bool
		versions []version
		first    int
		sql      string
		args     []any
	}{
		{"none, SQLite", DialectSQLite, false, nil, 1, "1 = 0", nil},
		{"none, MySQL", DialectMySQL, false, nil, 1, "1 = 0", nil},
		{"none, PostgreSQL", DialectPostgres, false, nil, 1, "1 = 0", nil},
		{"one, SQLite", DialectSQLite, false, one, 4, "version IN (?)", []any{version(7)}},
		{"one, MySQL", DialectMySQL, false, one, 4, "version IN (?)", []any{version(7)}},
		{"one, PostgreSQL", DialectPostgres, false, one, 4, "version = ANY($4)", []any{one}},
		{"three, SQLite", DialectSQLite, false, three, 1, "version IN (?, ?, ?)", []any{version(7), version(8), version(9)}},
		{"three, MySQL", DialectMySQL, false, three, 1, "version IN (?, ?, ?)", []any{version(7), version(8), version(9)}},
		{"three, PostgreSQL", DialectPostgres, false, three, 12, "version = ANY($12)", []any{three}},
		{"any, SQLite", DialectSQLite, true, nil, 1, "1 = 1", nil},
		{"any, MySQL", DialectMySQL, true, nil, 1, "1 = 1", nil},
		{"any, PostgreSQL", DialectPostgres, true, nil, 1, "1 = 1", nil},
	} {
		sql, args := NewMatch(new(Used), test.any, test.versions, decimal).Where(test.dialect, "version", test.first)
		if sql != test.sql || !reflect.DeepEqual(args, test.args) {
			t.Errorf("%s: %q %v, want %q %v", test.name, sql, args, test.sql, test.args)
		}
	}
}

func TestMatch_ZeroValue(t *testing.T) {
	var m Match[version]
	if len(m.Versions()) != 0 || m.Any() {
		t.Error("the zero expectation matches something")
	}
	if _, ok := m.One(); ok {
		t.Error("the zero expectation has a version")
	}
	if sql, args := m.Where(DialectPostgres, "version", 1); sql != "1 = 0" || args != nil {
		t.Errorf("the zero expectation writes %q %v", sql, args)
	}
	if w := WitnessOf(m.Applied(1)); w.OK || w.Used != nil || w.Used.Touched() {
		t.Errorf("its witness is accepted: %+v", w)
	}
}

func TestWitnessOf(t *testing.T) {
	var used Used
	m := NewMatch(&used, false, []version{1}, decimal)
	if w := WitnessOf(m.Applied(2)); !w.OK || w.Opaque != "2" || w.Used != &used {
		t.Errorf("witness %+v", w)
	}
	if w := WitnessOf(m.Applied(-1)); w.OK || w.Used != &used {
		t.Errorf("the witness of a version that no tag can express: %+v", w)
	}
	if w := WitnessOf(Applied[version]{}); w.OK || w.Used != nil {
		t.Errorf("the zero witness is accepted: %+v", w)
	}
}

// A witness of another resource must not be convertible: its version is a field.
func TestApplied_DoesNotConvert(t *testing.T) {
	type other int64
	if reflect.TypeFor[Applied[other]]().ConvertibleTo(reflect.TypeFor[Applied[version]]()) {
		t.Error("Applied[other] converts into Applied[version]")
	}
	if reflect.TypeFor[Match[other]]().ConvertibleTo(reflect.TypeFor[Match[version]]()) {
		t.Error("Match[other] converts into Match[version]")
	}
}

func TestNoMatch(t *testing.T) {
	err := fmt.Errorf("replace pet: %w", NewMatch(new(Used), false, []version{1}, decimal).NoMatch())
	var none *NoMatchError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "return this error from the handler") {
		t.Errorf("error %v must be a *NoMatchError that says what to do", err)
	}
}

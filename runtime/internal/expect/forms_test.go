package expect

import (
	"errors"
	"reflect"
	"testing"
	"time"
)

// which names the arm that a switch took.
func which[T any](name string) func(T) (string, error) {
	return func(T) (string, error) { return name, nil }
}

func TestSwitch_TakesTheArmOfTheKind(t *testing.T) {
	m := NewMatch(new(Used), false, []version{1}, decimal)
	for kind, want := range map[Kind][3]string{
		KindMatch:  {"match", "match", "match"},
		KindAbsent: {"match", "absent", "absent"},
		KindNone:   {"none", "match", "none"},
	} {
		maybe, _ := Switch(NewMaybeMatch(kind, m), which[Unconditional[version]]("none"), which[Match[version]]("match"))
		upsert, _ := SwitchUpsert(NewMatchOrAbsent(kind, m), which[Match[version]]("match"), which[Absent[version]]("absent"))
		both, _ := SwitchMaybeUpsert(NewMaybeMatchOrAbsent(kind, m), which[Unconditional[version]]("none"),
			which[Match[version]]("match"), which[Absent[version]]("absent"))
		if got := [3]string{maybe, upsert, both}; got != want {
			t.Errorf("kind %d: %v, want %v", kind, got, want)
		}
	}
}

// The zero value of every form must not let a write through.
func TestSwitch_ZeroValueMatchesNothing(t *testing.T) {
	never := func(m Match[version]) (string, error) {
		if len(m.Versions()) > 0 || m.Any() {
			t.Error("a zero expectation matches something")
		}
		if w := WitnessOf(m.Applied(1)); w.Used != nil || w.OK {
			t.Error("the witness of a zero expectation is accepted")
		}
		return "match", nil
	}
	maybe, _ := Switch(MaybeMatch[version]{}, which[Unconditional[version]]("none"), never)
	upsert, _ := SwitchUpsert(MatchOrAbsent[version]{}, never, which[Absent[version]]("absent"))
	both, _ := SwitchMaybeUpsert(MaybeMatchOrAbsent[version]{}, which[Unconditional[version]]("none"), never, which[Absent[version]]("absent"))
	for _, arm := range []string{maybe, upsert, both} {
		if arm != "match" {
			t.Errorf("a zero expectation is %q", arm)
		}
	}
	for _, w := range []Witness{
		WitnessOf(Absent[version]{}.Applied(1)), WitnessOf(Unconditional[version]{}.Applied(1)), WitnessOf(Unmodified[version]{}.Applied(1)),
	} {
		if w.Used != nil || w.OK {
			t.Errorf("a witness made of nothing is accepted: %+v", w)
		}
	}
}

// To be told that there is no condition is no look at one: the arm that has a
// Match must still use it.
func TestSwitch_IsNoUse(t *testing.T) {
	var used Used
	m := NewMatch(&used, false, []version{1}, decimal)
	_, _ = Switch(NewMaybeMatch(KindMatch, m), which[Unconditional[version]]("none"), which[Match[version]]("match"))
	_, _ = SwitchUpsert(NewMatchOrAbsent(KindMatch, m), which[Match[version]]("match"), which[Absent[version]]("absent"))
	if used.Touched() {
		t.Error("the switch itself counts as a use")
	}
}

func TestArms_Use(t *testing.T) {
	var none *NoMatchError
	var exists *ExistsError
	for name, use := range map[string]func(*Used) bool{
		"Absent.Applied":         func(u *Used) bool { return WitnessOf(NewAbsent(u, decimal).Applied(1)).OK },
		"Absent.Exists":          func(u *Used) bool { return errors.As(NewAbsent(u, decimal).Exists(), &exists) },
		"Unconditional.Applied":  func(u *Used) bool { return WitnessOf(Unconditional[version]{u, decimal}.Applied(1)).OK },
		"Unconditional.NotFound": func(u *Used) bool { return errors.As(Unconditional[version]{u, decimal}.NotFound(), &none) },
		"Unmodified.Since":       func(u *Used) bool { return !NewUnmodified(u, time.Unix(9, 0), decimal).Since().IsZero() },
		"Unmodified.Before":      func(u *Used) bool { return !NewUnmodified(u, time.Unix(9, 0), decimal).Before().IsZero() },
		"Unmodified.NoMatch":     func(u *Used) bool { return errors.As(NewUnmodified(u, time.Unix(9, 0), decimal).NoMatch(), &none) },
	} {
		var used Used
		if !use(&used) || !used.Touched() {
			t.Errorf("%s is not a use", name)
		}
	}
	var used Used
	if w := WitnessOf(NewUnmodified(&used, time.Unix(9, 0), decimal).Applied(1)); used.Touched() || !w.OK {
		t.Errorf("Unmodified.Applied: touched %v, %+v", used.Touched(), w)
	}
}

// The date has whole seconds, the column may have more: everything within the
// second that was sent is unmodified.
func TestUnmodified_Where(t *testing.T) {
	since := time.Unix(1_000_000_000, 0)
	for dialect, want := range map[Dialect]string{DialectPostgres: "at < $4", DialectMySQL: "at < ?", DialectSQLite: "at < ?"} {
		var used Used
		sql, args := NewUnmodified(&used, since, decimal).Where(dialect, "at", 4)
		if sql != want || !reflect.DeepEqual(args, []any{since.Add(time.Second)}) || !used.Touched() {
			t.Errorf("dialect %d: %q %v, used %v", dialect, sql, args, used.Touched())
		}
	}
}

func TestWhere_DriverArguments(t *testing.T) {
	codec := decimal
	codec.Arg = func(v version) any { return int64(v) }
	codec.Args = func(list []version) any { return len(list) }
	m := NewMatch(new(Used), false, []version{7, 8}, codec)
	if _, args := m.Where(DialectMySQL, "v", 1); !reflect.DeepEqual(args, []any{int64(7), int64(8)}) {
		t.Errorf("arguments %#v", args)
	}
	if _, args := m.Where(DialectPostgres, "v", 1); !reflect.DeepEqual(args, []any{2}) {
		t.Errorf("arguments %#v", args)
	}
}

func TestCurrent_Details(t *testing.T) {
	at := time.Unix(9, 0)
	plain := Found(version(1))
	if dated := plain.ModifiedAt(at); !DetailsOf(dated).Modified.Equal(at) || dated.Version() != 1 || !DetailsOf(plain).Modified.IsZero() {
		t.Errorf("with a date %+v, without %+v", dated, plain)
	}
}

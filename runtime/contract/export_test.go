package contract

import (
	"strings"
	"testing"
)

// CheckRule is Check with those rules only whose name begins like this.
func CheckRule(tb testing.TB, newServer NewServer, r Resource, s Seeds, b Bodies, prefix string) (all []Violation) {
	tb.Helper()
	each(tb, r, func(rule *rule, op *Operation) {
		if strings.HasPrefix(rule.name, prefix) {
			all = append(all, try(tb, newServer, r, s, b, rule, op)...)
		}
	})
	return all
}

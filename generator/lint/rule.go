package lint

import (
	"github.com/idemgen/idemgen/generator/diag"
)

// Rule is a row of the table: what is checked, why, and how to repair it.
type Rule struct {
	ID       diag.Rule
	Severity diag.Severity
	Title    string // what is wrong, in a few words without a full stop
	Why      string // paragraphs of Markdown
	Fix      string // paragraphs of Markdown
	// Bad has exactly one finding of the rule and Good has none; both are what
	// stands below paths in a document with security. They are tests, too.
	Bad, Good string

	check    func(*subject) // nil: checked elsewhere
	spectral *spectral      // nil: Spectral cannot express it
}

// Rules returns the rules, ascending. They must not be changed.
func Rules() []Rule { return table }

// Known reports whether a rule can be disabled or ignored: it is in the table or
// belongs to a stage of the generator.
func Known(id diag.Rule) bool {
	if id.About() != "" {
		return true
	}
	_, ok := find(id)
	return ok
}

// About describes any rule in one line, empty for an unknown one.
func About(id diag.Rule) string {
	if r, ok := find(id); ok {
		return r.Title
	}
	return id.About()
}

// IDs returns the rules that Known knows, ascending.
func IDs() []string {
	var ids []string
	for _, id := range diag.Rules() {
		ids = append(ids, string(id))
	}
	for _, r := range table {
		ids = append(ids, string(r.ID))
	}
	return ids
}

func find(id diag.Rule) (Rule, bool) {
	for _, r := range table {
		if r.ID == id {
			return r, true
		}
	}
	return Rule{}, false
}

// Ids of the rules. The hundreds tell them from the rules of the stages; a
// number is never reused.
const (
	RuleUndecidedRetry     diag.Rule = "IDM101"
	RuleUndecidedOverwrite diag.Rule = "IDM102"
	RuleStreaming          diag.Rule = "IDM103"

	RuleTenant      diag.Rule = "IDM110"
	RuleLongTTL     diag.Rule = "IDM111"
	RuleShortTTL    diag.Rule = "IDM112"
	RuleFingerprint diag.Rule = "IDM113"
	RuleKeyHeader   diag.Rule = "IDM114"
	RuleSecret      diag.Rule = "IDM115"

	RulePrecondition    diag.Rule = "IDM120"
	RuleGuardWithoutTag diag.Rule = "IDM121"
	RuleTagWithoutGuard diag.Rule = "IDM122"

	RuleStatus diag.Rule = "IDM130"

	RuleBadIgnore  diag.Rule = "IDM190"
	RuleIdleIgnore diag.Rule = "IDM191"
)

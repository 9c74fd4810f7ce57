package explain

import (
	"cmp"
	"slices"
)

// Answer is an answer that the policy gives in place of the operation, or a
// replay.
type Answer struct {
	Status int `json:"status"` // 0: that of the first answer
	// Problem is the suffix of the problem's type URI; empty for an answer that
	// is no problem.
	Problem string `json:"problem,omitempty"`
	// Retry is what the problem tells the client: same-key, new-key or none.
	Retry string `json:"retry,omitempty"`
	When  string `json:"when"`
}

// problem is a row of docs/problems.md.
type problem struct {
	status int
	retry  string
}

var problems = map[string]problem{
	"key-missing":            {400, "new-key"},
	"key-invalid":            {400, "new-key"},
	"malformed-body":         {400, "same-key"},
	"malformed-request":      {400, "same-key"},
	"malformed-precondition": {400, "same-key"},
	"key-reused":             {409, "new-key"},
	"in-flight":              {409, "same-key"},
	"outcome-unknown":        {409, "none"},
	"response-unavailable":   {409, "none"},
	"scope-unresolved":       {403, "none"},
	"body-too-large":         {413, "none"},
	"store-unavailable":      {503, "same-key"},
	"precondition-failed":    {412, "same-key"},
	"precondition-required":  {428, "same-key"},
	"not-found":              {404, "same-key"},
	"internal-error":         {500, "same-key"},
}

// refusal is the answer with a problem of the table.
func refusal(suffix, when string) Answer {
	p := problems[suffix]
	return Answer{Status: p.status, Problem: suffix, Retry: p.retry, When: when}
}

// answers collects the answers of all checks by status.
func answers(checks []Check) []Answer {
	all := []Answer{}
	for _, c := range checks {
		all = append(all, c.Answers...)
	}
	slices.SortStableFunc(all, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Problem, b.Problem))
	})
	return slices.Compact(all)
}

package policy

// Effective is a member of an annotation with the value that holds for one
// operation, and its witness.
type Effective struct {
	Member
	Value string // as a document writes it
	From  Origin
}

// Derived reports whether the value follows from something else in the document
// rather than being written there or built in.
func (e Effective) Derived() bool { return e.From.Level == LevelDefault && e.Value != e.Default }

// Members returns the effective members in the order of the documentation.
func (p *Idempotency) Members() []Effective { return effective(idempotencyTable, p) }

// Members returns the effective members in the order of the documentation.
func (p *ETag) Members() []Effective { return effective(etagTable, p) }

func effective[P any](t table[P], p *P) []Effective {
	all := make([]Effective, len(t.members))
	for i, m := range t.members {
		value, from := m.read(p)
		all[i] = Effective{m.Member, value, from}
	}
	return all
}

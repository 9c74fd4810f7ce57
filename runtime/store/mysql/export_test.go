package mysql

import (
	"context"

	idem "github.com/idemgen/idemgen/runtime"
)

// ClaimAfter is one attempt of Claim with something that others do between its
// look at the record and its statement. The state is zero when that was too late.
func (s *Store) ClaimAfter(ctx context.Context, c *idem.Claim, between func()) (idem.Claimed, error) {
	seen, err := read(ctx, s.sql.read, &c.ID)
	if err != nil || !seen.claimable(&c.Fingerprint) {
		return s.refusal(&c.ID, &seen), err
	}
	between()
	return s.take(ctx, c, &seen)
}

// OneByOne makes the store send each statement by itself, as to a MySQL.
func (s *Store) OneByOne() { s.server.blocks = false }

// SendsBlocks reports whether the store sends several statements as one.
func (s *Store) SendsBlocks() bool { return s.server.blocks }

package runtime

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"errors"
	"fmt"
)

// aesKeySize is that of AES-256.
const aesKeySize = 32

// aesSealer seals with AES-256-GCM.
type aesSealer struct {
	keys []aesKey // the first one seals
}

// aesKey is a key and the octet that says which one it is.
type aesKey struct {
	id   byte
	aead cipher.AEAD
}

// NewAESSealer returns a [Sealer] that uses AES-256-GCM with a random nonce. All
// keys have 32 octets, should be random, and are copied. The primary one seals;
// the older ones only open what they sealed before, and may be forgotten when
// that has expired. To rotate without a gap, first give the new key to every
// process as an older one, then make it the primary one.
//
// What is sealed begins with an octet that names the key, derived from it by
// SHA-256, and the nonce; the ID of the record is the additional data. Random
// nonces allow 2^32 answers under one key (NIST SP 800-38D §8.3): rotate before.
func NewAESSealer(primary []byte, older ...[]byte) (Sealer, error) {
	s := &aesSealer{}
	for i, key := range append([][]byte{primary}, older...) {
		if len(key) != aesKeySize {
			return nil, fmt.Errorf("idem: NewAESSealer: key %d has %d octets, and AES-256 needs %d", i, len(key), aesKeySize)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, fmt.Errorf("idem: NewAESSealer: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("idem: NewAESSealer: %w", err)
		}
		name := sha256.Sum256(append([]byte("idemgen/seal/1\x00"), key...))
		s.keys = append(s.keys, aesKey{name[0], aead})
	}
	return s, nil
}

// Seal implements [Sealer].
func (s *aesSealer) Seal(_ context.Context, id ID, plain []byte) ([]byte, error) {
	primary := &s.keys[0]
	sealed := make([]byte, 1, 1+len(plain)+primary.aead.Overhead())
	sealed[0] = primary.id
	return primary.aead.Seal(sealed, nil, plain, id[:]), nil //nolint:gosec // the AEAD draws its nonce itself
}

// Open implements [Sealer]. Keys whose octets are equal by chance are tried in
// turn.
func (s *aesSealer) Open(_ context.Context, id ID, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 {
		return nil, errors.New("nothing was sealed")
	}
	err := fmt.Errorf("it was sealed with a key that is not known any more (key octet %#02x)", sealed[0])
	for _, key := range s.keys {
		if key.id != sealed[0] {
			continue
		}
		var plain []byte
		if plain, err = key.aead.Open(nil, nil, sealed[1:], id[:]); err == nil {
			return plain, nil
		}
	}
	return nil, err
}

package runtime

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// Sealer encrypts recorded answers of operations whose policy says
// replay.encrypt, so that who reads the store's tables or its backups does not
// read what clients were told. It is called concurrently. [NewAESSealer] is one.
type Sealer interface {
	// Seal encrypts plain and binds it to id: what was sealed for one record
	// must not open as another. It neither changes nor keeps plain.
	Seal(ctx context.Context, id ID, plain []byte) ([]byte, error)
	// Open reverses Seal. It fails when anything but what Seal returned for
	// this id is given to it.
	Open(ctx context.Context, id ID, sealed []byte) ([]byte, error)
}

// WithSealer sets what seals the recorded answers of operations whose policy
// says replay.encrypt; it is required when there is one. A replay of a sealed
// record that cannot be opened is answered with 503 store-unavailable and
// logged. Records that were stored before the policy said so stay plain and are
// replayed until they expire. Default: none.
func WithSealer(s Sealer) Option {
	return func(o *options) error {
		if s == nil {
			return errors.New("idem: WithSealer: the sealer is nil")
		}
		o.sealer = s
		return nil
	}
}

// envelopeVersion is the first octet of what is sealed.
const envelopeVersion = 1

// envelopeFixed is the size of what precedes headers and body.
const envelopeFixed = 10

// appendEnvelope writes a response as one piece: version, status, flags,
// whether there is a body, the length of the headers, the headers, the body.
// Sealed together, none of them can be exchanged.
func appendEnvelope(b []byte, r *Response) []byte {
	b = append(b, envelopeVersion)
	b = binary.BigEndian.AppendUint16(b, uint16(r.Status))
	b = binary.BigEndian.AppendUint16(b, uint16(r.Flags))
	hasBody := byte(0)
	if r.Body != nil {
		hasBody = 1
	}
	b = append(b, hasBody)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Headers)))
	b = append(b, r.Headers...)
	return append(b, r.Body...)
}

// parseEnvelope reverses appendEnvelope. The response shares b's memory.
func parseEnvelope(b []byte) (Response, error) {
	if len(b) < envelopeFixed || b[0] != envelopeVersion {
		return Response{}, errors.New("what was sealed is not an answer, or a newer version of the runtime sealed it")
	}
	headers := binary.BigEndian.Uint32(b[6:])
	rest := b[envelopeFixed:]
	if uint64(headers) > uint64(len(rest)) || b[5] > 1 || b[5] == 0 && int(headers) != len(rest) {
		return Response{}, errors.New("what was sealed is damaged")
	}
	r := Response{
		Status:  int(binary.BigEndian.Uint16(b[1:])),
		Flags:   Flags(binary.BigEndian.Uint16(b[3:])),
		Headers: rest[:headers:headers],
	}
	if b[5] == 1 {
		r.Body = rest[headers:]
	}
	return r, nil
}

// seal returns the sealed form of a response: its status stays readable for
// people who look at the records, all else is in the body.
func (h *Handler) seal(ctx context.Context, id ID, r *Response) (Response, error) {
	plain := appendEnvelope(make([]byte, 0, envelopeFixed+len(r.Headers)+len(r.Body)), r)
	sealed, err := h.sealer.Seal(ctx, id, plain)
	if err != nil {
		return Response{}, fmt.Errorf("idem: the answer cannot be sealed: %w", err)
	}
	return Response{Status: r.Status, Body: sealed, Flags: FlagSealed}, nil
}

// open returns what was sealed.
func (h *Handler) open(ctx context.Context, id ID, r *Response) (Response, error) {
	if h.sealer == nil {
		return Response{}, errors.New("idem: the recorded answer is sealed, and the handler has no sealer: pass idem.WithSealer")
	}
	plain, err := h.sealer.Open(ctx, id, r.Body)
	if err == nil {
		var opened Response
		if opened, err = parseEnvelope(plain); err == nil {
			return opened, nil
		}
	}
	return Response{}, fmt.Errorf("idem: the recorded answer cannot be opened: %w", err)
}

package runtime

import "net/http"

// response is the envelope of an answer that was given to a request with these
// traceparent lines. Its headers are written into room.
func (p *prepared) response(room []byte, status int, header http.Header, body []byte, trace []string) Response {
	replay := &p.Idempotency.Replay
	resp := Response{Status: status, Headers: recordableHeader(room, header, replay.Headers, trace)}
	refers, found := false, false
	if replay.Reference {
		refers, found = byReference(status, header, body)
	}
	switch {
	case replay.NoBody:
	case refers && found:
		resp.Flags |= FlagReference
	case refers, len(body) > p.maxResponse:
		resp.Flags |= FlagTombstone
	case body != nil:
		resp.Body = body
	}
	return resp
}

// response is the envelope of a run's answer. One that cannot be sealed is
// recorded without anything but its status: the effect has happened, and neither
// a second one nor a plain record may follow from the sealer's failure.
func (x *exchange) response(n *run) Response {
	resp := x.p.response(x.headers[:0], n.rec.status, n.rec.header, n.rec.body, x.r.Header[traceparent])
	x.headers = resp.Headers
	if !x.p.Idempotency.Replay.Encrypt {
		return resp
	}
	sealed, err := x.h.seal(n.base, x.id, &resp)
	if err != nil {
		x.h.fault(n, x.p.Operation, x.keyID(), "the answer is recorded without headers and body", err)
		return Response{Status: resp.Status, Flags: FlagTombstone}
	}
	return sealed
}

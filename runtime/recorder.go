package runtime

import (
	"maps"
	"net/http"
	"strconv"
	"sync"
)

// recorder is the ResponseWriter of a run. It keeps the answer back until the
// store has it: an answer that a client has seen must be the one that a retry
// will see.
type recorder struct {
	header http.Header
	status int
	body   []byte

	err     error // the handler's, or the runtime's verdict on it
	refused bool  // the runtime refused it: the body does not decode, or a precondition failed
	version Versioned
}

var recorders = sync.Pool{New: func() any { return &recorder{header: make(http.Header, 8)} }}

func newRecorder() *recorder { return recorders.Get().(*recorder) }

func (rec *recorder) free() {
	if cap(rec.body) > maxPooled {
		return
	}
	rec.reset()
	recorders.Put(rec)
}

// reset empties the recorder for a further run.
func (rec *recorder) reset() {
	clear(rec.header)
	*rec = recorder{header: rec.header, body: rec.body[:0]}
}

func (rec *recorder) Header() http.Header { return rec.header }

func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 && status >= 200 { // informational answers are not the answer
		rec.status = status
	}
}

func (rec *recorder) Write(b []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	rec.body = append(rec.body, b...)
	return len(b), nil
}

// send gives the answer to the client.
func (rec *recorder) send(w http.ResponseWriter) {
	header := w.Header()
	maps.Copy(header, rec.header)
	setLength(header, rec.status, len(rec.body))
	w.WriteHeader(rec.status)
	if len(rec.body) > 0 {
		_, _ = w.Write(rec.body) // the connection's failure is the server's to notice
	}
}

// setLength announces the length of a body. The server does so by itself for
// what fits its buffer.
func setLength(header http.Header, status, length int) {
	delete(header, "Content-Length")
	if length > serverBuffer && status != http.StatusNoContent && status != http.StatusNotModified {
		header["Content-Length"] = []string{strconv.Itoa(length)}
	}
}

// serverBuffer is below what net/http buffers of a response.
const serverBuffer = 1 << 10

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

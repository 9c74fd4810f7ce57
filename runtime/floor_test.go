package runtime_test

import (
	"bytes"
	"crypto/sha256"
	"hash/maphash"
	"io"
	"maps"
	"net/http"
	"sync"
)

// floor is the least that a keyed operation can cost behind net/http: middleware
// that reads the body, hashes it, looks the key up in a sharded map, keeps a
// copy of the answer, and sends it. It knows no tenant, no lease, no expiry and
// no order of JSON members, and it trusts everything that it reads.
type floor struct {
	next   http.Handler
	seed   maphash.Seed
	shards [64]floorShard
}

type floorShard struct {
	mu      sync.Mutex
	records map[string]*floorRecord
}

type floorRecord struct {
	sum    [sha256.Size]byte
	status int // 0: it runs
	header http.Header
	body   []byte
}

func newFloor(next http.Handler) *floor {
	f := &floor{next: next, seed: maphash.MakeSeed()}
	for i := range f.shards {
		f.shards[i].records = map[string]*floorRecord{}
	}
	return f
}

// floorRecorder is what the floor borrows for a request.
type floorRecorder struct {
	request bytes.Buffer
	reader  bytes.Reader
	header  http.Header
	status  int
	body    []byte
}

var floorRecorders = sync.Pool{New: func() any { return &floorRecorder{header: http.Header{}} }}

func (rec *floorRecorder) Header() http.Header    { return rec.header }
func (rec *floorRecorder) WriteHeader(status int) { rec.status = status }
func (rec *floorRecorder) Write(b []byte) (int, error) {
	rec.body = append(rec.body, b...)
	return len(b), nil
}

var floorConflict = []byte(`{"type":"https://example.com/problems#conflict","title":"Idempotency key reused","status":409,` +
	`"detail":"This key was used for a different request. A different request needs a key of its own.","retry":"new-key"}`)

var floorProblem, floorReplayed = []string{"application/problem+json"}, []string{"true"}

func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := floorRecorders.Get().(*floorRecorder)
	defer func() {
		clear(rec.header)
		rec.status, rec.body = 0, rec.body[:0]
		rec.request.Reset()
		floorRecorders.Put(rec)
	}()
	if _, err := rec.request.ReadFrom(r.Body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	sum := sha256.Sum256(rec.request.Bytes())
	key := r.Header["Idempotency-Key"][0]
	shard := &f.shards[maphash.String(f.seed, key)%64]
	shard.mu.Lock()
	found := shard.records[key]
	if found == nil {
		record := &floorRecord{sum: sum}
		shard.records[key] = record
		shard.mu.Unlock()
		f.run(w, r, rec, shard, record)
		return
	}
	record := *found
	shard.mu.Unlock()
	header := w.Header()
	if record.status == 0 || record.sum != sum {
		header["Content-Type"] = floorProblem
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write(floorConflict)
		return
	}
	maps.Copy(header, record.header)
	header["Idempotent-Replayed"] = floorReplayed
	w.WriteHeader(record.status)
	_, _ = w.Write(record.body)
}

func (f *floor) run(w http.ResponseWriter, r *http.Request, rec *floorRecorder, shard *floorShard, record *floorRecord) {
	rec.reader.Reset(rec.request.Bytes())
	body := r.Body
	r.Body = io.NopCloser(&rec.reader)
	f.next.ServeHTTP(rec, r)
	r.Body = body
	kept, header := bytes.Clone(rec.body), maps.Clone(rec.header)
	shard.mu.Lock()
	record.status, record.header, record.body = rec.status, header, kept
	shard.mu.Unlock()
	maps.Copy(w.Header(), rec.header)
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body)
}

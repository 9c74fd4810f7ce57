package kill

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/idemgen/idemgen/internal/child"
	"github.com/idemgen/idemgen/internal/proof/kill/payments"
	idem "github.com/idemgen/idemgen/runtime"
)

// workerVariable makes this test binary a worker. It holds a job as JSON.
const workerVariable = "IDEMGEN_KILL_WORKER"

// attemptField carries the name that the client gives to each of its attempts.
const attemptField = "X-Attempt"

// A job is what a worker is started with.
type job struct {
	Backend  string
	Database string            // file or data source name
	Params   map[string]string // PostgreSQL: parameters of its sessions
	Prefix   string            // MySQL: of the tables
	Separate bool              // claim, row and answer in commits of their own
	Shift    time.Duration     // SQLite: how far its clock is ahead
	Hold     point             // zero: nowhere
}

func TestMain(m *testing.M) {
	if text := os.Getenv(workerVariable); text != "" {
		fmt.Fprintln(os.Stderr, work(text))
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// work serves payments until the process is killed.
func work(text string) error {
	child.EndWithParent()
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		return err
	}
	b, err := backends()[j.Backend].serve(context.Background(), &j)
	if err != nil {
		return err
	}
	if j.Separate {
		b.store = idem.LeaseOnly(b.store)
	}
	s := &service{trace: new(trace), books: b}
	if j.Hold.Count > 0 {
		s.trace.stop.Store(newStop(j.Hold))
	}
	h, err := payments.NewHandler(s, idem.WithStore(b.store), idem.WithLogger(nil), idem.WithMetrics(idem.Metrics{Store: s.stored}))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	say(lineListening, listener.Addr())
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), attemptKey{}, r.Header.Get(attemptField))
		s.trace.reach(ctx, received)
		h.ServeHTTP(w, r.WithContext(ctx))
		s.trace.reach(ctx, answered)
	})
	mux.HandleFunc(holdPath, s.trace.replace)
	return http.Serve(listener, mux)
}

// holdPath takes a point at which a request is to stand still from now on, and
// lets go on what stood still before. The zero point is nowhere.
const holdPath = "/hold"

func (t *trace) replace(w http.ResponseWriter, r *http.Request) {
	var at point
	if err := json.NewDecoder(r.Body).Decode(&at); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var next *stop
	if at.Count > 0 {
		next = newStop(at)
	}
	if old := t.stop.Swap(next); old != nil {
		close(old.done)
	}
}

// service implements the generated Service.
type service struct {
	trace *trace
	books *books
}

var _ payments.Service = (*service)(nil)

// CreatePayment writes a row that names the attempt, and answers with it: a
// second execution would be another row and another answer.
func (s *service) CreatePayment(ctx context.Context, req payments.CreatePaymentRequestObject) (payments.CreatePaymentResponseObject, error) {
	attempt, _ := ctx.Value(attemptKey{}).(string)
	s.trace.reach(ctx, running)
	id, err := s.books.insert(ctx, req.Body.Ref, attempt)
	if err != nil {
		return nil, err
	}
	s.trace.reach(ctx, written)
	if req.Body.Decline { // hooks are for writes that stay
		s.trace.reach(ctx, committing)
		return payments.CreatePayment422JSONResponse{Ref: req.Body.Ref, Attempt: attempt}, nil
	}
	idem.BeforeCommit(ctx, func(ctx context.Context) error {
		s.trace.reach(ctx, committing)
		return nil
	})
	return payments.CreatePayment201JSONResponse{Id: id, Ref: req.Body.Ref, Attempt: attempt}, nil
}

// stored is told of each call of the store.
func (s *service) stored(ctx context.Context, verb string, _ time.Duration, err error) {
	if verb == "complete" && err == nil {
		s.trace.reach(ctx, committed)
	}
}

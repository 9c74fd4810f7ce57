package generator_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/memory"

	guarded "github.com/idemgen/idemgen/generator/testdata/cases/guarded/want"
	keyed "github.com/idemgen/idemgen/generator/testdata/cases/keyed/want"
	plain "github.com/idemgen/idemgen/generator/testdata/cases/plain/want"
)

// The golden packages are what a user compiles and serves, so they are
// imported and served here.

// driven are the cases with a test below or in cases_test.go.
var driven = []string{"aliases", "awkward", "composed", "conditions", "forms", "guarded", "imports", "keyed", "multifile", "names", "options", "overlay", "plain", "recursive", "responses", "routers", "split", "swap", "tags", "versions", "webhooks"}

func TestCases_AllAreDriven(t *testing.T) {
	for _, name := range cases(t) {
		found := isBad(name)
		for _, d := range driven {
			found = found || d == name
		}
		if !found {
			t.Errorf("%s is not served by a test", filepath.Join(casesDir, name))
		}
	}
}

// serve starts a handler, which NewHandler of a golden package made, over a
// memory store; everybody is tenant "t".
func serve(t *testing.T, create func(...idem.Option) (http.Handler, error)) *httptest.Server {
	t.Helper()
	h, err := create(
		idem.WithLogger(nil),
		idem.WithStore(memory.New()),
		idem.WithNamedStore("ledger", memory.New()),
		idem.WithSealer(sealer(t)),
		idem.WithScope(func(*http.Request) (idem.Scope, error) {
			return idem.Scope{Tenant: "t", Principal: "p", Values: map[string]string{"region": "eu"}}, nil
		}),
	)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func sealer(t *testing.T) idem.Sealer {
	t.Helper()
	s, err := idem.NewAESSealer(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type answer struct {
	status int
	header http.Header
	body   string
}

// problem returns the last part of the problem's type.
func (a answer) problem() string {
	var p struct{ Type string }
	if a.header.Get("Content-Type") != "application/problem+json" || json.Unmarshal([]byte(a.body), &p) != nil {
		return ""
	}
	return p.Type[strings.LastIndexAny(p.Type, "#/")+1:]
}

// send sends "METHOD /path" with header fields given as name, value pairs.
func send(t *testing.T, server *httptest.Server, target, body string, header ...string) answer {
	t.Helper()
	method, path, _ := strings.Cut(target, " ")
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// expect fails unless the answer has a status and, where given, a problem.
func (a answer) expect(t *testing.T, status int, problem string) answer {
	t.Helper()
	if a.status != status || problem != "" && a.problem() != problem {
		t.Errorf("status %d, want %d %s; body %s", a.status, status, problem, a.body)
	}
	return a
}

type plainService struct{}

func (plainService) Ping(context.Context, plain.PingRequestObject) (plain.PingResponseObject, error) {
	return plain.Ping200TextResponse("pong"), nil
}

func (plainService) PostRoomsRoomMessages(_ context.Context, req plain.PostRoomsRoomMessagesRequestObject) (plain.PostRoomsRoomMessagesResponseObject, error) {
	if req.Room == "void" {
		return nil, nil
	}
	return plain.PostRoomsRoomMessages202Response{}, nil
}

func TestCase_Plain(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return plain.NewHandler(plainService{}, o...) })
	if a := send(t, s, "GET /ping", "").expect(t, 200, ""); a.body != "pong" {
		t.Errorf("body %q", a.body)
	}
	send(t, s, "POST /rooms/a/messages/", `{}`).expect(t, 202, "")
	send(t, s, "POST /rooms/void/messages/", `{}`).expect(t, 500, "internal-error")
	send(t, s, "GET /nowhere", "").expect(t, 404, "not-found")
	send(t, s, "DELETE /ping", "").expect(t, 405, "")
	// The operation declares If-None-Match and so checks it itself; If-Match it
	// could not check, and must not lose.
	send(t, s, "POST /rooms/a/messages/", `{}`, "If-None-Match", "*").expect(t, 202, "")
	send(t, s, "POST /rooms/a/messages/", `{}`, "If-Match", `"1"`).expect(t, 412, "precondition-failed")
}

type keyedService struct{ charges, payouts int }

func (s *keyedService) CreateCharge(_ context.Context, req keyed.CreateChargeRequestObject) (keyed.CreateChargeResponseObject, error) {
	s.charges++
	location, ref := "/charges/1", "ref"
	return keyed.CreateCharge201JSONResponse{
		Body:    *req.Body,
		Headers: keyed.CreateCharge201ResponseHeaders{Location: &location, XChargeRef: &ref},
	}, nil
}

func (s *keyedService) CreateRefund(_ context.Context, req keyed.CreateRefundRequestObject) (keyed.CreateRefundResponseObject, error) {
	return keyed.CreateRefund200JSONResponse{Body: *req.Body}, nil
}

func (s *keyedService) CreateTransfer(context.Context, keyed.CreateTransferRequestObject) (keyed.CreateTransferResponseObject, error) {
	return keyed.CreateTransfer204Response{}, nil
}

func (s *keyedService) CreatePayout(context.Context, keyed.CreatePayoutRequestObject) (keyed.CreatePayoutResponseObject, error) {
	s.payouts++
	location := "/payouts/p1"
	return keyed.CreatePayout201JSONResponse{
		Body:    keyed.Charge{Amount: 1, Currency: "new"},
		Headers: keyed.CreatePayout201ResponseHeaders{Location: &location},
	}, nil
}

func (s *keyedService) GetPayout(_ context.Context, req keyed.GetPayoutRequestObject) (keyed.GetPayoutResponseObject, error) {
	return keyed.GetPayout200JSONResponse{Amount: 1, Currency: "paid " + req.PayoutId}, nil
}

func (s *keyedService) TestWebhook(context.Context, keyed.TestWebhookRequestObject) (keyed.TestWebhookResponseObject, error) {
	return keyed.TestWebhook204Response{}, nil
}

func TestCase_Keyed(t *testing.T) {
	service := &keyedService{}
	// One operation says mode: tx, which the memory store does not have.
	_, err := keyed.NewHandler(service, idem.WithStore(memory.New()), idem.WithNamedStore("ledger", memory.New()),
		idem.WithScope(func(*http.Request) (idem.Scope, error) { return idem.Scope{}, nil }))
	if err == nil || !strings.Contains(err.Error(), "createTransfer") {
		t.Errorf("mode tx over a memory store: %v", err)
	}
	// Two say replay.encrypt.
	for _, name := range []string{"createRefund", "createPayout"} {
		if err == nil || !strings.Contains(err.Error(), "operation "+name+": its policy says replay.encrypt: pass idem.WithSealer") {
			t.Errorf("replay.encrypt of %s without a sealer: %v", name, err)
		}
	}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) {
		return keyed.NewHandler(service, append(o, idem.WithStore(transactional(t)))...)
	})
	const body = `{"amount":1,"currency":"EUR"}`
	first := send(t, s, "POST /charges", body, "Idempotency-Key", "k-1").expect(t, 201, "")
	again := send(t, s, "POST /charges", body, "Idempotency-Key", "k-1").expect(t, 201, "")
	if first.body != again.body || service.charges != 1 {
		t.Errorf("%d charges, answers %q and %q", service.charges, first.body, again.body)
	}
	for _, name := range []string{"Location", "X-Charge-Ref"} {
		if again.header.Get(name) != first.header.Get(name) || first.header.Get(name) == "" {
			t.Errorf("%s is replayed as %q, was %q", name, again.header.Get(name), first.header.Get(name))
		}
	}
	if again.header.Get("Idempotent-Replayed") != "true" {
		t.Error("the replay is not marked")
	}
	send(t, s, "POST /charges", body).expect(t, 400, "key-missing")
	send(t, s, "POST /charges", `{"amount":2,"currency":"EUR"}`, "Idempotency-Key", "k-1").expect(t, 409, "key-reused")
	send(t, s, "POST /charges", `{"amount":`, "Idempotency-Key", "k-2").expect(t, 400, "malformed-body")
	send(t, s, "POST /transfers", `{"requestId":"r-1"}`).expect(t, 204, "")
	send(t, s, "POST /transfers", `{"amount":3}`).expect(t, 400, "key-missing")
	send(t, s, "POST /payouts", "", "Idempotency-Key", "p-1").expect(t, 201, "")
	paid := send(t, s, "POST /payouts", "", "Idempotency-Key", "p-1").expect(t, 201, "")
	if service.payouts != 1 || !strings.Contains(paid.body, "paid p1") || paid.header.Get("Idempotent-Replayed") != "true" || paid.header.Get("Location") != "/payouts/p1" {
		t.Errorf("after %d payouts the replay is %v %s", service.payouts, paid.header, paid.body)
	}
	exempt := send(t, s, "POST /webhook-tests", "", "Idempotency-Key", "k-3").expect(t, 204, "")
	if got := exempt.header.Get("Idempotency-Status"); got != "ignored" {
		t.Errorf("Idempotency-Status of an exempt operation: %q", got)
	}
}

type guardedService struct {
	version   guarded.DocumentVersion
	published int
}

func (s *guardedService) CurrentDocument(context.Context, guarded.DocumentKey) (etag.Current[guarded.DocumentVersion], error) {
	return etag.Found(s.version), nil
}

func (s *guardedService) GetDocument(_ context.Context, req guarded.GetDocumentRequestObject) (guarded.GetDocumentResult, error) {
	return guarded.GetDocument200(s.version, guarded.GetDocument200JSONResponse{
		Body:    guarded.Document{Id: req.Id, Version: int64(s.version)},
		Headers: guarded.GetDocument200ResponseHeaders{Location: "/documents/1"},
	}), nil
}

func (s *guardedService) EditDocument(_ context.Context, req guarded.EditDocumentRequestObject, expect etag.Match[guarded.DocumentVersion]) (guarded.EditDocumentResult, error) {
	if req.Body.Title != nil && *req.Body.Title == "" {
		return guarded.EditDocument4XXJSONResponse{StatusCode: 422}, nil
	}
	if !s.matches(expect) {
		return nil, expect.NoMatch()
	}
	s.version++
	return guarded.EditDocument200(expect.Applied(s.version), guarded.Document{Id: req.Id, Version: int64(s.version)}), nil
}

func (s *guardedService) DeleteDocument(_ context.Context, _ guarded.DeleteDocumentRequestObject, expect etag.Match[guarded.DocumentVersion]) (guarded.DeleteDocumentResult, error) {
	if !s.matches(expect) {
		return nil, expect.NoMatch()
	}
	return guarded.DeleteDocument204(expect.Applied(s.version)), nil
}

// PublishDocument forgets the expectation that it was given.
func (s *guardedService) PublishDocument(_ context.Context, _ guarded.PublishDocumentRequestObject, expect etag.Match[guarded.DocumentVersion]) (guarded.PublishDocumentResult, error) {
	s.published++
	return guarded.PublishDocument202(expect.Applied(s.version)), nil
}

func (s *guardedService) DocumentOptions(context.Context, guarded.DocumentOptionsRequestObject) (guarded.DocumentOptionsResponseObject, error) {
	return guarded.DocumentOptions204Response{}, nil
}

func (s *guardedService) matches(expect etag.Match[guarded.DocumentVersion]) bool {
	return slices.Contains(expect.Versions(), s.version) || expect.Any()
}

func TestCase_Guarded(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) {
		return guarded.NewHandler(&guardedService{version: 7}, o...)
	})
	const path = "/documents/6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	read := send(t, s, "GET "+path, "").expect(t, 200, "")
	if tag := read.header.Get("ETag"); tag != `"7"` {
		t.Errorf("ETag %q", tag)
	}
	const patch = `{"title":"new"}`
	send(t, s, "PATCH "+path, patch).expect(t, 428, "precondition-required")
	send(t, s, "PATCH "+path, patch, "If-Match", `"6"`).expect(t, 412, "precondition-failed")
	send(t, s, "PATCH "+path, patch, "If-Match", `"7", "8"`).expect(t, 400, "malformed-precondition")
	written := send(t, s, "PATCH "+path, patch, "Content-Type", "application/merge-patch+json", "If-Match", `"7"`).expect(t, 200, "")
	if tag := written.header.Get("ETag"); tag != `"8"` {
		t.Errorf("ETag after the write %q", tag)
	}
	send(t, s, "PATCH "+path, `{"title":""}`, "Content-Type", "application/merge-patch+json", "If-Match", `"8"`).expect(t, 422, "")
	send(t, s, "POST "+path+"/publish", "", "If-Match", `"8"`).expect(t, 500, "internal-error")
	send(t, s, "DELETE "+path, "", "If-Match", `"7"`).expect(t, 412, "precondition-failed")
	send(t, s, "DELETE "+path, "", "If-Match", `"8"`).expect(t, 204, "")
	send(t, s, "GET /documents/nonsense", "").expect(t, 400, "")
}

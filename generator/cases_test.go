package generator_test

import (
	"context"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"
	"github.com/idemgen/idemgen/runtime/store/sqlite"

	awkward "github.com/idemgen/idemgen/generator/testdata/cases/awkward/want"
	forms "github.com/idemgen/idemgen/generator/testdata/cases/forms/want"
	multifile "github.com/idemgen/idemgen/generator/testdata/cases/multifile/want"
	names "github.com/idemgen/idemgen/generator/testdata/cases/names/want"
	overlay "github.com/idemgen/idemgen/generator/testdata/cases/overlay/want"
	responses "github.com/idemgen/idemgen/generator/testdata/cases/responses/want"
	versions "github.com/idemgen/idemgen/generator/testdata/cases/versions/want"
	webhooks "github.com/idemgen/idemgen/generator/testdata/cases/webhooks/want"
)

// transactional returns a store with transactions.
func transactional(t *testing.T) idem.Store {
	t.Helper()
	store, err := sqlite.Open(filepath.Join(t.TempDir(), "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

type awkwardService struct {
	runs       int
	search     awkward.SearchParams
	registered awkward.ServiceSchema
	owner      string
}

func (s *awkwardService) Anything(context.Context, awkward.AnythingRequestObject) (awkward.AnythingResponseObject, error) {
	s.runs++
	return awkward.Anything200JSONResponse{Body: map[string]any{"any": []int{1}}}, nil
}

func (*awkwardService) ReadAnything(context.Context, awkward.ReadAnythingRequestObject) (awkward.ReadAnythingResponseObject, error) {
	return awkward.ReadAnything200JSONResponse{Body: 7}, nil
}

func (s *awkwardService) Register(_ context.Context, req awkward.RegisterRequestObject) (awkward.RegisterResponseObject, error) {
	s.registered = *req.Body
	return awkward.Register204Response{}, nil
}

func (s *awkwardService) Replace(_ context.Context, req awkward.ReplaceRequestObject) (awkward.ReplaceResponseObject, error) {
	s.owner = *req.Body.Name
	return awkward.Replace204Response{}, nil
}

func (s *awkwardService) Retire(_ context.Context, req awkward.RetireRequestObject) (awkward.RetireResponseObject, error) {
	s.owner = *req.Body
	return awkward.Retire204Response{}, nil
}

func (s *awkwardService) Upload(_ context.Context, req awkward.UploadRequestObject) (awkward.UploadResponseObject, error) {
	text, err := io.ReadAll(req.Body)
	s.owner = string(text)
	return awkward.Upload204Response{}, err
}

func (s *awkwardService) Search(_ context.Context, req awkward.SearchRequestObject) (awkward.SearchResponseObject, error) {
	s.search = req.Params
	field := "since"
	return awkward.Search400JSONResponse{Details: &[]awkward.N400_Details_Item{{Field: &field}}}, nil
}

// What oapi-codegen alone would not get through the compiler works on the wire.
func TestCase_Awkward(t *testing.T) {
	service := &awkwardService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return awkward.NewHandler(service, o...) })
	for range 2 {
		if a := send(t, s, "POST /anything", "", "Idempotency-Key", "k").expect(t, 200, ""); a.body != `{"any":[1]}`+"\n" {
			t.Errorf("body %q", a.body)
		}
	}
	if a := send(t, s, "GET /anything", "").expect(t, 200, ""); a.body != "7\n" || service.runs != 1 {
		t.Errorf("body %q after %d runs", a.body, service.runs)
	}
	send(t, s, "POST /services", `{"owner":{"name":"a"}}`).expect(t, 204, "")
	send(t, s, "PUT /services", `{"name":"b"}`).expect(t, 204, "")
	if *service.registered.Owner.Name != "a" || service.owner != "b" {
		t.Errorf("got %+v, %q", service.registered, service.owner)
	}
	send(t, s, "DELETE /services", "name=c", "Content-Type", "text/plain").expect(t, 204, "")
	if service.owner != "name=c" {
		t.Errorf("got %q", service.owner)
	}
	for _, media := range []string{"application/x-tar", "application/octet-stream"} {
		send(t, s, "PATCH /services", media, "Content-Type", media).expect(t, 204, "")
		if service.owner != media {
			t.Errorf("got %q", service.owner)
		}
	}
	a := send(t, s, "GET /search?since=1&since%3C=2&since%3E=3", "", "Idempotency-Key", "own").expect(t, 400, "")
	p := service.search
	if p.IdempotencyKey == nil || *p.IdempotencyKey != "own" || p.Since == nil || *p.Since != 1 || *p.Since2 != 2 || *p.Since3 != 3 {
		t.Errorf("parameters %+v", p)
	}
	if a.body != `{"details":[{"field":"since"}]}`+"\n" {
		t.Errorf("body %q", a.body)
	}
}

// formsService counts the runs of each operation.
type formsService struct {
	runs   map[string]int
	broken bool
}

func (s *formsService) Applied(context.Context, forms.AppliedRequestObject) (forms.AppliedResponseObject, error) {
	s.runs["applied"]++
	return forms.Applied204Response{}, nil
}

func (s *formsService) AppliedToo(context.Context, forms.AppliedTooRequestObject) (forms.AppliedTooResponseObject, error) {
	s.runs["appliedToo"]++
	return forms.AppliedToo204Response{}, nil
}

func (s *formsService) NotApplied(context.Context, forms.NotAppliedRequestObject) (forms.NotAppliedResponseObject, error) {
	s.runs["notApplied"]++
	return forms.NotApplied204Response{}, nil
}

func (s *formsService) RequiredKey(context.Context, forms.RequiredKeyRequestObject) (forms.RequiredKeyResponseObject, error) {
	s.runs["requiredKey"]++
	return forms.RequiredKey204Response{}, nil
}

func (s *formsService) SwitchedOff(context.Context, forms.SwitchedOffRequestObject) (forms.SwitchedOffResponseObject, error) {
	s.runs["switchedOff"]++
	return forms.SwitchedOff204Response{}, nil
}

func (s *formsService) FromItem(context.Context, forms.FromItemRequestObject) (forms.FromItemResponseObject, error) {
	s.runs["fromItem"]++
	return forms.FromItem204Response{}, nil
}

func (s *formsService) OptionalKey(context.Context, forms.OptionalKeyRequestObject) (forms.OptionalKeyResponseObject, error) {
	s.runs["optionalKey"]++
	return forms.OptionalKey204Response{}, nil
}

func (s *formsService) Exempted(context.Context, forms.ExemptedRequestObject) (forms.ExemptedResponseObject, error) {
	s.runs["exempted"]++
	return forms.Exempted204Response{}, nil
}

func (s *formsService) Ietf(context.Context, forms.IetfRequestObject) (forms.IetfResponseObject, error) {
	s.runs["ietf"]++
	return forms.Ietf204Response{}, nil
}

func (s *formsService) BodyKey(context.Context, forms.BodyKeyRequestObject) (forms.BodyKeyResponseObject, error) {
	s.runs["bodyKey"]++
	return forms.BodyKey204Response{}, nil
}

func (s *formsService) Observed(context.Context, forms.ObservedRequestObject) (forms.ObservedResponseObject, error) {
	s.runs["observed"]++
	return forms.Observed204Response{}, nil
}

func (s *formsService) RolledBack(context.Context, forms.RolledBackRequestObject) (forms.RolledBackResponseObject, error) {
	s.runs["rolledBack"]++
	return forms.RolledBack204Response{}, nil
}

func (s *formsService) Stripe(context.Context, forms.StripeRequestObject) (forms.StripeResponseObject, error) {
	s.runs["stripe"]++
	if s.broken {
		return forms.Stripe500Response{}, nil
	}
	return forms.Stripe204Response{}, nil
}

// Each way to write x-idempotency does what it says when it is served.
func TestCase_Forms(t *testing.T) {
	service := &formsService{runs: map[string]int{}}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return forms.NewHandler(service, o...) })
	for _, c := range []struct {
		target, operation string
		keyless           int // status without a key
		runs              int // of two requests with one key
		mismatch          int // status of the key with another request
		marker            string
	}{
		{"POST /applied", "applied", 204, 1, 409, "Idempotent-Replayed"},
		{"PATCH /applied", "appliedToo", 204, 1, 409, "Idempotent-Replayed"},
		{"PUT /applied", "notApplied", 204, 2, 204, ""},
		{"PUT /required", "requiredKey", 400, 1, 409, "Idempotent-Replayed"},
		{"POST /false", "switchedOff", 204, 2, 204, ""},
		{"DELETE /item", "fromItem", 400, 1, 422, "Idempotent-Replayed"},
		{"PUT /item", "optionalKey", 204, 1, 422, "Idempotent-Replayed"},
		{"POST /item", "exempted", 204, 2, 204, ""},
		{"POST /ietf", "ietf", 204, 1, 422, "Idempotency-Replayed"},
		{"POST /stripe", "stripe", 204, 1, 400, "Idempotent-Replayed"},
		{"POST /observed", "observed", 204, 2, 204, ""},
		{"POST /off", "rolledBack", 204, 2, 204, ""},
	} {
		send(t, s, c.target, "").expect(t, c.keyless, "")
		before := service.runs[c.operation]
		send(t, s, c.target, "", "Idempotency-Key", `"k-1"`).expect(t, 204, "")
		again := send(t, s, c.target, "", "Idempotency-Key", `"k-1"`).expect(t, 204, "")
		if runs := service.runs[c.operation] - before; runs != c.runs {
			t.Errorf("%s ran %d times for two requests with one key, want %d", c.target, runs, c.runs)
		}
		for _, marker := range []string{"Idempotent-Replayed", "Idempotency-Replayed"} {
			if marked := again.header.Get(marker) == "true"; marked != (marker == c.marker) {
				t.Errorf("%s: %s is %q", c.target, marker, again.header.Get(marker))
			}
		}
		send(t, s, c.target+"?other=1", "", "Idempotency-Key", `"k-1"`).expect(t, c.mismatch, "")
	}

	// ietf takes only the quoted string, stripe records a failure, too.
	send(t, s, "POST /ietf", "", "Idempotency-Key", "bare").expect(t, 400, "key-invalid")
	send(t, s, "POST /stripe", "", "Idempotency-Key", "bare").expect(t, 204, "")
	service.broken = true
	before := service.runs["stripe"]
	for range 2 {
		send(t, s, "POST /stripe", "", "Idempotency-Key", "k-2").expect(t, 500, "")
	}
	if runs := service.runs["stripe"] - before; runs != 1 {
		t.Errorf("stripe: a recorded 500 ran %d times", runs)
	}

	for range 2 {
		send(t, s, "POST /body", `{"client/request":{"id":"r-1"},"amount":1}`).expect(t, 204, "")
	}
	if service.runs["bodyKey"] != 1 {
		t.Errorf("the key in the body: %d runs", service.runs["bodyKey"])
	}
	send(t, s, "POST /body", `{"client/request":{"id":"r-1"},"amount":2}`).expect(t, 409, "key-reused")
	send(t, s, "POST /body", `{"client/request":{},"amount":1}`, "Idempotency-Key", "r-2").expect(t, 400, "key-missing")
	send(t, s, "POST /body", `{"client/request":{"id":7},"amount":1}`).expect(t, 400, "key-invalid")
}

type multifileService struct{ created int }

func (s *multifileService) CreateJob(_ context.Context, req multifile.CreateJobRequestObject) (multifile.CreateJobResponseObject, error) {
	s.created++
	return multifile.CreateJob201JSONResponse(*req.Body), nil
}

func (s *multifileService) GetJob(context.Context, multifile.GetJobRequestObject) (multifile.GetJobResult, error) {
	return multifile.GetJob200(3, multifile.Job{Version: 3}), nil
}

func (s *multifileService) DeleteJob(_ context.Context, _ multifile.DeleteJobRequestObject, expect etag.Match[multifile.JobVersion]) (multifile.DeleteJobResult, error) {
	v, ok := expect.One()
	if !ok || v != 3 {
		return nil, expect.NoMatch()
	}
	return multifile.DeleteJob204(expect.Applied(v)), nil
}

func (s *multifileService) CurrentJob(context.Context, multifile.JobKey) (etag.Current[multifile.JobVersion], error) {
	return etag.Found[multifile.JobVersion](3), nil
}

func TestCase_Multifile(t *testing.T) {
	service := &multifileService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return multifile.NewHandler(service, o...) })
	for range 2 {
		send(t, s, "POST /jobs", `{"version":1}`, "Idempotency-Key", "k").expect(t, 201, "")
	}
	if service.created != 1 {
		t.Errorf("%d jobs", service.created)
	}
	send(t, s, "GET /jobs/a", "", "If-None-Match", `"3"`).expect(t, 304, "")
	send(t, s, "DELETE /jobs/a", "", "Idempotency-Key", "k", "If-Match", `"2"`).expect(t, 412, "precondition-failed")
	for range 2 {
		send(t, s, "DELETE /jobs/a", "", "Idempotency-Key", "d", "If-Match", `"3"`).expect(t, 204, "")
	}
}

type overlayService struct{ created int }

func (s *overlayService) CreateInvoice(context.Context, overlay.CreateInvoiceRequestObject) (overlay.CreateInvoiceResponseObject, error) {
	s.created++
	return overlay.CreateInvoice201JSONResponse{Id: "a", Revision: 1}, nil
}

func (*overlayService) GetInvoice(context.Context, overlay.GetInvoiceRequestObject) (overlay.GetInvoiceResult, error) {
	return overlay.GetInvoice200(1, overlay.Invoice{Id: "a", Revision: 1}), nil
}

func (*overlayService) DeleteInvoice(_ context.Context, _ overlay.DeleteInvoiceRequestObject, expect etag.Match[overlay.InvoiceVersion]) (overlay.DeleteInvoiceResult, error) {
	v, ok := expect.One()
	if !ok || v != 1 {
		return nil, expect.NoMatch()
	}
	return overlay.DeleteInvoice204(expect.Applied(v)), nil
}

func (*overlayService) CurrentInvoice(context.Context, overlay.InvoiceKey) (etag.Current[overlay.InvoiceVersion], error) {
	return etag.Found[overlay.InvoiceVersion](1), nil
}

// What an overlay says about a document is in force like what the document says.
func TestCase_Overlay(t *testing.T) {
	service := &overlayService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return overlay.NewHandler(service, o...) })
	send(t, s, "POST /invoices", "").expect(t, 400, "key-missing")
	for range 2 {
		send(t, s, "POST /invoices", "", "Idempotency-Key", "k").expect(t, 201, "")
	}
	if service.created != 1 {
		t.Errorf("%d invoices", service.created)
	}
	send(t, s, "GET /invoices/a", "", "If-None-Match", `"1"`).expect(t, 304, "")
	send(t, s, "DELETE /invoices/a", "").expect(t, 428, "precondition-required")
	send(t, s, "DELETE /invoices/a", "", "If-Match", `"1"`).expect(t, 204, "")
}

type namesService struct {
	got names.Post2faTypeDIdemRequestObject
}

func (s *namesService) Post2faTypeDIdem(_ context.Context, req names.Post2faTypeDIdemRequestObject) (names.Post2faTypeDIdemResponseObject, error) {
	s.got = req
	return names.Post2faTypeDIdem204Response{}, nil
}

func (s *namesService) ReadAThing(context.Context, names.ReadAThingRequestObject) (names.ReadAThingResult, error) {
	return names.ReadAThing200("v1", names.SomeThing{Version: "v1"}), nil
}

func (s *namesService) N2Replace(_ context.Context, req names.N2ReplaceRequestObject, expect etag.Match[names.SomeThingVersion]) (names.N2ReplaceResult, error) {
	if v, ok := expect.One(); !ok || v != "v1" || req.ThingId != "x" {
		return nil, expect.NoMatch()
	}
	return names.N2Replace204(expect.Applied("v2")), nil
}

func (s *namesService) CurrentSomeThing(_ context.Context, key names.SomeThingKey) (etag.Current[names.SomeThingVersion], error) {
	if key.ThingId != "x" {
		return etag.NotFound[names.SomeThingVersion](), nil
	}
	return etag.Found[names.SomeThingVersion]("v1"), nil
}

func TestCase_Names(t *testing.T) {
	service := &namesService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return names.NewHandler(service, o...) })
	send(t, s, "POST /2fa/sms/4/me", "", "Idempotency-Key", "k").expect(t, 204, "")
	if want := (names.Post2faTypeDIdemRequestObject{Type: "sms", D: 4, Idem: "me"}); service.got != want {
		t.Errorf("parameters %+v, want %+v", service.got, want)
	}
	send(t, s, "GET /things/x?depth=2", "", "If-None-Match", `"v1"`).expect(t, 304, "")
	send(t, s, "PUT /things/y", "", "If-Match", `"v1"`).expect(t, 404, "not-found")
	if a := send(t, s, "PUT /things/x", "", "If-Match", `"v1"`).expect(t, 204, ""); a.header.Get("ETag") != `"v2"` {
		t.Errorf("ETag %q", a.header.Get("ETag"))
	}
}

type responsesService struct{}

func (responsesService) CurrentFile(context.Context, responses.FileKey) (etag.Current[responses.FileVersion], error) {
	return etag.Found[responses.FileVersion](1), nil
}

func (responsesService) GetFile(_ context.Context, req responses.GetFileRequestObject) (responses.GetFileResult, error) {
	switch req.File {
	case "text":
		return responses.GetFile200Text(1, responses.GetFile200TextResponse{Body: "hello"}), nil
	case "inline":
		return responses.GetFile206(1, responses.GetFile206JSONResponse{Version: 1}), nil
	case "gone":
		return responses.GetFile404Response{}, nil
	case "broken":
		return responses.GetFiledefaultApplicationProblemPlusJSONResponse{StatusCode: 503}, nil
	case "hidden":
		return responses.GetFiledefaultApplicationProblemPlusJSONResponse{StatusCode: 200}, nil
	}
	return responses.GetFile200JSON(1, responses.GetFile200JSONResponse{Body: responses.File{Version: 1}}), nil
}

func (responsesService) PutFile(_ context.Context, req responses.PutFileRequestObject, expect etag.Match[responses.FileVersion]) (responses.PutFileResult, error) {
	if v, ok := expect.One(); !ok || v != 1 {
		return nil, expect.NoMatch()
	}
	applied := expect.Applied(2)
	switch req.File {
	case "list":
		return responses.PutFile207(applied, []responses.File{{Version: 2}}), nil
	case "later":
		return responses.PutFile202(applied), nil
	case "headers":
		size := 5
		return responses.PutFile204(applied, responses.PutFile204Response{Headers: responses.PutFile204ResponseHeaders{XSize: &size}}), nil
	}
	return responses.PutFile200(applied, responses.File{Version: 2}), nil
}

var (
	stampTime   = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	stampSerial = responses.Serial{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
)

func (responsesService) GetStamp(_ context.Context, req responses.GetStampRequestObject) (responses.GetStampResponseObject, error) {
	return map[string]responses.GetStampResponseObject{
		"time":   responses.GetStamp200JSONResponse(stampTime),
		"date":   responses.GetStamp201JSONResponse{Time: stampTime},
		"serial": responses.GetStamp202JSONResponse(stampSerial),
		"shared": responses.GetStamp203JSONResponse{SerialJSONResponse: responses.SerialJSONResponse(stampSerial)},
		"names":  responses.GetStamp206JSONResponse{NamesJSONResponse: responses.NamesJSONResponse{"a", "b"}},
		"counts": responses.GetStamp207JSONResponse{CountsJSONResponse: responses.CountsJSONResponse{"a": 1}},
		"word":   responses.GetStamp208JSONResponse{WordJSONResponse: "w"},
	}[req.Kind], nil
}

func TestCase_Responses(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return responses.NewHandler(responsesService{}, o...) })
	for name, want := range map[string]int{"text": 200, "inline": 206, "gone": 404, "broken": 503, "json": 200} {
		a := send(t, s, "GET /files/"+name, "").expect(t, want, "")
		if tagged := a.header.Get("ETag") == `"1"`; tagged != (want < 300) {
			t.Errorf("GET /files/%s: ETag %q", name, a.header.Get("ETag"))
		}
	}
	// A success that hides in default has no version and must not pass.
	send(t, s, "GET /files/hidden", "").expect(t, 500, "internal-error")
	for name, want := range map[string]int{"list": 207, "later": 202, "headers": 204, "json": 200} {
		a := send(t, s, "PUT /files/"+name, "x", "Content-Type", "application/octet-stream", "If-Match", `"1"`).expect(t, want, "")
		if tagged := a.header.Get("ETag") == `"2"`; tagged != (want != 202) {
			t.Errorf("PUT /files/%s: ETag %q", name, a.header.Get("ETag"))
		}
	}
	// The whole body is the JSON of its schema, whatever its Go type is made of.
	for name, want := range map[string]string{
		"time": `"2026-01-02T03:04:05Z"`, "date": `"2026-01-02"`,
		"serial": `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`, "shared": `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`,
		"names": `["a","b"]`, "counts": `{"a":1}`, "word": `"w"`,
	} {
		if a := send(t, s, "GET /stamps/"+name, ""); a.body != want+"\n" {
			t.Errorf("GET /stamps/%s: body %s, want %s", name, a.body, want)
		}
	}
}

type versionsService struct{}

var build = versions.BuildVersion{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

func (versionsService) CurrentBuild(context.Context, versions.BuildKey) (etag.Current[versions.BuildVersion], error) {
	return etag.Found(build), nil
}

func (versionsService) GetBuild(context.Context, versions.GetBuildRequestObject) (versions.GetBuildResult, error) {
	return versions.GetBuild200(build, versions.Build{Revision: [16]byte(build)}), nil
}

func (versionsService) PutBuild(_ context.Context, req versions.PutBuildRequestObject, expect etag.Match[versions.BuildVersion]) (versions.PutBuildResult, error) {
	if v, ok := expect.One(); !ok || v != build {
		return nil, expect.NoMatch()
	}
	return versions.PutBuild200(expect.Applied(versions.BuildVersion(req.Body.Revision)), *req.Body), nil
}

func (versionsService) CurrentSetting(_ context.Context, key versions.SettingKey) (etag.Current[versions.SettingVersion], error) {
	return etag.Found(versions.SettingVersion(key.Tenant + "." + key.Name)), nil
}

func (versionsService) GetSetting(_ context.Context, req versions.GetSettingRequestObject) (versions.GetSettingResult, error) {
	return versions.GetSetting200(versions.SettingVersion(req.Tenant+"."+req.Name), versions.Setting{}), nil
}

func (versionsService) PutSetting(_ context.Context, _ versions.PutSettingRequestObject, expect etag.Match[versions.SettingVersion]) (versions.PutSettingResult, error) {
	if _, ok := expect.One(); !ok {
		return nil, expect.NoMatch()
	}
	return versions.PutSetting204(expect.Applied("a.b2")), nil
}

func (versionsService) DropSetting(_ context.Context, req versions.DropSettingRequestObject, expect etag.Match[versions.SettingVersion]) (versions.DropSettingResult, error) {
	if v, ok := expect.One(); !ok || v != versions.SettingVersion(req.Tenant+"."+req.Name) {
		return nil, expect.NoMatch()
	}
	return versions.DropSetting204(expect.Applied("gone")), nil
}

func TestCase_Versions(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return versions.NewHandler(versionsService{}, o...) })
	const tag, next = `"6ba7b810-9dad-11d1-80b4-00c04fd430c8"`, `"6ba7b811-9dad-11d1-80b4-00c04fd430c8"`
	if a := send(t, s, "GET /builds/1", "").expect(t, 200, ""); a.header.Get("ETag") != tag {
		t.Errorf("ETag %s", a.header.Get("ETag"))
	}
	a := send(t, s, "PUT /builds/1", `{"revision":`+next+`}`, "If-Match", tag).expect(t, 200, "")
	if a.header.Get("ETag") != next {
		t.Errorf("ETag %s, want %s", a.header.Get("ETag"), next)
	}
	send(t, s, "GET /tenants/a/settings/b", "", "If-None-Match", `"a.b"`).expect(t, 304, "")
	send(t, s, "PUT /tenants/a/settings/b", "x", "Content-Type", "text/plain", "If-Match", `"a.b"`).expect(t, 204, "")
	// An operation on another path finds the same resource by the same key.
	send(t, s, "DELETE /settings/b/of/a", "", "If-Match", `"b.a"`).expect(t, 412, "precondition-failed")
	send(t, s, "DELETE /settings/b/of/a?force=true", "", "If-Match", `"a.b"`).expect(t, 204, "")
}

type webhooksService struct{}

func (webhooksService) Subscribe(context.Context, webhooks.SubscribeRequestObject) (webhooks.SubscribeResponseObject, error) {
	return webhooks.Subscribe204Response{}, nil
}

func (webhooksService) Adjust(_ context.Context, req webhooks.AdjustRequestObject) (webhooks.AdjustResponseObject, error) {
	if req.Params.At == nil || *req.Params.At != "7" {
		return nil, idem.NotImplemented("adjust")
	}
	return webhooks.Adjust200JSONResponse(*req.Body), nil
}

func TestCase_Webhooks(t *testing.T) {
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return webhooks.NewHandler(webhooksService{}, o...) })
	send(t, s, "POST /hooks", "").expect(t, 204, "")
	for _, body := range []string{`{"value":"a"}`, `{"value":1}`, `{"note":"b","value":2}`} {
		if a := send(t, s, "PATCH /hooks?at=7", body).expect(t, 200, ""); a.body != body+"\n" {
			t.Errorf("got %q of %s", a.body, body)
		}
	}
}

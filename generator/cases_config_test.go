package generator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"testing"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"

	imports "github.com/idemgen/idemgen/generator/testdata/cases/imports/want"
	"github.com/idemgen/idemgen/generator/testdata/cases/imports/want/common"
	options "github.com/idemgen/idemgen/generator/testdata/cases/options/want"
	split "github.com/idemgen/idemgen/generator/testdata/cases/split/want"
)

// These cases have an idemgen.yaml: what it says about the Go package is served.

type importsService struct {
	parcels []imports.Parcel
	carrier common.Carrier
	refuse  bool
}

func (s *importsService) SendParcel(_ context.Context, req imports.SendParcelRequestObject) (imports.SendParcelResponseObject, error) {
	if s.refuse {
		return imports.SendParceldefaultJSONResponse{StatusCode: 422, Body: common.Failure{Message: string(*req.Params.Common)}}, nil
	}
	s.parcels = append(s.parcels, *req.Body)
	return imports.SendParcel201JSONResponse(*req.Body), nil
}

func (s *importsService) GetCarrier(context.Context, imports.GetCarrierRequestObject) (imports.GetCarrierResult, error) {
	return imports.GetCarrier200(imports.CarrierVersion(s.carrier.Version), s.carrier), nil
}

func (s *importsService) PutCarrier(_ context.Context, req imports.PutCarrierRequestObject, expect etag.Match[imports.CarrierVersion]) (imports.PutCarrierResult, error) {
	if !slices.Contains(expect.Versions(), imports.CarrierVersion(s.carrier.Version)) {
		return nil, expect.NoMatch()
	}
	s.carrier = common.Carrier{Name: req.Body.Name, Version: s.carrier.Version + 1}
	return imports.PutCarrier200(expect.Applied(imports.CarrierVersion(s.carrier.Version)), s.carrier), nil
}

func (s *importsService) MutateRenameCarrier(old common.Carrier, req imports.RenameCarrierRequestObject) (common.Carrier, imports.RenameCarrierResult) {
	old.Name = *req.Body.Name
	return old, nil
}

func (s *importsService) PutVehicle(_ context.Context, req imports.PutVehicleRequestObject) (imports.PutVehicleResponseObject, error) {
	return imports.PutVehicle200JSONResponse(*req.Body), nil
}

func (s *importsService) PutLabels(_ context.Context, req imports.PutLabelsRequestObject) (imports.PutLabelsResponseObject, error) {
	switch labels := *req.Body; labels.Id {
	case "shared":
		return imports.PutLabels201JSONResponse{LabelsJSONResponse: imports.LabelsJSONResponse(labels)}, nil
	case "list":
		return imports.PutLabels203JSONResponse{LabelListJSONResponse: imports.LabelListJSONResponse{labels}}, nil
	case "any":
		return imports.PutLabels207JSONResponse{Body: labels}, nil
	case "shared any":
		return imports.PutLabels208JSONResponse{AnythingJSONResponse: labels}, nil
	case "renamed":
		return imports.PutLabels206JSONResponse(labels), nil
	default:
		return imports.PutLabels200JSONResponse(labels), nil
	}
}

func (s *importsService) version() etag.Current[imports.CarrierVersion] {
	return etag.Found(imports.CarrierVersion(s.carrier.Version))
}

func (s *importsService) CurrentCarrier(context.Context, imports.CarrierKey) (etag.Current[imports.CarrierVersion], error) {
	return s.version(), nil
}

func (s *importsService) LoadCarrier(context.Context, imports.CarrierKey) (common.Carrier, etag.Current[imports.CarrierVersion], error) {
	return s.carrier, s.version(), nil
}

func (s *importsService) StoreCarrier(_ context.Context, _ imports.CarrierKey, expect etag.Match[imports.CarrierVersion], changed common.Carrier) (common.Carrier, etag.Applied[imports.CarrierVersion], error) {
	if !slices.Contains(expect.Versions(), imports.CarrierVersion(s.carrier.Version)) {
		return common.Carrier{}, etag.Applied[imports.CarrierVersion]{}, expect.NoMatch()
	}
	changed.Version = s.carrier.Version + 1
	s.carrier = changed
	return changed, expect.Applied(imports.CarrierVersion(changed.Version)), nil
}

// Types of another package travel as those of the own one do: in requests, keys,
// versions and answers, also those that print themselves.
func TestCase_Imports(t *testing.T) {
	service := &importsService{carrier: common.Carrier{Name: "swift", Version: 1}}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return imports.NewHandler(service, o...) })
	const parcel = `{"insured":{"amount":3,"street":"c"},"to":{"street":"a"},"via":[{"street":"b"}]}`
	for range 2 {
		if a := send(t, s, "POST /parcels", parcel, "Idempotency-Key", "one").expect(t, 201, ""); a.body != parcel+"\n" {
			t.Errorf("body %s", a.body)
		}
	}
	if len(service.parcels) != 1 || service.parcels[0].To != (common.Address{Street: "a"}) {
		t.Errorf("parcels %+v", service.parcels)
	}
	service.refuse = true
	if a := send(t, s, "POST /parcels?common=kg", parcel, "Idempotency-Key", "two").expect(t, 422, ""); a.body != `{"message":"kg"}`+"\n" {
		t.Errorf("body %s", a.body)
	}
	const van = `{"kind":"van","seats":3}`
	if a := send(t, s, "PUT /vehicles", van).expect(t, 200, ""); a.body != van+"\n" {
		t.Errorf("body %s", a.body)
	}
	for id, status := range map[string]int{"own": 200, "shared": 201, "list": 203, "renamed": 206, "any": 207, "shared any": 208} {
		labels := fmt.Sprintf(`{"colour":"red","id":%q}`, id)
		want := labels + "\n"
		if id == "list" {
			want = "[" + labels + "]\n"
		}
		if a := send(t, s, "PUT /labels", labels).expect(t, status, ""); a.body != want {
			t.Errorf("body %s, want %s", a.body, want)
		}
	}
	tag := send(t, s, "GET /carriers/x", "").expect(t, 200, "").header.Get("ETag")
	send(t, s, "PUT /carriers/x", `{"name":"slow","version":0}`, "If-Match", tag).expect(t, 200, "")
	send(t, s, "PUT /carriers/x", `{"name":"late","version":0}`, "If-Match", tag).expect(t, 412, "precondition-failed")
	send(t, s, "PATCH /carriers/x", `{"name":"fast"}`, "If-Match", strconv.Quote("2")).expect(t, 200, "")
	if service.carrier != (common.Carrier{Name: "fast", Version: 3}) {
		t.Errorf("carrier %+v", service.carrier)
	}
}

type optionsService struct{ added []options.Invoice }

func (s *optionsService) AddInvoice(_ context.Context, req options.AddInvoiceRequestObject) (options.AddInvoiceResponseObject, error) {
	invoice := *req.Body
	invoice.Memo, invoice.State = req.Params.Note, options.StateOpen
	s.added = append(s.added, invoice)
	return options.AddInvoice201JSONResponse(invoice), nil
}

// Models that look otherwise, one of them written by hand, behave as others do.
func TestCase_Options(t *testing.T) {
	service := &optionsService{}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return options.NewHandler(service, o...) })
	for range 2 {
		a := send(t, s, "POST /invoices?note=n", `{"id":7,"total":"1.50","lines":["a"]}`, "Idempotency-Key", "k").expect(t, 201, "")
		if want := `{"id":7,"lines":["a"],"memo":"n","state":"open","total":"1.50"}` + "\n"; a.body != want {
			t.Errorf("body %s, want %s", a.body, want)
		}
	}
	if len(service.added) != 1 || service.added[0].Total.Cents != 150 {
		t.Errorf("added %+v", service.added)
	}
	var unused options.Unused // kept by skip-prune
	if text, err := json.Marshal(unused); err != nil || string(text) != "{}" {
		t.Error(fmt.Sprint(string(text), err))
	}
}

// Three types, each for one tag, and a fourth that is Service.
type (
	splitOrders struct{ placed int }
	splitNotes  struct{ note split.Note }
	splitShop   struct{}
	splitAll    struct {
		*splitOrders
		*splitNotes
		splitShop
	}
)

var (
	_ split.OrdersService    = (*splitOrders)(nil)
	_ split.TeamNotesService = (*splitNotes)(nil)
	_ split.ShopService      = splitShop{}
)

func (s *splitOrders) PlaceOrder(_ context.Context, req split.PlaceOrderRequestObject) (split.PlaceOrderResponseObject, error) {
	s.placed++
	return split.PlaceOrder201JSONResponse(*req.Body), nil
}

func (s *splitNotes) GetNote(context.Context, split.GetNoteRequestObject) (split.GetNoteResult, error) {
	return split.GetNote200(split.NoteVersion(s.note.Version), s.note), nil
}

func (s *splitNotes) PutNote(_ context.Context, req split.PutNoteRequestObject, expect etag.Match[split.NoteVersion]) (split.PutNoteResult, error) {
	if !slices.Contains(expect.Versions(), split.NoteVersion(s.note.Version)) {
		return nil, expect.NoMatch()
	}
	s.note = split.Note{Text: req.Body.Text, Version: s.note.Version + 1}
	return split.PutNote200(expect.Applied(split.NoteVersion(s.note.Version)), s.note), nil
}

func (s *splitNotes) CurrentNote(context.Context, split.NoteKey) (etag.Current[split.NoteVersion], error) {
	return etag.Found(split.NoteVersion(s.note.Version)), nil
}

func (splitShop) GetLabel(context.Context, split.GetLabelRequestObject) (split.GetLabelResult, error) {
	return split.GetLabel200(7, split.Note{Version: 7}), nil
}

func (splitAll) PutLabel(_ context.Context, _ split.PutLabelRequestObject, expect etag.Match[split.LabelVersion]) (split.PutLabelResult, error) {
	return nil, expect.NoMatch()
}

func (splitAll) CurrentLabel(context.Context, split.LabelKey) (etag.Current[split.LabelVersion], error) {
	return etag.Found(split.LabelVersion(7)), nil
}

// A Service that is put together of implementations per tag is served as one.
func TestCase_Split(t *testing.T) {
	service := splitAll{&splitOrders{}, &splitNotes{note: split.Note{Version: 1}}, splitShop{}}
	s := serve(t, func(o ...idem.Option) (http.Handler, error) { return split.NewHandler(service, o...) })
	for range 2 {
		send(t, s, "POST /orders", `{"item":"a"}`, "Idempotency-Key", "k").expect(t, 201, "")
	}
	const note = "/notes/8d0cbf22-0c4c-4a2e-9a53-3f4f7f3c2c11"
	tag := send(t, s, "GET "+note, "").expect(t, 200, "").header.Get("ETag")
	send(t, s, "PUT "+note, `{"text":"b","version":0}`, "If-Match", tag).expect(t, 200, "")
	send(t, s, "PUT "+note, `{"text":"c","version":0}`, "If-Match", tag).expect(t, 412, "precondition-failed")
	if service.placed != 1 || service.note.Version != 2 || *service.note.Text != "b" {
		t.Errorf("%d orders, note %+v", service.placed, service.note)
	}
	send(t, s, "GET /labels/x", "").expect(t, 200, "")
	send(t, s, "PUT /labels/x", `{"version":0}`, "If-Match", `"7"`).expect(t, 412, "precondition-failed")
}

package otelidem_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/idemgen/idemgen/examples/petstore/api"
	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/otelidem"
	"github.com/idemgen/idemgen/runtime/store/memory"
)

// shop answers orders, and a pet of version 1.
type shop struct{ api.Service }

func (shop) PlaceOrder(context.Context, api.PlaceOrderRequestObject) (api.PlaceOrderResponseObject, error) {
	return api.PlaceOrder201JSONResponse{}, nil
}

// scrape is what Prometheus would read.
func scrape(t *testing.T, registry *prometheus.Registry) string {
	t.Helper()
	w := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func instruments(t *testing.T) (*otelidem.Instruments, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	exporter, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		t.Fatal(err)
	}
	i, err := otelidem.New(metric.NewMeterProvider(metric.WithReader(exporter)), "memory")
	if err != nil {
		t.Fatal(err)
	}
	return i, registry
}

// exercise makes every instrument say something, through a real handler where
// one request is enough for it.
func exercise(t *testing.T, i *otelidem.Instruments) {
	t.Helper()
	store := memory.New()
	if _, err := i.Records(store, 0); err != nil {
		t.Fatal(err)
	}
	handler, err := api.NewHandler(shop{}, idem.WithStore(store), idem.WithLogger(nil), idem.WithMetrics(i.Metrics()),
		idem.WithScope(func(*http.Request) (idem.Scope, error) { return idem.Scope{Tenant: "secret-tenant"}, nil }))
	if err != nil {
		t.Fatal(err)
	}
	send := func(method, path, key, body string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	send("POST", "/store/orders", "secret-key", `{"item":"kibble","quantity":1}`)
	send("POST", "/store/orders", "secret-key", `{"item":"kibble","quantity":1}`)
	send("POST", "/store/orders", "secret-key", `{"item":"kibble","quantity":2}`)
	send("POST", "/store/orders", "", `{"item":"kibble","quantity":2}`)
	send("PUT", "/pets/7", "", `{"name":"Tom","kind":"cat"}`)
	m, op := i.Metrics(), &idem.Operation{ID: "placeOrder", Method: "POST"}
	m.Wait(t.Context(), op, time.Second)
	m.Takeover(t.Context(), op)
	m.Lost(t.Context(), op)
	m.Store(t.Context(), "complete", time.Millisecond, idem.ErrClaimLost)
	i.Swept(t.Context(), 3)
}

func TestInstruments_Prometheus(t *testing.T) {
	i, registry := instruments(t)
	exercise(t, i)
	text := scrape(t, registry)
	for _, want := range []string{
		`idempotency_server_requests_total{http_request_method="POST",idempotency_operation="placeOrder",idempotency_outcome="executed"} 1`,
		`idempotency_server_requests_total{http_request_method="POST",idempotency_operation="placeOrder",idempotency_outcome="replayed"} 1`,
		`idempotency_server_requests_total{http_request_method="POST",idempotency_operation="placeOrder",idempotency_outcome="mismatch"} 1`,
		`idempotency_server_requests_total{http_request_method="POST",idempotency_operation="placeOrder",idempotency_outcome="missing"} 1`,
		`http_server_preconditions_total{http_request_method="PUT",idempotency_operation="replacePet",precondition_field="If-Match",precondition_outcome="missing"} 1`,
		`idempotency_store_operation_duration_seconds_count{idempotency_store="memory",idempotency_store_operation="claim"} 3`,
		`idempotency_store_operation_duration_seconds_count{error_type="claim_lost",idempotency_store="memory",idempotency_store_operation="complete"} 1`,
		`idempotency_wait_duration_seconds_count{idempotency_operation="placeOrder"} 1`,
		`idempotency_lease_takeovers_total{idempotency_store="memory"} 1`,
		`idempotency_lease_losses_total{idempotency_store="memory"} 1`,
		`idempotency_sweep_records_total{idempotency_store="memory"} 3`,
		`idempotency_response_size_bytes_count{idempotency_operation="placeOrder"} 1`,
		`idempotency_store_records{idempotency_record_state="running",idempotency_store="memory"} 0`,
		`idempotency_store_records{idempotency_record_state="unknown",idempotency_store="memory"} 0`,
		`idempotency_store_records{idempotency_record_state="done",idempotency_store="memory"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("the scrape has no line\n%s", want)
		}
	}
	if strings.Contains(text, "secret") {
		t.Error("the scrape holds a key or a tenant")
	}
	if t.Failed() {
		t.Log(text)
	}
}

// A query of the dashboard that names no metric shows an empty panel for ever.
func TestDashboard_QueriesNameMetrics(t *testing.T) {
	i, registry := instruments(t)
	exercise(t, i)
	text := scrape(t, registry)
	data, err := os.ReadFile("dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(data, &dashboard); err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`\b(?:idempotency|http_server)_[a-z_]+_(?:total|bucket|count|sum|records)\b`)
	label := regexp.MustCompile(`([a-z_]+)(?:=~|!~|!=|=)"`)
	queries := 0
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			names := name.FindAllString(target.Expr, -1)
			if len(names) == 0 {
				t.Errorf("%s: no metric in %q", panel.Title, target.Expr)
			}
			for _, n := range names {
				queries++
				if !strings.Contains(text, "\n"+n+"{") {
					t.Errorf("%s: nothing emits %s", panel.Title, n)
				}
			}
			for _, l := range label.FindAllStringSubmatch(target.Expr, -1) {
				if !strings.Contains(text, l[1]+`="`) {
					t.Errorf("%s: nothing has the label %s", panel.Title, l[1])
				}
			}
		}
	}
	if queries == 0 {
		t.Error("the dashboard has no queries")
	}
}

// counter is a store that counts what it is told to, or fails.
type counter struct {
	counts idem.Counts
	limit  int
	err    error
}

func (c *counter) Count(ctx context.Context, limit int) (idem.Counts, error) {
	c.limit = limit
	if _, bounded := ctx.Deadline(); !bounded {
		c.err = errors.New("the count may take for ever")
	}
	return c.counts, c.err
}

// collect returns the gauge's values by state.
func collect(t *testing.T, reader metric.Reader) (map[string]int64, error) {
	t.Helper()
	var all metricdata.ResourceMetrics
	err := reader.Collect(t.Context(), &all)
	got := map[string]int64{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			gauge, ok := m.Data.(metricdata.Gauge[int64])
			if m.Name != "idempotency.store.records" || !ok || m.Unit != "{record}" {
				t.Errorf("%s, unit %s, is %T", m.Name, m.Unit, m.Data)
				continue
			}
			for _, p := range gauge.DataPoints {
				state, _ := p.Attributes.Value("idempotency.record.state")
				got[state.AsString()] = p.Value
			}
		}
	}
	return got, err
}

func TestRecords(t *testing.T) {
	reader := metric.NewManualReader()
	i, err := otelidem.New(metric.NewMeterProvider(metric.WithReader(reader)), "memory")
	if err != nil {
		t.Fatal(err)
	}
	store := &counter{counts: idem.Counts{Running: 3, Unknown: 2, Done: 7}}
	stop, err := i.Records(store, 12)
	if err != nil {
		t.Fatal(err)
	}
	if store.limit != 0 {
		t.Error("the store is asked before anybody collects")
	}
	want := map[string]int64{"running": 3, "unknown": 2, "done": 7}
	if got, err := collect(t, reader); err != nil || !maps.Equal(got, want) || store.limit != 12 {
		t.Errorf("%v, %v with a limit of %d, want %v", got, err, store.limit, want)
	}
	store.err = errors.New("unreachable")
	if got, err := collect(t, reader); !errors.Is(err, store.err) || len(got) != 0 {
		t.Errorf("%v, %v from a store that fails, want no value", got, err)
	}
	store.err = nil
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got, err := collect(t, reader); err != nil || len(got) != 0 {
		t.Errorf("%v, %v after the end", got, err)
	}
}

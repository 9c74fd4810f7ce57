package generator_test

import (
	"context"
	"database/sql"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	idem "github.com/idemgen/idemgen/runtime"
	"github.com/idemgen/idemgen/runtime/etag"

	tags "github.com/idemgen/idemgen/generator/testdata/cases/tags/want"
)

// tagsService keeps one resource of each kind; its tests send one request at a
// time.
type tagsService struct {
	text      string
	updated   time.Time
	lastWrite []byte
	report    int
	file      string
	account   tags.AccountVersion
	chart     tags.ChartVersion
}

func (s *tagsService) article() tags.Article {
	return tags.Article{Text: s.text, UpdatedAt: s.updated}
}

func (s *tagsService) CurrentArticle(context.Context, tags.ArticleKey) (etag.Current[tags.ArticleVersion], error) {
	return etag.Found(tags.ArticleVersion(s.updated)).LastWrite(s.lastWrite).Stored(tags.Text{Text: s.text}), nil
}

func (s *tagsService) GetArticle(context.Context, tags.GetArticleRequestObject) (tags.GetArticleResult, error) {
	return tags.GetArticle200(tags.ArticleVersion(s.updated), s.article()), nil
}

func (s *tagsService) PutArticle(ctx context.Context, req tags.PutArticleRequestObject, expect etag.Match[tags.ArticleVersion]) (tags.PutArticleResult, error) {
	if tx, ok := idem.Tx[*sql.Tx](ctx); ok {
		if _, err := tx.ExecContext(ctx, "INSERT INTO written (slug) VALUES (?)", req.Slug); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(expect.Versions(), func(v tags.ArticleVersion) bool { return time.Time(v).Equal(s.updated) }) {
		return nil, expect.NoMatch()
	}
	if req.Slug != "forgetful" {
		s.lastWrite = idem.LastWrite(ctx)
	}
	s.text, s.updated = req.Body.Text, s.updated.Add(time.Microsecond)
	return tags.PutArticle200(expect.Applied(tags.ArticleVersion(s.updated)), s.article()), nil
}

func (s *tagsService) GetReport(_ context.Context, req tags.GetReportRequestObject) (tags.GetReportResult, error) {
	if req.Year == 0 {
		return tags.GetReport404Response{}, nil
	}
	return tags.GetReport200(s.updated, tags.GetReport200JSONResponse{Made: s.updated, Total: &s.report}), nil
}

func (s *tagsService) CurrentFile(context.Context, tags.FileKey) (etag.Current[tags.FileVersion], error) {
	return etag.Found(tags.FileVersion("v-" + s.file)), nil
}

func (s *tagsService) GetFile(context.Context, tags.GetFileRequestObject) (tags.GetFileResult, error) {
	return tags.GetFile200(tags.FileVersion("v-"+s.file), tags.GetFile200ApplicationoctetStreamResponse{Body: strings.NewReader(s.file)}), nil
}

func (s *tagsService) PutFile(_ context.Context, req tags.PutFileRequestObject, expect etag.Match[tags.FileVersion]) (tags.PutFileResult, error) {
	if v, ok := expect.One(); !ok || v != tags.FileVersion("v-"+s.file) {
		return nil, expect.NoMatch()
	}
	content, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	s.file = strings.TrimSpace(string(content))
	applied := expect.Applied(tags.FileVersion("v-" + s.file))
	if s.file == string(content) {
		applied = applied.Verbatim()
	}
	return tags.PutFile204(applied), nil
}

func (s *tagsService) MoveFile(_ context.Context, _ tags.MoveFileRequestObject, expect etag.MaybeMatch[tags.FileVersion]) (tags.MoveFileResult, error) {
	return etag.Switch(expect,
		func(u etag.Unconditional[tags.FileVersion]) (tags.MoveFileResult, error) {
			return tags.MoveFile204(u.Applied("moved")), nil
		},
		func(m etag.Match[tags.FileVersion]) (tags.MoveFileResult, error) { return nil, m.NoMatch() })
}

func (s *tagsService) CurrentAccount(context.Context, tags.AccountKey) (etag.Current[tags.AccountVersion], error) {
	return etag.Found(s.account), nil
}

func (s *tagsService) GetAccount(context.Context, tags.GetAccountRequestObject) (tags.GetAccountResult, error) {
	return tags.GetAccount200(s.account, tags.Versioned{Version: int64(s.account)}), nil
}

func (s *tagsService) PutAccount(_ context.Context, _ tags.PutAccountRequestObject, expect etag.Match[tags.AccountVersion]) (tags.PutAccountResult, error) {
	if !slices.Contains(expect.Versions(), s.account) {
		return nil, expect.NoMatch()
	}
	s.account++
	return tags.PutAccount200(expect.Applied(s.account), tags.Versioned{Version: int64(s.account)}), nil
}

func (s *tagsService) EditAccount(_ context.Context, _ tags.EditAccountRequestObject, expect etag.Match[tags.AccountVersion]) (tags.EditAccountResult, error) {
	if !slices.Contains(expect.Versions(), s.account) {
		return nil, expect.NoMatch()
	}
	s.account++
	return tags.EditAccount200(expect.Applied(s.account), tags.Versioned{Version: int64(s.account)}), nil
}

func (s *tagsService) CurrentChart(context.Context, tags.ChartKey) (etag.Current[tags.ChartVersion], error) {
	return etag.Found(s.chart), nil
}

func (s *tagsService) ListCharts(context.Context, tags.ListChartsRequestObject) (tags.ListChartsResponseObject, error) {
	return tags.ListCharts200JSONResponse{Items: []tags.Versioned{{Version: int64(s.chart)}}}, nil
}

func (s *tagsService) AddChart(context.Context, tags.AddChartRequestObject) (tags.AddChartResult, error) {
	return tags.AddChart201(s.chart, tags.Versioned{Version: int64(s.chart)}), nil
}

func (s *tagsService) GetChart(context.Context, tags.GetChartRequestObject) (tags.GetChartResult, error) {
	return tags.GetChart200(s.chart, tags.Versioned{Version: int64(s.chart)}), nil
}

func (s *tagsService) EditChart(_ context.Context, _ tags.EditChartRequestObject, expect etag.Match[tags.ChartVersion]) (tags.EditChartResult, error) {
	if !slices.Contains(expect.Versions(), s.chart) {
		return nil, expect.NoMatch()
	}
	s.chart++
	return tags.EditChart200(expect.Applied(s.chart), tags.Versioned{Version: int64(s.chart)}), nil
}

func serveTags(t *testing.T, epoch string, service *tagsService) *httptest.Server {
	t.Helper()
	return serve(t, func(o ...idem.Option) (http.Handler, error) {
		return tags.NewHandler(service, append(o, idem.WithTagSecret(make([]byte, idem.MinSecret), epoch))...)
	})
}

func TestCase_Tags_Timestamp(t *testing.T) {
	service := &tagsService{text: "one", updated: time.Date(2026, 11, 24, 2, 55, 54, 120_000_000, time.FixedZone("CET", 3600))}
	s := serveTags(t, "", service)
	const first, second = `"2026-11-24T01:55:54.120000Z"`, `"2026-11-24T01:55:54.120001Z"`
	send(t, s, "GET /articles/a", "").expect(t, 200, "").tagged(t, first)
	send(t, s, "PUT /articles/a", `{"text":"two"}`, "If-Match", `"2026-11-24T01:55:54.12Z"`).refusal(t, "If-Match", "stale")
	send(t, s, "PUT /articles/a", `{"text":"two"}`, "If-Match", first).expect(t, 200, "").tagged(t, second)

	// Sent again: what it asks for is there.
	again := send(t, s, "PUT /articles/a", ` {"text": "two"}`, "If-Match", first).expect(t, 200, "")
	again.tagged(t, second)
	if again.header.Get("Idempotency-Status") != "already-applied" || !strings.Contains(again.body, `"text":"two"`) {
		t.Errorf("%v %s", again.header, again.body)
	}
	other := send(t, s, "PUT /articles/a", `{"text":"three"}`, "If-Match", first)
	other.refusal(t, "If-Match", "stale")
	if strings.Contains(other.body, "two") || strings.Contains(other.body, "currentEtag") {
		t.Errorf("the refusal shows what another editor wrote: %s", other.body)
	}
	// A row whose marker is not renewed would show the marker of another write.
	send(t, s, "PUT /articles/forgetful", `{"text":"four"}`, "If-Match", second).expect(t, 500, "internal-error")

	// What a column rounds, a tag must not promise.
	service.updated = service.updated.Add(time.Nanosecond)
	send(t, s, "GET /articles/a", "").expect(t, 500, "internal-error")
}

// In a transaction nothing stays of the attempt that found its work done.
func TestCase_Tags_AlreadyAppliedInTx(t *testing.T) {
	store := database(t, "CREATE TABLE written (slug TEXT)")
	s := serve(t, func(o ...idem.Option) (http.Handler, error) {
		return tags.NewHandler(&tagsService{}, append(o, idem.WithStore(store), idem.WithTagSecret(make([]byte, idem.MinSecret), ""))...)
	})
	const first = `"0001-01-01T00:00:00.000000Z"`
	for _, status := range []string{"", "already-applied", "already-applied"} {
		a := send(t, s, "PUT /articles/a", `{"text":"two"}`, "If-Match", first).expect(t, 200, "")
		if got := a.header.Get("Idempotency-Status"); got != status {
			t.Errorf("Idempotency-Status %q, want %q", got, status)
		}
	}
	if n := rows(t, store); n != 1 {
		t.Errorf("%d rows, want that of the one success", n)
	}
}

func TestCase_Tags_Hash(t *testing.T) {
	service := &tagsService{report: 7, updated: time.Date(2026, 11, 24, 1, 55, 54, 0, time.UTC)}
	s := serveTags(t, "", service)
	read := send(t, s, "GET /reports/2026", "").expect(t, 200, "")
	tag := read.header.Get("ETag")
	if len(tag) != 26 || !strings.Contains(read.body, `"total":7`) || read.header.Get("Last-Modified") == "" {
		t.Errorf("ETag %s, Last-Modified %q, body %s", tag, read.header.Get("Last-Modified"), read.body)
	}
	if same := send(t, s, "GET /reports/2026", "", "If-None-Match", tag).expect(t, 304, ""); same.body != "" || same.header.Get("Content-Type") != "" {
		t.Errorf("304 with %v and body %q", same.header, same.body)
	}
	send(t, s, "HEAD /reports/2026", "").expect(t, 200, "").tagged(t, tag)
	send(t, s, "GET /reports/2026", "", "If-Match", `"x"`).refusal(t, "If-Match", "stale")
	send(t, s, "GET /reports/0", "").expect(t, 404, "").tagged(t, "")
	service.report++
	if other := send(t, s, "GET /reports/2026", "", "If-None-Match", tag).expect(t, 200, ""); other.header.Get("ETag") == tag {
		t.Error("other octets have the same tag")
	}
}

func TestCase_Tags_Handler(t *testing.T) {
	s := serveTags(t, "", &tagsService{file: "a"})
	send(t, s, "GET /files/f", "").expect(t, 200, "").tagged(t, `"v-a"`)
	write := func(content, tag string) answer {
		return send(t, s, "PUT /files/f", content, "Content-Type", "application/octet-stream", "If-Match", tag)
	}
	write("b", `"v-a"`).expect(t, 204, "").tagged(t, `"v-b"`)
	write("c ", `"v-b"`).expect(t, 204, "").tagged(t, "") // not stored as it came
	write("d", `"v-b"`).refusal(t, "If-Match", "stale")
	send(t, s, "POST /files/f", "").expect(t, 204, "").tagged(t, `"moved"`)
	send(t, s, "POST /files/f", "", "If-Match", `"v-0"`).refusal(t, "If-Match", "stale")
}

func TestCase_Tags_Opaque(t *testing.T) {
	if _, err := tags.NewHandler(&tagsService{}); err == nil || !strings.Contains(err.Error(), "operation getAccount: the tags of resource Account are opaque: pass idem.WithTagSecret") {
		t.Errorf("opaque tags without a secret: %v", err)
	}
	service := &tagsService{account: 41}
	s := serveTags(t, "2026", service)
	read := func(language string) (tag, version, variant string) {
		a := send(t, s, "GET /accounts/1", "", "Accept-Language", language).expect(t, 200, "")
		if got := a.header.Get("Vary"); got != "Accept-Language" {
			t.Errorf("Vary %q", got)
		}
		tag = a.header.Get("ETag")
		version, variant, _ = strings.Cut(strings.Trim(tag, `"`), ".")
		return tag, version, variant
	}
	tag, version, variant := read("de")
	french, sameVersion, otherVariant := read("fr")
	if strings.Contains(tag, "41") || version != sameVersion || variant == otherVariant || variant == "" {
		t.Errorf("tags %s and %s", tag, french)
	}
	same := send(t, s, "GET /accounts/1", "", "Accept-Language", "de", "If-None-Match", tag).expect(t, 304, "")
	if same.header.Get("Vary") != "Accept-Language" {
		t.Errorf("304 with %v", same.header)
	}
	send(t, s, "GET /accounts/1", "", "Accept-Language", "fr", "If-None-Match", tag).expect(t, 200, "")

	for _, made := range []string{`"41"`, `"41.x"`, `"` + version + `"`, `"` + version[1:] + `.x"`, `"` + strings.ToUpper(version) + `.x"`} {
		send(t, s, "PATCH /accounts/1", "", "If-Match", made).expect(t, 412, "precondition-failed")
	}
	// A write compares versions: whoever read in another language wrote none.
	written := send(t, s, "PATCH /accounts/1", "", "Accept-Language", "en", "If-Match", french).expect(t, 200, "")
	if next := written.header.Get("ETag"); next == "" || next == tag || service.account != 42 {
		t.Errorf("ETag %s, version %d", next, service.account)
	}
	stale := send(t, s, "PATCH /accounts/1", "", "If-Match", tag)
	stale.refusal(t, "If-Match", "stale")
	current, _, _ := read("de")
	put := send(t, s, "PUT /accounts/1", "", "If-Match", current).expect(t, 200, "")
	put.tagged(t, "") // putEtag: never
	if !strings.Contains(stale.body, `"currentEtag":"\"`) {
		t.Errorf("exposeCurrent: body %s", stale.body)
	}

	// After a restore nothing that was given out before matches.
	restored := serveTags(t, "2027", service)
	current, _, _ = read("de")
	send(t, restored, "PATCH /accounts/1", "", "If-Match", current).refusal(t, "If-Match", "stale")
}

func TestCase_Tags_Weak(t *testing.T) {
	s := serveTags(t, "", &tagsService{chart: 7})
	send(t, s, "GET /charts/1", "").expect(t, 200, "").tagged(t, `W/"7"`)
	send(t, s, "GET /charts/1", "", "If-None-Match", `"7-gzip"`).expect(t, 304, "")
	send(t, s, "GET /charts/1", "", "If-None-Match", `"7--gzip"`).expect(t, 304, "")
	send(t, s, "GET /charts/1", "", "If-None-Match", `"7-br"`).expect(t, 200, "")
	send(t, s, "PATCH /charts/1", "", "If-Match", `"7-gzip"`).refusal(t, "If-Match", "stale")
	send(t, s, "PATCH /charts/1", "", "If-Match", `W/"7"`).expect(t, 200, "").tagged(t, `W/"8"`)
	send(t, s, "PATCH /charts/1", "", "If-Match", `"8"`).expect(t, 200, "").tagged(t, `W/"9"`)
	send(t, s, "PATCH /charts/1", "", "If-Match", `W/"8"`).refusal(t, "If-Match", "stale")
	// The page is no representation of any item; an item shows its own version.
	list := send(t, s, "GET /charts", "", "If-None-Match", `W/"9"`).expect(t, 200, "")
	list.tagged(t, "")
	if !strings.Contains(list.body, `"version":9`) {
		t.Errorf("body %s", list.body)
	}
	send(t, s, "POST /charts", "").expect(t, 201, "").tagged(t, `W/"9"`)
}

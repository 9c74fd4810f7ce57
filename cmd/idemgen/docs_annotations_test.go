package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/policy"
)

// example is a value of a member that a reader can paste, and where.
type example struct{ place, text string }

// Places in the document of TestDocs_AnnotationExamples.
const (
	atRoot    = "root"
	atPath    = "path item"
	atList    = "GET /pets"
	atPut     = "PUT /pets/{petId}"
	atPost    = "POST /orders"
	atSubject = "POST /subjects" // without x-etag
)

// idempotencyExamples and etagExamples have one entry a member.
var idempotencyExamples = map[string]example{
	"apply":                {atRoot, "apply: [post, patch]"},
	"required":             {atPost, "required: false"},
	"profile":              {atPost, "profile: ietf"},
	"public":               {atPost, "public: true"},
	"key.header":           {atPost, "key: {header: X-Request-Id}"},
	"key.aliases":          {atPost, "key: {aliases: [X-Idempotency-Key]}"},
	"key.source":           {atPost, "key: {source: 'body:/requestId'}"},
	"key.syntax":           {atPost, "key: {syntax: strict}"},
	"key.minLength":        {atPost, "key: {minLength: 16}"},
	"key.maxLength":        {atPost, "key: {maxLength: 64}"},
	"key.pattern":          {atPost, "key: {pattern: '[0-9a-f-]{36}'}"},
	"scope":                {atPost, "scope: [tenant, principal, operation]"},
	"fingerprint.mode":     {atPost, "fingerprint: {mode: json}"},
	"fingerprint.include":  {atPost, "fingerprint: {include: [/amount, /currency]}"},
	"fingerprint.exclude":  {atPost, "fingerprint: {exclude: [/sentAt]}"},
	"fingerprint.headers":  {atPost, "fingerprint: {headers: [Accept]}"},
	"fingerprint.query":    {atPost, "fingerprint: {query: false}"},
	"fingerprint.maxBody":  {atPost, "fingerprint: {maxBody: 64KiB}"},
	"mismatchStatus":       {atPost, "mismatchStatus: 422"},
	"concurrency":          {atPost, "concurrency: wait"},
	"maxWait":              {atPost, "maxWait: 5s"},
	"retryAfter":           {atPost, "retryAfter: 3s"},
	"ttl":                  {atPost, "ttl: 72h"},
	"mode":                 {atPost, "mode: tx"},
	"lease":                {atPost, "lease: 2m"},
	"heartbeat":            {atPost, "heartbeat: false"},
	"onCrash":              {atPost, "onCrash: hold"},
	"onStoreError":         {atPost, "onStoreError: run"},
	"record.statuses":      {atPost, "record: {statuses: [2XX, 409]}"},
	"replay.status":        {atPost, "replay: {status: 200}"},
	"replay.headers":       {atPost, "replay: {headers: [X-Order-Source]}"},
	"replay.marker":        {atPost, "replay: {marker: X-Replayed}"},
	"replay.expiresHeader": {atPost, "replay: {expiresHeader: true}"},
	"replay.body":          {atPost, "replay: {body: none}"},
	"replay.maxResponse":   {atPost, "replay: {maxResponse: 64KiB}"},
	"replay.encrypt":       {atPost, "replay: {encrypt: true}"},
	"rollout":              {atPost, "rollout: observe"},
	"store":                {atPost, "store: payments"},
	"docs.url":             {atPost, "docs: {url: 'https://api.example/docs/keys'}"},
}

var etagExamples = map[string]example{
	"resources":      {atRoot, "resources: {Pet: {field: /version}}"},
	"resource":       {atPath, "resource: Pet"},
	"key":            {atPath, "key: [petId]"},
	"strategy":       {atPath, "strategy: updatedAt"},
	"field":          {atPath, "field: /version"},
	"type":           {atPath, "type: int64"},
	"strength":       {atPath, "{strength: weak, weakIfMatch: accept}"},
	"encoding":       {atPath, "encoding: opaque"},
	"variants":       {atPath, "variants: [Accept-Language]"},
	"lastModified":   {atPath, "lastModified: /updatedAt"},
	"appliedMarker":  {atPath, "appliedMarker: true"},
	"stripSuffixes":  {atPath, "stripSuffixes: [-gzip]"},
	"role":           {atPut, "role: create"},
	"require":        {atPut, "require: []"},
	"wildcard":       {atPut, "wildcard: accept"},
	"tags":           {atPut, "tags: one"},
	"weakIfMatch":    {atPut, "weakIfMatch: accept"},
	"malformed":      {atPut, "malformed: rfc"},
	"missing":        {atPut, "missing: preconditionFailed"},
	"notModified":    {atPath, "notModified: false"},
	"precheck":       {atPut, "precheck: false"},
	"putEtag":        {atPut, "putEtag: never"},
	"alreadyApplied": {atPut, "alreadyApplied: equalRepresentation"},
	"exposeCurrent":  {atPut, "exposeCurrent: true"},
	"listItems":      {atList, "listItems: Pet"},
	"unsupported":    {atSubject, "unsupported: ignore"},
	"driver":         {atPut, "driver: cas"},
}

// annotated is a document with room for an annotation at each place.
const annotated = `openapi: 3.1.0
info: {title: Examples, version: 1.0.0}
#root
security: [{apiKey: []}]
paths:
  /pets:
    get:
      #GET /pets
      operationId: listPets
      responses:
        '200': {description: Pets, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Pet'}}}}}
  /pets/{petId}:
    #path item
    parameters: [{name: petId, in: path, required: true, schema: {type: integer}}]
    get:
      operationId: getPet
      responses:
        '200': {description: The pet, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
    put:
      #PUT /pets/{petId}
      operationId: putPet
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses:
        '200': {description: The pet, content: {application/json: {schema: {$ref: '#/components/schemas/Pet'}}}}
  /orders:
    post:
      #POST /orders
      operationId: placeOrder
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
      responses: {'201': {description: Placed}}
  /subjects:
    post:
      #POST /subjects
      operationId: addSubject
      responses: {'204': {description: Added}}
components:
  securitySchemes: {apiKey: {type: apiKey, in: header, name: X-API-Key}}
  schemas:
    Pet:
      type: object
      required: [version, updatedAt]
      properties: {version: {type: integer, format: int64}, updatedAt: {type: string, format: date-time}}
    Order:
      type: object
      properties: {requestId: {type: string}, amount: {type: integer}, currency: {type: string}, sentAt: {type: string}}
`

// TestDocs_AnnotationExamples: what the page shows is accepted where it says.
func TestDocs_AnnotationExamples(t *testing.T) {
	for annotation, examples := range map[string]map[string]example{"x-idempotency": idempotencyExamples, "x-etag": etagExamples} {
		for member, e := range examples {
			text := place(annotated, e.place, annotation+": "+object(e.text))
			if annotation == "x-etag" && e.place != atPath {
				text = place(text, atPath, "x-etag: true")
			}
			if list := problems(text); list.Errors() > 0 {
				t.Errorf("%s of %s is refused: %v", member, annotation, list)
			}
			_, value, _ := strings.Cut(e.text, ":")
			if strings.TrimSpace(value) == "" || !strings.Contains(e.text, lastName(member)+":") {
				t.Errorf("the example of %s of %s is about something else: %s", member, annotation, e.text)
			}
		}
	}
	if list := problems(place(annotated, atPost, "x-idempotency: {ttl: 1000h}")); list.Errors() == 0 {
		t.Error("a mistake in an example would not be noticed")
	}
}

// TestDocs_Annotations: the tables of docs/annotations.md are those that decode.
func TestDocs_Annotations(t *testing.T) {
	file := docsDir + "/annotations.md"
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(content), "\r\n", "\n")
	page = between(t, page, "x-idempotency", memberTable(t, policy.IdempotencyMembers(), idempotencyExamples))
	page = between(t, page, "x-etag", memberTable(t, policy.ETagMembers(), etagExamples))
	current(t, file, page)
}

// between replaces what is between the two comments that name a table.
func between(t *testing.T, page, name, table string) string {
	t.Helper()
	begin, end := "<!-- members of "+name+": go generate ./cmd/idemgen -->\n", "<!-- end of "+name+" -->\n"
	head, rest, ok := strings.Cut(page, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("the page has no place for the members of %s", name)
	}
	return head + begin + "\n" + table + "\n" + end + tail
}

func memberTable(t *testing.T, members []policy.Member, examples map[string]example) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("| member | value | default | meaning | example |\n|---|---|---|---|---|\n")
	known := map[string]bool{}
	for _, m := range members {
		known[m.Name] = true
		e, ok := examples[m.Name]
		if !ok {
			t.Errorf("%s has no example", m.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` |\n", m.Name, valueOf(m), code(m.Default), cell(m.Doc), e.text)
	}
	for name := range examples {
		if !known[name] {
			t.Errorf("there is an example of %s, which is no member", name)
		}
	}
	return b.String()
}

// valueOf is the type of a member and what is allowed of it.
func valueOf(m policy.Member) string {
	switch {
	case m.Limits == "":
		return m.Type
	case strings.Contains(m.Limits, ", "):
		kind := "one"
		if strings.HasPrefix(m.Type, "list") {
			kind = "list"
		}
		return kind + " of `" + strings.ReplaceAll(m.Limits, ", ", "`, `") + "`"
	}
	return m.Type + ", " + m.Limits
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

func lastName(member string) string { return member[strings.LastIndexByte(member, '.')+1:] }

// object is an example as a YAML object.
func object(text string) string {
	if strings.HasPrefix(text, "{") {
		return text
	}
	return "{" + text + "}"
}

// place writes an annotation into a document, in place of a comment.
func place(document, where, annotation string) string {
	return regexp.MustCompile(`(?m)^( *)#`+regexp.QuoteMeta(where)+"$").ReplaceAllString(document, "${1}"+strings.ReplaceAll(annotation, "$", "$$"))
}

// problems is what the generator says of a document.
func problems(document string) diag.List {
	pkg := generator.Package{Spec: "openapi.yaml"}
	pkg.Finish(diag.Pos{})
	_, list := generator.Open(&generator.Config{Version: 1, Packages: []generator.Package{pkg}}, func(string) ([]byte, error) { return []byte(document), nil })
	return list
}

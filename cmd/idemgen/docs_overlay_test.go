package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// partners is a document that the overlay of docs/adopting.md fits.
const partners = `openapi: 3.0.3
info: {title: Invoices, version: 1.0.0}
security: [{apiKey: []}]
paths:
  /invoices:
    post:
      operationId: createInvoice
      responses: {'204': {description: Created}}
  /invoices/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string}}]
    get:
      operationId: getInvoice
      responses:
        '200': {description: The invoice, content: {application/json: {schema: {$ref: '#/components/schemas/Invoice'}}}}
    delete:
      operationId: deleteInvoice
      responses: {'204': {description: Gone}}
components:
  securitySchemes: {apiKey: {type: apiKey, in: header, name: X-API-Key}}
  schemas:
    Invoice:
      type: object
      required: [id]
      properties: {id: {type: string}, revision: {type: integer, format: int64}}
`

// TestDocs_Overlay: the overlay and the configuration of docs/adopting.md do what
// the page says, and an action that matches nothing is noticed.
func TestDocs_Overlay(t *testing.T) {
	page, err := os.ReadFile(docsDir + "/adopting.md")
	if err != nil {
		t.Fatal(err)
	}
	generate := func(document string) (code int, stderr string) {
		t.Chdir(t.TempDir())
		files := map[string]string{"partner/openapi.yaml": document}
		for _, b := range blocks(string(page)) {
			if b.language == "yaml" && b.rest != "" {
				files[b.rest] = b.text
			}
		}
		if len(files) != 3 {
			t.Fatalf("the page names %d files", len(files)-1)
		}
		for name, content := range files {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var out, complaints bytes.Buffer
		code = run([]string{"generate", "--config", "idemgen.yaml"}, strings.NewReader(""), &out, &complaints)
		return code, complaints.String()
	}
	if code, said := generate(partners); code != exitOK || !strings.HasPrefix(said, "3 operations: 1 keyed, 1 guarded;") {
		t.Errorf("%d: %s", code, said)
	}
	moved := strings.ReplaceAll(partners, "/invoices:", "/bills:")
	if code, said := generate(moved); code != exitFindings || !strings.Contains(said, "idem.overlay.yaml:4:13") {
		t.Errorf("an action that matches nothing: %d: %s", code, said)
	}
}

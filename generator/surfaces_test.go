package generator_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/idemgen/idemgen/generator"
	"github.com/idemgen/idemgen/generator/breaking"
	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/explain"
	"github.com/idemgen/idemgen/generator/lint"
	"github.com/idemgen/idemgen/generator/policy"
	"github.com/idemgen/idemgen/generator/propose"
	"github.com/idemgen/idemgen/generator/report"
	"github.com/idemgen/idemgen/generator/source"
)

// surfaces has everything that is not the generation look at a damaged document:
// what it says has places, and what it writes can be read. Before are the policies
// of the document as it was, for breaking.
func surfaces(t *testing.T, config *generator.Config, files map[string][]byte, before *policy.Document) {
	t.Helper()
	read := reading(files)
	linted := generator.Lint(config, read)
	fit(t, linted.List(), files)
	var out bytes.Buffer
	for _, write := range []func() error{
		func() error { return lint.WriteJSON(&out, &linted.Report, linted.Complete) },
		func() error { return lint.WriteGitHub(&out, &linted.Report) },
		func() error { return lint.WriteSARIF(&out, &linted.Report, linted.Complete, "0") },
	} {
		if err := write(); err != nil {
			t.Error(err)
		}
	}
	propositions(t, config.Packages[0], read, files)
	packages, _ := generator.Look(config, read)
	if packages == nil {
		return
	}
	published(t, packages, files)
	p := packages[0]
	explained(t, p)
	reported(t, p, linted.List())
	for _, versions := range [][2]*policy.Document{{before, p.Policies}, {p.Policies, before}} {
		for _, c := range breaking.Compare(versions[0], versions[1]) {
			if leak := leaks.FindString(c.Error()); leak != "" || c.Reason == "" || !c.Pos.IsValid() || len(c.Operations) == 0 {
				t.Errorf("change %v: %q", c, leak)
			}
		}
	}
}

// published checks that the document for clients can be read, and has everything
// that its source has.
func published(t *testing.T, packages []generator.Opened, files map[string][]byte) {
	t.Helper()
	docs, list := generator.Publish(packages)
	fit(t, list, files)
	if len(docs) > 0 && list.Errors() > 0 || len(docs) == 0 && list.Errors() == 0 {
		t.Errorf("%d published documents beside %d errors", len(docs), list.Errors())
	}
	for _, doc := range docs {
		after := map[string][]byte{}
		for _, f := range doc.Files {
			after[f.Name] = f.Content
			var was, is any
			if err := yaml.Unmarshal(f.Content, &is); err != nil {
				t.Errorf("published %s cannot be read: %v\n%s", f.Name, err, f.Content)
			} else if err := yaml.Unmarshal(files[f.Name], &was); err != nil {
				t.Error(err)
			} else if at := lost(was, is); at != "" && len(packages[0].Config.Overlays) == 0 {
				t.Errorf("published %s: lost or changed: %s", f.Name, at)
			}
		}
		_, found := source.Load(doc.Spec, func(name string) ([]byte, error) { return after[name], nil })
		if found.Errors() > 0 {
			t.Errorf("published %s does not load: %v", doc.Spec, found)
		}
	}
}

// lost returns the first place of a that is not in b, references apart.
func lost(a, b any) string {
	if list, ok := a.([]any); ok {
		other, ok := b.([]any)
		if !ok || len(other) < len(list) {
			return "a list"
		}
		for i := range list {
			if at := lost(list[i], other[i]); at != "" {
				return at
			}
		}
		return ""
	}
	was, ok := object(a)
	if !ok {
		x, _ := yaml.Marshal(a)
		y, _ := yaml.Marshal(b)
		if !bytes.Equal(x, y) {
			return string(x) + " became " + string(y)
		}
		return ""
	}
	is, ok := object(b)
	if !ok {
		return "an object"
	}
	if _, refers := was["$ref"].(string); refers {
		return "" // may be led to a copy, or written out
	}
	for key, value := range was {
		if at := lost(value, is[key]); at != "" {
			return "a member: " + at
		}
	}
	return ""
}

// object is a value as a map; YAML has two kinds.
func object(v any) (map[any]any, bool) {
	switch v := v.(type) {
	case map[any]any:
		return v, true
	case map[string]any:
		all := make(map[any]any, len(v))
		for key, value := range v {
			all[key] = value
		}
		return all, true
	}
	return nil, false
}

func explained(t *testing.T, p generator.Opened) {
	t.Helper()
	all := explain.Build(p.Plan, p.Policies, "")
	var out bytes.Buffer
	if err := all.Text(&out); err != nil {
		t.Error(err)
	}
	inPlainWords(t, "explain", out.String())
	out.Reset()
	if err := all.JSON(&out); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("explain as JSON: %v\n%s", err, out.Bytes())
	}
	for _, id := range explain.IDs(p.Plan) {
		out.Reset()
		one := explain.Build(p.Plan, p.Policies, id)
		if len(one.Operations) == 0 {
			t.Errorf("explain finds no %q", id)
			continue
		}
		if err := one.Mermaid(&out); err != nil || out.Len() == 0 {
			t.Errorf("explain %s as a drawing: %v", id, err)
		}
	}
}

func reported(t *testing.T, p generator.Opened, findings diag.List) {
	t.Helper()
	in := report.Input{Title: p.Document.Node("/info/title").Text(), Plan: p.Plan, Policies: p.Policies}
	for _, d := range findings {
		in.Findings = append(in.Findings, report.Finding{Diagnostic: d})
	}
	page := report.Build([]report.Input{in}, "0")
	var out bytes.Buffer
	if err := page.HTML(&out); err != nil || !strings.HasSuffix(strings.TrimSpace(out.String()), "</html>") {
		t.Errorf("report: %v", err)
	}
	if strings.Contains(out.String(), "ZgotmplZ") {
		t.Error("report: a value was refused by the template")
	}
	out.Reset()
	if err := page.Markdown(&out); err != nil {
		t.Error(err)
	}
	inPlainWords(t, "report", out.String())
}

// inPlainWords checks that a text for people shows nothing of the program.
func inPlainWords(t *testing.T, what, text string) {
	t.Helper()
	if leak := leaks.FindString(text); leak != "" {
		t.Errorf("%s: %q means nothing to a user\n%s", what, leak, text)
	}
}

// propositions checks that what init --overlay proposes can be used as it is.
func propositions(t *testing.T, p generator.Package, read func(string) ([]byte, error), files map[string][]byte) {
	t.Helper()
	doc, list := source.Load(p.Spec, read, p.Overlays...)
	if doc == nil {
		return
	}
	policies, more := policy.Read(doc)
	if list.Errors()+more.Errors() > 0 {
		return
	}
	overlay := propose.Propose(doc, policies).Overlay()
	if overlay == nil {
		return
	}
	const name = "proposed.yaml"
	all := maps.Clone(files)
	all[name] = overlay
	again, errs := source.Load(p.Spec, reading(all), append(slices.Clone(p.Overlays), name)...)
	if errs.Errors() > 0 || again == nil {
		t.Errorf("the proposed overlay cannot be applied: %v\n%s", errs, overlay)
		return
	}
	if _, errs := policy.Read(again); errs.Errors() > 0 {
		t.Errorf("the proposed overlay is refused: %v\n%s", errs, overlay)
	}
}

package generator

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/goapi"
	"github.com/idemgen/idemgen/generator/plan"
)

// piece is an operation, or a component, of a document that is put together.
type piece struct {
	text  string
	needs []string // components, also those that it needs through others
}

// operations that oapi-codegen can generate, that it cannot, and that it can only
// one of.
var pieces = map[string]piece{
	"fine":      {`/fine: {get: {operationId: fine, responses: {'204': {description: d}}}}`, nil},
	"sound":     {`/sound: {get: {operationId: sound, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Sound'}}}}}}}`, []string{"Sound", "Loop"}},
	"sounder":   {`/sounder: {put: {operationId: sounder, requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Sound'}}}}, responses: {'204': {description: d}}}}`, []string{"Sound", "Loop"}},
	"names":     {`/names: {get: {operationId: names, responses: {'200': {description: d, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/Merged'}}}}}}}}`, []string{"Merged"}},
	"mapped":    {`/mapped: {get: {operationId: mapped, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Mapped'}}}}}}}`, []string{"Mapped", "Sound", "Loop", "Merged"}},
	"deep":      {`/deep: {get: {operationId: deep, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Outer'}}}}}}}`, []string{"Outer", "Cycle", "Unmergeable"}},
	"deeper":    {`/deeper: {post: {operationId: deeper, requestBody: {$ref: '#/components/requestBodies/Outer'}, responses: {'204': {description: d}}}}`, []string{"OuterBody", "Outer", "Cycle", "Unmergeable"}},
	"shadows":   {`/shadows/{r}: {get: {operationId: shadows, parameters: [{name: r, in: path, required: true, schema: {type: string}}], responses: {'204': {description: d}}}}`, nil},
	"unplaced":  {`/unplaced: {post: {operationId: unplaced, requestBody: {content: {application/json: {schema: {allOf: [{type: string}, {type: object, properties: {a: {type: string}}}]}}}}, responses: {'204': {description: d}}}}`, nil},
	"quoted":    {`/quoted: {get: {operationId: quoted, parameters: [{name: 'a"b', in: query, schema: {type: string}}], responses: {'204': {description: d}}}}`, nil},
	"twice":     {`/twice: {post: {operationId: twice, requestBody: {content: {application/json: {schema: {type: object, properties: {a: {type: object, properties: {b: {type: string, enum: [x]}}}, aB: {type: string, enum: [y]}}}}}}, responses: {'204': {description: d}}}}`, nil},
	"first":     {`/first: {post: {operationId: first, requestBody: {content: {application/json: {schema: {type: object, properties: {xJSONBodyY: {type: string, enum: [x]}}}}}}, responses: {'204': {description: d}}}}`, nil},
	"firstX":    {`/second: {post: {operationId: firstJSONBodyX, requestBody: {content: {application/json: {schema: {type: object, properties: {y: {type: string, enum: [y]}}}}}}, responses: {'204': {description: d}}}}`, nil},
	"second":    {`/misled: {get: {operationId: firstJSONBodyXJSONBodyY, responses: {'204': {description: d}}}}`, nil},
	"third":     {`/third: {get: {operationId: third, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/TwiceJSONBodyAB'}}}}}}}`, []string{"TwiceJSONBodyAB"}},
	"pages":     {`/pages: {get: {operationId: pages, parameters: [{$ref: '#/components/parameters/Page'}], responses: {'204': {description: d}}}}`, []string{"Page"}},
	"leading":   {`/leading: {get: {operationId: leading, parameters: [{$ref: '#/components/parameters/Page'}], responses: {'200': {$ref: '#/components/responses/2_Digits'}}}}`, []string{"2_Digits", "Page"}},
	"leadingII": {`/leadingII: {get: {operationId: leadingII, responses: {'201': {$ref: '#/components/responses/2_Digits'}}}}`, []string{"2_Digits"}},
	"named":     {`/named: {get: {operationId: named, responses: {'200': {description: d, content: {application/json: {schema: {oneOf: [{$ref: '#/components/schemas/Kind'}], discriminator: {propertyName: kind, mapping: {k: '#/components/schemas/Kind', n: '#/components/schemas/Named'}}}}}}}}}`, []string{"Kind", "Named"}},
	"doubled":   {`/doubled: {get: {operationId: doubled, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Holder'}}}}}}}`, []string{"Holder", "Clean", "Doubled"}},
	"doubler":   {`/doubler: {get: {operationId: doubler, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Doubled'}}}}}}}`, []string{"Doubled"}},
	"clean":     {`/clean: {get: {operationId: clean, responses: {'200': {description: d, content: {application/json: {schema: {$ref: '#/components/schemas/Clean'}}}}}}}`, []string{"Clean"}},

	"Sound":           {`schemas/Sound: {type: object, properties: {loop: {$ref: '#/components/schemas/Loop'}}}`, nil},
	"Loop":            {`schemas/Loop: {type: object, properties: {sound: {$ref: '#/components/schemas/Sound'}}}`, nil},
	"Merged":          {`schemas/Merged: {allOf: [{type: object, properties: {a: {type: string}}}, {type: object, properties: {b: {type: string}}}]}`, nil},
	"Mapped":          {`schemas/Mapped: {oneOf: [{$ref: '#/components/schemas/Sound'}, {$ref: '#/components/schemas/Merged'}]}`, nil},
	"Outer":           {`schemas/Outer: {type: object, properties: {inner: {$ref: '#/components/schemas/Cycle'}}}`, nil},
	"Cycle":           {`schemas/Cycle: {type: object, properties: {next: {$ref: '#/components/schemas/Cycle'}, bad: {$ref: '#/components/schemas/Unmergeable'}}}`, nil},
	"Unmergeable":     {`schemas/Unmergeable: {allOf: [{type: string}, {type: object, properties: {back: {$ref: '#/components/schemas/Cycle'}}}]}`, nil},
	"OuterBody":       {`requestBodies/Outer: {content: {application/json: {schema: {$ref: '#/components/schemas/Outer'}}}}`, nil},
	"2_Digits":        {`responses/2_Digits: {description: d, headers: {Content-Type: {schema: {type: string}}}, content: {text/plain: {schema: {oneOf: [{type: string}, {type: integer}]}}}}`, nil},
	"Page":            {`parameters/Page: {name: page, in: query, schema: {type: string}}`, nil},
	"Kind":            {`schemas/Kind: {type: object, required: [kind], properties: {kind: {type: string}}}`, nil},
	"TwiceJSONBodyAB": {`schemas/TwiceJSONBodyAB: {x-go-name: Other, type: object, properties: {b: {type: string}}}`, nil},
	"Holder":          {`schemas/Holder: {type: object, properties: {a: {$ref: '#/components/schemas/Doubled'}, b: {$ref: '#/components/schemas/Clean'}}}`, nil},
	"Clean":           {`schemas/Clean: {type: object, properties: {a: {type: string}}}`, nil},
	"Doubled":         {`schemas/Doubled: {type: object, properties: {a: {type: object, properties: {b: {type: string, enum: [x]}}}, aB: {type: string, enum: [y]}}}`, nil},
	"Named":           {`schemas/Named: {allOf: [{type: string}, {type: object, properties: {kind: {type: string}}}]}`, nil},
}

// document puts operations together, with the components that they need.
func document(names []string) string {
	var b strings.Builder
	b.WriteString("openapi: 3.0.3\ninfo: {title: Pieces, version: '1'}\npaths:\n")
	needed := map[string]bool{}
	for _, name := range names {
		fmt.Fprintf(&b, "  %s\n", pieces[name].text)
		for _, c := range pieces[name].needs {
			needed[c] = true
		}
	}
	if len(needed) == 0 {
		return b.String()
	}
	byCollection := map[string]string{}
	for _, c := range slices.Sorted(maps.Keys(needed)) {
		collection, text, _ := strings.Cut(pieces[c].text, "/")
		byCollection[collection] += "    " + text + "\n"
	}
	b.WriteString("components:\n")
	for _, collection := range slices.Sorted(maps.Keys(byCollection)) {
		fmt.Fprintf(&b, "  %s:\n%s", collection, byCollection[collection])
	}
	return b.String()
}

// coded has oapi-codegen write its part of a document.
func coded(t *testing.T, text string, skip bool) (*plan.API, *goapi.Result, diag.List) {
	t.Helper()
	p, errs := Open(&Config{Version: 1, Packages: []Package{{
		Spec: "pieces.yaml", Router: "std", Output: Output{Dir: "pieces", Package: "pieces"}, OapiCodegen: OapiCodegen{Skip: skip},
	}}}, func(string) ([]byte, error) { return []byte(text), nil })
	if p == nil {
		t.Fatalf("%v\n%s", errs, text)
	}
	return p.packages[0].code()
}

// generated returns the operations that are generated from a document of some.
func generated(t *testing.T, names []string, skip bool) ([]string, bool) {
	t.Helper()
	text := document(names)
	api, code, errs := coded(t, text, skip)
	if code == nil || errs.Errors() > 0 {
		return nil, false
	}
	var ids []string
	for _, o := range api.Operations {
		if i := slices.IndexFunc(names, func(name string) bool { return strings.HasPrefix(pieces[name].text, o.Path+": ") }); i >= 0 {
			ids = append(ids, names[i])
		}
	}
	return ids, true
}

// What is left out cannot be generated, and nothing else is left out: beside what
// is generated, oapi-codegen refuses each of the others.
func TestOnUnsupported_LeavesOutNoMore(t *testing.T) {
	var all []string
	for name, p := range pieces {
		if strings.HasPrefix(p.text, "/") {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	for _, names := range [][]string{
		all,
		{"first", "firstX", "second"},
		{"deep", "deeper", "sound"},
		{"shadows", "twice", "third", "quoted"},
		{"leading", "leadingII", "named", "pages"},
		{"doubled", "doubler", "clean"},
	} {
		kept, ok := generated(t, names, true)
		if !ok {
			t.Errorf("of %q nothing is generated", names)
			continue
		}
		if _, ok := generated(t, kept, false); !ok {
			t.Errorf("of %q it says that %q can be generated, which oapi-codegen refuses", names, kept)
		}
		for _, name := range names {
			if slices.Contains(kept, name) {
				continue
			}
			if _, ok := generated(t, append(slices.Clone(kept), name), false); ok {
				t.Errorf("of %q it keeps %q, though %s can be generated, too", names, kept, name)
			}
		}
	}
}

// For a small document every choice of operations is tried.
func TestOnUnsupported_AgreesWithTrying(t *testing.T) {
	names := []string{"deep", "fine", "first", "firstX", "sound"}
	kept, _ := generated(t, names, true)
	var largest [][]string
	for choice := range 1 << len(names) {
		var some []string
		for i, name := range names {
			if choice&(1<<i) != 0 {
				some = append(some, name)
			}
		}
		if len(some) == 0 || len(largest) > 0 && len(some) < len(largest[0]) {
			continue
		}
		if _, ok := generated(t, some, false); !ok {
			continue
		}
		if len(largest) > 0 && len(some) > len(largest[0]) {
			largest = nil
		}
		largest = append(largest, some)
	}
	slices.Sort(kept)
	if !slices.ContainsFunc(largest, func(some []string) bool { return slices.Equal(some, kept) }) {
		t.Errorf("it keeps %q; possible is one of %q", kept, largest)
	}
}

// Where nothing says which component of an operation is at fault, it is the
// smallest that fails, and not what contains it or stands beside it.
func TestOnUnsupported_NamesSmallest(t *testing.T) {
	_, _, errs := coded(t, document([]string{"doubled", "fine", "clean"}), true)
	if len(errs) != 1 || !strings.Contains(errs[0].Message, "doubled is left out: oapi-codegen cannot generate components/schemas/Doubled (pieces.yaml:10:5), which it uses") {
		t.Errorf("got %v", errs)
	}
}

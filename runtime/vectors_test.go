package runtime

import (
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/idemgen/idemgen/runtime/etag"
)

// octetVectors is the part of a vector file that is about octets.
type octetVectors struct {
	Fingerprints []struct {
		ID, Title string
		Request   struct {
			Method, Path string
			Headers      [][2]string
			Body         string
			BodyBase64   []byte
		}
		Fingerprint struct {
			Mode                      string
			Include, Exclude, Headers []string
			Query                     *bool
		}
		XEtag                       *struct{ LastModified bool }
		PreimageHex, FingerprintHex string
	}
	StoredKeys []struct {
		ID, Title, Field          string
		Scope                     map[string]string
		PreimageHex, StoredKeyHex string
	}
}

func readOctetVectors(t *testing.T) map[string]*octetVectors {
	t.Helper()
	dir := os.Getenv("IDEMGEN_VECTORS")
	if dir == "" {
		dir = "testdata/vectors"
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no vectors in %s (%v): IDEMGEN_VECTORS must name a directory with vector files", dir, err)
	}
	files := map[string]*octetVectors{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f := new(octetVectors)
		if err := json.Unmarshal(data, f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(f.Fingerprints)+len(f.StoredKeys) > 0 {
			files[filepath.Base(name)] = f
		}
	}
	if len(files) == 0 {
		t.Skipf("no file in %s has fingerprints or storedKeys", dir)
	}
	return files
}

func TestFingerprint_Vectors(t *testing.T) {
	modes := map[string]FingerprintMode{
		"": FingerprintAuto, "auto": FingerprintAuto, "json": FingerprintJSON, "raw": FingerprintRaw,
		"multipart": FingerprintMultipart, "form": FingerprintForm, "none": FingerprintNone,
	}
	for name, f := range readOctetVectors(t) {
		for _, v := range f.Fingerprints {
			t.Run(name+"/"+v.ID, func(t *testing.T) {
				op := &Operation{Idempotency: &Idempotency{Fingerprint: FingerprintPolicy{
					Mode: modes[v.Fingerprint.Mode], Include: v.Fingerprint.Include, Exclude: v.Fingerprint.Exclude,
					Headers: v.Fingerprint.Headers, IgnoreQuery: v.Fingerprint.Query != nil && !*v.Fingerprint.Query,
				}}}
				if v.XEtag != nil {
					op.Precondition = &Precondition{Policy: etag.Policy{LastModified: v.XEtag.LastModified}}
				}
				fp, err := newFingerprinter(op)
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequest(v.Request.Method, v.Request.Path, nil)
				for _, h := range v.Request.Headers {
					r.Header.Add(h[0], h[1])
				}
				body := []byte(v.Request.Body)
				if v.Request.BodyBase64 != nil {
					body = v.Request.BodyBase64
				}
				var c etag.Conditions
				etag.ParseConditions(r.Method, r.Header, &c)
				path, err := canonicalPath(r.URL.EscapedPath())
				if err != nil {
					t.Fatal(err)
				}
				preimage, err := fp.preimage(nil, new(workspace), r, path, body, &c)
				if err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(preimage); got != v.PreimageHex {
					t.Errorf("%s: preimage\n got %s\nwant %s", v.Title, got, v.PreimageHex)
				}
				sum, err := fp.sum(new(workspace), r, path, body, &c)
				if err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(sum[:]); got != v.FingerprintHex {
					t.Errorf("%s: fingerprint %s, want %s", v.Title, got, v.FingerprintHex)
				}
			})
		}
	}
}

func TestStoredKey_Vectors(t *testing.T) {
	for name, f := range readOctetVectors(t) {
		for _, v := range f.StoredKeys {
			t.Run(name+"/"+v.ID, func(t *testing.T) {
				key, present, err := requestKey(http.Header{"Idempotency-Key": {v.Field}}, keyNames(&KeyPolicy{}), &KeyPolicy{})
				if err != nil || !present {
					t.Fatalf("key %q: present %v, %v", v.Field, present, err)
				}
				s := Scope{Tenant: v.Scope["tenant"], Principal: v.Scope["principal"], Values: map[string]string{}}
				var parts []string
				for label, value := range v.Scope {
					if ctx, ok := strings.CutPrefix(label, "ctx:"); ok {
						s.Values[ctx] = value
					}
					if label != "namespace" {
						parts = append(parts, label)
					}
				}
				slices.Sort(parts)
				slices.Reverse(parts) // the policy's order must not matter
				preimage, err := appendKeyPreimage(nil, v.Scope["namespace"], parts, &s, v.Scope["operation"], v.Scope["path"], key)
				if err != nil {
					t.Fatal(err)
				}
				if got := hex.EncodeToString(preimage); got != v.PreimageHex {
					t.Errorf("%s: preimage\n got %s\nwant %s", v.Title, got, v.PreimageHex)
				}
				id, err := storedKey(v.Scope["namespace"], parts, &s, v.Scope["operation"], v.Scope["path"], key)
				if err != nil || hex.EncodeToString(id[:]) != v.StoredKeyHex {
					t.Errorf("%s: stored key %x (%v), want %s", v.Title, id, err, v.StoredKeyHex)
				}
			})
		}
	}
}

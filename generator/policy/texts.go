package policy

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/idemgen/idemgen/generator/diag"
	"github.com/idemgen/idemgen/generator/source"
)

// fieldName is a header field name (RFC 9110 §5.1), in canonical form.
func fieldName(s string) (string, error) {
	if !token(s) {
		return "", broken(diag.RuleRange, "%q is not a field name", s)
	}
	return http.CanonicalHeaderKey(s), nil
}

// token is RFC 9110 §5.6.2.
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alnum && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// keyField is a field that may carry the key: credentials and preconditions
// have a meaning of their own.
func keyField(s string) (string, error) {
	name, err := fieldName(s)
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(name, "If-"), name == "Authorization", name == "Cookie":
		return "", insteadOf(broken(diag.RuleKey, "%s cannot carry the key: the field has a meaning of its own", name), leaveOut)
	}
	return name, nil
}

// keySource is "header" or "body:" with a pointer.
func keySource(s string) (string, error) {
	if s == "header" {
		return s, nil
	}
	if p, ok := strings.CutPrefix(s, "body:"); ok {
		if _, err := pointer(p); err != nil {
			return "", insteadOf(err, "body:/requestId")
		}
		return s, nil
	}
	return "", broken(diag.RuleRange, "%q is neither header nor body:<pointer>", s)
}

// pointer is an RFC 6901 pointer to a member; the whole value has none.
func pointer(s string) (string, error) {
	switch {
	case s == "":
		return "", insteadOf(broken(diag.RuleRange, `"" is the whole body; name a member`), leaveOut)
	case s[0] != '/':
		return "", insteadOf(broken(diag.RuleRange, "%q is not a JSON pointer: it must start with a slash", s), "/"+s)
	}
	for i := range len(s) {
		if s[i] == '~' && (i+1 == len(s) || s[i+1] != '0' && s[i+1] != '1') {
			return "", broken(diag.RuleRange, "%q is not a JSON pointer: write ~0 for ~ and ~1 for /", s)
		}
	}
	return s, nil
}

// fingerprintField is a field that may enter the fingerprint. The key header is
// compared later, when it is known.
func fingerprintField(s string) (string, error) {
	name, err := fieldName(s)
	if err != nil {
		return "", err
	}
	if name == "Authorization" || name == "Cookie" || name == "Date" {
		return "", insteadOf(broken(diag.RuleFingerprint, "%s differs between honest retries and must not enter the fingerprint", name), leaveOut)
	}
	return name, nil
}

var neverReplayed = []string{
	"Set-Cookie", "Authorization", "Www-Authenticate", "Date", "Retry-After", "Traceparent", "Tracestate",
	"X-Request-Id", "Request-Id", "X-Correlation-Id",
	"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

// replayField is a field that may be replayed.
func replayField(s string) (string, error) {
	name, err := fieldName(s)
	if err != nil {
		return "", err
	}
	denied := slices.Contains(neverReplayed, name)
	for _, prefix := range []string{"Proxy-", "Ratelimit", "X-Ratelimit-"} {
		denied = denied || strings.HasPrefix(name, prefix)
	}
	if denied {
		return "", insteadOf(broken(diag.RuleReplay, "%s belongs to one exchange and is never replayed", name), leaveOut)
	}
	return name, nil
}

// scopeLabel is one part of a scope.
func scopeLabel(s string) (string, error) {
	labels := []string{"tenant", "principal", "operation", "path"}
	if slices.Contains(labels, s) {
		return s, nil
	}
	if name, ok := strings.CutPrefix(s, "ctx:"); ok && token(name) {
		return s, nil
	}
	if near, ok := diag.Nearest(s, labels); ok {
		return "", insteadOf(broken(diag.RuleScope, "%q is not a scope label; did you mean %s?", s, near), near)
	}
	return "", broken(diag.RuleScope, "%q is not one of tenant, principal, operation, path, ctx:<name>", s)
}

// sortScope gives a scope its normal form: known labels first, no duplicates.
func sortScope(labels []string) []string {
	order := []string{"tenant", "principal", "operation", "path"}
	sorted := slices.Clone(labels)
	slices.SortFunc(sorted, func(a, b string) int {
		i, j := slices.Index(order, a), slices.Index(order, b)
		switch {
		case i >= 0 && j >= 0:
			return i - j
		case i >= 0:
			return -1
		case j >= 0:
			return 1
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(sorted)
}

// re2 is a pattern that Go's regexp compiles.
func re2(s string) (string, error) {
	if _, err := regexp.Compile(`^(?:` + s + `)$`); err != nil {
		return "", broken(diag.RuleKey, "the pattern does not compile: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	return s, nil
}

var statusText = regexp.MustCompile(`^([2-5][xX]{2}|[2-5][0-9]{2})$`)

// unrecorded are the answers that a retry must be able to change.
var unrecorded = []string{"304", "401", "403", "412", "428"}

// status is a class such as 2XX or a code.
var status = kind[string]{
	name: "status", limits: "2XX to 5XX or a code", example: "2XX",
	schema: Schema{"anyOf": []Schema{
		{"type": "integer", "minimum": 200, "maximum": 599},
		{"type": "string", "pattern": statusText.String()},
	}},
	decode: func(c *context, n source.Node) (string, bool) {
		s := strings.ToUpper(n.Text())
		switch {
		case n.Kind() != source.String && n.Kind() != source.Int:
			c.typed(n, "a status such as 2XX or 409", "2XX")
			return "", false
		case !statusText.MatchString(s):
			c.fail(n, diag.RuleRange, "2XX", "%q is not a status such as 2XX or 409", n.Text())
			return "", false
		case slices.Contains(unrecorded, s):
			c.fail(n, diag.RuleRecord, leaveOut, "%s is never recorded: a retry under the same key must be judged anew", s)
			return "", false
		}
		return s, true
	},
}

// anyName is a name without further rules.
func anyName(s string) (string, error) {
	if strings.TrimSpace(s) == "" {
		return "", broken(diag.RuleRange, "the name is empty")
	}
	return s, nil
}

var exportable = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)

// resourceName is a name that Go types can start with.
func resourceName(s string) (string, error) {
	if !exportable.MatchString(s) {
		return "", broken(diag.RuleResource, "%q is not a resource name: a Go name that starts with a capital letter, such as Pet", s)
	}
	return s, nil
}

// webPage is an absolute http or https URL.
func webPage(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", broken(diag.RuleRange, "%q is not an absolute http or https URL", s)
	}
	return s, nil
}

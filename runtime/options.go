package runtime

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
)

// Option configures a handler. Options are applied in order; a later one
// replaces an earlier one of the same name, except WithMiddleware, which adds.
type Option func(*options) error

type options struct {
	stores     map[string]Store // by the policy's store name; "" is the default
	scope      func(*http.Request) (Scope, error)
	middleware []Middleware
	namespace  string
	secret     []byte // nil: none
	tagSecret  []byte // nil: none
	tagEpoch   string
	sealer     Sealer // nil: none
	problems   string
	// problemTypes are the types of the problems, by kind.
	problemTypes map[string]string
	baseURL      string
	requestID    func(*http.Request) string
	// problemBody is nil for problem+json.
	problemBody func(*http.Request, *Problem) (string, []byte)
	noPrecheck  bool
	clock       Clock
	log         *slog.Logger
	metrics     Metrics
}

// Middleware wraps the handler of one operation. It is called once per
// operation when the handler is built, runs after routing and before everything
// the runtime does, and knows the operation: its id, its path and its security
// requirement.
type Middleware func(op *Operation, next http.Handler) http.Handler

// DefaultProblemBase is the prefix of problem types unless WithProblemBase
// says otherwise: a page of this project with an anchor per type.
const DefaultProblemBase = "https://github.com/idemgen/idemgen/blob/main/docs/problems.md#"

func newOptions(list []Option) (*options, error) {
	o := &options{
		stores:   map[string]Store{},
		problems: DefaultProblemBase,
		clock:    systemClock{},
		log:      slog.Default(),
	}
	var errs []error
	for _, option := range list {
		if option == nil {
			continue
		}
		if err := option(o); err != nil {
			errs = append(errs, err)
		}
	}
	o.problemTypes = make(map[string]string, len(kinds))
	for _, k := range kinds {
		o.problemTypes[k.suffix] = o.problems + k.suffix
	}
	return o, errors.Join(errs...)
}

// WithStore sets the store of every operation whose policy names none. It is
// required when any operation keeps keys or, in tx mode, guards writes.
func WithStore(s Store) Option { return WithNamedStore("", s) }

// WithNamedStore sets the store of the operations whose policy says
// "store: name".
func WithNamedStore(name string, s Store) Option {
	return func(o *options) error {
		if s == nil {
			return fmt.Errorf("idem: WithStore: the store %q is nil", name)
		}
		o.stores[name] = s
		return nil
	}
}

// WithScope sets the function that tells whose request it is. It runs after
// authentication, so it can read what a middleware put into the context. Empty
// parts that a policy needs, and errors, are answered with 403
// scope-unresolved: nothing is ever shared because a tenant was not known.
// Required when any policy's scope names tenant, principal or ctx:<name>.
func WithScope(resolve func(*http.Request) (Scope, error)) Option {
	return func(o *options) error { o.scope = resolve; return nil }
}

// WithMiddleware adds net/http middleware around every operation, after
// routing; the first one given is the outermost. Authentication belongs here:
// it must answer before a stored response can be replayed to a caller that has
// lost access.
func WithMiddleware(m ...Middleware) Option {
	return func(o *options) error { o.middleware = append(o.middleware, m...); return nil }
}

// WithNamespace separates deployments that share a store. Default: none.
// Changing it forgets all live keys.
func WithNamespace(namespace string) Option {
	return func(o *options) error { o.namespace = namespace; return nil }
}

// WithBaseURL mounts the operations under a path prefix such as "/api".
// Default: none.
func WithBaseURL(prefix string) Option {
	return func(o *options) error {
		if prefix != "" && (!strings.HasPrefix(prefix, "/") || strings.HasSuffix(prefix, "/")) {
			return fmt.Errorf("idem: WithBaseURL: %q must begin with a slash and not end with one", prefix)
		}
		o.baseURL = prefix
		return nil
	}
}

// WithProblemBase sets the prefix of every problem type; the suffix, such as
// "key-reused", is appended. It should be dereferenceable. Default:
// [DefaultProblemBase].
func WithProblemBase(base string) Option {
	return func(o *options) error {
		if _, err := url.Parse(base); err != nil {
			return fmt.Errorf("idem: WithProblemBase: %w", err)
		}
		o.problems = base
		return nil
	}
}

// WithRequestID sets the function whose result becomes the instance member of
// problem bodies. Default: no instance member.
func WithRequestID(id func(*http.Request) string) Option {
	return func(o *options) error { o.requestID = id; return nil }
}

// WithProblemBody sets the function that writes the body of refusals, for APIs
// whose clients expect errors in a shape of their own. It gets the problem that
// would be sent, and returns a media type and a body; with an empty media type
// the problem is sent as it is. Status, Retry-After, Cache-Control and Link stay
// the runtime's. It is called concurrently, with requests that no operation
// matches too. Default: application/problem+json (RFC 9457).
func WithProblemBody(body func(*http.Request, *Problem) (contentType string, content []byte)) Option {
	return func(o *options) error { o.problemBody = body; return nil }
}

// WithoutPrecheck leaves out the early comparison of preconditions before guarded
// writes, whatever their policies say, so that the handlers' own is all there is.
// It is for tests of handlers, such as those of package contract; an early
// comparison hides a handler whose statement forgets the version.
func WithoutPrecheck() Option {
	return func(o *options) error { o.noPrecheck = true; return nil }
}

// WithClock injects the application's clock. Default: the system's.
func WithClock(c Clock) Option {
	return func(o *options) error {
		if c == nil {
			return errors.New("idem: WithClock: the clock is nil")
		}
		o.clock = c
		return nil
	}
}

// WithLogger sets where outcomes (debug) and failures (error) are logged; keys
// and bodies never are. Default: slog.Default(). Nil discards.
func WithLogger(l *slog.Logger) Option {
	return func(o *options) error {
		if l == nil {
			l = slog.New(slog.DiscardHandler)
		}
		o.log = l
		return nil
	}
}

// WithMetrics sets the functions that are told what happened. Default: none.
func WithMetrics(m Metrics) Option {
	return func(o *options) error { o.metrics = m; return nil }
}

// Package server is the child process of the vectors' harness: it serves
// generated packages, each on a listener and a store of its own, as the process
// that started it says. It expects nothing and checks nothing.
package server

import (
	"fmt"
	"strings"
)

// Fields that tell the test's middleware about a request.
const (
	TokenField     = "X-Vectors-Token"
	CrashField     = "X-Vectors-Crash"
	TenantField    = "X-Vectors-Tenant"
	PrincipalField = "X-Vectors-Principal"
	AuthField      = "X-Vectors-Auth"
)

// ProblemBase is the prefix of the problem types that servers answer.
const ProblemBase = "https://vectors.example/problems/"

// The stores that a world can have.
const (
	Memory      = "memory"
	SQLite      = "sqlite"
	Postgres    = "postgres"     // handlers have a pgx.Tx
	PostgresSQL = "postgres-sql" // handlers have a *sql.Tx
	MySQL       = "mysql"        // MariaDB is one
	Redis       = "redis"
)

// Points at which a request can stop for its process to be killed.
const (
	AfterClaim   = "afterClaim"   // the handler has not started
	AfterEffect  = "afterEffect"  // it has returned
	BeforeCommit = "beforeCommit" // nothing is recorded yet
	AfterCommit  = "afterCommit"  // recorded, not answered
)

// Command is what the child is asked to do, in a POST to its control address.
type Command struct {
	Do    string
	World string

	Store    string // open
	Lease    bool   // open: hide the store's transactions
	Database string // open: the server, as its driver names it
	Place    string // open: file, or what there is for the world in the server
	Ledger   string // open: where handlers ask what to answer
	Package  string // deploy
	Token    string // beat, gone, done
	Fault    string // fault: claim, complete, all or none
	Duration int64  // open, advance: of the store's clock, unless it is a server's; appClock: nanoseconds

	Unknown *Unknown // resolve
}

// Commands.
const (
	Open     = "open"     // makes a world: a store without any package yet
	Deploy   = "deploy"   // serves a package on the world's store; answers its address
	Advance  = "advance"  // moves the store's clock
	AppClock = "appClock" // sets the application's clock off
	Fault    = "fault"    // lets the store fail
	Sweep    = "sweep"    // runs the sweeper to its end
	Resolve  = "resolve"  // resolves an unknown record by hand
	Beat     = "beat"     // lets the heartbeat of a request fire once
	Gone     = "gone"     // waits until the server has noticed that a client went away
	Done     = "done"     // waits until a request has been served
	Close    = "close"    // ends a world; answers its log
)

// Result is the answer to a Command.
type Result struct {
	Address string
	Log     string
	Error   string
}

// Unknown is a request whose outcome is not known, as its client describes it,
// and what somebody found out about it.
type Unknown struct {
	Operation, Path, Key string
	Tenant, Principal    string
	Done                 *Answer // nil: nothing was done
}

// Call is what a handler reports to the ledger, in a POST to a path that is
// named after what happened: run, effect, crash, read or write.
type Call struct {
	World     string
	Token     string
	Operation string
	Path      string // of the request: identifies a resource

	Run int // effect: number of the run that it belongs to

	Versions []string // write: expected versions
	Any      bool     // write: any version will do
	Absent   bool     // write: expects that there is none
	Delete   bool     // write

	LastWrite []byte // write: marker of the request
	Stored    []byte // write: body of a PUT
}

// Answer is what the handler is told to do, and the state of a resource.
type Answer struct {
	Run     int
	Status  int
	Headers [][2]string
	Body    string

	Effect      bool // write a row
	Panic       bool
	KeepWrites  bool
	NotExecuted bool

	Exists  bool
	Version int64
	Applied bool // write: the expectation held

	LastWrite []byte // read: as of the last write
	Stored    []byte
}

// Octets returns the octets of a text whose runes stand for them.
func Octets(text string) (string, error) {
	var b strings.Builder
	for _, r := range text {
		if r > 0xFF {
			return "", fmt.Errorf("%q holds %U, which is no octet", text, r)
		}
		b.WriteByte(byte(r))
	}
	return b.String(), nil
}

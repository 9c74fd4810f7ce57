package contract

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/idemgen/idemgen/runtime/etag"
)

// A rule is one promise, checked on a new server for every operation that it is
// about.
type rule struct {
	name  string // a sentence
	about func(*Resource, *Operation) bool
	check func(*trial, *Operation)
}

// unknownTag is a tag that no resource of a test ever had. It is no version of
// any type, so it is well-formed and matches nothing (RFC 9110 §13.1.1).
const unknownTag = `"contract-test.no-such-version"`

var rules = []rule{
	{"a read shows the same tag until somebody writes", isReader, checkSameTag},
	{"a conditional read is 304 until somebody writes", isReader, checkNotModified},
	{"the tag of a write is the tag of the next read", isWriter, checkTagAgrees},
	{"every write moves the tag", isWriter, checkTagMoves},
	{"a list of tags matches if one of them is current", isWriter, checkList},
	{"a stale tag is refused with 412 and changes nothing", isStaleable, checkStale},
	{"an unknown tag is refused with 412 and changes nothing", takesIfMatch, checkUnknown},
	{"a write without a condition is refused with 428 and changes nothing", isGuarded, checkRequired},
	{"If-Match: * alone does not guard", rejectsWildcard, checkWildcard},
	{"If-Match on what does not exist performs nothing", takesIfMatch, checkAbsent},
	{"a retried success is replayed, and not compared with its own result", isRetried, checkRetry},
	{"of requests at once with one tag exactly one succeeds", takesIfMatch, checkRace},
	{"of requests at once that create one resource exactly one succeeds", isCreator, checkCreateRace},
	{"of a change and a deletion at once exactly one succeeds", isRivalOfDelete, checkDeleteRace},
	{"of duplicates at once one is performed and none meets 412", isRetried, checkDuplicates},
}

func isReader(r *Resource, o *Operation) bool { return o == r.reader() }

// isWriter: a resource is there afterwards, whose tag can be compared.
func isWriter(_ *Resource, o *Operation) bool { return changes(o) && o.matches() }

func takesIfMatch(_ *Resource, o *Operation) bool { return o.matches() }

func isStaleable(r *Resource, o *Operation) bool { return o.matches() && r.writer() != nil }

func isGuarded(_ *Resource, o *Operation) bool { return o.matches() && len(o.Policy.Require) > 0 }

func rejectsWildcard(_ *Resource, o *Operation) bool { return o.matches() && o.Policy.RejectWildcard }

func isRetried(_ *Resource, o *Operation) bool { return o.matches() && o.KeyHeader != "" }

func isCreator(_ *Resource, o *Operation) bool {
	role := o.Policy.Role
	return (role == etag.RoleUpsert || role == etag.RoleCreate) && o.Method == http.MethodPut
}

func isRivalOfDelete(r *Resource, o *Operation) bool {
	return changes(o) && o.matches() && r.deleter() != nil
}

func checkSameTag(t *trial, _ *Operation) {
	p := t.create()
	first := t.read(p)
	if second := t.read(p); second.tag() != first.tag() {
		t.wrong("two reads in a row show %s and %s", first.tag(), second.tag())
	}
	if weak := strings.HasPrefix(first.tag(), "W/"); weak != t.op.Policy.Weak {
		t.wrong("the tag is %s, declared is weak: %t (RFC 9110 §8.8.1)", first.tag(), t.op.Policy.Weak)
	}
}

func checkNotModified(t *trial, op *Operation) {
	if op.Policy.NoNotModified {
		return
	}
	p := t.create()
	tag := t.read(p).tag()
	if a := t.get(p, "If-None-Match", tag); a.Status != http.StatusNotModified || len(a.Body) > 0 || a.tag() != tag {
		t.wrong("with the current tag it is %d with %d octets and the tag %s, want 304, none and %s", a.Status, len(a.Body), a.tag(), tag)
	}
	writer := t.resource.writer()
	if writer == nil {
		return
	}
	t.must(writer, p, "If-Match", tag)
	if a := t.get(p, "If-None-Match", tag); a.Status != http.StatusOK {
		t.wrong("after %s it is %d with the old tag, want 200", writer.ID, a.Status)
	}
}

// agrees compares the tag of a write with that of the next read. An answer may
// have none, as a 202 has.
func (t *trial) agrees(p Params, written Answer) {
	t.tb.Helper()
	if now := t.read(p).tag(); written.tag() != "" && written.tag() != now {
		t.wrong("the write answered %s, and the read after it %s", written.tag(), now)
	}
}

func checkTagAgrees(t *trial, op *Operation) {
	p := t.create()
	t.agrees(p, t.must(op, p, "If-Match", t.read(p).tag()))
}

func checkTagMoves(t *trial, op *Operation) {
	p := t.create()
	seen := map[string]bool{}
	for range 3 {
		tag := t.read(p).tag()
		if seen[tag] {
			t.wrong("the tag %s came back after a write: who knows its older representation could overwrite this one", tag)
			return
		}
		seen[tag] = true
		t.must(op, p, "If-Match", tag)
	}
}

func checkList(t *trial, op *Operation) {
	if op.Policy.OneTag {
		return
	}
	p := t.create()
	old := t.read(p).tag()
	t.must(op, p, "If-Match", old)
	t.agrees(p, t.must(op, p, "If-Match", old+", "+unknownTag+", "+t.read(p).tag()))
	// The same over several field lines (RFC 9110 §5.3).
	t.agrees(p, t.must(op, p, "If-Match", t.read(p).tag(), "If-Match", old))
}

func checkStale(t *trial, op *Operation) {
	p := t.create()
	old := t.read(p).tag()
	t.must(t.resource.writer(), p, "If-Match", old)
	before := t.read(p)
	t.refused(t.send(t.request(op, p, "If-Match", old)), http.StatusPreconditionFailed)
	t.unchanged(p, before)
}

func (t *trial) refused(a Answer, status int) {
	if a.Status != status {
		t.wrong("it is %d, want %d: %s", a.Status, status, a.Body)
	}
	if a.tag() != "" && !a.succeeded() {
		t.wrong("the refusal shows the tag %s, with which a client could overwrite what it has not read", a.tag())
	}
}

func checkUnknown(t *trial, op *Operation) {
	p := t.create()
	before := t.read(p)
	t.refused(t.send(t.request(op, p, "If-Match", unknownTag)), http.StatusPreconditionFailed)
	t.unchanged(p, before)
}

func checkRequired(t *trial, op *Operation) {
	p := t.create()
	before := t.read(p)
	t.refused(t.send(t.request(op, p)), http.StatusPreconditionRequired)
	t.unchanged(p, before)
}

func checkWildcard(t *trial, op *Operation) {
	p := t.create()
	before := t.read(p)
	t.refused(t.send(t.request(op, p, "If-Match", "*")), http.StatusPreconditionRequired)
	t.unchanged(p, before)
}

func checkAbsent(t *trial, op *Operation) {
	p, ok := t.absent()
	if !ok {
		return
	}
	want := http.StatusNotFound
	switch {
	case op.Policy.Missing == etag.MissingPreconditionFailed,
		op.Policy.Missing == etag.MissingAuto && op.Policy.Role == etag.RoleUpsert:
		want = http.StatusPreconditionFailed
	}
	t.refused(t.send(t.request(op, p, "If-Match", unknownTag)), want)
	if a := t.get(p); a.succeeded() {
		t.wrong("the request was refused, and the resource exists: %s", a.Body)
	}
}

func checkRetry(t *trial, op *Operation) {
	p := t.create()
	r := t.request(op, p, "If-Match", t.read(p).tag())
	if !op.RequiresKey {
		r = r.keyed()
	}
	first := t.send(r)
	if !first.succeeded() {
		t.stop("under a key and with the current tag it is %d, want a success: %s", first.Status, first.Body)
	}
	before := t.get(p)
	second := t.send(r)
	if second.Status != first.Status || second.tag() != first.tag() || !bytes.Equal(second.Body, first.Body) {
		t.wrong("the first answer is %d %s %s, that to the retry %d %s %s",
			first.Status, first.tag(), first.Body, second.Status, second.tag(), second.Body)
	}
	t.unchanged(p, before)
}

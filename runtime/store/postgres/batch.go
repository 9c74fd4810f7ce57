package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A statement is a text with what the protocol has to know about it. It is
// prepared on each connection that executes it, on the way of its first
// execution there.
type statement struct {
	name   string
	text   string
	params []uint32 // types of the parameters
}

func newStatement(text string, params ...uint32) *statement {
	hash := sha256.Sum256([]byte(text))
	return &statement{name: "idem_" + hex.EncodeToString(hash[:8]), text: text, params: params}
}

// A batch is a list of statements that are sent together: one round trip. It is
// used once. Arguments and results are in the binary format of their types.
//
// This is what pgx.Batch is for, without its conversions, and without the round
// trip that it takes to prepare what a connection has not seen.
type batch struct {
	items   []item
	inline  [5]item
	done    int    // how many were executed
	scratch []byte // arguments are appended here
	room    [96]byte
}

type item struct {
	*statement
	args [][]byte
	read reader // nil: nobody wants to know
}

// A reader receives a result. Its values are valid until it asks for the next
// row or returns.
type reader func(*pgconn.ResultReader) error

func newBatch() *batch {
	b := &batch{}
	b.clear()
	return b
}

func (b *batch) clear() { b.items, b.scratch, b.done = b.inline[:0], b.room[:0], 0 }

func (b *batch) queue(s *statement, read reader, args ...[]byte) {
	b.items = append(b.items, item{s, args, read})
}

// int8, int4, int2 and bool are the arguments of these types.
func (b *batch) int8(v int64) []byte {
	at := len(b.scratch)
	b.scratch = binary.BigEndian.AppendUint64(b.scratch, uint64(v))
	return b.scratch[at:]
}

func (b *batch) int4(v int32) []byte {
	at := len(b.scratch)
	b.scratch = binary.BigEndian.AppendUint32(b.scratch, uint32(v))
	return b.scratch[at:]
}

func (b *batch) int2(v int16) []byte {
	at := len(b.scratch)
	b.scratch = binary.BigEndian.AppendUint16(b.scratch, uint16(v))
	return b.scratch[at:]
}

func (b *batch) bool(v bool) []byte {
	at := len(b.scratch)
	b.scratch = append(b.scratch, 0)
	if v {
		b.scratch[at] = 1
	}
	return b.scratch[at:]
}

var binaryFormat = []int16{1} // of all parameters or columns

// prepared is what a connection knows of the store's statements, by name.
type prepared map[string]*pgconn.StatementDescription

// preparedOn is the key of prepared in a connection's own data.
const preparedOn = "idemgen.statements"

// send executes a batch. The first statement that fails ends it, and is the
// error; those before it have been read. Where unnamed is set, nothing is left
// prepared on the connection, because it may not be the same one next time.
func (b *batch) send(ctx context.Context, pc *pgx.Conn, unnamed bool) error {
	if len(b.items) == 0 {
		return nil
	}
	known, _ := pc.PgConn().CustomData()[preparedOn].(prepared)
	if known == nil {
		known = prepared{}
		pc.PgConn().CustomData()[preparedOn] = known
	}
	pipe := pc.PgConn().StartPipeline(ctx)
	for _, i := range b.items {
		switch description := known[i.name]; {
		case unnamed:
			pipe.SendQueryParams(i.text, i.args, i.params, binaryFormat, binaryFormat)
		case description != nil:
			pipe.SendQueryStatement(description, i.args, binaryFormat, binaryFormat)
		default:
			pipe.SendPrepare(i.name, i.text, i.params)
			pipe.SendQueryPrepared(i.name, i.args, binaryFormat, binaryFormat)
		}
	}
	err := pipe.Sync()
	for err == nil && b.done < len(b.items) {
		i := &b.items[b.done]
		if !unnamed && known[i.name] == nil {
			var description *pgconn.StatementDescription
			if description, err = readDescription(pipe, i.name); err != nil {
				break
			}
			known[i.name] = description
		}
		if err = i.receive(pipe); err == nil {
			b.done++
		}
	}
	err = firstOf(err, pipe.Close())
	switch codeOf(err) {
	case "":
		// What was not read may have been executed and prepared.
		if err != nil && !pgconn.SafeToRetry(err) {
			_ = pc.Close(ctx)
		}
	case codeNoStatement, codePlanChanged:
		// Somebody deallocated our statements or changed the tables: this
		// connection is of no more use.
		_ = pc.Close(ctx)
	}
	return err
}

// failed returns the statement that was not executed when send failed; nil when
// all were.
func (b *batch) failed() *statement {
	if b.done == len(b.items) {
		return nil
	}
	return b.items[b.done].statement
}

// firstOf returns the error that came first. The second one is what came of it.
func firstOf(err, then error) error {
	if err != nil {
		return err
	}
	return then
}

func readDescription(pipe *pgconn.Pipeline, name string) (*pgconn.StatementDescription, error) {
	result, err := pipe.GetResults()
	if err != nil {
		return nil, err
	}
	description, ok := result.(*pgconn.StatementDescription)
	if !ok {
		return nil, fmt.Errorf("the server sent %T where a statement is prepared", result)
	}
	description.Name = name
	return description, nil
}

func (i *item) receive(pipe *pgconn.Pipeline) error {
	result, err := pipe.GetResults()
	if err != nil {
		return err
	}
	rows, ok := result.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("the server sent %T where rows were expected", result)
	}
	var wrong error
	if i.read != nil {
		wrong = i.read(rows)
	}
	_, err = rows.Close()
	return firstOf(err, wrong)
}

// errColumns: what the server sent is not what the statement asks for.
var errColumns = errors.New("a column has another type than it should have: the table was changed by something else")

// intOf reads an integer, a boolean or an instant; NULL is 0.
func intOf(column []byte) (int64, error) {
	switch len(column) {
	case 0:
		return 0, nil
	case 1:
		return int64(column[0]), nil
	case 2:
		return int64(int16(binary.BigEndian.Uint16(column))), nil
	case 4:
		return int64(int32(binary.BigEndian.Uint32(column))), nil
	case 8:
		return int64(binary.BigEndian.Uint64(column)), nil
	}
	return 0, errColumns
}

// readInts receives one row of such columns.
func readInts(into ...*int64) reader {
	return func(rows *pgconn.ResultReader) (err error) {
		for rows.NextRow() {
			columns := rows.Values()
			if len(columns) != len(into) {
				return errColumns
			}
			for i, column := range columns {
				if *into[i], err = intOf(column); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// readCount receives how many rows a statement has changed.
func readCount(into *int64) reader {
	return func(rows *pgconn.ResultReader) error {
		tag, err := rows.Close()
		*into = tag.RowsAffected()
		return err
	}
}

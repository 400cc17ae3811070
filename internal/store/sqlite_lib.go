package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	sqlite3 "modernc.org/sqlite/lib"
)

// This file speaks to the SQLite library of modernc.org/sqlite below its
// database/sql driver. The driver takes the connection's mutex for every
// column, asks for the name and type of every column of every query and boxes
// every value: on a read by key that costs more than SQLite's own work
// (docs/decisions/0009). All memory that SQLite sees is SQLite's own, reached
// through libc.GoBytes, so that no pointer of Go crosses over.

// library is an open database connection of the C library.
type library struct {
	tls *libc.TLS
	db  uintptr
	out uintptr // a word for results by pointer
}

// sqliteError is an error of the library with its extended result code.
type sqliteError struct {
	code int32
	text string
}

// Error is the text for a log.
func (e *sqliteError) Error() string { return fmt.Sprintf("sqlite: %s (%d)", e.text, e.code) }

// withoutStatistics switches off the library's accounting of memory, which
// takes a global mutex for every allocation. It must come before the first
// connection; later it does nothing.
var withoutStatistics = sync.OnceFunc(func() {
	tls := libc.NewTLS()
	defer tls.Close()
	arguments := libc.NewVaList(int32(0))
	defer libc.Xfree(tls, arguments)
	sqlite3.Xsqlite3_config(tls, sqlite3.SQLITE_CONFIG_MEMSTATUS, arguments)
})

// openLibrary opens a database by URI, without the connection's mutex: one
// goroutine at a time uses it.
func openLibrary(uri string) (*library, error) {
	withoutStatistics()
	l := &library{tls: libc.NewTLS()}
	l.out = libc.Xmalloc(l.tls, 8)
	name, err := libc.CString(uri)
	if err != nil || l.out == 0 {
		return nil, errors.Join(errors.New("store: out of memory"), err)
	}
	defer libc.Xfree(l.tls, name)
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_CREATE | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_URI
	rc := sqlite3.Xsqlite3_open_v2(l.tls, name, l.out, flags, 0)
	l.db = l.result()
	if rc == sqlite3.SQLITE_OK {
		rc = sqlite3.Xsqlite3_extended_result_codes(l.tls, l.db, 1)
	}
	if rc == sqlite3.SQLITE_OK {
		rc = l.stablePlans()
	}
	if rc != sqlite3.SQLITE_OK {
		return nil, errors.Join(l.err(rc), l.close())
	}
	return l, nil
}

// stablePlans keeps the plan of a statement as it was prepared. Otherwise the
// library prepares anew whenever an argument changes that might matter to the
// plan, which was a quarter of the time of a page of users.
func (l *library) stablePlans() int32 {
	arguments := libc.NewVaList(int32(1), uintptr(0))
	defer libc.Xfree(l.tls, arguments)
	return sqlite3.Xsqlite3_db_config(l.tls, l.db, sqlite3.SQLITE_DBCONFIG_ENABLE_QPSG, arguments)
}

// result is the pointer that the last call has left.
func (l *library) result() uintptr {
	return uintptr(binary.NativeEndian.Uint64(libc.GoBytes(l.out, 8)))
}

// err is the error of a result code; nil for success.
func (l *library) err(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	text := libc.GoString(sqlite3.Xsqlite3_errstr(l.tls, rc))
	if l.db != 0 {
		text = libc.GoString(sqlite3.Xsqlite3_errmsg(l.tls, l.db))
	}
	return &sqliteError{code: rc, text: text}
}

// close closes the connection, whose statements must be finalized.
func (l *library) close() error {
	err := l.err(sqlite3.Xsqlite3_close_v2(l.tls, l.db))
	libc.Xfree(l.tls, l.out)
	l.tls.Close()
	return err
}

// interrupt ends what the connection runs, from another goroutine.
func (l *library) interrupt() {
	tls := libc.NewTLS()
	defer tls.Close()
	sqlite3.Xsqlite3_interrupt(tls, l.db)
}

// changes is the number of rows that the last statement has changed.
func (l *library) changes() int64 { return sqlite3.Xsqlite3_changes64(l.tls, l.db) }

// statement is a prepared statement with the memory of its arguments.
type statement struct {
	lib     *library
	p       uintptr
	columns int
	params  []int   // of each parameter the place of its argument
	memory  uintptr // of texts and blobs, kept from run to run
	size    int
	texts   []byte // where the texts of this run's rows lie, one after the other
	read    int    // bytes of short texts that this run has read
	expect  int    // bytes that it may read, by the runs before it
}

// keptMemory is the most that a statement keeps for its next arguments.
const keptMemory = 64 << 10

// prepare makes a statement of a text that holds just one.
func (l *library) prepare(sql string) (*statement, error) {
	text, err := libc.CString(sql)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(l.tls, text)
	rc := sqlite3.Xsqlite3_prepare_v3(l.tls, l.db, text, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, l.out, 0)
	if rc != sqlite3.SQLITE_OK {
		return nil, l.err(rc)
	}
	s := &statement{lib: l, p: l.result()}
	s.columns = int(sqlite3.Xsqlite3_column_count(l.tls, s.p))
	if err := s.nameParams(); err != nil {
		s.finalize()
		return nil, fmt.Errorf("%w in %q", err, sql)
	}
	return s, nil
}

// nameParams notes which argument each parameter takes. To SQLite "$2" is a
// name, and parameters count in the order in which their names first appear.
func (s *statement) nameParams() error {
	n := sqlite3.Xsqlite3_bind_parameter_count(s.lib.tls, s.p)
	for i := int32(1); i <= n; i++ {
		name := libc.GoString(sqlite3.Xsqlite3_bind_parameter_name(s.lib.tls, s.p, i))
		number, err := strconv.Atoi(strings.TrimPrefix(name, "$"))
		if err != nil || number < 1 || number > int(n) {
			return fmt.Errorf("store: parameter %q is not $1 to $%d", name, n)
		}
		s.params = append(s.params, number-1)
	}
	return nil
}

// finalize releases the statement.
func (s *statement) finalize() {
	sqlite3.Xsqlite3_finalize(s.lib.tls, s.p)
	s.release()
}

func (s *statement) release() {
	libc.Xfree(s.lib.tls, s.memory)
	s.memory, s.size = 0, 0
}

// bind sets the arguments $1, $2, …: int64, string, []byte or nil. Texts and
// blobs are copied to memory that stays until reset.
func (s *statement) bind(args []any) error {
	if len(args) != len(s.params) {
		return fmt.Errorf("store: a statement takes %d arguments, not %d", len(s.params), len(args))
	}
	if err := s.reserve(args); err != nil {
		return err
	}
	at, tls := s.memory, s.lib.tls
	for i, argument := range s.params {
		n, rc := int32(i+1), int32(0)
		switch v := args[argument].(type) {
		case int64:
			rc = sqlite3.Xsqlite3_bind_int64(tls, s.p, n, v)
		case string:
			copy(libc.GoBytes(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_text(tls, s.p, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		case []byte:
			copy(libc.GoBytes(at, len(v)), v)
			rc = sqlite3.Xsqlite3_bind_blob(tls, s.p, n, at, int32(len(v)), 0)
			at += uintptr(len(v))
		case nil:
			rc = sqlite3.Xsqlite3_bind_null(tls, s.p, n)
		default:
			return fmt.Errorf("store: argument %d is %T", n, v)
		}
		if rc != sqlite3.SQLITE_OK {
			return s.lib.err(rc)
		}
	}
	return nil
}

// reserve makes room for the texts and blobs of the arguments. There is always
// some, since the address of nothing would bind NULL.
func (s *statement) reserve(args []any) error {
	need := 1
	for _, v := range args {
		switch v := v.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		}
	}
	if need <= s.size {
		return nil
	}
	s.release()
	if need < 256 {
		need = 256
	}
	if s.memory = libc.Xmalloc(s.lib.tls, types.Size_t(need)); s.memory == 0 {
		return errors.New("store: out of memory for arguments")
	}
	s.size = need
	return nil
}

// step goes to the next row and reports whether there is one.
func (s *statement) step() (bool, error) {
	switch rc := sqlite3.Xsqlite3_step(s.lib.tls, s.p); rc {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, s.lib.err(rc)
	}
}

// reset makes the statement ready for its next run. It repeats the error of
// the last step, which the caller has seen.
func (s *statement) reset() {
	sqlite3.Xsqlite3_reset(s.lib.tls, s.p)
	s.texts, s.expect, s.read = nil, max(s.read, s.expect/2), 0
	if s.size > keptMemory {
		sqlite3.Xsqlite3_clear_bindings(s.lib.tls, s.p)
		s.release()
	}
}

func (s *statement) int(column int) int64 {
	return sqlite3.Xsqlite3_column_int64(s.lib.tls, s.p, int32(column))
}

func (s *statement) text(column int) string {
	p := sqlite3.Xsqlite3_column_text(s.lib.tls, s.p, int32(column))
	n := sqlite3.Xsqlite3_column_bytes(s.lib.tls, s.p, int32(column))
	if p == 0 || n == 0 {
		return ""
	}
	return s.keep(libc.GoBytes(p, int(n)))
}

// Texts of one run share a piece of memory, because a user has fifteen of them and
// allocating each was a tenth of the time of a page. A long text has its own, so
// that whoever keeps a short one keeps at most a piece.
const (
	longText  = 1 << 10
	textPiece = 4 << 10
)

// keep copies a text of SQLite's.
func (s *statement) keep(text []byte) string {
	if len(text) > longText {
		return string(text)
	}
	if cap(s.texts)-len(s.texts) < len(text) {
		s.texts = make([]byte, 0, min(max(s.expect-s.read, len(text)), textPiece))
	}
	s.read += len(text)
	at := len(s.texts)
	s.texts = append(s.texts, text...)
	return unsafe.String(&s.texts[at], len(text)) // nothing writes there again
}

func (s *statement) blob(column int) []byte {
	p := sqlite3.Xsqlite3_column_blob(s.lib.tls, s.p, int32(column))
	n := sqlite3.Xsqlite3_column_bytes(s.lib.tls, s.p, int32(column))
	if p == 0 || n == 0 {
		return nil
	}
	return append([]byte(nil), libc.GoBytes(p, int(n))...)
}

package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// engine is everything in which the two databases differ.
type engine struct {
	name string
	// lock is what a SELECT ends with that keeps its row for this transaction.
	// SQLite has one writer and needs none.
	lock string
	// share is the same for a row that must only stay as it is: others may
	// share it.
	share string
	// stay is the same for a row that must only not go away: others may change it.
	stay string
	// claim is what a SELECT ends with that takes the rows which no other
	// transaction is taking.
	claim string
	// anyOfNumbers and anyOfTexts are the condition that a column has one of the
	// values.
	anyOfNumbers func(a *args, column string, values []int64) string
	anyOfTexts   func(a *args, column string, values []string) string
	// instr is the function that finds a text in another, from 1, 0 for none.
	instr string
	// branch makes a SELECT of numbers one of several that are merged in order,
	// of which limit numbers are enough.
	branch func(a *args, sql, order string, limit int64) string
	// searchKey is the key column of the search table, alias s.
	searchKey string
	// searchMatch is the condition on the search table for the phrases that the
	// document must contain: those of terms, which it decides together with
	// tests on users u, and those that follow from the filter, which is tested
	// besides. There is at least one phrase.
	searchMatch func(a *args, tenant int64, terms, implied []string) (match, tests string)
	// searchGlance is a looser condition for terms that costs less, with tests
	// that decide; nil if the engine has none.
	searchGlance func(a *args, terms []string) (match, tests string)
	// indexSearch writes a user's search document, dropSearch removes it, and
	// addSearch writes those of users who have none.
	indexSearch func(ctx context.Context, q querier, rid, tenant int64, document string) error
	addSearch   func(ctx context.Context, q querier, rids []int64, documents func(rid int64) searchChange) error
	dropSearch  func(ctx context.Context, q querier, rid int64) error
	// moveListed moves a user's rows in the list index, one for each company of
	// the path, from state to state, and returns how many there were.
	moveListed func(ctx context.Context, q querier, tenant, number int64, path []int64, from, to int64) (int64, error)
	// loadRows writes many new rows of a table, best loadedAtOnce of users. A key that
	// is taken is ErrDuplicate.
	loadRows     func(ctx context.Context, q querier, table *loadedTable, values []any) error
	loadedAtOnce int
	// tokens is what addSearch makes of a document, where that is worth doing before.
	tokens func(document string) string
	// writeEvents writes the events of a transaction, or of a batch.
	writeEvents func(ctx context.Context, q querier, c *changes) error
	// chains are the ends of the chains of events, where one process has the file.
	chains *sqliteChains
	// eraseUnsealed are the statements that erase the contents of the events of user
	// $2 of tenant $1 that are committed and have no position.
	eraseUnsealed []string
	// shred says that what the open transaction removes must not be left anywhere.
	shred func()
	// undoPart takes back the innermost part of a transaction (tx.Try).
	undoPart func(ctx context.Context, q querier) error
	// extra is the condition on users u that directory.Extra is, with a test of
	// the text that it finds; anyPhone that directory.AnyPhone is, with a test of
	// number and type.
	extra func(a *args, path []string, test func(column string) string) string
	// hasExtras is the condition on users u that directory.HasExtras is.
	hasExtras func(a *args, door string) string
	anyPhone  func(test func(number, kind string) string) string
	// unsealed is the FROM and WHERE of the events u of tenant $1 without a position.
	unsealed string
	// shard picks the shard of a counter for one transaction, below shards.
	shard func() int64
	// poolShards is the number of shards of a licence pool.
	poolShards func(total int64) int64
	// numbers draws and raises numbers.
	numbers numberSource
	// now is the clock for the length of batches on SQLite, never for stored
	// times.
	now func() time.Time
}

// numberSource is how an engine draws numbers. q is the caller's transaction.
type numberSource interface {
	next(ctx context.Context, q querier, tenant int64, kind string) (int64, error)
	// row draws numbers that follow each other and returns the first.
	row(ctx context.Context, q querier, tenant int64, kind string, count int64) (int64, error)
	raise(ctx context.Context, q querier, tenant int64, kind string, number int64) error
}

// querier runs statements: on one SQLite connection, on a PostgreSQL pool or
// in a PostgreSQL transaction. Arguments are int64, string or []byte.
type querier interface {
	// query runs a look-up that is fast by construction. each gets one row at
	// a time and must not run a statement. On SQLite ctx is not used: a
	// cancelled statement would cost more than it saves.
	query(ctx context.Context, sql string, args []any, each func(*row)) error
	// scan is query for a statement that may run long: ctx ends it.
	scan(ctx context.Context, sql string, args []any, each func(*row)) error
	// exec runs a change and returns the number of rows it touched.
	exec(ctx context.Context, sql string, args ...any) (int64, error)
}

// errStale is a programming mistake: UpdateUser or DeleteUser was given a user
// that is not the one in the database.
var errStale = errors.New("store: the user to change is not as it was read")

// row hands out the columns of a result row from left to right. Its first
// mistake is kept in err, which whoever runs the statement checks.
type row struct {
	stmt *statement // of SQLite: columns are read where they are
	vals []any      // of PostgreSQL
	at   int
	err  error
}

func newRow(columns int) *row { return &row{vals: make([]any, columns)} }

func (r *row) next() any {
	if r.at >= len(r.vals) {
		if r.err == nil {
			r.err = fmt.Errorf("store: a row has only %d columns", len(r.vals))
		}
		return nil
	}
	v := r.vals[r.at]
	r.at++
	return v
}

func (r *row) wrong(want string, v any) {
	if r.err == nil {
		r.err = fmt.Errorf("store: column %d is %T, not %s", r.at, v, want)
	}
}

// column is the next column of a SQLite row; columns are typed there (STRICT).
func (r *row) column() int {
	if r.at++; r.at > r.stmt.columns && r.err == nil {
		r.err = fmt.Errorf("store: a row has only %d columns", r.stmt.columns)
	}
	return r.at - 1
}

func (r *row) int() int64 {
	if r.stmt != nil {
		return r.stmt.int(r.column())
	}
	switch v := r.next().(type) {
	case int64:
		return v
	default:
		r.wrong("an integer", v)
		return 0
	}
}

func (r *row) text() string {
	if r.stmt != nil {
		return r.stmt.text(r.column())
	}
	switch v := r.next().(type) {
	case string:
		return v
	default:
		r.wrong("a text", v)
		return ""
	}
}

// blob is nil for an empty or absent value: one driver cannot tell them apart.
func (r *row) blob() []byte {
	if r.stmt != nil {
		return r.stmt.blob(r.column())
	}
	switch v := r.next().(type) {
	case []byte:
		if len(v) == 0 {
			return nil
		}
		return v
	case nil:
		return nil
	default:
		r.wrong("bytes", v)
		return nil
	}
}

func (r *row) flag() bool { return r.int() != 0 }

func (r *row) time() time.Time { return fromMicros(r.int()) }

// micros is how a time is stored: microseconds since 1970. The zero time has a
// value of its own, noTime, so that the first moment of 1970 stays a time.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time { return time.UnixMicro(n).UTC() }

// noTime is the stored value of the zero time.
var noTime = time.Time{}.UnixMicro()

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// rowID is the key of a user's rows. A number outside of its range must never
// reach into the rows of another tenant: it gives -1, which no row has.
func rowID(t directory.TenantNo, number int64) int64 {
	if t < 1 || t >= maxTenant || number < 1 || number > directory.MaxNumber {
		return -1
	}
	return int64(t)<<numberBits | number
}

// split is the reverse of rowID.
func split(rid int64) (directory.TenantNo, int64) {
	return directory.TenantNo(rid >> numberBits), rid & (1<<numberBits - 1)
}

const (
	numberBits = 40
	maxTenant  = 1 << 22
)

// args collects the arguments of a statement that is put together in Go.
type args struct{ list []any }

// add appends an argument and returns its placeholder.
func (a *args) add(v any) string {
	a.list = append(a.list, v)
	return placeholder(len(a.list))
}

// placeholder is "$n".
func placeholder(n int) string {
	if n < len(placeholders) {
		return placeholders[n]
	}
	return fmt.Sprintf("$%d", n)
}

var placeholders = func() (list [64]string) {
	for n := range list {
		list[n] = fmt.Sprintf("$%d", n)
	}
	return list
}()

// reader is directory.Reader over a querier; e says in which dialect.
type reader struct {
	e *engine
	q querier
	// pending are the changes of this transaction that are not written yet;
	// nil outside of a transaction.
	pending *changes
	// snapshot says that all look-ups see one state of the database, so that a
	// count stays true: counted, of the last search.
	snapshot bool
	counted  *searchCount
}

// one runs a look-up of one row.
func (r *reader) one(ctx context.Context, sql string, args []any, each func(*row)) error {
	found := false
	err := r.q.query(ctx, sql, args, func(row *row) {
		found = true
		each(row)
	})
	if err == nil && !found {
		return directory.ErrNotFound
	}
	return err
}

// tx is directory.Tx: a reader whose querier is in a transaction.
type tx struct{ reader }

// insert runs an INSERT … ON CONFLICT DO NOTHING. Asking that way keeps the
// transaction usable on PostgreSQL, where a unique violation would end it.
func (t *tx) insert(ctx context.Context, sql string, args ...any) error {
	n, err := t.q.exec(ctx, sql, args...)
	if err == nil && n == 0 {
		return directory.ErrDuplicate
	}
	return err
}

// stays keeps a company or location, to which something new is to belong, from
// being deleted meanwhile; number 0 is none. One that is gone since it was looked
// up is ErrDuplicate, so that it is looked up again. SQLite has one writer, and
// needs nothing of that.
func (t *tx) stays(ctx context.Context, table string, tenant directory.TenantNo, number int64) error {
	if t.e.stay == "" || number == 0 {
		return nil
	}
	err := t.one(ctx, "SELECT number FROM "+table+" WHERE tenant = $1 AND number = $2"+t.e.stay, []any{int64(tenant), number}, func(*row) {})
	if errors.Is(err, directory.ErrNotFound) {
		return fmt.Errorf("%w: number %d of %s does not exist in tenant %d", directory.ErrDuplicate, number, table, tenant)
	}
	return err
}

// change runs an UPDATE or DELETE that must touch a row.
func (t *tx) change(ctx context.Context, sql string, args ...any) error {
	n, err := t.q.exec(ctx, sql, args...)
	if err == nil && n == 0 {
		return directory.ErrNotFound
	}
	return err
}

var (
	_ directory.Reader = (*reader)(nil)
	_ directory.Tx     = (*tx)(nil)
)

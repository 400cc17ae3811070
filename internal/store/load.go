package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// loadedTable is a table into which many rows are written at once.
type loadedTable struct {
	name    string
	columns []string
	insert  *rowsInsert // for the engine that inserts
	copy    string      // for the engine that copies
}

// newLoadedTable prepares a table; most is how many rows one INSERT writes.
func newLoadedTable(name string, most int, columns ...string) *loadedTable {
	list := " (" + strings.Join(columns, ", ") + ")"
	return &loadedTable{name: name, columns: columns, copy: "COPY " + name + list + " FROM STDIN",
		insert: rowsInsert{columns: len(columns), most: most, head: "INSERT OR IGNORE INTO " + name + list + " VALUES "}.prepare()}
}

var (
	loadedUsers       = newLoadedTable("users", 16, insertUserColumns...)
	loadedHandles     = newLoadedTable("identifiers", 64, "tenant", "space", "key", "rid", "kinds")
	loadedPasswords   = newLoadedTable("passwords", 64, "rid", "hash", "set_at", "failures", "last_login")
	loadedMemberships = newLoadedTable("user_company", 64, "tenant", "ancestor", "state", "number")
)

// LoadUsers implements directory.BulkWriter. On an error some of the rows may be
// there, for the transaction, or the part of it, to take back.
func (t *tx) LoadUsers(ctx context.Context, tenant directory.TenantNo, load []directory.UserLoad) error {
	if len(load) > directory.MaxLoad {
		return fmt.Errorf("store: %d users to load at once, more than %d", len(load), directory.MaxLoad)
	}
	l := loader{t: t, tenant: tenant, load: load, paths: map[int64][]int64{},
		rows: make(chan loadedRows, len(load)), changes: make(chan []searchChange, 1)}
	for i := range load {
		if err := l.add(&load[i]); err != nil {
			return err
		}
	}
	go l.prepare()
	err := l.write(ctx)
	changes := <-l.changes // also on an error: nobody reads load when it is the caller's again
	if err != nil {
		return err
	}
	t.pending.loaded += len(load)
	for i := range load {
		u := &load[i].User
		t.pending.document(rowID(tenant, u.Number), changes[i])
		t.count(u, l.paths[u.Company], +1)
		t.pending.events = append(t.pending.events, pendingEvent{Event: load[i].Event})
	}
	return nil
}

// loader gathers the rows of many users by table.
type loader struct {
	t      *tx
	tenant directory.TenantNo
	load   []directory.UserLoad
	paths  map[int64][]int64 // of the companies
	// What another goroutine makes while rows are written.
	rows    chan loadedRows
	changes chan []searchChange

	handles, passwords, memberships []any
}

// loadedRows are rows of the table of users.
type loadedRows struct {
	values []any
	err    error
}

// add gathers what is small.
func (l *loader) add(load *directory.UserLoad) error {
	u := &load.User
	if u.Tenant != l.tenant || rowID(l.tenant, u.Number) < 0 {
		return fmt.Errorf("store: user %d of tenant %d cannot be loaded into tenant %d", u.Number, u.Tenant, l.tenant)
	}
	for _, h := range load.Handles {
		l.handles = append(l.handles, int64(l.tenant), string(h.Space), h.Key, rowID(l.tenant, h.User), int64(h.Kinds))
	}
	if p := &load.Password; p.Hash != "" {
		l.passwords = append(l.passwords, rowID(l.tenant, p.User), p.Hash, micros(p.SetAt), int64(p.Failures), micros(p.LastLogin))
	}
	l.paths[u.Company] = nil
	return nil
}

// prepare makes rows, as many at a time as the engine writes at once, and then
// search documents: SQLite's writer, which has one core, need not.
func (l *loader) prepare() {
	for chunk := range slices.Chunk(l.load, l.t.e.loadedAtOnce) {
		rows := loadedRows{values: make([]any, 0, len(chunk)*len(insertUserColumns))}
		for i := range chunk {
			u := &chunk[i].User
			values, err := userValues(u)
			rows.values, rows.err = append(append(rows.values, values...), int64(u.Tenant), u.Number), cmp.Or(rows.err, err)
		}
		l.rows <- rows
	}
	close(l.rows)
	changes := make([]searchChange, len(l.load))
	for i := range l.load {
		c := searchChange{tenant: int64(l.tenant), document: l.load[i].User.SearchDocument(), fresh: true}
		if l.t.e.tokens != nil {
			c.tokens = l.t.e.tokens(c.document)
		}
		changes[i] = c
	}
	l.changes <- changes
}

// write writes the rows in the order in which single users would be.
func (l *loader) write(ctx context.Context) error {
	for rows := range l.rows {
		if rows.err != nil {
			return rows.err
		}
		if err := l.t.e.loadRows(ctx, l.t.q, loadedUsers, rows.values); err != nil {
			return err
		}
	}
	if err := l.findPaths(ctx); err != nil {
		return err
	}
	for i := range l.load {
		u := &l.load[i].User
		for _, ancestor := range l.paths[u.Company] {
			l.memberships = append(l.memberships, int64(l.tenant), ancestor, int64(u.State.Index()), u.Number)
		}
	}
	for _, rows := range [...]struct {
		table  *loadedTable
		values []any
	}{{loadedMemberships, l.memberships}, {loadedHandles, l.handles}, {loadedPasswords, l.passwords}} {
		if err := l.t.e.loadRows(ctx, l.t.q, rows.table, rows.values); err != nil {
			return err
		}
	}
	return nil
}

// findPaths finds the companies above each of the companies, and keeps those from
// being deleted meanwhile.
func (l *loader) findPaths(ctx context.Context) error {
	companies := make([]int64, 0, len(l.paths))
	for company := range l.paths {
		companies = append(companies, company)
	}
	slices.Sort(companies)
	for _, company := range companies {
		path, err := l.t.newCompanyPath(ctx, l.tenant, company)
		if err != nil {
			return err
		}
		l.paths[company] = path
	}
	return nil
}

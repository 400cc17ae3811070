package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/usher-id/usher/internal/directory"
)

// ErrNotEmpty is what Restore answers when there is something that a restored
// directory would be mixed with.
var ErrNotEmpty = errors.New("a backup is only restored into a database that does not exist yet, or into an empty one")

// Restored is what Restore has put back.
type Restored struct {
	BackupManifest
	// Warnings are counters that did not agree with what they count when the backup
	// was made; nothing was lost on the way.
	Warnings []string
}

// restoreTarget is an empty database while a backup is loaded into it.
type restoreTarget interface {
	querier() querier
	// begin drops the indexes, so that they are made once from all rows.
	begin(ctx context.Context) ([]backupTable, error)
	// load writes the rows of a table; t has the columns that the rows have.
	load(ctx context.Context, t *backupTable, next func([]any) (bool, error)) error
	// index makes the search index of a page of users.
	index(ctx context.Context, page []searchDocument) error
	// finish makes the indexes again, raises the sequence of events past last and
	// keeps all.
	finish(ctx context.Context, last int64) error
}

// Restore loads a backup into a database that has nothing in it, of either engine.
// The file is read twice: nothing is written before all of it was found whole. What
// fails leaves nothing behind. The schema is made as it was when the backup was made
// and then brought up to date. Errors: ErrDamagedBackup, ErrNotEmpty.
func Restore(ctx context.Context, database string, file io.ReadSeeker, o Options) (Restored, error) {
	m, err := CheckBackup(ctx, file)
	if err != nil {
		return Restored{}, err
	}
	scheme, rest := splitURL(database)
	if scheme == "" {
		return Restored{}, unknownScheme(database)
	}
	if latest := latestMigration(scheme); m.Schema > latest {
		return Restored{}, fmt.Errorf("the backup was made by a later version (%s): its schema is at %d, and this program knows it up to %d", m.Program, m.Schema, latest)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return Restored{}, err
	}
	in, err := newBackupReader(file, size)
	if err != nil {
		return Restored{}, err
	}
	done := Restored{BackupManifest: m}
	fill := func(ctx context.Context, to restoreTarget) (err error) {
		done.Warnings, err = fillDatabase(ctx, to, in, &m)
		return err
	}
	if scheme == "sqlite" {
		err = restoreSQLite(ctx, rest, m.Schema, fill)
	} else {
		err = restorePostgres(ctx, database, m.Schema, fill)
	}
	if err == nil {
		err = spreadPools(ctx, database, o)
	}
	return done, err
}

// fillDatabase loads everything, and counts it.
func fillDatabase(ctx context.Context, to restoreTarget, in *backupReader, m *BackupManifest) ([]string, error) {
	tables, err := to.begin(ctx)
	if err != nil {
		return nil, err
	}
	_, err = in.tables(ctx, func(t *backupTable, next func([]any) (bool, error)) error {
		at := slices.IndexFunc(tables, func(have backupTable) bool { return have.Name == t.Name })
		if at < 0 {
			return fmt.Errorf("table %s: the schema does not have it", t.Name)
		}
		if err := matchColumns(t, &tables[at]); err != nil {
			return err
		}
		if err := to.load(ctx, t, next); err != nil {
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
		return nil
	})
	if err == nil {
		err = indexAll(ctx, to)
	}
	if err == nil {
		err = to.finish(ctx, m.LastEvent)
	}
	if err == nil {
		err = countTables(ctx, to.querier(), m.Tables)
	}
	if err != nil {
		return nil, err
	}
	return compareCounters(ctx, to.querier())
}

// matchColumns compares the columns of a backup with those that the schema has, and
// notes their types.
func matchColumns(t, have *backupTable) error {
	if len(t.Columns) != len(have.Columns) {
		return fmt.Errorf("table %s: the backup has %d columns, the schema %d", t.Name, len(t.Columns), len(have.Columns))
	}
	for _, c := range t.Columns {
		at := slices.Index(have.Columns, c)
		if at < 0 {
			return fmt.Errorf("table %s: the schema has no column %s", t.Name, c)
		}
		if have.types != nil {
			t.types = append(t.types, have.types[at])
		}
	}
	return nil
}

// searchDocument is what the search index has of a user.
type searchDocument struct {
	rid, tenant int64
	text        string
}

// documentsAtOnce is how many users one page of the search index has.
const documentsAtOnce = 2000

// indexAll makes the search index of all users.
func indexAll(ctx context.Context, to restoreTarget) error {
	for after := int64(-1); ; {
		var page []searchDocument
		err := to.querier().scan(ctx, `SELECT rid, tenant, given_name, family_name, user_name, email FROM users
			WHERE rid > $1 ORDER BY rid LIMIT $2`, []any{after, int64(documentsAtOnce)}, func(r *row) {
			d := searchDocument{rid: r.int(), tenant: r.int()}
			u := directory.User{GivenName: r.text(), FamilyName: r.text(), UserName: r.text(), Email: r.text()}
			d.text = u.SearchDocument()
			page = append(page, d)
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := to.index(ctx, page); err != nil {
			return fmt.Errorf("search index: %w", err)
		}
		after = page[len(page)-1].rid
	}
}

// countTables compares the rows that are there with those that were written.
func countTables(ctx context.Context, q querier, want []BackupCount) error {
	have := make([]BackupCount, len(want))
	for i, t := range want {
		have[i].Table = t.Table
		err := q.scan(ctx, `SELECT count(*) FROM "`+t.Table+`"`, nil, func(r *row) { have[i].Rows = r.int() })
		if err != nil {
			return err
		}
	}
	return compareCounts(want, have)
}

// counters are what must agree; each statement counts what does not.
var counters = []struct{ name, sql string }{
	{"totals of companies", `SELECT count(*) FROM (
		SELECT tenant, company, state, sum(n) AS n FROM company_totals WHERE company <> 0 GROUP BY tenant, company, state) c
		FULL JOIN (SELECT tenant, ancestor AS company, state, count(*) AS n FROM user_company GROUP BY tenant, ancestor, state) u
		ON u.tenant = c.tenant AND u.company = c.company AND u.state = c.state WHERE coalesce(c.n, 0) <> coalesce(u.n, 0)`},
	{"totals of tenants", `SELECT count(*) FROM (
		SELECT tenant, state, sum(n) AS n FROM company_totals WHERE company = 0 GROUP BY tenant, state) c
		FULL JOIN (SELECT tenant, state, count(*) AS n FROM users GROUP BY tenant, state) u
		ON u.tenant = c.tenant AND u.state = c.state WHERE coalesce(c.n, 0) <> coalesce(u.n, 0)`},
	{"licence pools", `SELECT count(*) FROM (
		SELECT tenant, type, sum(used) AS n FROM licence_shards GROUP BY tenant, type) c
		LEFT JOIN (SELECT tenant, licence_type AS type, count(*) AS n FROM users WHERE seat > 0 GROUP BY tenant, licence_type) u
		ON u.tenant = c.tenant AND u.type = c.type WHERE c.n <> coalesce(u.n, 0)`},
}

// compareCounters compares counters with what they count, and names those that do
// not agree.
func compareCounters(ctx context.Context, q querier) (wrong []string, err error) {
	for _, c := range counters {
		n := int64(0)
		if err := q.scan(ctx, c.sql, nil, func(r *row) { n = r.int() }); err != nil {
			return nil, err
		}
		if n > 0 {
			wrong = append(wrong, fmt.Sprintf("%s: %d do not agree with what they count", c.name, n))
		}
	}
	return wrong, nil
}

// spreadPools gives every licence pool as many shards as its new engine wants.
func spreadPools(ctx context.Context, database string, o Options) error {
	o.Migrate = true
	db, err := Open(ctx, database, o)
	if err != nil {
		return err
	}
	err = db.Update(ctx, func(dt directory.Tx) error {
		t, ok := dt.(*tx)
		if !ok {
			return fmt.Errorf("store: the transaction is %T", dt)
		}
		var pools []directory.Pool
		var tenants []int64
		err := t.q.query(ctx, "SELECT tenant, type, total FROM licence_pools ORDER BY tenant, type", nil, func(r *row) {
			tenants = append(tenants, r.int())
			pools = append(pools, directory.Pool{Type: r.text(), Total: r.int()})
		})
		for i, p := range pools {
			if err == nil {
				err = t.spreadPool(ctx, directory.TenantNo(tenants[i]), p.Type, p.Total)
			}
		}
		return err
	})
	return errors.Join(err, db.Close())
}

package store

import (
	"context"
	"fmt"

	"github.com/usher-id/usher/internal/directory"
)

// pages lets the engine verify its own pages and indexes.
func (x *examiner) pages(ctx context.Context, db directory.Store, p *Part) error {
	if x.e.name == "sqlite" {
		return x.sqlitePages(ctx, db, p)
	}
	return x.postgresPages(ctx, db, p)
}

// faultsShown is how many damaged places the engine is asked for.
const faultsShown = "100"

func (x *examiner) sqlitePages(ctx context.Context, db directory.Store, p *Part) error {
	p.Seen = "every page and index of the file"
	err := sift(ctx, db, "PRAGMA integrity_check("+faultsShown+")", nil, func(r *row) {
		if text := r.text(); text != "ok" {
			p.add("damaged pages or indexes", remedyPages, "%s", text)
		}
	})
	if err != nil {
		return err
	}
	return sift(ctx, db, "PRAGMA foreign_key_check", nil, func(r *row) { p.add("rows that refer to nothing", remedyForeign, "%s", r.text()) })
}

// postgresPages uses the extension amcheck, which comes with PostgreSQL and is made
// by who may: CREATE EXTENSION amcheck. Its function locks nothing that a server needs.
func (x *examiner) postgresPages(ctx context.Context, db directory.Store, p *Part) error {
	installed := false
	if err := sift(ctx, db, "SELECT 1 FROM pg_extension WHERE extname = 'amcheck'", nil, func(*row) { installed = true }); err != nil {
		return err
	}
	if !installed {
		p.Seen = "nothing: the extension amcheck is not there (CREATE EXTENSION amcheck lets the indexes be verified)"
		return nil
	}
	type index struct {
		id   int64
		name string
	}
	var list []index
	err := sift(ctx, db, `SELECT CAST(c.oid AS BIGINT), CAST(c.relname AS TEXT) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE a.amname = 'btree' AND n.nspname = current_schema() AND c.relpersistence = 'p' AND i.indisvalid ORDER BY 2`, nil,
		func(r *row) { list = append(list, index{r.int(), r.text()}) })
	if err != nil {
		return err
	}
	for _, i := range list {
		// The answer is nothing, or an error that says what is wrong.
		err := sift(ctx, db, "SELECT CAST(bt_index_check(CAST($1 AS OID)) AS TEXT)", []any{i.id}, func(*row) {})
		if err != nil && errorClass(err) == classOther && ctx.Err() == nil {
			p.add("damaged indexes", remedyPages, "%s: %v", i.name, err)
		} else if err != nil {
			return err
		}
	}
	p.Seen = fmt.Sprintf("%d indexes", len(list))
	return nil
}

// work looks at jobs, endpoints and imports.
func (x *examiner) work(ctx context.Context, db directory.Store, p *Part) error {
	err := sift(ctx, db, "SELECT count(*), (SELECT count(*) FROM webhooks), (SELECT count(*) FROM bulk_runs) FROM jobs", nil, func(r *row) {
		p.Seen = fmt.Sprintf("%d jobs, %d endpoints, %d imports and actions", r.int(), r.int(), r.int())
	})
	if err == nil {
		err = x.apply(ctx, db, p, workRules)
	}
	return err
}

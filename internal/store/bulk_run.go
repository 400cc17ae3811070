package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// The columns of a run in the order of scanBulkRun and bulkRunValues.
const (
	bulkRunColumns = "tenant, id, kind, name, state, dry_run, options, deed, reason, asker, bytes, parts, total_rows, done_rows, " +
		"counts, error, created_at, started_at, updated_at, ended_at, marks"
	selectBulkRun = "SELECT " + bulkRunColumns + " FROM bulk_runs WHERE tenant = $1"
)

func scanBulkRun(r *row) directory.BulkRun {
	run := directory.BulkRun{Tenant: directory.TenantNo(r.int()), ID: r.text(), Kind: directory.BulkKind(r.text()), Name: r.text(),
		State: directory.BulkState(r.text()), DryRun: r.flag()}
	decode(r, r.text(), &run.Import)
	decode(r, r.text(), &run.Deed)
	run.Reason = r.text()
	decode(r, r.text(), &run.By)
	run.Bytes, run.Parts, run.Rows, run.Done = r.int(), r.int(), r.int(), r.int()
	decode(r, r.text(), &run.Counts)
	run.Error = r.text()
	run.CreatedAt, run.StartedAt, run.UpdatedAt, run.EndedAt = r.time(), r.time(), r.time(), r.time()
	decode(r, r.text(), &run.Marks)
	return run
}

func bulkRunValues(run *directory.BulkRun) ([]any, error) {
	var texts [5]string
	for i, v := range [...]any{run.Import, run.Deed, run.By, run.Counts, run.Marks} {
		text, err := encode(v)
		if err != nil {
			return nil, err
		}
		texts[i] = text
	}
	return []any{int64(run.Tenant), run.ID, string(run.Kind), run.Name, string(run.State), bit(run.DryRun), texts[0], texts[1],
		run.Reason, texts[2], run.Bytes, run.Parts, run.Rows, run.Done, texts[3], run.Error,
		micros(run.CreatedAt), micros(run.StartedAt), micros(run.UpdatedAt), micros(run.EndedAt), texts[4]}, nil
}

// BulkRun implements directory.BulkReader.
func (r *reader) BulkRun(ctx context.Context, t directory.TenantNo, id string) (directory.BulkRun, error) {
	return r.bulkRun(ctx, t, id, "")
}

func (r *reader) bulkRun(ctx context.Context, t directory.TenantNo, id, lock string) (directory.BulkRun, error) {
	var run directory.BulkRun
	err := r.one(ctx, selectBulkRun+" AND id = $2"+lock, []any{int64(t), id}, func(row *row) { run = scanBulkRun(row) })
	return run, err
}

// BulkRuns implements directory.BulkReader.
func (r *reader) BulkRuns(ctx context.Context, t directory.TenantNo, kind directory.BulkKind, beforeTime time.Time, beforeID string, limit int) ([]directory.BulkRun, error) {
	a := args{list: []any{int64(t)}}
	sql := selectBulkRun
	if kind != "" {
		sql += " AND kind = " + a.add(string(kind))
	}
	if !beforeTime.IsZero() || beforeID != "" {
		sql += " AND (created_at, id) < (" + a.add(micros(beforeTime)) + ", " + a.add(beforeID) + ")"
	}
	var list []directory.BulkRun
	err := r.q.query(ctx, sql+" ORDER BY created_at DESC, id DESC LIMIT "+a.add(int64(max(limit, 0))), a.list,
		func(row *row) { list = append(list, scanBulkRun(row)) })
	return list, err
}

// BulkPart implements directory.BulkReader.
func (r *reader) BulkPart(ctx context.Context, t directory.TenantNo, id string, part int64) ([]byte, error) {
	var data []byte
	err := r.one(ctx, "SELECT data FROM bulk_parts WHERE tenant = $1 AND run = $2 AND part = $3", []any{int64(t), id, part},
		func(row *row) { data = row.blob() })
	return data, err
}

// BulkVerdicts implements directory.BulkReader.
func (r *reader) BulkVerdicts(ctx context.Context, t directory.TenantNo, id string, after int64, limit int) ([]directory.VerdictBlock, error) {
	var list []directory.VerdictBlock
	err := r.q.query(ctx, `SELECT first_row, last_row, data FROM bulk_verdicts WHERE tenant = $1 AND run = $2 AND last_row > $3
		AND first_row >= coalesce((SELECT max(first_row) FROM bulk_verdicts WHERE tenant = $1 AND run = $2 AND first_row <= $3), 0)
		ORDER BY first_row LIMIT $4`, []any{int64(t), id, after, int64(max(limit, 0))},
		func(row *row) {
			list = append(list, directory.VerdictBlock{FirstRow: row.int(), LastRow: row.int(), Data: row.blob()})
		})
	return list, err
}

// InsertBulkRun implements directory.BulkWriter.
func (t *tx) InsertBulkRun(ctx context.Context, run directory.BulkRun) error {
	values, err := bulkRunValues(&run)
	if err != nil {
		return err
	}
	return t.insert(ctx, "INSERT INTO bulk_runs ("+bulkRunColumns+") VALUES "+rowsOf(1, len(values))+" ON CONFLICT DO NOTHING", values...)
}

// LockBulkRun implements directory.BulkWriter.
func (t *tx) LockBulkRun(ctx context.Context, tenant directory.TenantNo, id string) (directory.BulkRun, error) {
	return t.bulkRun(ctx, tenant, id, t.e.lock)
}

// UpdateBulkRun implements directory.BulkWriter.
func (t *tx) UpdateBulkRun(ctx context.Context, run directory.BulkRun) error {
	values, err := bulkRunValues(&run)
	if err != nil {
		return err
	}
	return t.change(ctx, `UPDATE bulk_runs SET kind = $3, name = $4, state = $5, dry_run = $6, options = $7, deed = $8, reason = $9,
		asker = $10, bytes = $11, parts = $12, total_rows = $13, done_rows = $14, counts = $15, error = $16,
		created_at = $17, started_at = $18, updated_at = $19, ended_at = $20, marks = $21 WHERE tenant = $1 AND id = $2`, values...)
}

// InsertBulkPart implements directory.BulkWriter.
func (t *tx) InsertBulkPart(ctx context.Context, tenant directory.TenantNo, id string, part int64, data []byte) error {
	return t.insert(ctx, "INSERT INTO bulk_parts (tenant, run, part, data) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
		int64(tenant), id, part, bytesOf(data))
}

// InsertVerdicts implements directory.BulkWriter.
func (t *tx) InsertVerdicts(ctx context.Context, tenant directory.TenantNo, id string, block directory.VerdictBlock) error {
	return t.insert(ctx, "INSERT INTO bulk_verdicts (tenant, run, first_row, last_row, data) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		int64(tenant), id, block.FirstRow, block.LastRow, bytesOf(block.Data))
}

// newSeen writes notes of NoteSeen.
var newSeen = rowsInsert{columns: 3, most: 128,
	head: "INSERT INTO bulk_seen (tenant, run, number) VALUES ", tail: " ON CONFLICT DO NOTHING"}.prepare()

// NoteSeen implements directory.BulkWriter.
func (t *tx) NoteSeen(ctx context.Context, tenant directory.TenantNo, id string, users []int64) error {
	values := make([]any, 0, 3*len(users))
	for _, number := range users {
		values = append(values, int64(tenant), id, number)
	}
	return newSeen.each(values, func(sql string, args []any) error {
		_, err := t.q.exec(ctx, sql, args...)
		return err
	})
}

// SeenRows implements directory.BulkReader.
func (r *reader) SeenRows(ctx context.Context, t directory.TenantNo, id string, users []int64) ([]int64, error) {
	if len(users) == 0 {
		return nil, nil
	}
	a := args{list: []any{int64(t), id}}
	var seen []int64
	sql := "SELECT number FROM bulk_seen WHERE tenant = $1 AND run = $2 AND " + r.e.anyOfNumbers(&a, "number", users)
	err := r.q.query(ctx, sql, a.list, func(row *row) { seen = append(seen, row.int()) })
	return seen, err
}

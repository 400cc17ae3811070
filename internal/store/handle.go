package store

import (
	"context"

	"github.com/usher-id/usher/internal/directory"
)

// InsertHandle implements directory.UserWriter.
func (t *tx) InsertHandle(ctx context.Context, tenant directory.TenantNo, h directory.Handle) error {
	return t.insert(ctx, "INSERT INTO identifiers (tenant, space, key, rid, kinds) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
		int64(tenant), string(h.Space), h.Key, rowID(tenant, h.User), int64(h.Kinds))
}

// SetHandleKinds implements directory.UserWriter.
func (t *tx) SetHandleKinds(ctx context.Context, tenant directory.TenantNo, h directory.Handle) error {
	return t.change(ctx, "UPDATE identifiers SET kinds = $1 WHERE tenant = $2 AND space = $3 AND key = $4 AND rid = $5",
		int64(h.Kinds), int64(tenant), string(h.Space), h.Key, rowID(tenant, h.User))
}

// DeleteHandle implements directory.UserWriter. A handle that is not there, or
// is another user's, is ErrNotFound.
func (t *tx) DeleteHandle(ctx context.Context, tenant directory.TenantNo, space directory.Space, key string, number int64) error {
	return t.change(ctx, "DELETE FROM identifiers WHERE tenant = $1 AND space = $2 AND key = $3 AND rid = $4",
		int64(tenant), string(space), key, rowID(tenant, number))
}

// HandleByKey implements directory.UserReader.
func (r *reader) HandleByKey(ctx context.Context, tenant directory.TenantNo, space directory.Space, key string) (directory.Handle, error) {
	h := directory.Handle{Space: space, Key: key}
	err := r.one(ctx, "SELECT rid, kinds FROM identifiers WHERE tenant = $1 AND space = $2 AND key = $3",
		[]any{int64(tenant), string(space), key}, func(row *row) {
			_, h.User = split(row.int())
			h.Kinds = directory.HandleKind(row.int())
		})
	return h, err
}

var userByHandleSQL = "SELECT i.kinds, " + selectUser +
	" FROM identifiers i JOIN users u ON u.rid = i.rid WHERE i.tenant = $1 AND i.space = $2 AND i.key = $3"

// UserByHandle implements directory.UserReader.
func (r *reader) UserByHandle(ctx context.Context, tenant directory.TenantNo, space directory.Space, key string) (directory.User, directory.HandleKind, error) {
	var u directory.User
	var kinds directory.HandleKind
	err := r.one(ctx, userByHandleSQL, []any{int64(tenant), string(space), key}, func(row *row) {
		kinds = directory.HandleKind(row.int())
		scanUser(row, &u)
	})
	return u, kinds, err
}

// Password implements directory.CredentialReader.
func (r *reader) Password(ctx context.Context, tenant directory.TenantNo, number int64) (directory.Password, error) {
	p := directory.Password{User: number}
	err := r.one(ctx, "SELECT hash, set_at, failures, last_login FROM passwords WHERE rid = $1",
		[]any{rowID(tenant, number)}, func(row *row) {
			p.Hash = row.text()
			p.SetAt = row.time()
			p.Failures = int(row.int())
			p.LastLogin = row.time()
		})
	return p, err
}

// SetPassword implements directory.UserWriter.
func (t *tx) SetPassword(ctx context.Context, tenant directory.TenantNo, p directory.Password) error {
	_, err := t.q.exec(ctx, `INSERT INTO passwords (rid, hash, set_at, failures, last_login) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (rid) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at,
		failures = excluded.failures, last_login = excluded.last_login`,
		rowID(tenant, p.User), p.Hash, micros(p.SetAt), int64(p.Failures), micros(p.LastLogin))
	return err
}

// DeletePassword implements directory.UserWriter. No password is no error.
func (t *tx) DeletePassword(ctx context.Context, tenant directory.TenantNo, number int64) error {
	_, err := t.q.exec(ctx, "DELETE FROM passwords WHERE rid = $1", rowID(tenant, number))
	return err
}

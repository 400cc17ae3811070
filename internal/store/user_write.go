package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

var (
	lockUserSQL = "SELECT " + selectUser + " FROM users u WHERE u.rid = $1"

	insertUserColumns = slices.Concat(userColumns, foldedColumns, []string{"tenant", "number"})
	insertUserSQL     = "INSERT INTO users (" + strings.Join(insertUserColumns, ", ") + ") VALUES (" +
		placeholderList(len(insertUserColumns)) + ") ON CONFLICT DO NOTHING"
)

func placeholderList(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = placeholder(i + 1)
	}
	return strings.Join(list, ", ")
}

// LockUser implements directory.UserWriter.
func (t *tx) LockUser(ctx context.Context, tenant directory.TenantNo, number int64) (directory.User, error) {
	var u directory.User
	err := t.one(ctx, lockUserSQL+t.e.lock, []any{rowID(tenant, number)}, func(r *row) { scanUser(r, &u) })
	return u, err
}

// InsertUser implements directory.UserWriter.
func (t *tx) InsertUser(ctx context.Context, u directory.User) error {
	if rowID(u.Tenant, u.Number) < 0 {
		return fmt.Errorf("store: user %d of tenant %d is out of range", u.Number, u.Tenant)
	}
	values, err := userValues(&u)
	if err != nil {
		return err
	}
	if err := t.insert(ctx, insertUserSQL, append(values, int64(u.Tenant), u.Number)...); err != nil {
		return err
	}
	path, err := t.newCompanyPath(ctx, u.Tenant, u.Company)
	if err != nil {
		return err
	}
	if err := t.insertUserCompany(ctx, &u, path); err != nil {
		return err
	}
	t.pending.document(rowID(u.Tenant, u.Number), searchChange{tenant: int64(u.Tenant), document: u.SearchDocument()})
	return nil
}

// UpdateUser implements directory.UserWriter.
func (t *tx) UpdateUser(ctx context.Context, before, after directory.User) error {
	if before.Tenant != after.Tenant || before.Number != after.Number {
		return errStale
	}
	if err := t.updateRow(ctx, &before, &after); err != nil {
		return err
	}
	if before.State != after.State || before.Company != after.Company {
		if err := t.moveUserCompany(ctx, &before, &after); err != nil {
			return err
		}
	}
	if !directory.SameSearchDocument(&before, &after) {
		t.pending.document(rowID(after.Tenant, after.Number),
			searchChange{tenant: int64(after.Tenant), document: after.SearchDocument()})
	}
	return nil
}

// assignments is the SET of an UPDATE.
type assignments struct {
	args
	sql strings.Builder
}

func (a *assignments) set(column string, value any) {
	if a.sql.Len() > 0 {
		a.sql.WriteString(", ")
	}
	a.sql.WriteString(column)
	a.sql.WriteString(" = ")
	a.sql.WriteString(a.add(value))
}

// updateRow writes the columns that changed, so that an update touches only
// the indexes that it must.
func (t *tx) updateRow(ctx context.Context, before, after *directory.User) error {
	var a assignments
	old, scalars := userScalars(before), userScalars(after)
	for i := range scalars {
		if scalars[i] == old[i] {
			continue
		}
		a.set(userColumns[i], scalars[i].value())
		if key := userColumns[i] + "_key"; slices.Contains(foldedColumns, key) {
			a.set(key, directory.FoldSearch(scalars[i].text))
		}
	}
	if err := a.setCollections(before, after); err != nil {
		return err
	}
	if len(a.list) == 0 {
		return nil
	}
	sql := "UPDATE users SET " + a.sql.String() + " WHERE rid = " + a.add(rowID(after.Tenant, after.Number)) +
		" AND state = " + a.add(int64(before.State.Index())) + " AND company = " + a.add(before.Company) +
		" AND version = " + a.add(before.Version)
	n, err := t.q.exec(ctx, sql, a.list...)
	if err == nil && n == 0 {
		return errStale
	}
	return err
}

// setCollections sets the JSON columns that may have changed. A profile is
// written whenever there is one: before and after may share a map, and then
// comparing them shows nothing.
func (a *assignments) setCollections(before, after *directory.User) error {
	samePhones := slices.Equal(before.Phones, after.Phones)
	noProfile := before.Profile.IsZero() && after.Profile.IsZero()
	sameAddress := before.Address == after.Address
	if samePhones && noProfile && sameAddress {
		return nil
	}
	phones, address, profile, err := encodeCollections(after)
	if err != nil {
		return err
	}
	if !samePhones {
		a.set("phones", phones)
	}
	if !sameAddress {
		a.set("address", address)
	}
	if !noProfile {
		a.set("profile", profile)
	}
	return nil
}

// DeleteUser implements directory.UserWriter.
func (t *tx) DeleteUser(ctx context.Context, u directory.User) error {
	rid := rowID(u.Tenant, u.Number)
	n, err := t.q.exec(ctx, "DELETE FROM users WHERE rid = $1 AND state = $2 AND company = $3",
		rid, int64(u.State.Index()), u.Company)
	if err != nil {
		return err
	}
	if n == 0 {
		return errStale
	}
	path, err := t.companyPath(ctx, u.Tenant, u.Company)
	if err != nil {
		return err
	}
	if err := t.deleteUserCompany(ctx, &u, path); err != nil {
		return err
	}
	for _, table := range [...]string{"identifiers", "passwords", "tokens", "user_locations", "user_roles", "group_members"} {
		if _, err := t.q.exec(ctx, "DELETE FROM "+table+" WHERE rid = $1", rid); err != nil {
			return err
		}
	}
	if _, err := t.q.exec(ctx, "DELETE FROM holds WHERE tenant = $1 AND number = $2", int64(u.Tenant), u.Number); err != nil {
		return err
	}
	if _, err := t.q.exec(ctx, "DELETE FROM impersonations WHERE tenant = $1 AND (admin = $2 OR target = $2)", int64(u.Tenant), u.Number); err != nil {
		return err
	}
	if _, err := t.DeleteSecondFactor(ctx, u.Tenant, u.Number); err != nil {
		return err
	}
	if err := t.endJobsOf(ctx, &u); err != nil {
		return err
	}
	t.pending.document(rid, searchChange{tenant: int64(u.Tenant), drop: true})
	_, err = t.q.exec(ctx, "INSERT INTO purged (tenant, number, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", int64(u.Tenant), u.Number, u.ID)
	return err
}

// companyPath is the numbers of a company's ancestors and its own. A user
// without a company counts for the tenant only.
func (t *tx) companyPath(ctx context.Context, tenant directory.TenantNo, company int64) ([]int64, error) {
	return t.pathBy(ctx, "", tenant, company)
}

// newCompanyPath is companyPath of a company that a user comes to: it cannot be
// deleted then. One that is gone since it was looked up is ErrDuplicate, so that
// it is looked up again.
func (t *tx) newCompanyPath(ctx context.Context, tenant directory.TenantNo, company int64) ([]int64, error) {
	return t.pathBy(ctx, t.e.stay, tenant, company)
}

func (t *tx) pathBy(ctx context.Context, lock string, tenant directory.TenantNo, company int64) ([]int64, error) {
	if company == 0 {
		return nil, nil
	}
	var path []int64
	err := t.one(ctx, "SELECT path FROM companies WHERE tenant = $1 AND number = $2"+lock, []any{int64(tenant), company},
		func(r *row) { path = parsePath(r) })
	if err == directory.ErrNotFound {
		return nil, fmt.Errorf("%w: a user's company %d of tenant %d does not exist", directory.ErrDuplicate, company, tenant)
	}
	return path, err
}

// moveUserCompany brings the list index and the counters from before to after.
// The rows to move are all there unless the caller's user is not the one in the
// database; going on then would make the totals wrong for good.
func (t *tx) moveUserCompany(ctx context.Context, before, after *directory.User) error {
	if before.Company == after.Company {
		path, err := t.companyPath(ctx, after.Tenant, after.Company)
		if err != nil {
			return err
		}
		n, err := t.e.moveListed(ctx, t.q, int64(after.Tenant), after.Number, path, int64(before.State.Index()), int64(after.State.Index()))
		if err != nil {
			return err
		}
		if n != int64(len(path)) {
			return errStale
		}
		t.count(before, path, -1)
		t.count(after, path, +1)
		return nil
	}
	path, err := t.newCompanyPath(ctx, after.Tenant, after.Company)
	if err != nil {
		return err
	}
	old, err := t.companyPath(ctx, before.Tenant, before.Company)
	if err != nil {
		return err
	}
	if err := t.deleteUserCompany(ctx, before, old); err != nil {
		return err
	}
	return t.insertUserCompany(ctx, after, path)
}

// moveListedOneByOne moves the rows of a user in the list index to another
// state where a statement costs little: to SQLite, changing a key with UPDATE
// is twice the work of deleting and inserting the row.
func moveListedOneByOne(ctx context.Context, q querier, tenant, number int64, path []int64, from, to int64) (moved int64, err error) {
	for _, ancestor := range path {
		n, err := q.exec(ctx, "DELETE FROM user_company WHERE tenant = $1 AND ancestor = $2 AND state = $3 AND number = $4",
			tenant, ancestor, from, number)
		if err != nil {
			return moved, err
		}
		moved += n
		_, err = q.exec(ctx, "INSERT INTO user_company (tenant, ancestor, state, number) VALUES ($1, $2, $3, $4)",
			tenant, ancestor, to, number)
		if err != nil {
			return moved, err
		}
	}
	return moved, nil
}

// moveListedTogether does the same in one round trip.
func moveListedTogether(ctx context.Context, q querier, tenant, number int64, path []int64, from, to int64) (moved int64, err error) {
	if len(path) == 0 {
		return 0, nil
	}
	a := args{list: []any{to, tenant, from, number}}
	return q.exec(ctx, "UPDATE user_company SET state = $1 WHERE tenant = $2 AND state = $3 AND number = $4"+ofCompanies(&a, path), a.list...)
}

// ofCompanies is the condition that a row of the list index is of one of the companies.
func ofCompanies(a *args, path []int64) string {
	sql := " AND ancestor IN ("
	for i, ancestor := range path {
		if i > 0 {
			sql += ", "
		}
		sql += a.add(ancestor)
	}
	return sql + ")"
}

func (t *tx) insertUserCompany(ctx context.Context, u *directory.User, path []int64) error {
	t.count(u, path, +1)
	if len(path) == 0 {
		return nil
	}
	var a args
	for _, ancestor := range path {
		a.list = append(a.list, int64(u.Tenant), ancestor, int64(u.State.Index()), u.Number)
	}
	_, err := t.q.exec(ctx, "INSERT INTO user_company (tenant, ancestor, state, number) VALUES "+rowsOf(len(path), 4), a.list...)
	return err
}

func (t *tx) deleteUserCompany(ctx context.Context, u *directory.User, path []int64) error {
	t.count(u, path, -1)
	if len(path) == 0 {
		return nil
	}
	a := args{list: []any{int64(u.Tenant), int64(u.State.Index()), u.Number}}
	n, err := t.q.exec(ctx, "DELETE FROM user_company WHERE tenant = $1 AND state = $2 AND number = $3"+ofCompanies(&a, path), a.list...)
	if err == nil && n != int64(len(path)) {
		return errStale
	}
	return err
}

// count adds a user to the counters of its companies and its tenant.
func (t *tx) count(u *directory.User, path []int64, delta int64) {
	k := totalKey{tenant: int64(u.Tenant), state: int64(u.State.Index())}
	t.pending.total(k, delta)
	for _, ancestor := range path {
		k.company = ancestor
		t.pending.total(k, delta)
	}
}

// parsePath reads "1/14146".
func parsePath(r *row) []int64 {
	text := r.text()
	var path []int64
	for part := range strings.SplitSeq(text, "/") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			if text != "" && r.err == nil {
				r.err = fmt.Errorf("store: company path %q: %w", text, err)
			}
			return nil
		}
		path = append(path, n)
	}
	return path
}

func formatPath(path []int64) string {
	var b []byte
	for i, n := range path {
		if i > 0 {
			b = append(b, '/')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(b)
}

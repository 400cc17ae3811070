package store

import (
	"context"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

// fewUsers is how many users of a company or of some states are looked at one by one
// in place of the matches of an index in the whole tenant.
const fewUsers = 20_000

// fewListed reports whether the list index has so few users of the company or the
// states of a query that they are looked at one by one. The counters are a hint: the
// answer does not depend on them.
func (r *reader) fewListed(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) (bool, error) {
	if q.Company == 0 && states(q).Has(directory.StateActive) || len(q.Numbers) > 0 || named(q.Filter) {
		return false, nil
	}
	n, err := r.UserTotal(ctx, t, q.Company, states(q))
	return n <= fewUsers, err
}

// named reports that an index leads to the users of a filter, who are one or few.
func named(f directory.Filter) bool {
	switch f := f.(type) {
	case directory.And:
		for _, m := range f {
			if named(m) {
				return true
			}
		}
	case directory.Text:
		return f.Field != directory.FieldLicenceType && filterIndex(f) != ""
	case directory.External:
		return f.Op == directory.OpEqual
	}
	return false
}

// fromList begins a condition with the users of the list index.
func (r *reader) fromList(c *condition, t directory.TenantNo, q *directory.UserQuery) {
	c.key, c.base = "u.number", 0
	c.from = " FROM (" + r.listKeys(&c.args, t, q, directory.MaxNumber) + ") k CROSS JOIN users u WHERE u.rid = " +
		c.args.add(int64(t)<<numberBits) + " + k.number AND "
}

// ofRole begins a condition with the holders of a role, who come in order of number by
// themselves; one who holds it for several companies comes once.
func (c *condition) ofRole(t directory.TenantNo, role int64) {
	c.key = "h.rid"
	c.from = " FROM user_roles h CROSS JOIN users u WHERE h.tenant = " + c.args.add(int64(t)) + " AND h.role = " + c.args.add(role) +
		" AND u.rid = h.rid AND NOT EXISTS (SELECT 1 FROM user_roles o WHERE o.rid = h.rid AND o.role = h.role AND o.company < h.company) AND "
}

// belonging tests groups, role, sign-in and numbers, where they are not how the users
// are found.
func (c *condition) belonging(t directory.TenantNo, q *directory.UserQuery) {
	if len(q.GroupNumbers) > 0 && c.key != "m.rid" && c.key != "k.rid" {
		c.tests += " AND EXISTS (SELECT 1 FROM group_members gm WHERE gm.rid = u.rid AND gm.group_no IN " + c.list(q.GroupNumbers) + ")"
	}
	if q.Role != 0 && c.key != "h.rid" {
		c.tests += " AND EXISTS (SELECT 1 FROM user_roles hr WHERE hr.rid = u.rid AND hr.role = " + c.args.add(q.Role) + ")"
	}
	if len(q.Numbers) > 0 {
		c.tests += " AND u.rid IN " + c.rids(t, q.Numbers)
	}
	if s := q.SignedIn; s.Never {
		c.tests += " AND NOT EXISTS (SELECT 1 FROM passwords pw WHERE pw.rid = u.rid AND pw.last_login <> " + c.args.add(noTime) + ")"
	} else if !s.IsZero() {
		c.tests += " AND EXISTS (SELECT 1 FROM passwords pw WHERE pw.rid = u.rid AND pw.last_login <> " + c.args.add(noTime)
		if !s.From.IsZero() {
			c.tests += " AND pw.last_login >= " + c.args.add(micros(s.From))
		}
		if !s.Before.IsZero() {
			c.tests += " AND pw.last_login < " + c.args.add(micros(s.Before))
		}
		c.tests += ")"
	}
}

// walks reports that no index has the matches of a query, so that users are looked at
// one by one in the order of the list.
func walks(q *directory.UserQuery) bool {
	return (q.Filter != nil || !q.SignedIn.IsZero()) && len(q.Terms)+len(q.GroupNumbers)+len(q.Groups)+len(q.Numbers) == 0 && q.Role == 0 &&
		filterIndex(q.Filter) == "" && len(filterPhrases(q.Filter)) == 0 && !named(q.Filter)
}

// LookEnd implements directory.PeopleReader.
func (r *reader) LookEnd(ctx context.Context, t directory.TenantNo, q directory.UserQuery, look int) (number int64, value string, walk bool, err error) {
	column := sortColumns[q.Sort]
	if !walks(&q) || look < 1 || column != "" && !sortIndexes.Has(q.Sort) {
		return 0, "", false, nil
	}
	if few, err := r.fewListed(ctx, t, &q); few || err != nil {
		return 0, "", false, err
	}
	q.Until = 0
	c := &condition{key: "u.rid", base: int64(t) << numberBits}
	by, sql := "u.rid"+order(&q), "''"
	if column == "" {
		above, below := bounds(&q)
		c.from = " FROM users u WHERE u.rid > " + c.args.add(c.base+above) + " AND u.rid < " + c.args.add(c.base+below)
	} else {
		c.key, c.base = "u.number", 0
		c.from = " FROM users u WHERE u.tenant = " + c.args.add(int64(t))
		if err := c.after(column, &q); err != nil {
			return 0, "", false, err
		}
		sql = column
		by = column + order(&q) + ", u.number" + order(&q)
	}
	err = r.q.scan(ctx, "SELECT u.number, "+sql+c.from+c.tests+" ORDER BY "+by+" LIMIT 1 OFFSET "+c.args.add(int64(look-1)), c.args.list,
		func(row *row) { number, value = row.int(), row.text() })
	return number, value, true, err
}

// CanSort implements directory.PeopleReader.
func (r *reader) CanSort(ctx context.Context, t directory.TenantNo, q directory.UserQuery, limit int64) (bool, error) {
	if !sorted(&q) {
		return true, nil
	}
	n, err := r.UserTotal(ctx, t, q.Company, states(&q))
	if err != nil || n <= limit {
		return err == nil, err
	}
	if q.Plain() || walks(&q) {
		return sortIndexes.Has(q.Sort), nil
	}
	n, err = r.CountUsers(ctx, t, q, limit+1)
	return n <= limit, err
}

// LastSignIns implements directory.PeopleReader.
func (r *reader) LastSignIns(ctx context.Context, t directory.TenantNo, numbers []int64) (map[int64]time.Time, error) {
	last := make(map[int64]time.Time, len(numbers))
	if len(numbers) == 0 {
		return last, nil
	}
	rids := make([]int64, len(numbers))
	for i, number := range numbers {
		rids[i] = rowID(t, number)
	}
	var a args
	sql := "SELECT p.rid, p.last_login FROM passwords p WHERE " + r.e.anyOfNumbers(&a, "p.rid", rids)
	err := r.q.query(ctx, sql, a.list, func(row *row) {
		rid := row.int()
		if at := row.time(); !at.IsZero() {
			last[rid-int64(t)<<numberBits] = at
		}
	})
	return last, err
}

// rids is the list of the row ids of users.
func (c *condition) rids(t directory.TenantNo, numbers []int64) string {
	rids := make([]int64, len(numbers))
	for i, number := range numbers {
		rids[i] = rowID(t, number)
	}
	return c.list(rids)
}

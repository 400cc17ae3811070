package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-id/usher/internal/directory"
)

var (
	userByNumberSQL = "SELECT " + selectUser + " FROM users u WHERE u.rid = $1"
	userByIDSQL     = "SELECT " + selectUser + " FROM users u WHERE u.tenant = $1 AND u.id = $2"
)

// UserByNumber implements directory.UserReader.
func (r *reader) UserByNumber(ctx context.Context, t directory.TenantNo, number int64) (directory.User, error) {
	var u directory.User
	err := r.one(ctx, userByNumberSQL, []any{rowID(t, number)}, func(row *row) { scanUser(row, &u) })
	return u, err
}

// UserByID implements directory.UserReader.
func (r *reader) UserByID(ctx context.Context, t directory.TenantNo, id string) (directory.User, error) {
	var u directory.User
	err := r.one(ctx, userByIDSQL, []any{int64(t), id}, func(row *row) { scanUser(row, &u) })
	return u, err
}

// Purged implements directory.UserReader.
func (r *reader) Purged(ctx context.Context, t directory.TenantNo, number int64, id string) (int64, error) {
	var gone int64
	err := r.q.query(ctx, "SELECT number FROM purged WHERE tenant = $1 AND number = $2 OR tenant = $1 AND id = $3",
		[]any{int64(t), number, id}, func(row *row) { gone = row.int() })
	return gone, err
}

// InSubtree implements directory.UserReader.
func (r *reader) InSubtree(ctx context.Context, t directory.TenantNo, company, number int64) (bool, error) {
	var in bool
	err := r.q.query(ctx, `SELECT count(*) FROM user_company WHERE tenant = $1 AND ancestor = $2 AND state IN (0, 1, 2, 3) AND number = $3`,
		[]any{int64(t), company, number}, func(row *row) { in = row.flag() })
	return in, err
}

// deepSkip is how many keys of an index a page may pass over as a look-up: beyond
// that the time rises with the place, about a second for each twenty million.
const deepSkip = 10_000

// Users implements directory.UserReader.
func (r *reader) Users(ctx context.Context, t directory.TenantNo, q directory.UserQuery) ([]directory.User, error) {
	if q.Limit <= 0 || nothing(t, &q) {
		return nil, nil
	}
	if sorted(&q) {
		return r.sortedUsers(ctx, t, &q)
	}
	users := make([]directory.User, 0, min(q.Limit, 64))
	each := func(row *row) { users = appendUser(users, row) }
	if listed(&q) {
		sql, a := r.pageSQL(t, &q)
		run := r.q.query
		if q.Skip > deepSkip {
			run = r.q.scan
		}
		if err := run(ctx, sql, a, each); err != nil {
			return nil, err
		}
		// The page itself is in order, but a join need not keep it.
		slices.SortFunc(users, func(a, b directory.User) int { return cmp.Compare(a.Number, b.Number) })
		if q.Descending {
			slices.Reverse(users)
		}
		return users, nil
	}
	c, none, err := r.condition(ctx, t, &q)
	if none || err != nil {
		return nil, err
	}
	if len(q.Terms) > 0 && r.snapshot && q.WantTotal && q.After == 0 && q.Filter == nil && q.Skip <= directory.CountLimit-q.Limit {
		return r.searchOnce(ctx, t, &q, c)
	}
	sql := "SELECT " + selectUser + c.from + c.tests + " ORDER BY " + c.key + order(&q) + " LIMIT " + c.args.add(int64(q.Limit)) +
		" OFFSET " + c.args.add(int64(q.Skip))
	if err := r.q.scan(ctx, sql, c.args.list, each); err != nil {
		return nil, err
	}
	return users, nil
}

// CountUsers implements directory.UserReader.
func (r *reader) CountUsers(ctx context.Context, t directory.TenantNo, q directory.UserQuery, limit int64) (int64, error) {
	if limit <= 0 || nothing(t, &q) {
		return 0, nil
	}
	q.After = 0
	var n int64
	each := func(row *row) { n = row.int() }
	if listed(&q) {
		var a args
		keys := r.listKeys(&a, t, &q, limit)
		sql := "SELECT count(*) FROM (" + keys + " LIMIT " + a.add(limit) + ") k"
		return n, r.q.scan(ctx, sql, a.list, each)
	}
	if n, ok := r.counted.answer(t, &q, limit); ok {
		return n, nil
	}
	c, none, err := r.condition(ctx, t, &q)
	if none || err != nil {
		return 0, err
	}
	sql := "SELECT count(*) FROM (SELECT 1" + c.from + c.tests + " LIMIT " + c.args.add(limit) + ") k"
	err = r.q.scan(ctx, sql, c.args.list, each)
	return n, err
}

// nothing reports that a query can have no rows.
func nothing(t directory.TenantNo, q *directory.UserQuery) bool {
	return t < 1 || t >= maxTenant || states(q)&directory.StatesOf(directory.States[:]...) == 0 ||
		len(q.Groups) > 0 && len(q.GroupNumbers) == 0
}

// listed reports that an index has just the users of a query, in order. That is
// so without terms, filter and groups, but for lists of a tenant that hold the active
// users: their rows are walked in order of number, and tested like a filter.
// Most users are active, so that few are passed over, and every change of state
// would pay for an index of them.
func listed(q *directory.UserQuery) bool {
	return q.Plain() && (q.Company != 0 || !states(q).Has(directory.StateActive))
}

// pageSQL lists without a condition: first the numbers of the page from an
// index that has nothing else, so that an offset costs little, then the rows.
func (r *reader) pageSQL(t directory.TenantNo, q *directory.UserQuery) (string, []any) {
	var a args
	keys := r.listKeys(&a, t, q, int64(q.Skip)+int64(q.Limit))
	sql := "SELECT " + selectUser + " FROM (" + keys + " ORDER BY 1" + order(q) + " LIMIT " + a.add(int64(q.Limit)) + " OFFSET " +
		a.add(int64(q.Skip)) + ") k CROSS JOIN users u WHERE u.rid = " + a.add(int64(t)<<numberBits) + " + k.number"
	return sql, a.list
}

// order is what an ORDER BY of numbers ends with.
func order(q *directory.UserQuery) string {
	if q.Descending {
		return " DESC"
	}
	return ""
}

// bounds are the numbers that a query asks for, both left out themselves.
func bounds(q *directory.UserQuery) (above, below int64) {
	above, below = 0, directory.MaxNumber+1
	switch {
	case q.Descending && q.After > 0:
		below = min(q.After, below)
	case !q.Descending:
		above = min(max(q.After, 0), directory.MaxNumber)
	}
	if q.Until > 0 && !sorted(q) {
		if q.Descending {
			above = max(above, q.Until-1)
		} else {
			below = min(below, q.Until+1)
		}
	}
	return above, below
}

// listKeys selects the numbers after q.After: one bounded range of the index
// for each state, which the database merges. The caller wants at most limit.
func (r *reader) listKeys(a *args, t directory.TenantNo, q *directory.UserQuery, limit int64) string {
	where := " FROM users WHERE state <> 1 AND tenant = " + a.add(int64(t))
	if q.Company != 0 {
		where = " FROM user_company WHERE tenant = $1 AND ancestor = " + a.add(q.Company)
	}
	above, below := bounds(q)
	where += " AND number > " + a.add(above) + " AND number < " + a.add(below) + " AND state = "
	var sql strings.Builder
	for _, state := range directory.States {
		if !states(q).Has(state) {
			continue
		}
		if sql.Len() > 0 {
			sql.WriteString(" UNION ALL ")
		}
		sql.WriteString(r.e.branch(a, "SELECT number"+where+strconv.Itoa(state.Index()), order(q), limit))
	}
	return "SELECT number FROM (" + sql.String() + ") k"
}

// states is the set that a query means.
func states(q *directory.UserQuery) directory.StateSet {
	if q.States == 0 {
		return directory.LivingStates
	}
	return q.States
}

// stateList is "0, 2": the codes of a set for IN.
func stateList(set directory.StateSet) string {
	list := "-1"
	for _, state := range directory.States {
		if set.Has(state) {
			list += ", " + strconv.Itoa(state.Index())
		}
	}
	return list
}

// condition is the FROM and WHERE of a search or a filter, over alias u: from
// chooses users, by the search index if there are terms, and tests, each after
// an AND, decide on them.
type condition struct {
	from, tests string
	key         string // column to order by: the users' row id or number, or the same in the search index
	base        int64  // what a number in key is more than
	args        args
}

// condition compiles terms and filter. Rows are visited in the order of their
// numbers and tested one by one, within the matches of the search index if
// there are any terms. none means that nothing can match.
func (r *reader) condition(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) (c *condition, none bool, err error) {
	terms, ok := termPhrases(q.Terms)
	if !ok {
		return nil, true, nil
	}
	implied := filterPhrases(q.Filter)
	indexed := filterIndex(q.Filter)
	if indexed != "" && len(terms) == 0 {
		implied = nil
	}
	c = &condition{key: "u.rid", base: int64(t) << numberBits}
	if len(terms)+len(implied) > 0 {
		if err := r.flushBeforeSearch(ctx); err != nil {
			return nil, false, err
		}
		match, tests := r.e.searchMatch(&c.args, int64(t), terms, implied)
		c.searched(r.e, match, tests)
	} else if few, err := r.fewListed(ctx, t, q); err != nil {
		return nil, false, err
	} else if few {
		r.fromList(c, t, q)
	} else if indexed != "" {
		c.indexed(t, indexed)
	} else if len(q.GroupNumbers) > 0 {
		c.grouped(t, q.GroupNumbers)
	} else if q.Role != 0 {
		c.ofRole(t, q.Role)
	} else {
		c.from = " FROM users u WHERE "
	}
	c.among(r.e, t, q)
	c.belonging(t, q)
	return c, false, c.filtered(r.e, t, q.Filter)
}

// filtered tests a filter, if there is one.
func (c *condition) filtered(e *engine, t directory.TenantNo, filter directory.Filter) error {
	if filter == nil {
		return nil
	}
	f := filterCompiler{e: e, args: &c.args, tenant: t}
	c.tests += " AND " + f.compile(filter)
	return f.err
}

// indexed begins a condition with an index of the tenant's users, which has them
// in order of key.
func (c *condition) indexed(t directory.TenantNo, key string) {
	c.from = " FROM users u WHERE u.tenant = " + c.args.add(int64(t)) + " AND "
	if c.key = key; key == "u.number" {
		c.base = 0
	}
}

// searched begins a condition with what the search index answers.
func (c *condition) searched(e *engine, match, tests string) {
	c.key = e.searchKey
	c.from = " FROM user_search s CROSS JOIN users u WHERE " + match + " AND u.rid = " + c.key + " AND "
	c.tests = tests
}

// grouped begins a condition with the members of groups.
func (c *condition) grouped(t directory.TenantNo, groups []int64) {
	tenant := c.args.add(int64(t))
	if len(groups) == 1 {
		// These come in order of number by themselves.
		c.key = "m.rid"
		c.from = " FROM group_members m CROSS JOIN users u WHERE m.tenant = " + tenant + " AND m.group_no = " + c.args.add(groups[0]) + " AND u.rid = m.rid AND "
		return
	}
	c.key = "k.rid"
	c.from = " FROM (SELECT DISTINCT m.rid FROM group_members m WHERE m.tenant = " + tenant + " AND m.group_no IN " + c.list(groups) +
		") k CROSS JOIN users u WHERE u.rid = k.rid AND "
}

// list is "($1, $2)".
func (c *condition) list(numbers []int64) string {
	list := make([]string, len(numbers))
	for i, n := range numbers {
		list[i] = c.args.add(n)
	}
	return "(" + strings.Join(list, ", ") + ")"
}

// among bounds a condition to the tenant and to numbers after q.After, and
// tests states and company.
func (c *condition) among(e *engine, t directory.TenantNo, q *directory.UserQuery) {
	above, below := bounds(q)
	c.from += c.key + " > " + c.args.add(c.base+above) + " AND " + c.key + " < " + c.args.add(c.base+below)
	c.inStates(e, t, q)
}

// inStates tests states and company.
func (c *condition) inStates(e *engine, t directory.TenantNo, q *directory.UserQuery) {
	// The plus keeps SQLite from choosing the index on states, which would
	// have to be sorted.
	c.tests += " AND +u.state IN (" + stateList(states(q)) + ")"
	c.tests += ofSubtree(e, &c.args, t, q.Company)
}

// ofSubtree tests, after an AND, that users u are of a company's subtree; 0 is
// the tenant. The companies are few and near at hand; the user's rows in the
// list index are far apart.
func ofSubtree(e *engine, a *args, t directory.TenantNo, company int64) string {
	if company == 0 {
		return ""
	}
	path := a.add("/" + strconv.FormatInt(company, 10) + "/")
	return " AND (u.company = " + a.add(company) + " OR EXISTS (SELECT 1 FROM companies co WHERE co.tenant = " +
		a.add(int64(t)) + " AND co.number = u.company AND " + e.instr + "('/' || co.path || '/', " + path + ") > 0))"
}

// termPhrases are what a search document must contain for the terms of a query.
func termPhrases(terms []string) (phrases []string, ok bool) {
	for _, term := range terms {
		phrase, ok := directory.SearchPhrase(term)
		if !ok {
			return nil, false
		}
		if phrase != "" && !slices.Contains(phrases, phrase) {
			phrases = append(phrases, phrase)
		}
	}
	return phrases, true
}

// DeletedUsers implements directory.UserReader.
func (r *reader) DeletedUsers(ctx context.Context, t directory.TenantNo, before, afterTime time.Time, after int64, limit int) ([]directory.User, error) {
	var users []directory.User
	err := r.q.query(ctx, "SELECT "+selectUser+` FROM users u WHERE u.tenant = $1 AND u.state = 3 AND u.deleted_at < $2 AND (u.deleted_at, u.number) > ($3, $4)
		ORDER BY u.deleted_at, u.number LIMIT $5`,
		[]any{int64(t), micros(before), micros(afterTime), after, int64(max(limit, 0))}, func(row *row) { users = appendUser(users, row) })
	return users, err
}

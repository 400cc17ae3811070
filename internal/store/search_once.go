package store

import (
	"context"
	"slices"

	"github.com/usher-id/usher/internal/directory"
)

// glanceLimit is how many users a glance looks at. They cost less than the
// lists that it leaves out are long in a large directory.
const glanceLimit = 256

// searchOnce reads a page whose total will be asked for next: it walks the
// matches once, to the end or as far as totals are counted, and reads the users
// of the page by key. Walking to the page and then again from the beginning
// costs up to twice as much.
func (r *reader) searchOnce(ctx context.Context, t directory.TenantNo, q *directory.UserQuery, c *condition) ([]directory.User, error) {
	rids, ok, err := r.glance(ctx, t, q)
	if err == nil && !ok {
		sql := "SELECT u.rid" + c.from + c.tests + " ORDER BY " + c.key + order(q) + " LIMIT " + c.args.add(int64(directory.CountLimit))
		err = r.q.scan(ctx, sql, c.args.list, func(row *row) { rids = append(rids, row.int()) })
	}
	if err != nil {
		return nil, err
	}
	page := rids[min(q.Skip, len(rids)):]
	page = page[:min(q.Limit, len(page))]
	users := make([]directory.User, 0, len(page))
	for _, rid := range page {
		err := r.q.query(ctx, userByNumberSQL, []any{rid}, func(row *row) { users = appendUser(users, row) })
		if err != nil {
			return nil, err
		}
	}
	r.counted = &searchCount{tenant: t, query: *q, n: int64(len(rids))}
	return users, nil
}

// glance finds all matches of terms by as little of the search index as may
// do, and gives up (ok is false) when that leaves more users to look at than
// glanceLimit: then it is better to read more of the index.
func (r *reader) glance(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) (rids []int64, ok bool, err error) {
	terms, ok := termPhrases(q.Terms)
	if !ok || r.e.searchGlance == nil {
		return nil, false, nil
	}
	c := condition{base: int64(t) << numberBits}
	match, tests := r.e.searchGlance(&c.args, terms)
	if tests == "" {
		return nil, false, nil // the whole search needs no more than this
	}
	c.searched(r.e, match, tests)
	c.among(r.e, t, q)
	c.belonging(t, q)
	seen := 0
	sql := "SELECT u.rid, (1 = 1" + c.tests + ")" + c.from + " ORDER BY " + c.key + order(q) + " LIMIT " + c.args.add(int64(glanceLimit+1))
	err = r.q.scan(ctx, sql, c.args.list, func(row *row) {
		seen++
		if rid := row.int(); row.flag() {
			rids = append(rids, rid)
		}
	})
	if err != nil || seen > glanceLimit {
		return nil, false, err
	}
	return rids, true, nil
}

// searchCount is what a search has counted in a snapshot, up to
// directory.CountLimit.
type searchCount struct {
	tenant directory.TenantNo
	query  directory.UserQuery
	n      int64
}

// answer is the number of matches of a query, counted up to limit, if it is
// known. Where the page was does not matter to it.
func (c *searchCount) answer(t directory.TenantNo, q *directory.UserQuery, limit int64) (n int64, ok bool) {
	if c == nil || c.tenant != t || c.query.Company != q.Company || states(&c.query) != states(q) || q.Filter != nil ||
		!slices.Equal(c.query.Terms, q.Terms) || !slices.Equal(c.query.GroupNumbers, q.GroupNumbers) ||
		c.query.Role != q.Role || c.query.SignedIn != q.SignedIn || !slices.Equal(c.query.Numbers, q.Numbers) || c.n == directory.CountLimit && limit > c.n {
		return 0, false
	}
	return min(c.n, limit), true
}

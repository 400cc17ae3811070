package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/usher-id/usher/internal/directory"
)

// sortColumns hold directory.SortValue of the fields by which users can be
// sorted; the engines compare texts byte by byte.
var sortColumns = map[directory.Field]string{
	directory.FieldUserName: "u.user_name_key", directory.FieldEmail: "u.email_key", directory.FieldGivenName: "u.given_name_key",
	directory.FieldFamilyName: "u.family_name_key", directory.FieldDisplayName: "u.display_name_key",
	directory.FieldCreatedAt: "u.created_at", directory.FieldUpdatedAt: "u.updated_at",
}

// sortIndexes are the fields with an index in whose order a tenant's users can
// be walked. A sort by any other reads all matches.
var sortIndexes = directory.Fields(directory.FieldUserName, directory.FieldEmail, directory.FieldFamilyName)

// sorted reports that a query asks for another order than that of numbers.
func sorted(q *directory.UserQuery) bool {
	_, ok := sortColumns[q.Sort]
	return ok
}

// sortedUsers lists in order of a field and number.
func (r *reader) sortedUsers(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) ([]directory.User, error) {
	c, none, err := r.sortedCondition(ctx, t, q)
	if none || err != nil {
		return nil, err
	}
	column := sortColumns[q.Sort]
	if err := c.after(column, q); err != nil {
		return nil, err
	}
	users := make([]directory.User, 0, min(q.Limit, 64))
	sql := "SELECT " + selectUser + c.from + c.tests + " ORDER BY " + column + order(q) + ", " + c.key + order(q) +
		" LIMIT " + c.args.add(int64(q.Limit)) + " OFFSET " + c.args.add(int64(q.Skip))
	err = r.q.scan(ctx, sql, c.args.list, func(row *row) { users = appendUser(users, row) })
	return users, err
}

// after bounds a condition to what follows the user of q.After in a sorted list, and
// to what does not follow that of q.Until.
func (c *condition) after(column string, q *directory.UserQuery) error {
	beyond, within := " > ", " <= "
	if q.Descending {
		beyond, within = " < ", " >= "
	}
	for _, end := range []struct {
		number int64
		value  string
		sign   string
	}{{q.After, q.AfterValue, beyond}, {q.Until, q.UntilValue, within}} {
		if end.number <= 0 {
			continue
		}
		value := any(end.value)
		if q.Sort == directory.FieldCreatedAt || q.Sort == directory.FieldUpdatedAt {
			n, err := strconv.ParseInt(end.value, 10, 64)
			if err != nil {
				return fmt.Errorf("store: AfterValue of a time: %w", err)
			}
			value = n
		}
		c.tests += " AND (" + column + ", " + c.key + ")" + end.sign + "(" + c.args.add(value) + ", " + c.args.add(c.base+min(end.number, directory.MaxNumber+1)) + ")"
	}
	return nil
}

// sortedCondition chooses where the users of a sorted list come from: as for
// an unsorted one if that is an index, and else from the walk of the field's
// index, or from the list index if the list is short.
func (r *reader) sortedCondition(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) (*condition, bool, error) {
	whole := *q
	whole.After, whole.Until, whole.Descending = 0, 0, false
	if len(q.Terms)+len(q.GroupNumbers)+len(q.Numbers) > 0 || q.Role != 0 || filterIndex(q.Filter) != "" || len(filterPhrases(q.Filter)) > 0 {
		return r.condition(ctx, t, &whole)
	}
	short, err := r.shortList(ctx, t, q)
	if err != nil {
		return nil, false, err
	}
	c := &condition{key: "u.number"}
	switch {
	case short:
		keys := r.listKeys(&c.args, t, &whole, directory.MaxNumber)
		c.from = " FROM (" + keys + ") k CROSS JOIN users u WHERE u.rid = " + c.args.add(int64(t)<<numberBits) + " + k.number"
	case sortIndexes.Has(q.Sort):
		c.from = " FROM users u WHERE u.tenant = " + c.args.add(int64(t))
		c.inStates(r.e, t, q)
	default:
		return r.condition(ctx, t, &whole)
	}
	c.belonging(t, q)
	return c, false, c.filtered(r.e, t, q.Filter)
}

// shortLists is how many users are looked at one by one for a filter, which may
// have few matches, before the whole tenant is walked in order.
const shortLists = 50_000

// shortList reports whether the list index has so few users of a query that
// reading all of them costs less than passing over the others in order. The
// counters are a hint: the answer does not depend on them.
func (r *reader) shortList(ctx context.Context, t directory.TenantNo, q *directory.UserQuery) (bool, error) {
	if q.Company == 0 && states(q).Has(directory.StateActive) {
		return false, nil
	}
	n, err := r.UserTotal(ctx, t, q.Company, states(q))
	if err != nil {
		return false, err
	}
	total, err := r.UserTotal(ctx, t, 0, directory.StatesOf(directory.States[:]...))
	if err != nil {
		return false, err
	}
	walked := float64(q.Skip+q.Limit) * float64(total) // for n matches that are evenly spread
	return float64(n)*float64(n) <= walked || q.Filter != nil && n <= shortLists || !sortIndexes.Has(q.Sort) && 2*n < total, nil
}

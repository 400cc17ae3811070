package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// usersAtOnce is how many users one snapshot of an examination reads.
const usersAtOnce = 1000

// sampledUsers is about how many users are looked for by their search text where
// that costs a look-up for each of its parts, evenly among all.
const sampledUsers = 300

var examineUsersSQL = "SELECT u.rid, u.tenant, u.number, u." + strings.Join(foldedColumns, ", u.") +
	" FROM users u WHERE u.rid > $1 ORDER BY u.rid LIMIT $2"

// userWalk looks at all users, page after page.
type userWalk struct {
	*examiner
	p            *Part
	users        int64
	handles      int64
	every        int64 // of so many users one is looked for in the index
	sampled      int64
	after, until int64 // row ids of the page: behind, through
}

// walkedUser is a user with what its row says of it a second time.
type walkedUser struct {
	directory.User
	rid    int64
	tenant int64
	number int64
	folded []string
}

func (u *walkedUser) String() string { return fmt.Sprintf("tenant %d user %d", u.tenant, u.number) }

// users compares each user with its handles, its folded texts and the search index.
func (x *examiner) users(ctx context.Context, db directory.Store, p *Part) error {
	w := &userWalk{examiner: x, p: p, after: -1, every: 1}
	if err := sift(ctx, db, "SELECT count(*) FROM users", nil, func(r *row) { w.every = r.int()/sampledUsers + 1 }); err != nil {
		return err
	}
	for w.after < math.MaxInt64 {
		if err := db.View(ctx, func(r directory.Reader) error { return w.page(ctx, r.(*reader)) }); err != nil {
			return err
		}
	}
	p.Seen = fmt.Sprintf("%d users, %d handles", w.users, w.handles)
	if x.e.name == "sqlite" {
		p.Seen += fmt.Sprintf(", %d looked for in the search index", w.sampled)
	}
	return nil
}

// page looks at the next users, and at everything that lies between them and the
// page before: handles and search texts of users that do not exist.
func (w *userWalk) page(ctx context.Context, r *reader) error {
	var page []walkedUser
	q := r.q
	err := q.scan(ctx, examineUsersSQL, []any{w.after, int64(usersAtOnce)}, func(row *row) {
		u := walkedUser{rid: row.int(), tenant: row.int(), number: row.int()}
		for range foldedColumns {
			u.folded = append(u.folded, row.text())
		}
		page = append(page, u)
	})
	if err != nil {
		return err
	}
	w.until = math.MaxInt64
	if len(page) == usersAtOnce {
		w.until = page[len(page)-1].rid
	}
	users, err := r.usersWhere(ctx, usersAtOnce, &args{list: []any{w.after, w.until}}, "u.rid > $1 AND u.rid <= $2")
	if err != nil {
		return err
	}
	for _, u := range users {
		at, there := slices.BinarySearchFunc(page, int64(u.Tenant)<<numberBits|u.Number, func(w walkedUser, rid int64) int { return cmp.Compare(w.rid, rid) })
		if there {
			page[at].User = u
		}
	}
	for i := range page {
		w.row(&page[i])
	}
	if err := w.compareHandles(ctx, q, page); err != nil {
		return err
	}
	if err := w.compareSearch(ctx, q, page); err != nil {
		return err
	}
	w.users += int64(len(page))
	w.after = w.until
	return nil
}

// row looks at what a user's row says by itself.
func (w *userWalk) row(u *walkedUser) {
	if u.rid != rowID(directory.TenantNo(u.tenant), u.number) {
		w.p.add("users whose key is not their tenant and number", remedyForeign, "%s", u)
	}
	if u.State == "" || (u.State == directory.StateDeleted) == u.DeletedAt.IsZero() || u.Version < 1 {
		w.p.add("users in a state that there is not", remedyForeign, "%s", u)
	}
	if (u.Seat != 0) != directory.DueSeat(&u.User) {
		w.p.add("users that hold a seat and should not, or the other way round", remedyForeign, "%s", u)
	}
	for i, text := range [...]string{u.UserName, u.Email, u.GivenName, u.FamilyName, u.DisplayName, u.EmployeeNumber} {
		if directory.FoldSearch(text) != u.folded[i] {
			w.p.add("users that are filtered and sorted as if they were called another", remedyForeign, "%s %s", u, foldedColumns[i])
		}
	}
}

// heldHandle names a row of identifiers.
type heldHandle struct {
	tenant     int64
	space, key string
}

// compareHandles compares the handles of a page with those that its users are due.
func (w *userWalk) compareHandles(ctx context.Context, q querier, page []walkedUser) error {
	type holder struct {
		rid   int64
		kinds directory.HandleKind
	}
	due := map[heldHandle]holder{}
	for i := range page {
		u := &page[i]
		for _, h := range directory.HandlesDue(&u.User) {
			due[heldHandle{int64(u.Tenant), string(h.Space), h.Key}] = holder{u.rid, h.Kinds}
		}
	}
	err := q.scan(ctx, "SELECT tenant, space, key, rid, kinds FROM identifiers WHERE rid > $1 AND rid <= $2", []any{w.after, w.until}, func(r *row) {
		h := heldHandle{r.int(), r.text(), r.text()}
		have := holder{r.int(), directory.HandleKind(r.int())}
		w.handles++
		want, known := due[h]
		tenant, number := split(have.rid)
		switch {
		case !known || want.rid != have.rid:
			w.p.add("handles that lead to a user who does not have them", remedyForeign, "tenant %d user %d, in %s", tenant, number, spaceOf(h.space))
			return
		case want.kinds != have.kinds:
			w.p.add("handles that are held as something else", remedyForeign, "tenant %d user %d, in %s", tenant, number, spaceOf(h.space))
		}
		delete(due, h)
	})
	if err != nil {
		return err
	}
	for _, h := range slices.SortedFunc(maps.Keys(due), func(a, b heldHandle) int { return strings.Compare(a.space+a.key, b.space+b.key) }) {
		tenant, number := split(due[h].rid)
		w.p.add("users who cannot be found by what they are called", remedyForeign, "tenant %d user %d, in %s", tenant, number, spaceOf(h.space))
	}
	return nil
}

// spaceOf is the name of a space without what follows, which may be a credential's id.
func spaceOf(space string) string {
	name, _, _ := strings.Cut(space, ":")
	return name
}

// compareSearch compares the search index with the users of a page.
func (w *userWalk) compareSearch(ctx context.Context, q querier, page []walkedUser) error {
	documents := map[int64]string{}
	for i := range page {
		documents[page[i].rid] = page[i].SearchDocument()
	}
	sql := "SELECT rid, tenant, document FROM user_search WHERE rid > $1 AND rid <= $2"
	if w.e.name == "sqlite" {
		// The index itself says only for which users it has something.
		sql = "SELECT id, id >> 40, '' FROM user_search_docsize WHERE id > $1 AND id <= $2"
	}
	err := q.scan(ctx, sql, []any{w.after, w.until}, func(r *row) {
		rid, of, document := r.int(), r.int(), r.text()
		tenant, number := split(rid)
		want, known := documents[rid]
		delete(documents, rid)
		switch {
		case !known:
			w.p.add("search texts of users that do not exist", remedySearch, "tenant %d user %d", tenant, number)
		case of != int64(tenant) || w.e.name == "postgres" && document != want:
			w.p.add("users whose search text is another", remedySearch, "tenant %d user %d", tenant, number)
		}
	})
	if err != nil {
		return err
	}
	for _, rid := range slices.Sorted(maps.Keys(documents)) {
		tenant, number := split(rid)
		w.p.add("users whom no search finds", remedySearch, "tenant %d user %d", tenant, number)
	}
	if w.e.name != "sqlite" {
		return nil
	}
	for i := range page {
		if (w.users+int64(i))%w.every == 0 {
			if err := w.find(ctx, q, &page[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// find looks for a user by every part of its search text.
func (w *userWalk) find(ctx context.Context, q querier, u *walkedUser) error {
	w.sampled++
	tokens := strings.Fields(gramDocument(u.SearchDocument()))
	slices.Sort(tokens)
	for part := range slices.Chunk(slices.Compact(tokens), 100) {
		found := false
		err := q.scan(ctx, "SELECT rowid FROM user_search WHERE user_search MATCH $1 AND rowid = $2", []any{`"` + strings.Join(part, `" AND "`) + `"`, u.rid}, func(*row) { found = true })
		if err != nil {
			return err
		}
		if !found {
			w.p.add("users whose search text is another", remedySearch, "%s", u)
			return nil
		}
	}
	return nil
}

package directory

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// ListQuery selects a page of companies, locations, roles or lock reasons, by
// number.
type ListQuery struct {
	Limit  int    // 1 to MaxLimit
	Cursor string // Next of the page before
	Name   string // part of the name, folded; "" for all
	// Company keeps what belongs to a company: of companies its children, 0 for
	// roots; of the others what is its own, 0 for the tenant's. Unset takes all.
	Company   Opt[int64]
	WantTotal bool
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T
	// Total, with WantTotal, is the number of all matches among the first 100,000
	// that there are, and at least what is known to exist.
	Total int64
	Next  string // cursor of the next page, "" at the end
}

// maxListRead is how many companies, locations, roles or lock reasons a total
// counts among.
const maxListRead = 100_000

// key is the part of a query that stays the same from page to page.
func (q *ListQuery) key() string {
	return fmt.Sprintf("%q|%t|%d", NameKey(q.Name), q.Company.Set, q.Company.Value)
}

// clean refuses what no query can be.
func (q *ListQuery) clean() error {
	if err := checkLimit(q.Limit); err != nil {
		return err
	}
	return CleanText("name", q.Name, maxTextRunes)
}

// numbered is how things of a kind are listed.
type numbered[T any] struct {
	kind   string // of the cursors
	number func(*T) int64
	name   func(*T) string
	// read lists what there is, by number, greater than after.
	read func(ctx context.Context, r Reader, after int64, limit int) ([]T, error)
	// own lists what belongs to one company; nil where read has to do.
	own func(ctx context.Context, r Reader, company int64) ([]T, error)
	// company is what a thing belongs to, as ListQuery.Company says it.
	company func(*T) int64
	// sees reports whether the caller, who is bound to a company, sees a thing.
	sees func(ctx context.Context, r Reader, v *T) (bool, error)
}

// listing is one list under way.
type listing[T any] struct {
	numbered[T]
	q     *ListQuery
	bound bool
	from  int64 // number after which the page begins
}

// list reads a page. Errors: field.value on limit, company.not_found,
// cursor.invalid, cursor.expired.
func list[T any](ctx context.Context, s *Service, call *Call, q ListQuery, of numbered[T]) (Page[T], error) {
	if err := q.clean(); err != nil {
		return Page[T]{}, err
	}
	from, err := s.after(call, of.kind, q.key(), q.Cursor)
	if err != nil {
		return Page[T]{}, err
	}
	if q.Company.Set && q.Company.Value != 0 {
		err := s.store.Read(ctx, func(r Reader) error {
			_, err := companyInScope(ctx, r, call.Actor, q.Company.Value)
			return err
		})
		if err != nil {
			return Page[T]{}, err
		}
	}
	l := &listing[T]{numbered: of, q: &q, bound: call.Actor.Root != 0, from: from}
	page, err := l.run(ctx, s)
	if err != nil || len(page.Items) <= q.Limit {
		return page, err
	}
	page.Items = page.Items[:q.Limit]
	page.Next, err = s.sealCursor(call, of.kind, q.key(), place{Number: of.number(&page.Items[q.Limit-1])})
	return page, err
}

// run finds the page, with one item more if there is one, and counts. What is
// read at once is a snapshot of its own: none lasts long.
func (l *listing[T]) run(ctx context.Context, s *Service) (Page[T], error) {
	page := Page[T]{Items: []T{}}
	after := l.from
	if l.q.WantTotal {
		after = 0
	}
	for read := 0; ; {
		var some []T
		last := false
		err := s.store.View(ctx, func(r Reader) error {
			all, err := l.batch(ctx, r, after)
			if err != nil {
				return err
			}
			if last = len(all) < MaxLimit; !last {
				all = all[:MaxLimit] // own may list more
			}
			if len(all) > 0 {
				after = l.number(&all[len(all)-1])
			}
			read += len(all)
			some, err = l.filter(ctx, r, all)
			return err
		})
		if err != nil {
			return Page[T]{}, err
		}
		full := l.take(&page, some)
		if last || full && (!l.q.WantTotal || read >= maxListRead) {
			return page, nil
		}
	}
}

// take puts what belongs there onto the page, and reports whether it is full.
func (l *listing[T]) take(page *Page[T], some []T) bool {
	for i := range some {
		if l.number(&some[i]) > l.from && len(page.Items) <= l.q.Limit {
			page.Items = append(page.Items, some[i])
		}
	}
	if l.q.WantTotal {
		page.Total += int64(len(some))
	}
	return len(page.Items) > l.q.Limit
}

// batch reads what follows a number, at least MaxLimit if there are as many.
func (l *listing[T]) batch(ctx context.Context, r Reader, after int64) ([]T, error) {
	if l.own == nil || !l.q.Company.Set {
		return l.read(ctx, r, after, MaxLimit)
	}
	all, err := l.own(ctx, r, l.q.Company.Value)
	first := slices.IndexFunc(all, func(v T) bool { return l.number(&v) > after })
	if first < 0 {
		return nil, err
	}
	return all[first:], err
}

// filter keeps what the query asks for and the caller sees.
func (l *listing[T]) filter(ctx context.Context, r Reader, all []T) ([]T, error) {
	var kept []T
	key := NameKey(l.q.Name)
	for i := range all {
		v := &all[i]
		if l.q.Company.Set && l.company(v) != l.q.Company.Value || !strings.Contains(NameKey(l.name(v)), key) {
			continue
		}
		if l.bound {
			if seen, err := l.sees(ctx, r, v); err != nil {
				return nil, err
			} else if !seen {
				continue
			}
		}
		kept = append(kept, *v)
	}
	return kept, nil
}

// seesOwner is numbered.sees for what belongs to a company. It remembers which
// companies the caller sees.
func seesOwner[T any](call *Call, company func(*T) int64) func(context.Context, Reader, *T) (bool, error) {
	known := map[int64]bool{}
	return func(ctx context.Context, r Reader, v *T) (bool, error) {
		number := company(v)
		if seen, ok := known[number]; ok {
			return seen, nil
		}
		seen, err := seesCompany(ctx, r, call.Actor, number)
		known[number] = seen
		return seen, err
	}
}

// ListCompanies lists companies that the caller can see. Errors: company.not_found
// where it asks for those below a company.
func (s *Service) ListCompanies(ctx context.Context, call *Call, q ListQuery) (Page[Company], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Company]{}, err
	}
	return list(ctx, s, call, q, numbered[Company]{
		kind:    "companies",
		number:  func(c *Company) int64 { return c.Number },
		name:    func(c *Company) string { return c.Name },
		company: func(c *Company) int64 { return c.Parent },
		read: func(ctx context.Context, r Reader, after int64, limit int) ([]Company, error) {
			return r.Companies(ctx, call.Actor.Tenant, after, limit)
		},
		sees: func(_ context.Context, _ Reader, c *Company) (bool, error) {
			return slices.Contains(c.Path, call.Actor.Root), nil
		},
	})
}

// ListLocations lists locations of companies that the caller can see. Errors:
// company.not_found.
func (s *Service) ListLocations(ctx context.Context, call *Call, q ListQuery) (Page[Location], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Location]{}, err
	}
	company := func(l *Location) int64 { return l.Company }
	return list(ctx, s, call, q, numbered[Location]{
		kind:    "locations",
		number:  func(l *Location) int64 { return l.Number },
		name:    func(l *Location) string { return l.Name },
		company: company,
		read: func(ctx context.Context, r Reader, after int64, limit int) ([]Location, error) {
			return r.AllLocations(ctx, call.Actor.Tenant, after, limit)
		},
		own: func(ctx context.Context, r Reader, number int64) ([]Location, error) {
			return r.Locations(ctx, call.Actor.Tenant, number)
		},
		sees: seesOwner(call, company),
	})
}

// ListRoles lists roles of the tenant and of companies that the caller can see.
// Errors: company.not_found.
func (s *Service) ListRoles(ctx context.Context, call *Call, q ListQuery) (Page[Role], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[Role]{}, err
	}
	company := func(r *Role) int64 { return r.Company }
	owned := seesOwner(call, company)
	return list(ctx, s, call, q, numbered[Role]{
		kind:    "roles",
		number:  func(r *Role) int64 { return r.Number },
		name:    func(r *Role) string { return r.Name },
		company: company,
		read: func(ctx context.Context, r Reader, after int64, limit int) ([]Role, error) {
			return r.AllRoles(ctx, call.Actor.Tenant, after, limit)
		},
		own: func(ctx context.Context, r Reader, number int64) ([]Role, error) {
			return r.Roles(ctx, call.Actor.Tenant, number)
		},
		sees: func(ctx context.Context, r Reader, role *Role) (bool, error) {
			if role.Company == 0 {
				return true, nil
			}
			return owned(ctx, r, role)
		},
	})
}

// ListLockReasons lists lock reasons of companies that the caller can see.
// Errors: company.not_found.
func (s *Service) ListLockReasons(ctx context.Context, call *Call, q ListQuery) (Page[LockReason], error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Page[LockReason]{}, err
	}
	company := func(l *LockReason) int64 { return l.Company }
	return list(ctx, s, call, q, numbered[LockReason]{
		kind:    "lock_reasons",
		number:  func(l *LockReason) int64 { return l.Number },
		name:    func(l *LockReason) string { return l.Name },
		company: company,
		read: func(ctx context.Context, r Reader, after int64, limit int) ([]LockReason, error) {
			return r.AllLockReasons(ctx, call.Actor.Tenant, after, limit)
		},
		own: func(ctx context.Context, r Reader, number int64) ([]LockReason, error) {
			return r.LockReasons(ctx, call.Actor.Tenant, number)
		},
		sees: seesOwner(call, company),
	})
}

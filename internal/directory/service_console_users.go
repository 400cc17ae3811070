package directory

import (
	"context"
	"time"
)

// Bounds of People.
const (
	// lookAtMost is how many users one page looks at one by one where no index has
	// the matches.
	lookAtMost = 20_000
	// sortAtMost is how many matches are sorted for one page.
	sortAtMost = CountLimit
)

// Person is a user in a list for people.
type Person struct {
	User
	CompanyName string
	LastSignIn  time.Time // zero: never
}

// PeoplePage is one page of People.
type PeoplePage struct {
	Users []Person
	Total int64
	// AtLeast says that Total is not of all, but what is known to exist.
	AtLeast bool
	More    bool
	Next    string // cursor; "" at the end
	// Looked says that the page ended because so many users had been looked at that
	// others may match further on: it may be short, or empty, although More.
	Looked bool
	// Unsorted says that there are too many matches to be sorted: the page, and what
	// follows it, is in order of number.
	Unsorted bool
}

// People is Users for lists that people read, which never take long: a page looks at a
// bounded number of users, and more matches than can be sorted at once come in order of
// number. The total of a query that no index answers is only counted where few users
// are to be looked at. Errors as for Users; role.not_found.
func (s *Service) People(ctx context.Context, call *Call, q UserQuery) (PeoplePage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return PeoplePage{}, err
	}
	q.WantCursor, q.Skip = true, 0
	if err := q.clean(call); err != nil {
		return PeoplePage{}, err
	}
	var p peoplePage
	err := s.store.View(ctx, func(r Reader) (err error) {
		p, err = s.people(ctx, r, call, q)
		return err
	})
	if err != nil {
		return PeoplePage{}, err
	}
	page := PeoplePage{Users: p.people, Total: p.page.Total, AtLeast: p.atLeast, More: p.page.More || p.end.Number != 0, Looked: p.end.Number != 0, Unsorted: p.unsorted}
	if page.Looked {
		page.Next, err = s.sealCursor(call, userList, p.q.queryKey(call.Actor.Tenant), p.end)
	} else {
		page.Next, err = s.nextPage(call, &p.q, p.at, &p.page)
	}
	return page, err
}

// peoplePage is a page on its way.
type peoplePage struct {
	q        UserQuery
	page     UserPage
	people   []Person
	at, end  place // where it began; where it ended, if not with its last user
	unsorted bool
	atLeast  bool
}

// people reads a page in one snapshot.
func (s *Service) people(ctx context.Context, r Reader, call *Call, q UserQuery) (p peoplePage, err error) {
	t := call.Actor.Tenant
	if len(q.Groups) > 0 {
		if q.GroupNumbers, err = groupNumbers(ctx, r, t, q.Groups); err != nil {
			return p, err
		}
	}
	if q.Cursor == "" && q.Sort != FieldNone { // a cursor is of a list that was sorted
		can, err := r.CanSort(ctx, t, q, sortAtMost)
		if err != nil {
			return p, err
		}
		if !can {
			q.Sort, q.Descending, p.unsorted = FieldNone, false, true
		}
	}
	if p.at, err = s.resume(call, &q); err != nil {
		return p, err
	}
	end, value, walks, err := r.LookEnd(ctx, t, q, lookAtMost)
	if err != nil {
		return p, err
	}
	p.q = q
	fetch := q
	fetch.Until, fetch.UntilValue = end, value
	fetch.WantTotal = q.WantTotal && (!walks || end == 0 && q.Cursor == "")
	if p.page, err = s.page(ctx, r, call, fetch, walk{}); err != nil {
		return p, err
	}
	if end != 0 && !p.page.More {
		p.end = place{Number: end, Value: value, Skipped: p.at.Skipped + len(p.page.Users)}
	}
	known := int64(p.at.Skipped + len(p.page.Users))
	p.atLeast = !fetch.WantTotal || !q.Plain() && p.page.Total >= CountLimit
	if !fetch.WantTotal {
		p.page.Total = known
		p.atLeast = p.page.More || p.end.Number != 0
	}
	p.people, err = s.persons(ctx, r, call, p.page.Users)
	return p, err
}

// persons reads what a list shows besides the users.
func (s *Service) persons(ctx context.Context, r Reader, call *Call, users []User) ([]Person, error) {
	numbers := make([]int64, len(users))
	for i := range users {
		numbers[i] = users[i].Number
	}
	signedIn, err := r.LastSignIns(ctx, call.Actor.Tenant, numbers)
	if err != nil {
		return nil, err
	}
	d := newDetails(r, call, 0)
	people := make([]Person, len(users))
	for i := range users {
		c, err := d.company(ctx, users[i].Company)
		if err != nil {
			return nil, notFound(err, ReasonCompanyNotFound, "Company not found.")
		}
		people[i] = Person{User: users[i], CompanyName: c.Name, LastSignIn: signedIn[users[i].Number]}
	}
	return people, nil
}

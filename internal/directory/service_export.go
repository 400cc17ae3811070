package directory

import (
	"cmp"
	"context"
	"slices"
)

// exportPage is how many users an export reads at once, in one snapshot.
const exportPage = 500

// IncludeRecord is all that a record has beside a user's own fields.
const IncludeRecord = IncludeCompany | IncludeLocations | IncludeGroups | IncludeRoles

// ExportUsers hands out all users that q selects (its Limit, After, Skip and Cursor
// aside), page by page by key and never over one long snapshot, as records with what
// of IncludeRecord is asked for; the slice is used again for the next page. Passwords
// and hashes are not among it, and what belongs to companies that the caller does not
// see is not either. The credential is verified again before each page. Errors: as
// Users; what each fails with.
func (s *Service) ExportUsers(ctx context.Context, call *Call, q UserQuery, with Include, each func([]Record) error) error {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return err
	}
	q.After, q.AfterValue, q.Skip, q.Cursor, q.Limit = 0, "", 0, "", exportPage
	q.WantTotal, q.WantCursor = false, false
	if err := q.clean(call); err != nil {
		return err
	}
	x := &export{s: s, call: call, with: with & IncludeRecord, companies: map[int64]Company{}, groups: map[int64]Group{}, locations: map[int64]Location{},
		roles: map[int64]Role{}}
	for {
		users, more, err := x.page(ctx, &q)
		if err != nil {
			return err
		}
		if len(users) > 0 {
			if err := each(x.records); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
		last := &users[len(users)-1]
		q.After, q.AfterValue = last.Number, SortValue(last, q.Sort)
		if err := s.readmitTo(ctx, call, ActListUsers); err != nil {
			return err
		}
	}
}

// readmitTo decides whether somebody who has been at it for a while may still go on.
// The limiter has counted the call already.
func (s *Service) readmitTo(ctx context.Context, call *Call, action Action) error {
	if call.trusted || call.asked {
		return nil
	}
	return s.enter(ctx, call.Part(), action)
}

// export is an export on its way: what users share is read once.
type export struct {
	s         *Service
	call      *Call
	with      Include
	companies map[int64]Company
	groups    map[int64]Group
	locations map[int64]Location
	roles     map[int64]Role
	records   []Record
}

// page reads the next users, and what belongs to them, into records.
func (x *export) page(ctx context.Context, q *UserQuery) (users []User, more bool, err error) {
	read := x.s.store.Read
	if x.with != 0 || q.Company != 0 || len(q.Groups) > 0 || len(q.Terms) > 0 {
		read = x.s.store.View
	}
	err = read(ctx, func(r Reader) error {
		page, err := x.s.page(ctx, r, x.call, *q, walk{})
		if err != nil {
			return err
		}
		users, more = page.Users, page.More
		x.records = x.records[:0]
		for i := range users {
			x.records = append(x.records, recordOf(&users[i]))
		}
		return x.belongings(ctx, r, users)
	})
	return users, more, err
}

// belongings completes the records by what belongs to users, with a statement for each
// kind and one more for each new thing that users share.
func (x *export) belongings(ctx context.Context, r Reader, users []User) error {
	if x.with == 0 || len(users) == 0 {
		return nil
	}
	at := make(map[int64]*Record, len(users))
	numbers := make([]int64, len(users))
	for i := range users {
		numbers[i], at[users[i].Number] = users[i].Number, &x.records[i]
	}
	d := &details{r: r, call: x.call, companies: x.companies}
	for _, step := range []struct {
		of   Include
		read func(ctx context.Context, d *details, numbers []int64, at map[int64]*Record) error
	}{{IncludeCompany, x.companyNames}, {IncludeGroups, x.groupsOf}, {IncludeRoles, x.rolesOf}, {IncludeLocations, x.locationsOf}} {
		if x.with&step.of == 0 {
			continue
		}
		if err := step.read(ctx, d, numbers, at); err != nil {
			return err
		}
	}
	return nil
}

// companyNames puts the names of the users' companies into the records.
func (x *export) companyNames(ctx context.Context, d *details, _ []int64, _ map[int64]*Record) error {
	for i := range x.records {
		c, err := d.company(ctx, *x.records[i].Company)
		if err != nil {
			return notFound(err, ReasonCompanyNotFound, "Company not found.")
		}
		x.records[i].CompanyName = &c.Name
	}
	return nil
}

// addTo adds a value to a list of a record.
func addTo[T any](list **[]T, value T) {
	if *list == nil {
		*list = &[]T{}
	}
	**list = append(**list, value)
}

func (x *export) groupsOf(ctx context.Context, d *details, numbers []int64, at map[int64]*Record) error {
	list, err := d.r.GroupsAmong(ctx, x.call.Actor.Tenant, numbers)
	if err != nil {
		return err
	}
	for i := range list {
		m := &list[i]
		if m.Group, err = kept(x.groups, m.Group.Number, func() (Group, error) { return d.r.Group(ctx, x.call.Actor.Tenant, m.Group.Number) }); err != nil {
			return err
		}
	}
	slices.SortFunc(list, func(a, b UserGroup) int {
		return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Group.Kind, b.Group.Kind), cmp.Compare(a.Position, b.Position),
			cmp.Compare(a.Group.Number, b.Group.Number))
	})
	for i := range list {
		g := &list[i].Group
		addTo(&at[list[i].User].Groups, RecordGroup{Kind: g.Kind, Key: g.Key, Name: g.Name, Role: list[i].Role})
	}
	return nil
}

func (x *export) rolesOf(ctx context.Context, d *details, numbers []int64, at map[int64]*Record) error {
	list, err := d.r.RolesAmong(ctx, x.call.Actor.Tenant, numbers)
	if err != nil {
		return err
	}
	for _, a := range list {
		role, err := kept(x.roles, a.Role, func() (Role, error) { return d.r.Role(ctx, x.call.Actor.Tenant, a.Role) })
		if err != nil {
			return err
		}
		mine, err := d.sees(ctx, a.Company)
		if err != nil {
			return err
		}
		if mine && role.Company == 0 && role.Key != "" {
			addTo(&at[a.User].Roles, role.Key)
		}
	}
	return nil
}

func (x *export) locationsOf(ctx context.Context, d *details, numbers []int64, at map[int64]*Record) error {
	list, err := d.r.LocationsAmong(ctx, x.call.Actor.Tenant, numbers)
	if err != nil {
		return err
	}
	for _, l := range list {
		mine := true
		if x.call.Actor.Root != 0 {
			location, err := kept(x.locations, l.Location, func() (Location, error) { return d.r.Location(ctx, x.call.Actor.Tenant, l.Location) })
			if err != nil {
				return err
			}
			if mine, err = d.sees(ctx, location.Company); err != nil {
				return err
			}
		}
		if mine {
			addTo(&at[l.User].Locations, l.Location)
		}
	}
	return nil
}

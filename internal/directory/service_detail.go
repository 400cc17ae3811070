package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

// UserDetail reads a user with what belongs to it, in one snapshot, or the user
// just before it; groups and roles alone each in a statement of its own. Errors
// as for User.
func (s *Service) UserDetail(ctx context.Context, call *Call, ref UserRef, with Include) (UserDetail, error) {
	found, err := s.enterUser(ctx, call, ActReadUser, ref)
	if err != nil {
		return UserDetail{}, err
	}
	if err := call.permitInclude(with); err != nil {
		return UserDetail{}, err
	}
	if found != nil && with&^(IncludeGroups|IncludeRoles) == 0 && call.Actor.Root == 0 {
		return s.belongings(ctx, call, found, with)
	}
	var detail UserDetail
	err = s.store.View(ctx, func(r Reader) (err error) {
		var u User
		if found == nil {
			u, err = s.find(ctx, r, call, ref)
		} else if u, err = *found, visible(ctx, r, call.Actor, found); err == nil {
			err = living(found)
		}
		if err == nil {
			detail, err = newDetails(r, call, with).of(ctx, u)
		}
		return err
	})
	if err != nil {
		return UserDetail{}, err
	}
	list := []UserDetail{detail}
	err = s.addResets(ctx, call, list, with)
	return list[0], err
}

// belongings reads the groups and roles of a user whom the caller can see:
// most users have no role, and a snapshot costs more than its statements.
func (s *Service) belongings(ctx context.Context, call *Call, u *User, with Include) (UserDetail, error) {
	detail, assigned := UserDetail{User: *u}, false
	err := living(u)
	if err == nil && with&IncludeGroups != 0 {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			detail.Groups, err = r.UserGroups(ctx, u.Tenant, u.Number)
			return err
		})
	}
	if err == nil && with&IncludeRoles != 0 {
		err = s.store.Read(ctx, func(r Reader) error {
			roles, err := r.UserRoles(ctx, u.Tenant, u.Number)
			assigned = len(roles) > 0
			return err
		})
	}
	if err == nil && assigned {
		err = s.store.View(ctx, func(r Reader) (err error) {
			detail.Roles, err = heldRoles(ctx, r, call, u)
			return err
		})
	}
	if err != nil {
		return UserDetail{}, err
	}
	return detail, nil
}

// UserDetails lists one page of users with what belongs to them, in one
// snapshot. With IncludeReset a page has at most 500 users, and users whose
// password the caller may not set get no token. Errors as for Users.
func (s *Service) UserDetails(ctx context.Context, call *Call, q UserQuery, with Include) (DetailPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return DetailPage{}, err
	}
	if err := call.permitInclude(with); err != nil {
		return DetailPage{}, err
	}
	if with&IncludeReset != 0 && q.Limit > maxChanged {
		return DetailPage{}, Invalid("limit", ReasonFieldValue, "limit must be from 1 to %d with reset tokens.", maxChanged)
	}
	if err := q.clean(call); err != nil {
		return DetailPage{}, err
	}
	at, err := s.resume(call, &q)
	if err != nil {
		return DetailPage{}, err
	}
	walk := s.walks.start(call, &q)
	var page UserPage
	var list []UserDetail
	err = s.searchUsers(ctx, call, &q, func(ctx context.Context, r Reader) (err error) {
		if page, err = s.page(ctx, r, call, q, walk); err != nil {
			return err
		}
		list, err = newDetails(r, call, with).all(ctx, page.Users)
		return err
	})
	if err != nil {
		return DetailPage{}, err
	}
	s.walks.remember(walk, &page)
	if page.Next, err = s.nextPage(call, &q, at, &page); err != nil {
		return DetailPage{}, err
	}
	err = s.addResets(ctx, call, list, with)
	return DetailPage{Users: list, Total: page.Total, More: page.More, Next: page.Next}, err
}

// CreateUserDetail is CreateUser with what belongs to the new user.
func (s *Service) CreateUserDetail(ctx context.Context, call *Call, in NewUser, with Include) (UserDetail, error) {
	if err := s.enter(ctx, call, ActCreateUser); err != nil {
		return UserDetail{}, err
	}
	u, err := s.createUser(ctx, call, in)
	if err != nil {
		return UserDetail{}, err
	}
	return s.describeOne(ctx, call, u, with)
}

// UpdateUserDetail is UpdateUser with what belongs to the changed user.
func (s *Service) UpdateUserDetail(ctx context.Context, call *Call, ref UserRef, p UserPatch, o UpdateOptions, with Include) (UserDetail, error) {
	if err := s.enter(ctx, call, ActUpdateUser); err != nil {
		return UserDetail{}, err
	}
	u, err := s.updateUser(ctx, call, ref, p, o)
	if err != nil {
		return UserDetail{}, err
	}
	return s.describeOne(ctx, call, u, with)
}

// describeOne reads what belongs to a user that a use case has changed. Reset
// tokens are for those who read.
func (s *Service) describeOne(ctx context.Context, call *Call, u User, with Include) (UserDetail, error) {
	if with &^= IncludeReset; with == 0 {
		return UserDetail{User: u}, nil
	}
	list, err := s.describe(ctx, call, []User{u}, with)
	if err != nil {
		return UserDetail{}, err
	}
	return list[0], nil
}

// describe reads what belongs to users that a use case has changed.
func (s *Service) describe(ctx context.Context, call *Call, users []User, with Include) ([]UserDetail, error) {
	var list []UserDetail
	err := s.store.View(ctx, func(r Reader) (err error) {
		list, err = newDetails(r, call, with).all(ctx, users)
		return err
	})
	if err != nil {
		return nil, err
	}
	return list, s.addResets(ctx, call, list, with)
}

// permitInclude is the policy of what a detail includes: reset tokens set
// passwords.
func (c *Call) permitInclude(with Include) error {
	if with&IncludeReset == 0 {
		return nil
	}
	return c.permit(ActReset)
}

// addResets makes a reset token for each user whom the caller may give one.
func (s *Service) addResets(ctx context.Context, call *Call, list []UserDetail, with Include) error {
	if with&IncludeReset == 0 || len(list) == 0 {
		return nil
	}
	order := make([]int, len(list)) // rows are locked in order of number
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(list[a].User.Number, list[b].User.Number) })
	tokens := make([]ResetToken, len(list))
	err := s.store.Update(ctx, func(tx Tx) error {
		for _, i := range order {
			u, err := tx.LockUser(ctx, call.Actor.Tenant, list[i].User.Number)
			if err != nil {
				return notFound(err, ReasonUserNotFound, "User not found.")
			}
			tokens[i] = ResetToken{}
			if u.State == StateDeleted || call.Actor.mayTouch(ActSetPassword, &u) != nil {
				continue
			}
			if tokens[i], err = s.makeReset(ctx, tx, call, &u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i := range list {
		list[i].Reset = tokens[i]
	}
	return nil
}

// details reads what belongs to users, what they share only once.
type details struct {
	r         Reader
	call      *Call
	with      Include
	companies map[int64]Company
	locations map[int64]Location
	roles     map[int64]Role
	owner     *UserSummary
}

func newDetails(r Reader, call *Call, with Include) *details {
	return &details{r: r, call: call, with: with, companies: map[int64]Company{}, locations: map[int64]Location{}, roles: map[int64]Role{}}
}

// kept reads a value once.
func kept[V any](cache map[int64]V, number int64, read func() (V, error)) (V, error) {
	if v, ok := cache[number]; ok {
		return v, nil
	}
	v, err := read()
	if err == nil {
		cache[number] = v
	}
	return v, err
}

// all reads what belongs to each of a list of users.
func (d *details) all(ctx context.Context, users []User) ([]UserDetail, error) {
	list := make([]UserDetail, len(users))
	for i, u := range users {
		var err error
		if list[i], err = d.of(ctx, u); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// of reads what belongs to a user.
func (d *details) of(ctx context.Context, u User) (UserDetail, error) {
	detail := UserDetail{User: u}
	var err error
	if d.with&IncludeCompany != 0 {
		if detail.Company, err = d.company(ctx, u.Company); err != nil {
			return detail, notFound(err, ReasonCompanyNotFound, "Company not found.")
		}
		if detail.Owner, err = d.accountOwner(ctx); err != nil {
			return detail, err
		}
	}
	if d.with&IncludeLocations != 0 {
		if detail.Locations, err = d.locationsOf(ctx, &u); err != nil {
			return detail, err
		}
	}
	if d.with&IncludeGroups != 0 {
		if detail.Groups, err = d.r.UserGroups(ctx, u.Tenant, u.Number); err != nil {
			return detail, err
		}
	}
	if d.with&IncludeHolds != 0 {
		if detail.Holds, err = d.r.Holds(ctx, u.Tenant, u.Number); err != nil {
			return detail, err
		}
	}
	if d.with&IncludeManager != 0 {
		if detail.Manager, err = d.managerOf(ctx, &u); err != nil {
			return detail, err
		}
	}
	if d.with&IncludeRoles != 0 {
		detail.Roles, err = d.rolesOf(ctx, &u)
	}
	return detail, err
}

func (d *details) company(ctx context.Context, number int64) (Company, error) {
	return kept(d.companies, number, func() (Company, error) { return d.r.Company(ctx, d.call.Actor.Tenant, number) })
}

// sees reports whether the caller can see a company.
func (d *details) sees(ctx context.Context, number int64) (bool, error) {
	if d.call.Actor.Root == 0 {
		return true, nil
	}
	c, err := d.company(ctx, number)
	return err == nil && slices.Contains(c.Path, d.call.Actor.Root), err
}

// locationsOf reads a user's locations in companies that the caller can see.
func (d *details) locationsOf(ctx context.Context, u *User) ([]Location, error) {
	numbers, err := d.r.UserLocations(ctx, u.Tenant, u.Number)
	if err != nil {
		return nil, err
	}
	var list []Location
	for _, number := range numbers {
		l, err := kept(d.locations, number, func() (Location, error) { return d.r.Location(ctx, u.Tenant, number) })
		if err != nil {
			return nil, err
		}
		mine, err := d.sees(ctx, l.Company)
		if err != nil {
			return nil, err
		}
		if mine {
			list = append(list, l)
		}
	}
	return list, nil
}

// rolesOf reads a user's roles for companies that the caller can see.
func (d *details) rolesOf(ctx context.Context, u *User) ([]HeldRole, error) {
	assignments, err := d.r.UserRoles(ctx, u.Tenant, u.Number)
	if err != nil {
		return nil, err
	}
	var list []HeldRole
	for _, a := range assignments {
		mine, err := d.sees(ctx, a.Company)
		if err != nil {
			return nil, err
		}
		if !mine {
			continue
		}
		role, err := kept(d.roles, a.Role, func() (Role, error) { return d.r.Role(ctx, u.Tenant, a.Role) })
		if err != nil {
			return nil, err
		}
		list = append(list, HeldRole{Assignment: a, Role: role})
	}
	return list, nil
}

// managerOf reads the user whom the door's own fields name as the manager.
func (d *details) managerOf(ctx context.Context, u *User) (UserSummary, error) {
	var kept struct {
		Manager string `json:"manager"`
	}
	if d.call.Actor.selfOnly || json.Unmarshal(u.Profile.Extras[d.call.Door.String()], &kept) != nil || kept.Manager == "" {
		return UserSummary{}, nil
	}
	manager, err := lookUp(ctx, d.r, u.Tenant, ByID(kept.Manager))
	if err == nil {
		err = visible(ctx, d.r, d.call.Actor, &manager)
	}
	if err == nil {
		err = living(&manager)
	}
	if CodeOf(err) == CodeNotFound {
		return UserSummary{}, nil
	}
	return summary(&manager), err
}

// accountOwner reads the account owner, if the caller can see that user.
func (d *details) accountOwner(ctx context.Context) (UserSummary, error) {
	if d.owner != nil {
		return *d.owner, nil
	}
	owner, err := accountOwner(ctx, d.r, d.call)
	if err == nil {
		d.owner = &owner
	}
	return owner, err
}

// accountOwner reads the account owner of the caller's tenant: zero while
// there is none, and for a caller that cannot see that user.
func accountOwner(ctx context.Context, r Reader, call *Call) (UserSummary, error) {
	number := call.tenant.Owner
	if number == 0 || call.Actor.selfOnly && number != call.Actor.User {
		return UserSummary{}, nil
	}
	u, err := r.UserByNumber(ctx, call.Actor.Tenant, number)
	if err == nil {
		err = visible(ctx, r, call.Actor, &u)
	}
	if CodeOf(notFound(err, ReasonUserNotFound, "")) == CodeNotFound {
		return UserSummary{}, nil
	}
	return summary(&u), err
}

// summary is how other objects refer to a user.
func summary(u *User) UserSummary {
	return UserSummary{Number: u.Number, ID: u.ID, UserName: u.UserName, Email: u.Email, GivenName: u.GivenName, FamilyName: u.FamilyName, DisplayName: u.DisplayName}
}

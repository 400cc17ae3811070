package directory

import (
	"context"
	"slices"
)

// Choices are what forms about users choose among: the first of each (of groups, of
// each kind), by number, as far as the caller can see them.
type Choices struct {
	Companies   []Company
	Groups      []Group // of all kinds
	Roles       []Role
	Pools       []Pool // by type
	LockReasons []LockReason
	// More of them says that there are others, which must be named by number.
	MoreCompanies, MoreGroups, MoreRoles, MoreLockReasons bool
}

// Choices reads at most limit of each of what forms about users choose among. Errors:
// invalid for a limit that is none.
func (s *Service) Choices(ctx context.Context, call *Call, limit int) (Choices, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Choices{}, err
	}
	if err := checkLimit(limit); err != nil {
		return Choices{}, err
	}
	var c Choices
	err := s.store.View(ctx, func(r Reader) (err error) {
		c, err = choices(ctx, r, call, limit)
		return err
	})
	return c, err
}

// choices reads them in one snapshot.
func choices(ctx context.Context, r Reader, call *Call, limit int) (c Choices, err error) {
	t := call.Actor.Tenant
	if c.Companies, c.MoreCompanies, err = firstOf(limit, func(n int) ([]Company, error) { return r.Companies(ctx, t, 0, n) }); err != nil {
		return c, err
	}
	for _, kind := range []GroupKind{GroupPlain, GroupServiceTeam, GroupDashboard} {
		found, more, err := firstOf(limit, func(n int) ([]Group, error) { return r.Groups(ctx, t, GroupSelection{Kind: kind, Limit: n}) })
		if err != nil {
			return c, err
		}
		c.Groups, c.MoreGroups = append(c.Groups, found...), c.MoreGroups || more
	}
	if c.Roles, c.MoreRoles, err = firstOf(limit, func(n int) ([]Role, error) { return r.AllRoles(ctx, t, 0, n) }); err != nil {
		return c, err
	}
	if c.LockReasons, c.MoreLockReasons, err = firstOf(limit, func(n int) ([]LockReason, error) { return r.AllLockReasons(ctx, t, 0, n) }); err != nil {
		return c, err
	}
	if c.Pools, err = r.Pools(ctx, t); err != nil || call.Actor.Root == 0 {
		return c, err
	}
	c.Companies = slices.DeleteFunc(c.Companies, func(company Company) bool { return !slices.Contains(company.Path, call.Actor.Root) })
	own := func(company int64) bool {
		return slices.ContainsFunc(c.Companies, func(seen Company) bool { return seen.Number == company })
	}
	c.Roles = slices.DeleteFunc(c.Roles, func(role Role) bool { return role.Company != 0 && !own(role.Company) })
	c.LockReasons = slices.DeleteFunc(c.LockReasons, func(reason LockReason) bool { return !own(reason.Company) })
	return c, nil
}

// firstOf reads the first of a list and whether there are more.
func firstOf[T any](limit int, read func(limit int) ([]T, error)) ([]T, bool, error) {
	list, err := read(limit + 1)
	if len(list) > limit {
		return list[:limit], true, err
	}
	return list, false, err
}

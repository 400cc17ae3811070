package directory

import (
	"context"
	"errors"
	"strconv"
)

// RolePatch names what to change of a role; its key and company stay.
type RolePatch struct {
	Name        Opt[string]
	Description Opt[string]
	Rank        Opt[Rank]
	Permissions Opt[[]string]
}

// visibleRole reads a role of the tenant or of a company that the actor sees.
func visibleRole(ctx context.Context, r Reader, actor Actor, number int64) (Role, error) {
	missing := Wrong(CodeNotFound, ReasonRoleNotFound, "Role not found.")
	if number <= 0 || number > MaxNumber {
		return Role{}, missing
	}
	role, err := r.Role(ctx, actor.Tenant, number)
	if errors.Is(err, ErrNotFound) {
		return Role{}, missing
	}
	if err == nil && role.Company != 0 {
		if _, err := companyInScope(ctx, r, actor, role.Company); err != nil {
			return Role{}, orRefusal(err, missing)
		}
	}
	return role, err
}

// ownRole is visibleRole for change: a caller that is bound to a company changes
// no role of the tenant, and nobody one of a rank above its own.
func ownRole(ctx context.Context, r Reader, call *Call, number int64) (Role, error) {
	role, err := visibleRole(ctx, r, call.Actor, number)
	switch {
	case err != nil:
		return Role{}, err
	case call.Actor.Root != 0 && role.Company == 0:
		return Role{}, errWholeTenant()
	case !call.Actor.grants(role.Rank):
		return Role{}, errRank()
	}
	return role, call.If.check(role.Version)
}

// RoleByNumber reads a role. Errors: role.not_found.
func (s *Service) RoleByNumber(ctx context.Context, call *Call, number int64) (Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Role{}, err
	}
	var role Role
	err := s.store.View(ctx, func(r Reader) (err error) {
		role, err = visibleRole(ctx, r, call.Actor, number)
		return err
	})
	return role, err
}

// EditRole changes what the patch names. The rank of a role that somebody holds
// cannot change: role.held. Nobody gives a role a rank that it could give nobody.
// Errors: role.not_found, version.mismatch, rank.too_low, scope.missing.
func (s *Service) EditRole(ctx context.Context, call *Call, number int64, p RolePatch) (Role, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Role{}, err
	}
	var result Role
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := ownRole(ctx, tx, call, number)
		if err != nil {
			return false, err
		}
		after := before
		after.Name, after.Description = p.Name.or(before.Name), p.Description.or(before.Description)
		after.Rank, after.Permissions = p.Rank.or(before.Rank), p.Permissions.or(before.Permissions)
		if err := checkRole(&after); err != nil {
			return false, err
		}
		if !call.Actor.grants(after.Rank) || after.Rank == RankOwner {
			return false, errRank()
		}
		if after.Rank > before.Rank { // whoever gives the role next gives this
			if err := call.Actor.mayGive(after.Rank); err != nil {
				return false, err
			}
		}
		wrote, err := s.replaceRole(ctx, tx, call, before, &after)
		if err != nil {
			return false, err
		}
		result = after
		if after.Rank == before.Rank {
			return wrote, nil
		}
		// Only now: whoever is giving the role to somebody waits for its row.
		return wrote, roleUnheld(ctx, tx, &after)
	})
	return result, err
}

// roleUnheld refuses a role that somebody holds, in the recycle bin too.
func roleUnheld(ctx context.Context, r Reader, role *Role) error {
	holders, err := r.RoleMembers(ctx, role.Tenant, role.Number, 0, 1)
	if err == nil && len(holders) > 0 {
		return errRoleHeld()
	}
	return err
}

func errRoleHeld() error {
	return Wrong(CodeConflict, ReasonRoleHeld, "Somebody holds the role: take it from its holders first.")
}

// EraseRole erases a role that nobody holds: otherwise role.held. Errors:
// role.not_found, version.mismatch, rank.too_low.
func (s *Service) EraseRole(ctx context.Context, call *Call, number int64) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		role, err := ownRole(ctx, tx, call, number)
		if err != nil {
			return false, err
		}
		err = tx.DeleteRole(ctx, role.Tenant, role.Number)
		if errors.Is(err, ErrNotFound) {
			return false, errRoleHeld()
		}
		if err != nil {
			return false, err
		}
		var diff changes
		diff.named("name", role.Name, "")
		return true, s.record(ctx, tx, call, EventRoleDeleted, topic{}, roleSubject(&role), &diff)
	})
}

// roleMemberList is the kind of the cursors of ListRoleMembers.
const roleMemberList = "role_members"

// ListRoleMembers lists the living holders of a role that the caller can see,
// by number. The total is counted among the first CountLimit holders. Errors:
// role.not_found, cursor.invalid, cursor.expired.
func (s *Service) ListRoleMembers(ctx context.Context, call *Call, number int64, limit int, cursor string) (MemberPage, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return MemberPage{}, err
	}
	if err := checkLimit(limit); err != nil {
		return MemberPage{}, err
	}
	query := strconv.FormatInt(number, 10)
	after, err := s.after(call, roleMemberList, query, cursor)
	if err != nil {
		return MemberPage{}, err
	}
	var page MemberPage
	err = s.store.View(ctx, func(r Reader) error {
		role, err := visibleRole(ctx, r, call.Actor, number)
		if err != nil {
			return err
		}
		held, err := r.RoleMemberRefs(ctx, role.Tenant, role.Number, call.Actor.Root, after, limit+1)
		page.Members = append([]MemberRef{}, held...)
		return err
	})
	if err != nil {
		return MemberPage{}, err
	}
	if page.Total, err = s.countHolders(ctx, call, number); err != nil {
		return MemberPage{}, err
	}
	page.Total = max(page.Total, int64(len(page.Members)))
	return page, s.cutMembers(call, roleMemberList, query, &page, limit)
}

// countHolders counts the living holders of a role that the actor can see, among
// the first CountLimit. No snapshot lasts long.
func (s *Service) countHolders(ctx context.Context, call *Call, role int64) (total int64, err error) {
	for after := int64(0); total < CountLimit; {
		var page []MemberRef
		err := s.store.Read(ctx, func(r Reader) (err error) {
			page, err = r.RoleMemberRefs(ctx, call.Actor.Tenant, role, call.Actor.Root, after, MaxLimit)
			return err
		})
		if err != nil {
			return 0, err
		}
		if total += int64(len(page)); len(page) < MaxLimit {
			return total, nil
		}
		after = page[len(page)-1].Number
	}
	return total, nil
}

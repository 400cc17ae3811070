package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Roles lists a company's own roles and those of the tenant, by number.
func (s *Service) Roles(ctx context.Context, call *Call, company int64) ([]Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return nil, err
	}
	var roles []Role
	err := s.store.View(ctx, func(r Reader) error {
		if _, err := companyInScope(ctx, r, call.Actor, company); err != nil {
			return err
		}
		own, err := r.Roles(ctx, call.Actor.Tenant, company)
		if err != nil {
			return err
		}
		shared, err := r.Roles(ctx, call.Actor.Tenant, 0)
		roles = append(slices.Clone(shared), own...)
		return err
	})
	slices.SortFunc(roles, func(a, b Role) int { return cmp.Compare(a.Number, b.Number) })
	return roles, err
}

// Role reads a role that a company can use: its own or the tenant's.
func (s *Service) Role(ctx context.Context, call *Call, company, number int64) (Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Role{}, err
	}
	var role Role
	err := s.store.View(ctx, func(r Reader) error {
		if _, err := companyInScope(ctx, r, call.Actor, company); err != nil {
			return err
		}
		var err error
		role, err = usableRole(ctx, r, call.Actor.Tenant, company, number)
		return err
	})
	return role, err
}

// usableRole reads a role that belongs to the company or to the tenant.
func usableRole(ctx context.Context, r Reader, t TenantNo, company, number int64) (Role, error) {
	missing := Wrong(CodeNotFound, ReasonRoleNotFound, "Role not found.")
	if number <= 0 || number > MaxNumber {
		return Role{}, missing
	}
	role, err := r.Role(ctx, t, number)
	if errors.Is(err, ErrNotFound) || err == nil && role.Company != 0 && role.Company != company {
		return Role{}, missing
	}
	return role, err
}

// CreateRole makes a role of a company (0: of the tenant). Nobody can make a
// role of a rank above its own, and a caller that is bound to a company none that
// has a rank: it could neither give nor change it. A set number is kept when free.
func (s *Service) CreateRole(ctx context.Context, call *Call, in Role) (Role, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Role{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return Role{}, err
	}
	in.Tenant, in.Version = call.Actor.Tenant, 1
	if err := checkNamed(in.Name, in.Number); err != nil {
		return Role{}, err
	}
	in.Key = orNew(in.Key, func() string { return NameKey(in.Name) })
	if err := checkRole(&in); err != nil {
		return Role{}, err
	}
	if !call.Actor.grants(in.Rank) || in.Rank == RankOwner {
		return Role{}, errRank()
	}
	if in.Rank > RankSelf && call.Actor.acted {
		return Role{}, call.Actor.bar(ActGrantRole)
	}
	var made Role
	err := s.once(ctx, call, func(tx Tx) (any, error) {
		next := in
		if in.Company != 0 || call.Actor.Root != 0 {
			if _, err := companyInScope(ctx, tx, call.Actor, in.Company); err != nil {
				return nil, err
			}
		}
		if _, err := tx.RoleByKey(ctx, next.Tenant, next.Company, next.Key); !errors.Is(err, ErrNotFound) {
			return nil, takenOr(err, FieldRoles, ReasonRoleTaken, "There is a role of this name already.")
		}
		err := s.insertRole(ctx, tx, call, &next)
		made = next
		return made, err
	})
	call.Changed = err == nil
	return made, err
}

func errRank() error {
	return Wrong(CodeForbidden, ReasonRankTooLow, "The caller's rank is too low to grant this role.")
}

// UserRoles lists a user's role assignments by number, for the companies that
// the caller can see.
func (s *Service) UserRoles(ctx context.Context, call *Call, ref UserRef) ([]RoleAssignment, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return nil, err
	}
	var roles []RoleAssignment
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		held, err := r.UserRoles(ctx, u.Tenant, u.Number)
		for _, have := range held {
			mine, err := seesCompany(ctx, r, call.Actor, have.Company)
			if err != nil {
				return err
			}
			if mine {
				roles = append(roles, have)
			}
		}
		return err
	})
	return roles, err
}

// AssignRole gives a user a role for a company (0: the user's own) and reports
// whether it is new.
// Nobody grants a rank above its own, and a caller that is bound to a company
// grants none. Errors: user.not_found,
// company.not_found, role.not_found, rank.too_low.
func (s *Service) AssignRole(ctx context.Context, call *Call, ref UserRef, role, company int64) (RoleAssignment, bool, error) {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return RoleAssignment{}, false, err
	}
	var assignment RoleAssignment
	var fresh bool
	_, err := s.change(ctx, call, ActGrantRole, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		company := company
		if company == 0 {
			company = u.Company
		}
		if _, err := companyInScope(ctx, tx, call.Actor, company); err != nil {
			return err
		}
		granted, err := usableRole(ctx, tx, u.Tenant, company, role)
		if err != nil {
			return err
		}
		if err := call.Actor.mayGive(granted.Rank); err != nil {
			return err
		}
		held, err := tx.UserRoles(ctx, u.Tenant, u.Number)
		if err != nil {
			return err
		}
		for _, have := range held {
			if have.Role == role && have.Company == company {
				assignment, fresh = have, false
				return nil
			}
		}
		next := RoleAssignment{User: u.Number, Role: role, Company: company}
		if err := numberFor(ctx, tx, u.Tenant, NumberAssignment, &next.Number, nil); err != nil {
			return err
		}
		assignment, fresh = next, true
		u.Rank = max(u.Rank, granted.Rank)
		e.event, e.subject = EventRoleAssigned, fmt.Sprintf("role:%d", role)
		e.changes.number(FieldRoles, 0, role)
		return addRole(ctx, tx, u, next, &granted)
	})
	return assignment, fresh, err
}

// UnassignRole takes a role from a user for every company that the caller can
// see; the user's rank falls to the highest of what is left. A role that it
// does not hold there is role.not_found.
func (s *Service) UnassignRole(ctx context.Context, call *Call, ref UserRef, role int64) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	_, err := s.change(ctx, call, ActGrantRole, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		held, err := tx.UserRoles(ctx, u.Tenant, u.Number)
		if err != nil {
			return err
		}
		rank, found := RankSelf, false
		for _, have := range held {
			mine, err := seesCompany(ctx, tx, call.Actor, have.Company)
			if err != nil {
				return err
			}
			if have.Role == role && mine {
				found = true
				if _, err := tx.RemoveUserRole(ctx, u.Tenant, have.Number); err != nil {
					return err
				}
				continue
			}
			kept, err := tx.Role(ctx, u.Tenant, have.Role)
			if err != nil {
				return err
			}
			rank = max(rank, kept.Rank)
		}
		if !found {
			return Wrong(CodeNotFound, ReasonRoleNotFound, "Role not found.")
		}
		if u.Rank != RankOwner {
			u.Rank = rank
		}
		e.event, e.subject = EventRoleRemoved, fmt.Sprintf("role:%d", role)
		e.changes.number(FieldRoles, role, 0)
		return nil
	})
	return err
}

// SetOwner makes a user the account owner of its tenant; the one before keeps
// the rank of an administrator. Only the server's operator can do it.
func (s *Service) SetOwner(ctx context.Context, call *Call, ref UserRef) error {
	if err := s.enterServer(ctx, call); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx Tx) error {
		tenant, err := tx.LockTenant(ctx, call.Actor.Tenant)
		if err != nil {
			return notFound(err, ReasonTenantNotFound, "Tenant not found.")
		}
		next, err := s.lockTarget(ctx, tx, call, ActTenant, ref)
		if err != nil {
			return err
		}
		if next.State != StateActive {
			return Wrong(CodeConflict, ReasonStateNotAllowed, "The account owner must be active.")
		}
		if err := s.setRank(ctx, tx, call, tenant.Owner, RankAdministrator, next.Number); err != nil {
			return err
		}
		tenant.Owner = next.Number
		tenant.Version++
		if err := tx.UpdateTenant(ctx, tenant); err != nil {
			return err
		}
		return s.setRank(ctx, tx, call, next.Number, RankOwner, 0)
	})
}

// setRank writes a user's rank, unless the number is 0 or to be left alone.
func (s *Service) setRank(ctx context.Context, tx Tx, call *Call, number int64, rank Rank, except int64) error {
	if number == 0 || number == except {
		return nil
	}
	before, err := tx.LockUser(ctx, call.Actor.Tenant, number)
	if err != nil || before.Rank == rank {
		return err
	}
	after := before
	after.Rank, after.UpdatedAt = rank, s.now()
	after.Version++
	var diff changes
	diff.compare(&before, &after)
	diff.version = after.Version
	if err := s.record(ctx, tx, call, EventUserUpdated, onUser(&after), "", &diff); err != nil {
		return err
	}
	if after.Rank > before.Rank {
		if err := tx.DeleteTokens(ctx, after.Tenant, after.Number, TokenReset); err != nil {
			return err
		}
	}
	return tx.UpdateUser(ctx, before, after)
}

func errOperator() error {
	return Wrong(CodeForbidden, ReasonRankTooLow, "Only the operator of the server may do this.")
}

package directory

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// administratorKey is the key of the role that UserPatch.Administrator gives.
const administratorKey = "administrator"

// changeRoles makes the roles of these keys the only ones of the tenant itself
// that a user has; a key that no role has to the letter is folded like a name.
// What the user has of a company's roles, or for companies that the caller
// cannot see, stays. The user's row is locked, or the user is new. Unknown keys
// are reported together, before anything is written.
func changeRoles(ctx context.Context, tx Tx, call *Call, u *User, e *edit, keys []string) error {
	wanted, err := namedRoles(ctx, tx, u.Tenant, keys)
	if err != nil {
		return err
	}
	held, err := heldRoles(ctx, tx, call, u)
	if err != nil {
		return err
	}
	var drop []HeldRole
	for _, have := range held {
		if have.Role.Company == 0 && !slices.ContainsFunc(wanted, func(r Role) bool { return r.Number == have.Role.Number }) {
			drop = append(drop, have)
		}
	}
	give := slices.DeleteFunc(wanted, func(r Role) bool { return holds(held, r.Number) })
	return moveRoles(ctx, tx, call, u, e, held, drop, give)
}

// changePlainRoles makes the roles of these keys the only ones without rank, of
// the tenant itself, that a user has. Those that do not exist go into the door's
// extras.
func changePlainRoles(ctx context.Context, tx Tx, call *Call, u *User, e *edit, p *PlainRoles) error {
	if len(p.Keys) > maxNamed {
		return Invalid(FieldRoles.String(), ReasonFieldLength, "A change names at most %d roles.", maxNamed)
	}
	var wanted []Role
	var unknown []string
	for _, key := range p.Keys {
		role, err := roleOf(ctx, tx, u.Tenant, key)
		if errors.Is(err, ErrNotFound) {
			role, err = roleOf(ctx, tx, u.Tenant, NameKey(key))
		}
		switch {
		case errors.Is(err, ErrNotFound):
			unknown = append(unknown, key)
		case err != nil:
			return err
		case !slices.ContainsFunc(wanted, func(r Role) bool { return r.Number == role.Number }):
			wanted = append(wanted, role)
		}
	}
	label := json.RawMessage("null")
	if len(unknown) > 0 {
		label = asJSON(unknown)
	}
	var bad violations
	patchExtraFields(&bad, call.Door.String(), u, map[string]json.RawMessage{p.Unknown: label})
	if err := bad.err(); err != nil {
		return err
	}
	held, err := heldRoles(ctx, tx, call, u)
	if err != nil {
		return err
	}
	var drop []HeldRole
	for _, have := range held {
		if have.Role.Company == 0 && have.Role.Rank == RankSelf && !slices.ContainsFunc(wanted, func(r Role) bool { return r.Number == have.Role.Number }) {
			drop = append(drop, have)
		}
	}
	give := slices.DeleteFunc(wanted, func(r Role) bool { return holds(held, r.Number) })
	return moveRoles(ctx, tx, call, u, e, held, drop, give)
}

// changeAdministrator gives a user the tenant's role "administrator", unless
// it has that rank by some role, or takes every role of the rank or above.
func (s *Service) changeAdministrator(ctx context.Context, tx Tx, call *Call, u *User, e *edit, admin bool) error {
	held, err := heldRoles(ctx, tx, call, u)
	if err != nil {
		return err
	}
	high := slices.DeleteFunc(slices.Clone(held), func(h HeldRole) bool { return h.Role.Rank < RankAdministrator })
	if !admin {
		return moveRoles(ctx, tx, call, u, e, held, high, nil)
	}
	if len(high) > 0 {
		return nil
	}
	if err := call.Actor.mayGive(RankAdministrator); err != nil {
		return err
	}
	role, err := s.administratorRole(ctx, tx, call, u.Tenant)
	if err != nil {
		return err
	}
	return moveRoles(ctx, tx, call, u, e, held, nil, []Role{role})
}

// administratorRole reads or makes the tenant's role of administrators. A role
// of the key but of another rank is somebody else's: the next key is tried.
func (s *Service) administratorRole(ctx context.Context, tx Tx, call *Call, t TenantNo) (Role, error) {
	key := administratorKey
	for n := 2; ; n++ {
		role, err := tx.RoleByKey(ctx, t, 0, key)
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil || role.Rank == RankAdministrator {
			return role, err
		}
		key = fmt.Sprintf("%s-%d", administratorKey, n)
	}
	role := Role{Tenant: t, Key: key, Name: "Administrator", Rank: RankAdministrator}
	err := s.insertRole(ctx, tx, call, &role)
	return role, err
}

// insertRole gives a role its number and writes it with its event.
func (s *Service) insertRole(ctx context.Context, tx Tx, call *Call, role *Role) error {
	err := numberFor(ctx, tx, role.Tenant, NumberRole, &role.Number, func(n int64) error {
		_, err := tx.Role(ctx, role.Tenant, n)
		return err
	})
	if err != nil {
		return err
	}
	role.Version = 1
	if err := tx.InsertRole(ctx, *role); err != nil {
		return err
	}
	var diff changes
	diff.named("name", "", role.Name)
	diff.named("rank", "", role.Rank.String())
	return s.record(ctx, tx, call, EventRoleCreated, topic{}, fmt.Sprintf("role:%d", role.Number), &diff)
}

// grants reports whether the actor may give or take roles of a rank. Nobody
// may above its own; a rank holds for the whole tenant, which a caller that is
// bound to a company lacks.
func (a Actor) grants(rank Rank) bool { return rank <= a.Rank && (a.Root == 0 || rank == RankSelf) }

// mayGive decides whether the actor may give somebody a role of a rank: who
// provisions may none that has one. With a
// credential of limited scopes or doors nobody can: it may make users with
// passwords, and would make one that has the rest.
func (a Actor) mayGive(rank Rank) error {
	switch {
	case !a.grants(rank):
		return errRank()
	case a.provisions && rank > RankSelf:
		return errProvisioning()
	case rank > RankSelf && a.acted:
		return a.bar(ActGrantRole)
	case rank > RankSelf && a.narrow():
		return Wrong(CodeForbidden, ReasonScopeMissing, "A credential with limited scopes or doors cannot give a role that has a rank.")
	}
	return nil
}

// namedRoles reads the tenant's own roles of these keys, each once.
func namedRoles(ctx context.Context, r Reader, t TenantNo, keys []string) ([]Role, error) {
	if len(keys) > maxNamed {
		return nil, Invalid(FieldRoles.String(), ReasonFieldLength, "A change names at most %d roles.", maxNamed)
	}
	var bad violations
	var roles []Role
	for _, key := range keys {
		role, err := roleOf(ctx, r, t, key)
		if errors.Is(err, ErrNotFound) {
			role, err = roleOf(ctx, r, t, NameKey(key))
		}
		if errors.Is(err, ErrNotFound) {
			bad.add(FieldRoles, ReasonRoleNotFound, "There is no role %q.", key)
			continue
		}
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(roles, func(have Role) bool { return have.Number == role.Number }) {
			roles = append(roles, role)
		}
	}
	return roles, bad.err()
}

// roleOf reads the tenant's role of a key; a text that can be no key is not
// found.
func roleOf(ctx context.Context, r Reader, t TenantNo, key string) (Role, error) {
	if key == "" || CleanText("roles", key, maxTextRunes) != nil {
		return Role{}, ErrNotFound
	}
	return r.RoleByKey(ctx, t, 0, key)
}

// heldRoles reads what roles a user has, for the companies that the caller can
// see, by number of the assignment.
func heldRoles(ctx context.Context, r Reader, call *Call, u *User) ([]HeldRole, error) {
	return newDetails(r, call, IncludeRoles).rolesOf(ctx, u)
}

// holds reports whether a role is among those that are held.
func holds(held []HeldRole, role int64) bool {
	return slices.ContainsFunc(held, func(h HeldRole) bool { return h.Role.Number == role })
}

// moveRoles takes and gives roles and makes the user's rank follow. New ones
// are for the tenant's default company, or the one that the caller is bound to.
func moveRoles(ctx context.Context, tx Tx, call *Call, u *User, e *edit, held, drop []HeldRole, give []Role) error {
	if len(drop) == 0 && len(give) == 0 {
		return nil
	}
	allowed := *call // the use case may have entered with another action
	if err := allowed.permit(ActGrantRole); err != nil {
		return err
	}
	for _, h := range drop {
		if !call.Actor.grants(h.Role.Rank) {
			return errRank()
		}
		if _, err := tx.RemoveUserRole(ctx, u.Tenant, h.Assignment.Number); err != nil {
			return err
		}
	}
	company := call.tenant.DefaultCompany
	if call.Actor.Root != 0 {
		company = call.Actor.Root
	}
	for _, role := range give {
		if err := call.Actor.mayGive(role.Rank); err != nil {
			return err
		}
		next := RoleAssignment{User: u.Number, Role: role.Number, Company: company}
		if err := numberFor(ctx, tx, u.Tenant, NumberAssignment, &next.Number, nil); err != nil {
			return err
		}
		if err := addRole(ctx, tx, u, next, &role); err != nil {
			return err
		}
	}
	noteRoles(e, held, drop, give)
	return setRankByRoles(ctx, tx, u)
}

// addRole gives a role that was looked up before its row was this transaction's to
// share. One whose rank is another by now is ErrDuplicate, so that the closure
// looks again: what was decided about it does not hold.
func addRole(ctx context.Context, tx Tx, u *User, a RoleAssignment, role *Role) error {
	if err := tx.AddUserRole(ctx, u.Tenant, a); err != nil {
		return err
	}
	now, err := tx.Role(ctx, u.Tenant, role.Number)
	if err == nil && now.Rank != role.Rank {
		return ErrDuplicate
	}
	return err
}

// noteRoles notes the names of the roles before and after, each once.
func noteRoles(e *edit, held, drop []HeldRole, give []Role) {
	before, after := []string{}, []string{}
	add := func(list *[]string, role *Role) {
		if name := cmp.Or(role.Key, role.Name); !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for i := range held {
		add(&before, &held[i].Role)
		gone := func(d HeldRole) bool { return d.Assignment.Number == held[i].Assignment.Number }
		if !slices.ContainsFunc(drop, gone) {
			add(&after, &held[i].Role)
		}
	}
	for i := range give {
		add(&after, &give[i])
	}
	e.changes.value(FieldRoles, false, before, after)
}

// setRankByRoles makes a user's rank the highest of its roles; the account
// owner's stays.
func setRankByRoles(ctx context.Context, r Reader, u *User) error {
	if u.Rank == RankOwner {
		return nil
	}
	assignments, err := r.UserRoles(ctx, u.Tenant, u.Number)
	if err != nil {
		return err
	}
	u.Rank = RankSelf
	for _, a := range assignments {
		role, err := r.Role(ctx, u.Tenant, a.Role)
		if err != nil {
			return err
		}
		u.Rank = max(u.Rank, role.Rank)
	}
	return nil
}

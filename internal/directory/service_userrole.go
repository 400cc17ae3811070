package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// RoleByKey reads a role of the tenant itself by its key, to the letter.
// Errors: role.not_found.
func (s *Service) RoleByKey(ctx context.Context, call *Call, key string) (Role, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Role{}, err
	}
	var role Role
	err := s.store.Read(ctx, func(r Reader) (err error) {
		role, err = tenantRole(ctx, r, call, key)
		return err
	})
	return role, err
}

// tenantRole reads the tenant's role of a key.
func tenantRole(ctx context.Context, r Reader, call *Call, key string) (Role, error) {
	role, err := roleOf(ctx, r, call.Actor.Tenant, key)
	return role, notFound(err, ReasonRoleNotFound, "Role not found.")
}

// PutRole makes the tenant's role of a key, of the rank self, or replaces
// name, description, permissions and extras of the one that has it; made says
// which. Without a name the key is the name. Nobody changes a role of a rank
// above its own.
func (s *Service) PutRole(ctx context.Context, call *Call, in Role) (role Role, made bool, err error) {
	if err := s.enterWhole(ctx, call, ActWriteCompany); err != nil {
		return Role{}, false, err
	}
	next := Role{Tenant: call.Actor.Tenant, Key: in.Key, Name: orNew(in.Name, func() string { return in.Key }),
		Description: in.Description, Permissions: in.Permissions, Extras: in.Extras}
	if err := checkRole(&next); err != nil {
		return Role{}, false, err
	}
	var wrote bool
	err = s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, next.Tenant); err != nil {
			return err
		}
		before, err := tx.RoleByKey(ctx, next.Tenant, 0, next.Key)
		if errors.Is(err, ErrNotFound) {
			if err := call.If.checkAbsent(); err != nil {
				return err
			}
			fresh := next
			err := s.insertRole(ctx, tx, call, &fresh)
			role, made, wrote = fresh, true, true
			return err
		}
		if err != nil {
			return err
		}
		if err := call.If.check(before.Version); err != nil {
			return err
		}
		after := next
		after.Number, after.Rank = before.Number, before.Rank
		wrote, err = s.replaceRole(ctx, tx, call, before, &after)
		role, made = after, false
		return err
	})
	call.Changed = err == nil && wrote
	return role, made, err
}

// maxPermissions is how many permissions a role can have.
const maxPermissions = 1000

// checkRole validates a role that a door puts.
func checkRole(r *Role) error {
	var bad violations
	if r.Key == "" {
		collect(&bad, Invalid("key", ReasonFieldRequired, "key is required."))
	}
	collect(&bad, CleanText("key", r.Key, maxTextRunes))
	collect(&bad, checkName("name", r.Name))
	collect(&bad, CleanText("description", r.Description, maxTextRunes))
	if len(r.Permissions) > maxPermissions {
		collect(&bad, Invalid("permissions", ReasonFieldLength, "permissions must be at most %d.", maxPermissions))
	}
	for _, p := range r.Permissions {
		if err := CleanText("permissions", p, maxTextRunes); err != nil {
			collect(&bad, err)
			break
		}
	}
	checkJSON(&bad, FieldExtras, []byte(r.Extras))
	return bad.err()
}

// replaceRole writes a changed role, whose version it sets, and reports whether it
// was.
func (s *Service) replaceRole(ctx context.Context, tx Tx, call *Call, before Role, after *Role) (bool, error) {
	if !call.Actor.grants(before.Rank) {
		return false, errRank()
	}
	var diff changes
	diff.named("name", before.Name, after.Name)
	diff.named("description", before.Description, after.Description)
	diff.named("rank", before.Rank.String(), after.Rank.String())
	if !slices.Equal(before.Permissions, after.Permissions) {
		diff.raw("permissions", asJSON(before.Permissions), asJSON(after.Permissions))
	}
	if before.Extras != after.Extras {
		diff.raw("extras", redactJSON([]byte(before.Extras)), redactJSON([]byte(after.Extras)))
	}
	if after.Version = before.Version; len(diff.json) == 0 {
		return false, nil
	}
	after.Version++
	if err := tx.UpdateRole(ctx, *after); err != nil {
		return false, err
	}
	return true, s.record(ctx, tx, call, EventRoleUpdated, topic{}, roleSubject(after), &diff)
}

func roleSubject(r *Role) string { return fmt.Sprintf("role:%d", r.Number) }

// DeleteRole erases a role of the tenant itself and takes it from its holders,
// whose ranks fall to the highest of what they keep. Errors: role.not_found;
// role.held when more than 500 users hold it; rank.too_low when the role's rank
// or a holder's is above the caller's.
func (s *Service) DeleteRole(ctx context.Context, call *Call, key string) error {
	if err := s.enterWhole(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		role, err := tenantRole(ctx, tx, call, key)
		if err != nil {
			return false, err
		}
		if err := call.If.check(role.Version); err != nil {
			return false, err
		}
		if !call.Actor.grants(role.Rank) {
			return false, errRank()
		}
		holders, err := tx.RoleMembers(ctx, role.Tenant, role.Number, 0, maxChanged+1)
		if err != nil {
			return false, err
		}
		if len(holders) > maxChanged {
			return false, Wrong(CodeConflict, ReasonRoleHeld, "More than %d users hold the role: take it from them first.", maxChanged)
		}
		for _, number := range holders {
			// Deleted users too: a restored one must not have it.
			err := s.changeOne(ctx, tx, call, ActGrantRole, ByNumber(number), func(u *User, e *edit) error {
				e.event = EventRolesChanged
				return dropRole(ctx, tx, call, u, e, role.Number)
			})
			if err != nil {
				return false, err
			}
		}
		err = tx.DeleteRole(ctx, role.Tenant, role.Number)
		if errors.Is(err, ErrNotFound) {
			return false, Wrong(CodeConflict, ReasonRoleHeld, "Somebody was given the role at this moment.")
		}
		if err != nil {
			return false, err
		}
		var diff changes
		diff.named("name", role.Name, "")
		return true, s.record(ctx, tx, call, EventRoleDeleted, topic{}, roleSubject(&role), &diff)
	})
}

// dropRole takes every assignment of a role that the caller can see.
func dropRole(ctx context.Context, tx Tx, call *Call, u *User, e *edit, role int64) error {
	held, err := heldRoles(ctx, tx, call, u)
	if err != nil {
		return err
	}
	drop := slices.DeleteFunc(slices.Clone(held), func(h HeldRole) bool { return h.Role.Number != role })
	return moveRoles(ctx, tx, call, u, e, held, drop, nil)
}

// giveRole gives a role that the user does not have yet.
func giveRole(ctx context.Context, tx Tx, call *Call, u *User, e *edit, role *Role) error {
	held, err := heldRoles(ctx, tx, call, u)
	if err != nil || holds(held, role.Number) {
		return err
	}
	return moveRoles(ctx, tx, call, u, e, held, nil, []Role{*role})
}

// SetUserRoles makes the roles of these keys the only ones of the tenant itself
// that a user has. Errors: user.not_found; role.not_found on the roles field;
// rank.too_low.
func (s *Service) SetUserRoles(ctx context.Context, call *Call, ref UserRef, keys []string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	return s.changeUserRoles(ctx, call, ref, func(tx Tx, u *User, e *edit) error {
		return changeRoles(ctx, tx, call, u, e, keys)
	})
}

// changeUserRoles runs a change of one living user's roles.
func (s *Service) changeUserRoles(ctx context.Context, call *Call, ref UserRef, fn func(tx Tx, u *User, e *edit) error) error {
	_, err := s.change(ctx, call, ActGrantRole, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		e.event = EventRolesChanged
		return fn(tx, u, e)
	})
	return err
}

// GiveRole gives a user the tenant's role of a key, and TakeRole takes it.
// Neither minds a repeat. Errors: user.not_found, role.not_found, rank.too_low.
func (s *Service) GiveRole(ctx context.Context, call *Call, ref UserRef, key string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	return s.changeUserRoles(ctx, call, ref, func(tx Tx, u *User, e *edit) error {
		role, err := tenantRole(ctx, tx, call, key)
		if err != nil {
			return err
		}
		return giveRole(ctx, tx, call, u, e, &role)
	})
}

// TakeRole takes the tenant's role of a key from a user.
func (s *Service) TakeRole(ctx context.Context, call *Call, ref UserRef, key string) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	return s.changeUserRoles(ctx, call, ref, func(tx Tx, u *User, e *edit) error {
		role, err := tenantRole(ctx, tx, call, key)
		if err != nil {
			return err
		}
		return dropRole(ctx, tx, call, u, e, role.Number)
	})
}

// RoleMembers lists the living users that hold the tenant's role of a key and
// that the caller can see, by number, at most MaxLimit. Of a role that more
// than CountLimit users hold, it looks at that many.
func (s *Service) RoleMembers(ctx context.Context, call *Call, key string) ([]User, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return nil, err
	}
	var users []User
	err := s.store.View(ctx, func(r Reader) error {
		role, err := tenantRole(ctx, r, call, key)
		if err != nil {
			return err
		}
		users, err = roleHolders(ctx, r, call.Actor, role.Number, MaxLimit)
		return err
	})
	return users, err
}

// roleHolders reads the first living holders of a role that the actor can see.
func roleHolders(ctx context.Context, r Reader, actor Actor, role int64, limit int) ([]User, error) {
	var users []User
	after := int64(0)
	for range CountLimit / MaxLimit {
		numbers, err := r.RoleMembers(ctx, actor.Tenant, role, after, MaxLimit)
		if err != nil {
			return nil, err
		}
		for _, number := range numbers {
			u, err := r.UserByNumber(ctx, actor.Tenant, number)
			if err == nil {
				err = visible(ctx, r, actor, &u)
			}
			if CodeOf(notFound(err, ReasonUserNotFound, "")) == CodeNotFound || err == nil && u.State == StateDeleted {
				continue
			}
			if err != nil {
				return nil, err
			}
			if users = append(users, u); len(users) == limit {
				return users, nil
			}
		}
		if len(numbers) < MaxLimit {
			break
		}
		after = numbers[len(numbers)-1]
	}
	return users, nil
}

// SetRoleMembers makes exactly these users, at most MaxLimit, the living
// holders of the tenant's role of a key that the caller can see, at most 500
// changes at a time. Errors: role.not_found; user.not_found, which names the
// first unknown user; rank.too_low.
func (s *Service) SetRoleMembers(ctx context.Context, call *Call, key string, members []UserRef) error {
	if err := s.enter(ctx, call, ActGrantRole); err != nil {
		return err
	}
	wanted, err := s.everyUser(ctx, call, members)
	if err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		role, err := tenantRole(ctx, tx, call, key)
		if err != nil {
			return false, err
		}
		users, err := roleHolders(ctx, tx, call.Actor, role.Number, len(wanted)+maxChanged+1)
		if err != nil {
			return false, err
		}
		held := make([]int64, len(users))
		for i := range users {
			held[i] = users[i].Number
		}
		return s.changeMembers(ctx, tx, call, ActGrantRole, held, wanted, func(u *User, e *edit, joins bool) error {
			e.event = EventRolesChanged
			if joins {
				return giveRole(ctx, tx, call, u, e, &role)
			}
			return dropRole(ctx, tx, call, u, e, role.Number)
		})
	})
}

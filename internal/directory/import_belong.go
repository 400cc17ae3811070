package directory

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// attach applies what a row says of a user beyond a patch: groups, locations and the
// reason of its lock. The user's row is locked, or the user is new.
func (row *importRow) attach(ctx context.Context, tx Tx, _ *Call, u *User, e *edit) error {
	var bad violations
	record := row.record
	if record.Groups != nil {
		if err := bad.gather(setRecordGroups(ctx, tx, u, e, record), FieldGroups); err != nil {
			return err
		}
	}
	if record.Locations != nil {
		if err := bad.gather(setRecordLocations(ctx, tx, u, e, *record.Locations), FieldLocations); err != nil {
			return err
		}
	}
	if err := bad.gather(setLockReason(ctx, tx, u, record), FieldLockReason); err != nil {
		return err
	}
	return bad.err()
}

// setLockReason gives a locked user the reason of its row.
func setLockReason(ctx context.Context, r Reader, u *User, record *Record) error {
	if record.LockReason == nil || *record.LockReason == u.LockReason {
		return nil
	}
	number := *record.LockReason
	if number != 0 && !u.Locked {
		return Invalid(FieldLockReason.String(), ReasonFieldValue, "lock_reason is only of a user who is locked.")
	}
	if number != 0 {
		if err := reasonFits(ctx, r, u, number); err != nil {
			return err
		}
	}
	u.LockReason = number
	return nil
}

// setRecordGroups makes the groups of a record all that a user is in, in their order.
func setRecordGroups(ctx context.Context, tx Tx, u *User, e *edit, record *Record) error {
	before, err := tx.UserGroups(ctx, u.Tenant, u.Number)
	if err != nil {
		return err
	}
	after, err := recordGroups(ctx, tx, u.Tenant, record, before)
	if err != nil {
		return err
	}
	return writeGroups(ctx, tx, u, e, before, after)
}

// recordGroups are the memberships that a record asks for. A group without a role
// keeps the one that the user has in it, but where a change is undone. Groups that
// are not there are reported together.
func recordGroups(ctx context.Context, r Reader, t TenantNo, record *Record, before []Membership) ([]Membership, error) {
	var bad violations
	var after []Membership
	if len(*record.Groups) > maxMemberships {
		return nil, Invalid(FieldGroups.String(), ReasonFieldLength, "A user can be in at most %d groups.", maxMemberships)
	}
	for _, want := range *record.Groups {
		kind := cmp.Or(want.Kind, GroupPlain)
		if !kind.known() || !checkText(&bad, FieldGroups, want.Role, 64) {
			bad.add(FieldGroups, ReasonFieldValue, "There is no such kind of group, or no such role.")
			continue
		}
		g, err := groupOf(ctx, r, t, GroupRef{Kind: kind, Name: want.name()})
		if IsReason(err, ReasonGroupNotFound) {
			bad.add(FieldGroups, ReasonGroupNotFound, "There is no group %q.", want.name())
			continue
		}
		if err != nil {
			return nil, err
		}
		if memberOf(after, g.Number) >= 0 {
			continue
		}
		m := Membership{Group: g, Role: want.Role}
		if at := memberOf(before, g.Number); at >= 0 && want.Role == "" && record.Undo == "" {
			m.Role = before[at].Role
		}
		after = append(after, m)
	}
	slices.SortStableFunc(after, func(a, b Membership) int { return cmp.Compare(a.Group.Kind, b.Group.Kind) })
	for i := range after {
		if i > 0 && after[i-1].Group.Kind == after[i].Group.Kind {
			after[i].Position = after[i-1].Position + 1
		}
	}
	return after, bad.err()
}

// name is what a group of a record is found by: its key, or else its name.
func (g *RecordGroup) name() string { return cmp.Or(g.Key, g.Name) }

// setRecordLocations makes the locations of a record all that a user has.
func setRecordLocations(ctx context.Context, tx Tx, u *User, e *edit, numbers []int64) error {
	after := slices.Compact(slices.Sorted(slices.Values(numbers)))
	if len(after) > maxLocations {
		return Invalid(FieldLocations.String(), ReasonFieldLength, "A user can have at most %d locations.", maxLocations)
	}
	var bad violations
	for _, number := range after {
		_, err := tx.Location(ctx, u.Tenant, number)
		if errors.Is(err, ErrNotFound) {
			bad.add(FieldLocations, ReasonLocationNotFound, "There is no location %d.", number)
		} else if err != nil {
			return err
		}
	}
	if err := bad.err(); err != nil {
		return err
	}
	before, err := tx.UserLocations(ctx, u.Tenant, u.Number)
	if err != nil || slices.Equal(before, after) {
		return err
	}
	for _, number := range before {
		if !slices.Contains(after, number) {
			if _, err := tx.RemoveUserLocation(ctx, u.Tenant, u.Number, number); err != nil {
				return err
			}
		}
	}
	for _, number := range after {
		if !slices.Contains(before, number) {
			if _, err := tx.AddUserLocation(ctx, u.Tenant, u.Number, number); err != nil {
				return err
			}
		}
	}
	e.changes.value(FieldLocations, false, before, after)
	return nil
}

// belongingsDiffer reports whether a row says anything of what belongs to its user that
// is not so already. What is wrong counts as a difference: trying it says what.
func belongingsDiffer(ctx context.Context, r Reader, call *Call, row *importRow, u *User) (bool, error) {
	record := row.record
	if record.Groups != nil {
		before, err := r.UserGroups(ctx, u.Tenant, u.Number)
		if err != nil {
			return false, err
		}
		after, err := recordGroups(ctx, r, u.Tenant, record, before)
		if err != nil {
			return true, refusalOnly(err)
		}
		if !slices.EqualFunc(before, after, func(a, b Membership) bool { return a.Group.Number == b.Group.Number && a.Role == b.Role }) {
			return true, nil
		}
	}
	if record.Locations != nil {
		before, err := r.UserLocations(ctx, u.Tenant, u.Number)
		if err != nil || !slices.Equal(before, slices.Compact(slices.Sorted(slices.Values(*record.Locations)))) {
			return true, err
		}
	}
	if record.Roles == nil {
		return false, nil
	}
	wanted, err := namedRoles(ctx, r, u.Tenant, *record.Roles)
	if err != nil {
		return true, refusalOnly(err)
	}
	held, err := heldRoles(ctx, r, call, u)
	if err != nil {
		return false, err
	}
	kept := 0
	for _, role := range wanted {
		if !holds(held, role.Number) {
			return true, nil
		}
	}
	for _, have := range held {
		if have.Role.Company != 0 {
			continue
		}
		kept++
		if !slices.ContainsFunc(wanted, func(r Role) bool { return r.Number == have.Role.Number }) {
			return true, nil
		}
	}
	return false, nil
}

// refusalOnly is nil for a refusal, which doing it reports, and else the failure.
func refusalOnly(err error) error {
	if isRefused(err) {
		return nil
	}
	return err
}

package directory

import (
	"context"
	"errors"
	"slices"
)

// GroupSync is what SyncGroups makes of one group.
type GroupSync struct {
	Name    string
	Members []UserRef // who shall be in the group
	Exact   bool      // others leave it
	Role    string    // of the named members, as in GroupChange
}

// SyncGroups makes the groups of these names that are missing and sets who is
// in each: all of it or nothing, at most 500 groups and 500 changes of users at
// a time (docs/dialects/edubrite.md 3.4). Errors: user.not_found, which names
// the first unknown user; what CreateGroups says of a name.
func (s *Service) SyncGroups(ctx context.Context, call *Call, kind GroupKind, list []GroupSync) error {
	if err := s.enter(ctx, call, ActGroup); err != nil {
		return err
	}
	if err := call.permit(ActAssign); err != nil {
		return err
	}
	if call.Actor.Root != 0 {
		return errWholeTenant()
	}
	fresh := make([]Group, len(list))
	wanted := make([][]int64, len(list))
	total := 0
	for i, g := range list {
		fresh[i] = Group{Kind: kind, Name: g.Name}
		total += len(g.Members)
	}
	if total > MaxLimit {
		return errTooManyMembers()
	}
	templates, err := s.newGroups(call, fresh)
	if err != nil {
		return err
	}
	for i := range list {
		if wanted[i], err = s.everyUser(ctx, call, list[i].Members); err != nil {
			return err
		}
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		wrote, changed := false, 0
		for i, g := range templates {
			made, err := s.ensureGroup(ctx, tx, call, &g)
			if err != nil {
				return false, err
			}
			n, err := s.syncMembers(ctx, tx, call, &g, &list[i], wanted[i])
			if err != nil {
				return false, err
			}
			if changed += n; changed > maxChanged {
				return false, errTooManyMembers()
			}
			wrote = wrote || made || n > 0
		}
		return wrote, nil
	})
}

// ensureGroup reads the group of a name into g, or makes it.
func (s *Service) ensureGroup(ctx context.Context, tx Tx, call *Call, g *Group) (made bool, err error) {
	held, err := tx.GroupByKey(ctx, g.Tenant, g.Kind, g.Key)
	if err == nil {
		*g = held
		return false, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	return true, s.insertGroup(ctx, tx, call, g)
}

// syncMembers sets who is in a group and returns how many users it asked.
// Named members are in with the role; users are locked in order of number.
func (s *Service) syncMembers(ctx context.Context, tx Tx, call *Call, g *Group, sync *GroupSync, wanted []int64) (int, error) {
	var held []int64
	q := membersQuery(call.Actor, g.Number)
	q.Limit = len(wanted) + maxChanged + 1
	if sync.Exact {
		users, err := tx.Users(ctx, g.Tenant, q)
		if err != nil {
			return 0, err
		}
		for i := range users {
			held = append(held, users[i].Number)
		}
	}
	numbers := append(slices.Clone(held), wanted...)
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	if len(numbers) > maxChanged {
		return 0, errTooManyMembers()
	}
	for _, number := range numbers {
		change := GroupChange{Kind: g.Kind, Mode: GroupsRemove, Groups: []GroupRef{{ID: g.ID, Kind: g.Kind}}}
		if _, stays := slices.BinarySearch(wanted, number); stays {
			change.Mode, change.Role = GroupsAdd, sync.Role
		}
		err := s.changeOne(ctx, tx, call, ActAssign, ByNumber(number), func(u *User, e *edit) error {
			if u.State == StateDeleted {
				return errDeleted()
			}
			e.event = EventGroupsChanged
			return changeGroups(ctx, tx, call, u, e, []GroupChange{change})
		})
		if err != nil {
			return 0, err
		}
	}
	return len(numbers), nil
}

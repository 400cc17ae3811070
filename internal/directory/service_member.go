package directory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
)

// GroupMembers lists the living members of a group that the caller can see, by
// number, at most MaxLimit. Errors: group.not_found.
func (s *Service) GroupMembers(ctx context.Context, call *Call, ref GroupRef) ([]User, error) {
	if err := s.enter(ctx, call, ActListUsers); err != nil {
		return nil, err
	}
	var users []User
	err := s.search(ctx, func(ctx context.Context, r Reader) error {
		g, err := groupOf(ctx, r, call.Actor.Tenant, ref)
		if err != nil {
			return err
		}
		users, err = r.Users(ctx, call.Actor.Tenant, membersQuery(call.Actor, g.Number))
		return err
	})
	return users, err
}

// SetGroupMembers makes exactly these users, at most MaxLimit, the living
// members of a group that the caller can see, at most 500 changes at a time.
// Who joins a service team leaves the team before. Errors: group.not_found;
// user.not_found, which names the first unknown user.
func (s *Service) SetGroupMembers(ctx context.Context, call *Call, ref GroupRef, members []UserRef) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	wanted, err := s.everyUser(ctx, call, members)
	if err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		g, err := groupOf(ctx, tx, call.Actor.Tenant, ref)
		if err != nil {
			return false, err
		}
		q := membersQuery(call.Actor, g.Number)
		q.Limit = len(wanted) + maxChanged + 1
		users, err := tx.Users(ctx, g.Tenant, q)
		if err != nil {
			return false, err
		}
		held := make([]int64, len(users))
		for i := range users {
			held[i] = users[i].Number
		}
		return s.changeMembers(ctx, tx, call, ActAssign, held, wanted, func(u *User, e *edit, joins bool) error {
			return moveMember(ctx, tx, call, &g, u, e, joins)
		})
	})
}

// everyUser resolves references to the numbers of living users, each once, in
// order of number.
func (s *Service) everyUser(ctx context.Context, call *Call, refs []UserRef) ([]int64, error) {
	if len(refs) > MaxLimit {
		return nil, errTooManyMembers()
	}
	var numbers []int64
	err := s.store.View(ctx, func(r Reader) error {
		list := make([]int64, 0, len(refs))
		for _, ref := range refs {
			u, err := s.find(ctx, r, call, ref)
			if CodeOf(err) == CodeNotFound {
				return errNoMember(ref)
			}
			if err != nil {
				return err
			}
			list = append(list, u.Number)
		}
		slices.Sort(list)
		numbers = slices.Compact(list)
		return nil
	})
	return numbers, err
}

// errNoMember names the user whom a list of members names in vain.
func errNoMember(ref UserRef) error {
	message := fmt.Sprintf("There is no user %q.", ref.text())
	return &Error{Code: CodeNotFound, Reason: ReasonUserNotFound, Message: message,
		Fields: []FieldError{{Field: "members", Reason: ReasonUserNotFound, Message: message}}}
}

func errTooManyMembers() error {
	return Invalid("members", ReasonFieldLength, "At most %d members can be named and %d changed at a time.", MaxLimit, maxChanged)
}

// text is what the client wrote, for a message.
func (ref UserRef) text() string {
	if ref.Number != 0 {
		return strconv.FormatInt(ref.Number, 10)
	}
	return cmp.Or(ref.ID, ref.Key)
}

// updateMany runs a change of several users in one transaction, one such
// change of a tenant at a time: each looks at who is a member before it writes.
func (s *Service) updateMany(ctx context.Context, call *Call, fn func(tx Tx) (bool, error)) error {
	var wrote bool
	err := s.store.Update(ctx, func(tx Tx) (err error) {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return err
		}
		wrote, err = fn(tx)
		return err
	})
	call.Changed = err == nil && wrote
	return err
}

// changeMembers lets those of wanted join that are not in held, and the others
// of held leave, in order of number, which is the order of locks. Both lists
// are in that order.
func (s *Service) changeMembers(ctx context.Context, tx Tx, call *Call, action Action, held, wanted []int64, move func(u *User, e *edit, joins bool) error) (bool, error) {
	joins := map[int64]bool{}
	for _, number := range wanted {
		if _, in := slices.BinarySearch(held, number); !in {
			joins[number] = true
		}
	}
	changed := make([]int64, 0, len(joins))
	for number := range joins {
		changed = append(changed, number)
	}
	for _, number := range held {
		if _, stays := slices.BinarySearch(wanted, number); !stays {
			changed = append(changed, number)
		}
	}
	if len(changed) > maxChanged {
		return false, errTooManyMembers()
	}
	slices.Sort(changed)
	for _, number := range changed {
		err := s.changeOne(ctx, tx, call, action, ByNumber(number), func(u *User, e *edit) error {
			if u.State == StateDeleted {
				return errDeleted()
			}
			return move(u, e, joins[number])
		})
		if err != nil {
			return false, err
		}
	}
	return len(changed) > 0, nil
}

// changeOne edits one of several users inside of a transaction.
func (s *Service) changeOne(ctx context.Context, tx Tx, call *Call, action Action, ref UserRef, fn func(u *User, e *edit) error) error {
	_, _, err := s.changeIn(ctx, tx, call, action, ref, fn)
	return err
}

package directory

import (
	"context"
	"errors"
	"fmt"
)

// AssignLocation assigns a user to a location; a second time changes nothing.
// Errors: user.not_found, location.not_found.
func (s *Service) AssignLocation(ctx context.Context, call *Call, ref UserRef, location int64) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	return s.setLocation(ctx, call, ref, LocationRef{Number: location}, true)
}

// JoinLocation is AssignLocation for a location by number or id.
func (s *Service) JoinLocation(ctx context.Context, call *Call, ref UserRef, location LocationRef) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	return s.setLocation(ctx, call, ref, location, true)
}

// LeaveLocation is UnassignLocation for a location by number or id.
func (s *Service) LeaveLocation(ctx context.Context, call *Call, ref UserRef, location LocationRef) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	return s.setLocation(ctx, call, ref, location, false)
}

// UnassignLocation takes a user from a location; one that was not assigned
// changes nothing. Errors as for AssignLocation.
func (s *Service) UnassignLocation(ctx context.Context, call *Call, ref UserRef, location int64) error {
	if err := s.enter(ctx, call, ActAssign); err != nil {
		return err
	}
	return s.setLocation(ctx, call, ref, LocationRef{Number: location}, false)
}

func (s *Service) setLocation(ctx context.Context, call *Call, ref UserRef, named LocationRef, assigned bool) error {
	_, err := s.change(ctx, call, ActAssign, ref, func(tx Tx, u *User, e *edit) error {
		if u.State == StateDeleted {
			return errDeleted()
		}
		l, _, err := locationBy(ctx, tx, call.Actor, named)
		if err != nil {
			return err
		}
		location, changed := l.Number, false
		if assigned {
			e.event = EventLocationAssigned
			changed, err = tx.AddUserLocation(ctx, u.Tenant, u.Number, location)
		} else {
			e.event = EventLocationRemoved
			changed, err = tx.RemoveUserLocation(ctx, u.Tenant, u.Number, location)
		}
		if changed {
			e.subject = fmt.Sprintf("location:%d", location)
			e.changes.flag(FieldLocations, !assigned, assigned)
		}
		return err
	})
	return err
}

// orRefusal hides which thing was out of scope, but not a failure.
func orRefusal(err error, refusal *Error) error {
	if CodeOf(err) == CodeInternal {
		return err
	}
	return refusal
}

// UserLocations returns the user's number and its locations' numbers in order.
func (s *Service) UserLocations(ctx context.Context, call *Call, ref UserRef) (int64, []int64, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return 0, nil, err
	}
	var number int64
	var locations []int64
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		number = u.Number
		locations, err = r.UserLocations(ctx, u.Tenant, u.Number)
		return err
	})
	return number, locations, err
}

// CreateGroup makes a group; its key is unique in its kind, and folded as
// look-ups by name fold it. A set number is kept when free. A caller that is bound to a company cannot.
func (s *Service) CreateGroup(ctx context.Context, call *Call, g Group) (Group, error) {
	if err := s.enterWhole(ctx, call, ActWriteCompany); err != nil {
		return Group{}, err
	}
	if err := checkNamed(g.Name, g.Number); err != nil {
		return Group{}, err
	}
	g.Tenant, g.Version, g.CreatedAt = call.Actor.Tenant, 1, s.now()
	if g.Key == "" {
		g.Key = g.Name
	}
	g.Key = groupKey(g.Kind, g.Key)
	g.ID = orNew(g.ID, s.opts.NewID)
	var made Group
	err := s.store.Update(ctx, func(tx Tx) error {
		next := g
		if _, err := tx.GroupByKey(ctx, next.Tenant, next.Kind, next.Key); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldGroups, ReasonGroupTaken, "The group exists already.")
		}
		if err := numberFor(ctx, tx, next.Tenant, NumberGroup, &next.Number, nil); err != nil {
			return err
		}
		made = next
		if err := tx.InsertGroup(ctx, next); err != nil {
			return err
		}
		var diff changes
		diff.named("name", "", next.Name)
		return s.record(ctx, tx, call, EventGroupCreated, topic{}, fmt.Sprintf("group:%d", next.Number), &diff)
	})
	return made, err
}

// numberFor keeps a preset number, raising the counter past it, or draws one.
// exists says whether a number is taken; nil where the insert itself tells.
func numberFor(ctx context.Context, tx Tx, t TenantNo, kind NumberKind, number *int64, exists func(int64) error) error {
	if exists == nil {
		exists = func(int64) error { return ErrNotFound }
	}
	if *number != 0 {
		if err := exists(*number); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldNumber, ReasonNumberTaken, "The number is taken.")
		}
		return tx.RaiseNumber(ctx, t, kind, *number)
	}
	n, err := draw(ctx, tx, t, kind, exists)
	*number = n
	return err
}

func orNew(id string, make func() string) string {
	if id != "" {
		return id
	}
	return make()
}

package directory

import "context"

// PlaceHold puts a hold on a user; the same hold a second time changes
// nothing. Errors: user.not_found; field.value on an unknown kind.
func (s *Service) PlaceHold(ctx context.Context, call *Call, ref UserRef, h Hold) error {
	if err := s.enter(ctx, call, ActHold); err != nil {
		return err
	}
	panic("PlaceHold")
}

// ReleaseHold takes a hold from a user; one that is not there changes nothing.
func (s *Service) ReleaseHold(ctx context.Context, call *Call, ref UserRef, h Hold) error {
	if err := s.enter(ctx, call, ActHold); err != nil {
		return err
	}
	panic("ReleaseHold")
}

// Holds lists the holds on a user, oldest first.
func (s *Service) Holds(ctx context.Context, call *Call, ref UserRef) ([]Hold, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return nil, err
	}
	panic("Holds")
}

package directory

import "context"

// Created is what became of one of several new users: the user, or why there
// is none.
type Created struct {
	User User
	Err  error
}

// CreateEach makes users, each for itself: one that fails leaves the others as
// they are, and has its own error, those of CreateUser. At most 500 at a time, in
// few transactions. A call that may not create users at all fails as a whole.
func (s *Service) CreateEach(ctx context.Context, call *Call, list []NewUser) ([]Created, error) {
	if err := s.enter(ctx, call, ActCreateUser); err != nil {
		return nil, err
	}
	panic("CreateEach")
}

// NewID draws an id for a user or group that is yet to be made, so that others
// made in the same request can name it.
func (s *Service) NewID() string { return s.opts.NewID() }

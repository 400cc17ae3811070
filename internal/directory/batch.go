package directory

import (
	"context"
	"errors"
	"slices"
)

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
	if len(list) > maxChanged {
		return nil, Invalid("users", ReasonFieldLength, "At most %d users can be made at a time.", maxChanged)
	}
	results := make([]Created, len(list))
	newcomers := make([]*newcomer, len(list))
	for i := range list {
		if newcomers[i], results[i].Err = s.prepare(ctx, call, list[i]); CodeOf(results[i].Err) == CodeInternal {
			return nil, results[i].Err
		}
	}
	for from := 0; from < len(list); from += createdAtOnce {
		to := min(from+createdAtOnce, len(list))
		if err := s.insertEach(ctx, call, newcomers[from:to], results[from:to]); err != nil {
			return nil, err
		}
	}
	call.Changed = slices.ContainsFunc(results, func(r Created) bool { return r.Err == nil })
	s.jobsAdded(call, nil)
	return results, nil
}

// createdAtOnce is how many users one transaction of CreateEach makes: others
// wait for it.
const createdAtOnce = 100

// insertEach writes newcomers in one transaction, each for itself. results hold
// the errors of those that cannot be written, and are assigned anew with every
// run of the transaction.
func (s *Service) insertEach(ctx context.Context, call *Call, newcomers []*newcomer, results []Created) error {
	before := slices.Clone(results)
	return s.store.Update(ctx, func(tx Tx) error {
		copy(results, before)
		for i, n := range newcomers {
			if results[i].Err != nil {
				continue
			}
			err := tx.Try(ctx, func() (err error) {
				results[i].User, err = s.insertNew(ctx, tx, call, n)
				return err
			})
			if err == nil {
				continue
			}
			// Somebody took a key meanwhile: the run that follows names it.
			if errors.Is(err, ErrDuplicate) || CodeOf(err) == CodeInternal {
				return err
			}
			results[i] = Created{Err: err}
		}
		return nil
	})
}

// NewID draws an id for a user or group that is yet to be made, so that others
// made in the same request can name it.
func (s *Service) NewID() string { return s.opts.NewID() }

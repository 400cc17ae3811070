package directory

import (
	"context"
	"errors"
	"slices"
)

// Created is what became of one of several new users: the user, or why there
// is none.
type Created struct {
	User    User
	Err     error
	Skipped bool // not tried: too many before it had failed
}

// CreateEach makes users, each for itself: one that fails leaves the others as
// they are, and has its own error, those of CreateUser. At most 500 at a time, in
// few transactions. When as many have failed as failures says, those behind are
// not tried; 0 tries all. A call that may not create users at all fails as a whole.
func (s *Service) CreateEach(ctx context.Context, call *Call, list []NewUser, failures int) ([]Created, error) {
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
		stop, err := s.insertEach(ctx, call, newcomers[from:to], results[from:to], failures)
		if err != nil {
			return nil, err
		}
		if failures > 0 {
			if failures = stop; stop == 0 {
				skip(results[to:])
				break
			}
		}
	}
	call.Changed = slices.ContainsFunc(results, func(r Created) bool { return r.Err == nil && !r.Skipped })
	s.jobsAdded(call, nil)
	return results, nil
}

// createdAtOnce is how many users one transaction of CreateEach makes: others
// wait for it.
const createdAtOnce = 100

// insertEach writes newcomers in one transaction, each for itself. results hold
// the errors of those that cannot be written, and are assigned anew with every
// run of the transaction. left is how many more may fail, 0 any number; more is
// what remains of it.
func (s *Service) insertEach(ctx context.Context, call *Call, newcomers []*newcomer, results []Created, left int) (more int, err error) {
	before := slices.Clone(results)
	err = s.store.Update(ctx, func(tx Tx) error {
		copy(results, before)
		more = left
		for i, n := range newcomers {
			if results[i].Err == nil {
				if err := s.insertOne(ctx, tx, call, n, &results[i]); err != nil {
					return err
				}
			}
			if results[i].Err == nil || left == 0 {
				continue
			}
			if more--; more == 0 {
				skip(results[i+1:])
				return nil
			}
		}
		return nil
	})
	return more, err
}

// insertOne writes a newcomer or notes why it cannot be written. The error is
// what ends the transaction.
func (s *Service) insertOne(ctx context.Context, tx Tx, call *Call, n *newcomer, result *Created) error {
	err := tx.Try(ctx, func() (err error) {
		result.User, err = s.insertNew(ctx, tx, call, n)
		return err
	})
	// Somebody took a key meanwhile: the run that follows names it.
	if err != nil && (errors.Is(err, ErrDuplicate) || CodeOf(err) == CodeInternal) {
		return err
	}
	if err != nil {
		*result = Created{Err: err}
	}
	return nil
}

// skip marks those that are not tried.
func skip(results []Created) {
	for i := range results {
		results[i] = Created{Skipped: true}
	}
}

// NewID draws an id for a user or group that is yet to be made, so that others
// made in the same request can name it.
func (s *Service) NewID() string { return s.opts.NewID() }

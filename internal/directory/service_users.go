package directory

import (
	"context"
	"errors"
	"fmt"
)

// CreateUsers makes users, all or none, at most 500. Errors are those of
// CreateUser with the fields of all users at fault, each as
// "users[0].user_name"; every name that is taken, or that two of the new users
// share, is reported.
func (s *Service) CreateUsers(ctx context.Context, call *Call, list []NewUser) ([]User, error) {
	if err := s.enter(ctx, call, ActCreateUser); err != nil {
		return nil, err
	}
	if len(list) > maxChanged {
		return nil, Invalid("users", ReasonFieldLength, "At most %d users can be made at a time.", maxChanged)
	}
	newcomers, err := s.prepareAll(ctx, call, list)
	if err != nil {
		return nil, err
	}
	var made []User
	err = s.store.Update(ctx, func(tx Tx) error {
		if err := namesFree(ctx, tx, call.Actor.Tenant, list); err != nil {
			return err
		}
		users := make([]User, len(newcomers))
		for i, n := range newcomers {
			u, err := s.insertNew(ctx, tx, call, n)
			if err != nil {
				return inList(err, i)
			}
			users[i] = u
		}
		made = users
		return nil
	})
	call.Changed = err == nil && len(made) > 0
	s.jobsAdded(call, err)
	return made, err
}

// prepareAll does what needs no transaction. Nothing is hashed for users of
// which one has a name that is taken or something else wrong.
func (s *Service) prepareAll(ctx context.Context, call *Call, list []NewUser) ([]*newcomer, error) {
	var bad violations
	for i := range list {
		in := list[i]
		in.Password, in.PasswordHash, in.GeneratePassword = "", "", false
		if _, err := s.prepare(ctx, call, in); err != nil {
			if CodeOf(err) != CodeInvalid {
				return nil, err
			}
			bad = append(bad, AsError(inList(err, i)).Fields...)
		}
	}
	if err := bad.err(); err != nil {
		return nil, err
	}
	err := s.store.View(ctx, func(r Reader) error { return namesFree(ctx, r, call.Actor.Tenant, list) })
	if err != nil {
		return nil, err
	}
	newcomers := make([]*newcomer, len(list))
	for i := range list {
		if newcomers[i], err = s.prepare(ctx, call, list[i]); err != nil {
			return nil, inList(err, i)
		}
	}
	return newcomers, nil
}

// namesFree reports every user name of new users that is taken, or that one
// before it in the list has.
func namesFree(ctx context.Context, r Reader, t TenantNo, list []NewUser) error {
	refusal := takenReason(SpaceLogin, HandleUserName)
	var bad violations
	seen := map[string]bool{}
	for i := range list {
		key, err := FoldKey(SpaceLogin, list[i].Fields.UserName.Value)
		if err != nil {
			continue // said otherwise, or the name is drawn
		}
		_, err = r.HandleByKey(ctx, t, SpaceLogin, key)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err == nil || seen[key] {
			bad = append(bad, AsError(inList(refusal, i)).Fields...)
		}
		seen[key] = true
	}
	if len(bad) == 0 {
		return nil
	}
	refusal.Fields = bad
	return refusal
}

// inList names the fields of a refusal as those of one of several users.
func inList(err error, at int) error {
	e := AsError(err)
	if e.Code == CodeInternal || len(e.Fields) == 0 {
		return err
	}
	named := *e
	named.Fields = make([]FieldError, len(e.Fields))
	for i, f := range e.Fields {
		f.Field = fmt.Sprintf("users[%d].%s", at, f.Field)
		named.Fields[i] = f
	}
	return &named
}

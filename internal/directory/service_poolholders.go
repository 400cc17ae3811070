package directory

import "context"

// PoolHolders is a licence pool with the first of those who hold its seats, and of
// those who have its type and hold none because they are staged or inactive.
type PoolHolders struct {
	Pool                     Pool
	Holders, Waiting         []User
	MoreHolders, MoreWaiting bool
}

// maxHolders is how many of each PoolHolders lists.
const maxHolders = 50

// PoolHolders shows who holds the seats of a type and who waits. Errors:
// licence_pool.not_found.
func (s *Service) PoolHolders(ctx context.Context, call *Call, licenceType string) (PoolHolders, error) {
	if err := s.enterWhole(ctx, call, ActListUsers); err != nil {
		return PoolHolders{}, err
	}
	var p PoolHolders
	err := s.store.View(ctx, func(r Reader) (err error) {
		if p.Pool, err = r.Pool(ctx, call.Actor.Tenant, licenceType); err != nil {
			return notFound(err, ReasonPoolNotFound, "There is no licence pool of this type.")
		}
		if p.Holders, p.MoreHolders, err = havingLicence(ctx, r, call, licenceType, StatesOf(StateActive)); err != nil {
			return err
		}
		p.Waiting, p.MoreWaiting, err = havingLicence(ctx, r, call, licenceType, StatesOf(StateStaged, StateInactive))
		return err
	})
	return p, err
}

// havingLicence lists the first users of a type in some states.
func havingLicence(ctx context.Context, r Reader, call *Call, licenceType string, states StateSet) (users []User, more bool, err error) {
	q := UserQuery{States: states, Filter: Text{Field: FieldLicenceType, Op: OpEqual, Value: licenceType}, Limit: maxHolders + 1}
	if users, err = r.Users(ctx, call.Actor.Tenant, q); len(users) > maxHolders {
		users, more = users[:maxHolders], true
	}
	return users, more, err
}

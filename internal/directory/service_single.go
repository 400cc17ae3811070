package directory

import (
	"context"
	"errors"
)

// LockReasonByNumber reads a lock reason. Errors: lock_reason.not_found.
func (s *Service) LockReasonByNumber(ctx context.Context, call *Call, number int64) (LockReason, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return LockReason{}, err
	}
	var reason LockReason
	err := s.store.View(ctx, func(r Reader) (err error) {
		reason, err = visibleLockReason(ctx, r, call.Actor, number)
		return err
	})
	return reason, err
}

// visibleLockReason reads a lock reason of a company that the actor sees.
func visibleLockReason(ctx context.Context, r Reader, actor Actor, number int64) (LockReason, error) {
	missing := Wrong(CodeNotFound, ReasonLockReasonNotFound, noLockReason)
	if number <= 0 || number > MaxNumber {
		return LockReason{}, missing
	}
	reason, err := r.LockReason(ctx, actor.Tenant, number)
	if errors.Is(err, ErrNotFound) {
		return LockReason{}, missing
	}
	if err != nil {
		return LockReason{}, err
	}
	if _, err := companyInScope(ctx, r, actor, reason.Company); err != nil {
		return LockReason{}, orRefusal(err, missing)
	}
	return reason, nil
}

// Pool reads a licence pool. Errors: licence_pool.not_found.
func (s *Service) Pool(ctx context.Context, call *Call, licenceType string) (Pool, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Pool{}, err
	}
	pool, err := Pool{}, ErrNotFound
	if checkName(FieldLicenceType.String(), licenceType) == nil {
		err = s.store.Read(ctx, func(r Reader) (err error) {
			pool, err = r.Pool(ctx, call.Actor.Tenant, licenceType)
			return err
		})
	}
	return pool, notFound(err, ReasonPoolNotFound, "There is no pool for this licence type.")
}

// Credential reads a credential without its hash; a caller that is bound to a
// company those of its own company. Errors: credential.not_found.
func (s *Service) Credential(ctx context.Context, call *Call, id string) (Credential, error) {
	if err := s.enter(ctx, call, ActCredentials); err != nil {
		return Credential{}, err
	}
	missing := Wrong(CodeNotFound, ReasonCredentialNotFound, "Credential not found.")
	id, badID := presetID(id)
	if badID != nil {
		return Credential{}, missing
	}
	var c Credential
	err := s.store.Read(ctx, func(r Reader) (err error) {
		c, err = r.Credential(ctx, call.Actor.Tenant, id)
		return err
	})
	if errors.Is(err, ErrNotFound) || err == nil && call.Actor.Root != 0 && c.Root != call.Actor.Root {
		return Credential{}, missing
	}
	c.Hash = nil
	return c, err
}

// OwnTenant reads the caller's tenant. Hosts, settings and entity are
// shown to those who may change them; others get them empty, and Hosts nil, which
// it is to nobody else. Who sees nobody but itself, or one company, is not told
// who the owner is.
func (s *Service) OwnTenant(ctx context.Context, call *Call) (Tenant, error) {
	if err := s.enter(ctx, call, ActAdmit); err != nil {
		return Tenant{}, err
	}
	var t Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		t, err = r.Tenant(ctx, call.Actor.Tenant)
		return err
	})
	if err != nil {
		return Tenant{}, notFound(err, ReasonTenantNotFound, "Tenant not found.")
	}
	if call.Actor.Rank < RankReader || call.Actor.Root != 0 {
		t.Owner = 0
	}
	asked := *call
	if asked.permit(ActTenant) != nil || call.Actor.Root != 0 {
		t.Hosts, t.Settings, t.Entity = nil, Settings{}, ""
	} else if t.Hosts == nil {
		t.Hosts = []string{}
	}
	return t, nil
}

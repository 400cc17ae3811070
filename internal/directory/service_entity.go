package directory

import (
	"context"
	"strings"
)

// UserEntity reads the tenant of a user whom the caller can see. Errors as for
// User.
func (s *Service) UserEntity(ctx context.Context, call *Call, ref UserRef) (Tenant, error) {
	if err := s.enter(ctx, call, ActReadUser); err != nil {
		return Tenant{}, err
	}
	var t Tenant
	err := s.store.View(ctx, func(r Reader) error {
		u, err := s.find(ctx, r, call, ref)
		if err != nil {
			return err
		}
		t, err = r.Tenant(ctx, u.Tenant)
		return err
	})
	return t, err
}

// Entity reads the caller's tenant.
func (s *Service) Entity(ctx context.Context, call *Call) (Tenant, error) {
	if err := s.enter(ctx, call, ActReadEntity); err != nil {
		return Tenant{}, err
	}
	var t Tenant
	err := s.store.Read(ctx, func(r Reader) (err error) {
		t, err = r.Tenant(ctx, call.Actor.Tenant)
		return err
	})
	return t, notFound(err, ReasonTenantNotFound, "Tenant not found.")
}

// SetEntity replaces what the doors keep of the tenant itself, a JSON object of
// at most 64 KiB. Through a user, who must exist, if ref is set.
func (s *Service) SetEntity(ctx context.Context, call *Call, ref Opt[UserRef], entity string) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	return s.setEntity(ctx, call, entity, func(tx Tx, _ *Tenant) error {
		if !ref.Set {
			return nil
		}
		_, err := s.find(ctx, tx, call, ref.Value)
		return err
	})
}

// SetEntityOf is SetEntity of the tenant that has an id. Errors:
// tenant.not_found.
func (s *Service) SetEntityOf(ctx context.Context, call *Call, id, entity string) (Tenant, error) {
	if err := s.enter(ctx, call, ActTenant); err != nil {
		return Tenant{}, err
	}
	return s.setEntity(ctx, call, entity, func(_ Tx, t *Tenant) error {
		if !strings.EqualFold(id, t.ID) {
			return Wrong(CodeNotFound, ReasonTenantNotFound, "Tenant not found.")
		}
		return nil
	})
}

// setEntity replaces the entity of the caller's tenant, if that is the one that
// is meant.
func (s *Service) setEntity(ctx context.Context, call *Call, entity string, meant func(Tx, *Tenant) error) (Tenant, error) {
	if call.Actor.Root != 0 {
		return Tenant{}, errWholeTenant()
	}
	var result Tenant
	var wrote bool
	err := s.store.Update(ctx, func(tx Tx) error {
		before, err := tx.LockTenant(ctx, call.Actor.Tenant)
		if err != nil {
			return notFound(err, ReasonTenantNotFound, "Tenant not found.")
		}
		if err := meant(tx, &before); err != nil {
			return err
		}
		if err := checkEntity(entity); err != nil {
			return err
		}
		result, wrote = before, before.Entity != entity
		if !wrote {
			return nil
		}
		result.Entity = entity
		result.Version++
		if err := tx.UpdateTenant(ctx, result); err != nil {
			return err
		}
		var diff changes
		diff.raw("entity", redactJSON([]byte(before.Entity)), redactJSON([]byte(entity)))
		return s.record(ctx, tx, call, EventTenantUpdated, topic{}, "tenant:"+before.ID, &diff)
	})
	call.Changed = err == nil && wrote
	return result, err
}

// checkEntity validates the text of SetEntity.
func checkEntity(entity string) error {
	var bad violations
	checkJSON(&bad, FieldExtras, []byte(entity))
	if !strings.HasPrefix(strings.TrimLeft(entity, " \t\r\n"), "{") && len(bad) == 0 {
		bad.add(FieldExtras, ReasonFieldFormat, "The entity is not a JSON object.")
	}
	for i := range bad {
		bad[i].Field = "entity"
	}
	return bad.err()
}

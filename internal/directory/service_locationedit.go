package directory

import (
	"context"
	"errors"
)

// LocationRef names a location by number or id.
type LocationRef struct {
	Number int64
	ID     string
}

// locationBy reads the location that a reference names and its company, if the
// actor may see them.
func locationBy(ctx context.Context, r Reader, actor Actor, ref LocationRef) (Location, Company, error) {
	missing := Wrong(CodeNotFound, ReasonLocationNotFound, "Location not found.")
	var l Location
	err := ErrNotFound
	if ref.Number > 0 && ref.Number <= MaxNumber {
		l, err = r.Location(ctx, actor.Tenant, ref.Number)
	} else if id, badID := presetID(ref.ID); ref.Number == 0 && badID == nil {
		l, err = r.LocationByID(ctx, actor.Tenant, id)
	}
	if errors.Is(err, ErrNotFound) {
		return Location{}, Company{}, missing
	}
	if err != nil {
		return Location{}, Company{}, err
	}
	c, err := companyInScope(ctx, r, actor, l.Company)
	if err != nil {
		return Location{}, Company{}, orRefusal(err, missing)
	}
	return l, c, nil
}

// LocationOf reads a location. Errors: location.not_found.
func (s *Service) LocationOf(ctx context.Context, call *Call, ref LocationRef) (Location, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Location{}, err
	}
	var l Location
	err := s.store.View(ctx, func(r Reader) (err error) {
		l, _, err = locationBy(ctx, r, call.Actor, ref)
		return err
	})
	return l, err
}

// EditLocation changes what the patch names. Errors: location.not_found,
// location.name_taken, version.mismatch.
func (s *Service) EditLocation(ctx context.Context, call *Call, ref LocationRef, p LocationPatch) (Location, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Location{}, err
	}
	var result Location
	err := s.updateMany(ctx, call, func(tx Tx) (wrote bool, err error) {
		result, _, wrote, err = s.editLocation(ctx, tx, call, ref, &p)
		return wrote, err
	})
	return result, err
}

// editLocation changes a location inside of a transaction that has locked the
// tenant. It returns the location as it is now, its company, and whether it was
// changed.
func (s *Service) editLocation(ctx context.Context, tx Tx, call *Call, ref LocationRef, p *LocationPatch) (Location, Company, bool, error) {
	before, c, err := locationBy(ctx, tx, call.Actor, ref)
	if err != nil {
		return Location{}, Company{}, false, err
	}
	if err := call.If.check(before.Version); err != nil {
		return Location{}, Company{}, false, err
	}
	after := before
	if err := p.apply(&after); err != nil {
		return Location{}, Company{}, false, err
	}
	if after == before {
		return before, c, false, nil
	}
	err = s.moveLocation(ctx, tx, call, &before, &after) // raises the version of after
	return after, c, true, err
}

// DeleteLocation erases a location to which nobody is assigned: otherwise
// location.in_use. Errors: location.not_found, version.mismatch.
func (s *Service) DeleteLocation(ctx context.Context, call *Call, ref LocationRef) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	return s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		l, _, err := locationBy(ctx, tx, call.Actor, ref)
		if err != nil {
			return false, err
		}
		if err := call.If.check(l.Version); err != nil {
			return false, err
		}
		used, err := tx.LocationInUse(ctx, l.Tenant, l.Number)
		if err != nil {
			return false, err
		}
		if used {
			return false, Wrong(CodeConflict, ReasonLocationInUse, "Somebody is assigned to the location.")
		}
		if err := tx.DeleteLocation(ctx, l.Tenant, l.Number); err != nil {
			return false, notFound(err, ReasonLocationNotFound, "Location not found.")
		}
		var diff changes
		diff.named("name", l.Name, "")
		return true, s.record(ctx, tx, call, EventLocationDeleted, onCompany(l.Company), locationSubject(&l), &diff)
	})
}

package directory

import (
	"context"
	"errors"
	"fmt"
)

// CompanyPatch names what to change of a company. The parent is chosen when it is
// made.
type CompanyPatch struct {
	Name     Opt[string]
	Website  Opt[string]
	Metadata Opt[string] // JSON
}

// CompanyOf reads the company that a reference names. Errors: company.not_found.
func (s *Service) CompanyOf(ctx context.Context, call *Call, ref CompanyRef) (Company, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Company{}, err
	}
	var c Company
	err := s.store.View(ctx, func(r Reader) (err error) {
		c, err = companyOf(ctx, r, call.Actor, ref)
		return err
	})
	return c, err
}

// UpdateCompany changes what the patch names. Errors: company.not_found,
// company.name_taken, version.mismatch.
func (s *Service) UpdateCompany(ctx context.Context, call *Call, ref CompanyRef, p CompanyPatch) (Company, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Company{}, err
	}
	var result Company
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		before, err := companyOf(ctx, tx, call.Actor, ref)
		if err != nil {
			return false, err
		}
		if err := call.If.check(before.Version); err != nil {
			return false, err
		}
		after := before
		after.Name, after.Website, after.Metadata = p.Name.or(before.Name), p.Website.or(before.Website), p.Metadata.or(before.Metadata)
		if err := checkCompany(&after); err != nil {
			return false, err
		}
		wrote, err := s.replaceCompany(ctx, tx, call, &before, &after)
		result = after
		return wrote, err
	})
	return result, err
}

// replaceCompany writes a changed company with its event, and reports whether it
// was changed.
func (s *Service) replaceCompany(ctx context.Context, tx Tx, call *Call, before, after *Company) (bool, error) {
	var diff changes
	diff.named("name", before.Name, after.Name)
	diff.named("website", before.Website, after.Website)
	if !sameJSON([]byte(before.Metadata), []byte(after.Metadata)) {
		diff.raw("metadata", redactJSON([]byte(before.Metadata)), redactJSON([]byte(after.Metadata)))
	}
	if len(diff.json) == 0 {
		*after = *before
		return false, nil
	}
	if key := NameKey(after.Name); key != NameKey(before.Name) {
		if _, err := tx.CompanyByName(ctx, after.Tenant, key); !errors.Is(err, ErrNotFound) {
			return false, takenOr(err, FieldCompany, ReasonCompanyTaken, "The company name is taken.")
		}
	}
	after.Version++
	if err := tx.UpdateCompany(ctx, *after); err != nil {
		return false, err
	}
	return true, s.record(ctx, tx, call, EventCompanyUpdated, onCompany(after.Number), companySubject(after), &diff)
}

func companySubject(c *Company) string { return fmt.Sprintf("company:%d", c.Number) }

// DeleteCompany erases a company that has no users (deleted ones count), no
// companies below it, no locations, roles, lock reasons or credentials, and is
// not the tenant's default: otherwise company.in_use. Errors: company.not_found,
// version.mismatch.
func (s *Service) DeleteCompany(ctx context.Context, call *Call, ref CompanyRef) error {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return err
	}
	var wrote bool
	err := s.store.Update(ctx, func(tx Tx) error {
		tenant, err := tx.LockTenant(ctx, call.Actor.Tenant)
		if err != nil {
			return err
		}
		c, err := companyOf(ctx, tx, call.Actor, ref)
		if err != nil {
			return err
		}
		if err := call.If.check(c.Version); err != nil {
			return err
		}
		inUse := Wrong(CodeConflict, ReasonCompanyInUse, "Something still belongs to the company, or it is the tenant's default company.")
		if tenant.DefaultCompany == c.Number {
			return inUse
		}
		err = tx.DeleteCompany(ctx, c.Tenant, c.Number)
		if errors.Is(err, ErrNotFound) {
			return inUse
		}
		if err != nil {
			return err
		}
		wrote = true
		var diff changes
		diff.named("name", c.Name, "")
		return s.record(ctx, tx, call, EventCompanyDeleted, onCompany(c.Number), companySubject(&c), &diff)
	})
	call.Changed = err == nil && wrote
	return err
}

package directory

import (
	"context"
	"errors"
	"slices"
)

// Company reads a company. Errors: company.not_found.
func (s *Service) Company(ctx context.Context, call *Call, number int64) (Company, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Company{}, err
	}
	var c Company
	err := s.store.Read(ctx, func(r Reader) (err error) {
		c, err = companyInScope(ctx, r, call.Actor, number)
		return err
	})
	return c, err
}

// CreateCompany makes a company below in.Parent (0: a root). A set number and
// id are kept when free. Errors: company.name_taken, company.depth, and
// company.not_found on the parent.
func (s *Service) CreateCompany(ctx context.Context, call *Call, in Company) (Company, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Company{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return Company{}, err
	}
	if err := checkCompany(&in); err != nil {
		return Company{}, err
	}
	in.Tenant, in.Version, in.CreatedAt = call.Actor.Tenant, 1, s.now()
	in.ID = orNew(in.ID, s.opts.NewID)
	var made Company
	err := s.once(ctx, call, func(tx Tx) (any, error) {
		next := in
		err := s.insertCompany(ctx, tx, call, &next)
		made = next
		return made, err
	})
	call.Changed = err == nil
	return made, err
}

// insertCompany gives a company its place in the tree and writes it with its
// event.
func (s *Service) insertCompany(ctx context.Context, tx Tx, call *Call, c *Company) error {
	if _, err := tx.LockTenant(ctx, c.Tenant); err != nil {
		return err
	}
	if err := placeCompany(ctx, tx, call, c); err != nil {
		return err
	}
	if err := tx.InsertCompany(ctx, *c); err != nil {
		return err
	}
	var diff changes
	diff.named("name", "", c.Name)
	return s.record(ctx, tx, call, EventCompanyCreated, onCompany(c.Number), companySubject(c), &diff)
}

func checkCompany(c *Company) error {
	var bad violations
	collect(&bad, checkName("name", c.Name))
	collect(&bad, CleanText("website", c.Website, 2000))
	collect(&bad, checkNumber(FieldNumber.String(), c.Number))
	if c.ID != "" {
		id, err := presetID(c.ID)
		collect(&bad, err)
		c.ID = id
	}
	checkJSON(&bad, FieldAttributes, []byte(c.Metadata))
	return bad.err()
}

// placeCompany gives a company its number and its path from the root.
func placeCompany(ctx context.Context, tx Tx, call *Call, c *Company) error {
	if _, err := tx.CompanyByName(ctx, c.Tenant, NameKey(c.Name)); !errors.Is(err, ErrNotFound) {
		return takenOr(err, FieldCompany, ReasonCompanyTaken, "The company name is taken.")
	}
	var above []int64
	if c.Parent != 0 || call.Actor.Root != 0 {
		parent, err := companyInScope(ctx, tx, call.Actor, c.Parent)
		if IsReason(err, ReasonCompanyNotFound) {
			return companyField(c.Parent)
		}
		if err != nil {
			return err
		}
		if len(parent.Path) >= MaxDepth {
			return Invalid("parent", ReasonCompanyDepth, "A company tree is at most %d deep.", MaxDepth)
		}
		above = parent.Path
	}
	err := numberFor(ctx, tx, c.Tenant, NumberCompany, &c.Number, func(n int64) error {
		_, err := tx.Company(ctx, c.Tenant, n)
		return err
	})
	c.Path = append(slices.Clone(above), c.Number)
	return err
}

// CreateLocation makes a location of a company; its name is unique there. A
// set number and id are kept when free.
func (s *Service) CreateLocation(ctx context.Context, call *Call, in Location) (Location, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return Location{}, err
	}
	if err := s.replayed(ctx, call); err != nil {
		return Location{}, err
	}
	var bad violations
	template := s.newLocation(call, in, &bad)
	if err := bad.err(); err != nil {
		return Location{}, err
	}
	var made Location
	err := s.once(ctx, call, func(tx Tx) (any, error) {
		next := template
		if next.Headquarters {
			if _, err := tx.LockTenant(ctx, next.Tenant); err != nil {
				return nil, err
			}
		}
		if err := checkCompanyField(ctx, tx, call, next.Company); err != nil {
			return nil, err
		}
		err := s.insertLocation(ctx, tx, call, &next)
		made = next
		return made, err
	})
	call.Changed = err == nil
	return made, err
}

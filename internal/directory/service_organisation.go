package directory

import (
	"context"
	"slices"
)

// maxOrganisation is how many companies, and how many locations, Organisation shows
// at once.
const maxOrganisation = 1000

// Organisation is the tree of companies that a caller can see, with their locations,
// each by number: children are those that have a company as parent.
type Organisation struct {
	Companies []Company
	Locations []Location
	// More says that there is more than is shown: then the lists are the beginning,
	// by number, and the rest is found by name (ListCompanies).
	More bool
}

// Organisation shows the tree of companies and locations as a whole, as far as it is
// of a size that people look at.
func (s *Service) Organisation(ctx context.Context, call *Call) (Organisation, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return Organisation{}, err
	}
	var o Organisation
	err := s.store.View(ctx, func(r Reader) error {
		o = Organisation{}
		companies, err := r.Companies(ctx, call.Actor.Tenant, 0, maxOrganisation+1)
		if err != nil {
			return err
		}
		locations, err := r.AllLocations(ctx, call.Actor.Tenant, 0, maxOrganisation+1)
		if err != nil {
			return err
		}
		o.More = len(companies) > maxOrganisation || len(locations) > maxOrganisation
		o.Companies = companies[:min(len(companies), maxOrganisation)]
		o.Locations = locations[:min(len(locations), maxOrganisation)]
		return nil
	})
	if root := call.Actor.Root; root != 0 {
		o.Companies = slices.DeleteFunc(o.Companies, func(c Company) bool { return !slices.Contains(c.Path, root) })
		seen := map[int64]bool{}
		for i := range o.Companies {
			seen[o.Companies[i].Number] = true
		}
		o.Locations = slices.DeleteFunc(o.Locations, func(l Location) bool { return !seen[l.Company] })
	}
	return o, err
}

// CompanySummary is a company with everything that belongs to it.
type CompanySummary struct {
	Company     Company
	Above       []Company // from the root that the caller can see down to its parent
	Below       []Company // directly below it, the first 200 by number
	MoreBelow   bool
	Locations   []Location
	LockReasons []LockReason // its own
	Users       map[State]int64
	IsDefault   bool // where users go that name no company
}

// maxBelow is how many companies below one CompanySummary lists.
const maxBelow = 200

// SummariseCompany reads a company with what belongs to it and how many users its
// subtree has, by state. Errors: company.not_found.
func (s *Service) SummariseCompany(ctx context.Context, call *Call, ref CompanyRef) (CompanySummary, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return CompanySummary{}, err
	}
	var sum CompanySummary
	err := s.store.View(ctx, func(r Reader) (err error) {
		sum = CompanySummary{Users: map[State]int64{}}
		if sum.Company, err = companyOf(ctx, r, call.Actor, ref); err != nil {
			return err
		}
		return s.fillSummary(ctx, r, call, &sum)
	})
	return sum, err
}

// fillSummary reads what belongs to the company of a summary.
func (s *Service) fillSummary(ctx context.Context, r Reader, call *Call, sum *CompanySummary) (err error) {
	c, tenant := &sum.Company, call.Actor.Tenant
	sum.IsDefault = call.tenant.DefaultCompany == c.Number
	from := max(0, slices.Index(c.Path, call.Actor.Root)) // above that nothing exists for the caller
	for _, number := range c.Path[from:] {
		if number == c.Number {
			continue
		}
		above, err := r.Company(ctx, tenant, number)
		if err != nil {
			return err
		}
		sum.Above = append(sum.Above, above)
	}
	if sum.Locations, err = r.Locations(ctx, tenant, c.Number); err != nil {
		return err
	}
	if sum.LockReasons, err = r.LockReasons(ctx, tenant, c.Number); err != nil {
		return err
	}
	for _, state := range []State{StateStaged, StateActive, StateInactive, StateDeleted} {
		if sum.Users[state], err = r.UserTotal(ctx, tenant, c.Number, StatesOf(state)); err != nil {
			return err
		}
	}
	return readBelow(ctx, r, tenant, sum)
}

// readBelow lists the companies directly below the one of a summary.
func readBelow(ctx context.Context, r Reader, tenant TenantNo, sum *CompanySummary) error {
	for after := int64(0); ; {
		batch, err := r.Companies(ctx, tenant, after, MaxLimit)
		if err != nil {
			return err
		}
		for i := range batch {
			if after = batch[i].Number; batch[i].Parent != sum.Company.Number {
				continue
			}
			if sum.MoreBelow = len(sum.Below) == maxBelow; sum.MoreBelow {
				return nil
			}
			sum.Below = append(sum.Below, batch[i])
		}
		if len(batch) < MaxLimit {
			return nil
		}
	}
}

package directory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// CompanyRef names a company by exactly one of number, id and name.
type CompanyRef struct {
	Number int64
	ID     string
	Name   string
}

// CompanyDetail is a company with its own locations, by number, and the
// account owner.
type CompanyDetail struct {
	Company   Company
	Locations []Location
	Owner     UserSummary // zero while there is none
}

// companyOf reads the company that a reference names, if the actor may see it.
func companyOf(ctx context.Context, r Reader, actor Actor, ref CompanyRef) (Company, error) {
	var c Company
	err := ErrNotFound
	switch {
	case ref.Number != 0:
		return companyInScope(ctx, r, actor, ref.Number)
	case ref.ID != "":
		if id, badID := presetID(ref.ID); badID == nil {
			c, err = r.CompanyByID(ctx, actor.Tenant, id)
		}
	case NameKey(ref.Name) != "" && CleanText("company", ref.Name, maxTextRunes) == nil:
		c, err = r.CompanyByName(ctx, actor.Tenant, NameKey(ref.Name))
	}
	if errors.Is(err, ErrNotFound) {
		return Company{}, errNoCompany()
	}
	if err != nil {
		return Company{}, err
	}
	return companyInScope(ctx, r, actor, c.Number)
}

// CompanyDetail reads a company with its locations. Errors: company.not_found.
func (s *Service) CompanyDetail(ctx context.Context, call *Call, ref CompanyRef) (CompanyDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return CompanyDetail{}, err
	}
	var detail CompanyDetail
	err := s.store.View(ctx, func(r Reader) (err error) {
		if detail.Company, err = companyOf(ctx, r, call.Actor, ref); err != nil {
			return err
		}
		if detail.Locations, err = r.Locations(ctx, call.Actor.Tenant, detail.Company.Number); err != nil {
			return err
		}
		detail.Owner, err = accountOwner(ctx, r, call)
		return err
	})
	return detail, err
}

// headquarters is the name of the location that a company gets which is made
// without one (docs/dialects/smartapp.md 6).
const headquarters = "headquarters"

// maxLocations is how many locations a company can be made with.
const maxLocations = 500

// CreateSite makes a company below the tenant's default company together with
// its locations; without any, one named "headquarters" is made that is the
// headquarters (docs/dialects/smartapp.md 6). Of several that are the
// headquarters the last one stays it. Errors as for CreateCompany and
// CreateLocation.
func (s *Service) CreateSite(ctx context.Context, call *Call, c Company, locations []Location) (CompanyDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return CompanyDetail{}, err
	}
	if len(locations) == 0 {
		locations = []Location{{Name: headquarters, Headquarters: true}}
	}
	c.Parent = call.tenant.DefaultCompany
	if call.Actor.Root != 0 {
		c.Parent = call.Actor.Root
	}
	templates, err := s.newSite(call, &c, locations)
	if err != nil {
		return CompanyDetail{}, err
	}
	var made CompanyDetail
	err = s.store.Update(ctx, func(tx Tx) error {
		detail := CompanyDetail{Company: c}
		if err := s.insertCompany(ctx, tx, call, &detail.Company); err != nil {
			return err
		}
		for _, l := range templates {
			l.Company = detail.Company.Number
			if err := s.insertLocation(ctx, tx, call, &l); err != nil {
				return err
			}
		}
		var err error
		if detail.Locations, err = tx.Locations(ctx, c.Tenant, detail.Company.Number); err != nil {
			return err
		}
		detail.Owner, err = accountOwner(ctx, tx, call)
		made = detail
		return err
	})
	call.Changed = err == nil
	return made, err
}

// newSite checks a company and its locations and fills in what needs no
// transaction.
func (s *Service) newSite(call *Call, c *Company, locations []Location) ([]Location, error) {
	var bad violations
	if err := checkCompany(c); err != nil {
		bad = append(bad, AsError(err).Fields...)
	}
	c.Tenant, c.Version, c.CreatedAt = call.Actor.Tenant, 1, s.now()
	c.ID = orNew(c.ID, s.opts.NewID)
	if len(locations) > maxLocations {
		return nil, Invalid(FieldLocations.String(), ReasonFieldLength, "A company can be made with at most %d locations.", maxLocations)
	}
	out := make([]Location, len(locations))
	for i, l := range locations {
		out[i] = s.newLocation(call, l, &bad)
	}
	return out, bad.err()
}

// newLocation checks a location and fills in what needs no transaction.
func (s *Service) newLocation(call *Call, l Location, bad *violations) Location {
	l.Tenant, l.Version, l.CreatedAt = call.Actor.Tenant, 1, s.now()
	if l.ID != "" {
		id, err := presetID(l.ID)
		collect(bad, err)
		l.ID = id
	}
	l.ID = orNew(l.ID, s.opts.NewID)
	checkLocation(bad, &l)
	return l
}

// checkLocation validates what a door sends of a location.
func checkLocation(bad *violations, l *Location) {
	collect(bad, checkName("name", l.Name))
	collect(bad, checkNumber(FieldNumber.String(), l.Number))
	collect(bad, CleanText("phone", l.Phone, 64))
	collect(bad, CleanText("fax", l.Fax, 64))
	a := &l.Address
	for _, text := range []string{a.Line1, a.Line2, a.City, a.Region, a.Country, a.Zip} {
		if !checkText(bad, FieldAddress, text, maxTextRunes) {
			return
		}
	}
}

// insertLocation writes a new location of a company that exists, and takes the
// headquarters from the others if it is that.
func (s *Service) insertLocation(ctx context.Context, tx Tx, call *Call, l *Location) error {
	if _, err := tx.LocationByName(ctx, l.Tenant, l.Company, NameKey(l.Name)); !errors.Is(err, ErrNotFound) {
		return takenOr(err, FieldLocations, ReasonLocationTaken, "The location name is taken.")
	}
	err := numberFor(ctx, tx, l.Tenant, NumberLocation, &l.Number, func(n int64) error {
		_, err := tx.Location(ctx, l.Tenant, n)
		return err
	})
	if err != nil {
		return err
	}
	if l.Headquarters {
		if err := s.clearHeadquarters(ctx, tx, call, l); err != nil {
			return err
		}
	}
	if err := tx.InsertLocation(ctx, *l); err != nil {
		return err
	}
	var diff changes
	diff.named("name", "", l.Name)
	return s.record(ctx, tx, call, EventLocationCreated, onCompany(l.Company), locationSubject(l), &diff)
}

func locationSubject(l *Location) string { return fmt.Sprintf("location:%d", l.Number) }

// clearHeadquarters makes every location of the company an ordinary one, before
// the one that becomes the headquarters is written.
func (s *Service) clearHeadquarters(ctx context.Context, tx Tx, call *Call, of *Location) error {
	locations, err := tx.Locations(ctx, of.Tenant, of.Company)
	if err != nil {
		return err
	}
	for _, l := range locations {
		if !l.Headquarters {
			continue
		}
		after := l
		after.Headquarters = false
		if err := s.replaceLocation(ctx, tx, call, &l, &after); err != nil {
			return err
		}
	}
	return nil
}

// replaceLocation writes a changed location with its event.
func (s *Service) replaceLocation(ctx context.Context, tx Tx, call *Call, before, after *Location) error {
	after.Version++
	if err := tx.UpdateLocation(ctx, *after); err != nil {
		return err
	}
	var diff changes
	diff.named("name", before.Name, after.Name)
	diff.named("headquarters", strconv.FormatBool(before.Headquarters), strconv.FormatBool(after.Headquarters))
	diff.value(FieldAddress, before.Address == after.Address, before.Address, after.Address)
	diff.named("phone", before.Phone, after.Phone)
	diff.named("fax", before.Fax, after.Fax)
	return s.record(ctx, tx, call, EventLocationUpdated, onCompany(after.Company), locationSubject(after), &diff)
}

// LocationDetail is a location with its company and the account owner.
type LocationDetail struct {
	Location Location
	Company  Company
	Owner    UserSummary // zero while there is none
}

// LocationByID reads a location. Errors: location.not_found.
func (s *Service) LocationByID(ctx context.Context, call *Call, id string) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActReadCompany); err != nil {
		return LocationDetail{}, err
	}
	var detail LocationDetail
	err := s.store.View(ctx, func(r Reader) (err error) {
		if detail.Location, detail.Company, err = locationOf(ctx, r, call.Actor, id); err != nil {
			return err
		}
		detail.Owner, err = accountOwner(ctx, r, call)
		return err
	})
	return detail, err
}

// locationOf reads the location with an id and its company, if the actor may
// see them.
func locationOf(ctx context.Context, r Reader, actor Actor, id string) (Location, Company, error) {
	return locationBy(ctx, r, actor, LocationRef{ID: id})
}

// AddLocation makes a location of the company that ref names. One that is the
// headquarters takes that from every other location of the company. Errors:
// company.not_found on the company field, location.name_taken.
func (s *Service) AddLocation(ctx context.Context, call *Call, ref CompanyRef, in Location) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LocationDetail{}, err
	}
	var bad violations
	template := s.newLocation(call, in, &bad)
	if err := bad.err(); err != nil {
		return LocationDetail{}, err
	}
	var made LocationDetail
	err := s.store.Update(ctx, func(tx Tx) error {
		if _, err := tx.LockTenant(ctx, call.Actor.Tenant); err != nil {
			return err
		}
		c, err := companyOf(ctx, tx, call.Actor, ref)
		if IsReason(err, ReasonCompanyNotFound) {
			return Invalid(FieldCompany.String(), ReasonCompanyNotFound, "There is no company %q.", ref.text())
		}
		if err != nil {
			return err
		}
		l := template
		l.Company = c.Number
		if err := s.insertLocation(ctx, tx, call, &l); err != nil {
			return err
		}
		owner, err := accountOwner(ctx, tx, call)
		made = LocationDetail{Location: l, Company: c, Owner: owner}
		return err
	})
	call.Changed = err == nil
	return made, err
}

// text is what the client wrote, for a message.
func (ref CompanyRef) text() string {
	if ref.Number != 0 {
		return strconv.FormatInt(ref.Number, 10)
	}
	return orNew(ref.ID, func() string { return ref.Name })
}

// LocationPatch names what to change of a location.
type LocationPatch struct {
	Name         Opt[string]
	Headquarters Opt[bool]
	Address      func(*Address) // edits the address; nil leaves it
	Phone        Opt[string]
	Fax          Opt[string]
}

// apply edits a location.
func (p *LocationPatch) apply(l *Location) error {
	l.Name, l.Headquarters = p.Name.or(l.Name), p.Headquarters.or(l.Headquarters)
	l.Phone, l.Fax = p.Phone.or(l.Phone), p.Fax.or(l.Fax)
	if p.Address != nil {
		p.Address(&l.Address)
	}
	var bad violations
	checkLocation(&bad, l)
	return bad.err()
}

// UpdateLocation changes what the patch names of the location with an id.
// Errors: location.not_found, location.name_taken.
func (s *Service) UpdateLocation(ctx context.Context, call *Call, id string, p LocationPatch) (LocationDetail, error) {
	if err := s.enter(ctx, call, ActWriteCompany); err != nil {
		return LocationDetail{}, err
	}
	var result LocationDetail
	err := s.updateMany(ctx, call, func(tx Tx) (bool, error) {
		l, c, wrote, err := s.editLocation(ctx, tx, call, LocationRef{ID: id}, &p)
		if err != nil {
			return false, err
		}
		owner, err := accountOwner(ctx, tx, call)
		result = LocationDetail{Location: l, Company: c, Owner: owner}
		return wrote, err
	})
	return result, err
}

// moveLocation writes a change of a location and what follows from it.
func (s *Service) moveLocation(ctx context.Context, tx Tx, call *Call, before, after *Location) error {
	if NameKey(after.Name) != NameKey(before.Name) {
		if _, err := tx.LocationByName(ctx, after.Tenant, after.Company, NameKey(after.Name)); !errors.Is(err, ErrNotFound) {
			return takenOr(err, FieldLocations, ReasonLocationTaken, "The location name is taken.")
		}
	}
	if after.Headquarters && !before.Headquarters {
		if err := s.clearHeadquarters(ctx, tx, call, after); err != nil {
			return err
		}
	}
	return s.replaceLocation(ctx, tx, call, before, after)
}

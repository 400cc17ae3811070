package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/usher-id/usher/internal/directory"
)

var locationChecks = []check{
	{"A location's fields round trip by number and id", locationRoundTrip},
	{"LocationByName finds within its company", locationByName},
	{"Locations lists a company's own locations by number", locationsOwn},
	{"UpdateLocation replaces the row", locationUpdate},
}

func (s *sample) location(number, company int64, name string) directory.Location {
	return directory.Location{Tenant: s.tenant, Number: number, ID: s.user(number).ID, Company: company, Name: name, Version: 1, CreatedAt: noon}
}

// addLocations stores locations of the root company.
func (s *sample) addLocations(numbers ...int64) {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		for _, number := range numbers {
			if err := tx.InsertLocation(s.ctx, s.location(number, s.root, fmt.Sprint("Location ", number))); err != nil {
				return err
			}
		}
		return nil
	})
}

// upTo are the numbers from 1.
func upTo(last int64) (numbers []int64) {
	for number := int64(1); number <= last; number++ {
		numbers = append(numbers, number)
	}
	return numbers
}

func locationRoundTrip(t *testing.T, s *sample) {
	l := s.location(2, 1, "Héad Office")
	l.Headquarters, l.Phone, l.Fax, l.Version = true, "+1 555", "+1 556", 3
	l.Address = s.fullUser(1).Address
	wantNoZero(t, l)
	bare := s.location(3, 1, "Bare")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLocation(s.ctx, l), tx.InsertLocation(s.ctx, bare))
	})
	s.view(func(r directory.Reader) error {
		got, err := r.Location(s.ctx, s.tenant, 2)
		wantSame(t, "Location", got, l)
		got, err2 := r.Location(s.ctx, s.tenant, 3)
		wantSame(t, "bare Location", got, bare)
		byID, err3 := r.LocationByID(s.ctx, s.tenant, l.ID)
		wantSame(t, "LocationByID", byID, l)
		return errors.Join(err, err2, err3)
	})
}

func locationByName(t *testing.T, s *sample) {
	s.addTree()
	a, b := s.location(2, 1, "Shop"), s.location(3, 2, "SHOP")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLocation(s.ctx, a), tx.InsertLocation(s.ctx, b))
	})
	s.view(func(r directory.Reader) error {
		got, err := r.LocationByName(s.ctx, s.tenant, 1, directory.NameKey("shop"))
		wantSame(t, "shop of company 1", got, a)
		got, err2 := r.LocationByName(s.ctx, s.tenant, 2, directory.NameKey("shop"))
		wantSame(t, "shop of company 2", got, b)
		_, err3 := r.LocationByName(s.ctx, s.tenant, 3, directory.NameKey("shop"))
		wantNotFound(t, "shop of company 3", err3)
		return errors.Join(err, err2)
	})
	err := s.try(func(tx directory.Tx) error { return tx.InsertLocation(s.ctx, s.location(4, 1, "sHop")) })
	wantConflict(t, "a second shop of a company", err)
}

func locationsOwn(t *testing.T, s *sample) {
	s.addTree()
	a, b, c := s.location(9, 1, "A"), s.location(3, 1, "B"), s.location(5, 2, "A")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLocation(s.ctx, a), tx.InsertLocation(s.ctx, b), tx.InsertLocation(s.ctx, c))
	})
	for company, want := range map[int64][]directory.Location{1: {b, a}, 2: {c}, 3: nil} {
		got := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Location, error) {
			return r.Locations(ctx, s.tenant, company)
		})
		wantSame(t, "Locations", got, want)
	}
}

func locationUpdate(t *testing.T, s *sample) {
	s.addTree()
	l, other := s.location(2, 1, "Shop"), s.location(3, 1, "Store")
	s.update(func(tx directory.Tx) error {
		return errors.Join(tx.InsertLocation(s.ctx, l), tx.InsertLocation(s.ctx, other))
	})
	changed := s.location(2, 2, "Bureau")
	changed.Headquarters, changed.Phone, changed.Fax, changed.Version = true, "+1 555", "+1 556", 3
	changed.Address, changed.CreatedAt = s.fullUser(1).Address, noon.AddDate(0, 0, 1)
	wantNoZero(t, changed)
	s.update(func(tx directory.Tx) error { return tx.UpdateLocation(s.ctx, changed) })
	s.view(func(r directory.Reader) error {
		got, err := r.Location(s.ctx, s.tenant, 2)
		wantSame(t, "the changed location", got, changed)
		byName, err2 := r.LocationByName(s.ctx, s.tenant, 2, directory.NameKey("bureau"))
		wantSame(t, "by its new name", byName, changed)
		kept, err3 := r.Location(s.ctx, s.tenant, 3)
		wantSame(t, "the other location", kept, other)
		return errors.Join(err, err2, err3)
	})
	other.Company, other.Name = 2, "BUREAU"
	err := s.try(func(tx directory.Tx) error { return tx.UpdateLocation(s.ctx, other) })
	wantConflict(t, "a location renamed to a taken name", err)
	err = s.try(func(tx directory.Tx) error { return tx.UpdateLocation(s.ctx, s.location(404, 1, "x")) })
	wantNotFound(t, "a change of no location", err)
}

package storetest

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/google/uuid"

	"github.com/usher-id/usher/internal/directory"
)

var tenantChecks = []check{
	{"InsertTenant draws and returns the tenant's number", tenantInsert},
	{"A tenant's fields round trip", tenantRoundTrip},
	{"UpdateTenant replaces every field", tenantUpdate},
	{"LockTenant reads a tenant for change", tenantLock},
	{"TenantByName and TenantByHost find by exact bytes", tenantByName},
	{"A host leads to one tenant at most", tenantHostTaken},
	{"Tenants lists all, in order of number", tenantsOrder},
	{"A tenant's name is unique per installation", tenantNameTaken},
	{"TenantsOfDoor lists the first tenants that have a door on and are not disabled", tenantsOfDoor},
}

// fullTenant sets every field of a tenant.
func fullTenant() directory.Tenant {
	tenant := newTenant()
	tenant.Doors = directory.DoorSet(directory.DoorIQmetrix | directory.DoorConsole)
	tenant.Hosts = []string{"b." + tenant.ID + ".example", "a." + tenant.ID + ".example"}
	tenant.DefaultCompany, tenant.Owner, tenant.Version = 14146, 2576, 9
	fill(reflect.ValueOf(&tenant.Settings).Elem())
	tenant.Disabled, tenant.Entity = true, `{"servicemobility":{"Name":"Kéntel"}}`
	return tenant
}

// fill sets every member of a struct of settings, those of later releases too.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(5)
	case reflect.String:
		v.SetString("é")
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key)
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	default:
		panic("storetest: no sample value for " + v.Type().String())
	}
}

func (s *sample) insertTenant(tenant directory.Tenant) directory.Tenant {
	s.t.Helper()
	s.update(func(tx directory.Tx) error {
		no, err := tx.InsertTenant(s.ctx, tenant)
		tenant.No = no
		return err
	})
	return tenant
}

func tenantInsert(t *testing.T, s *sample) {
	one, two := s.insertTenant(newTenant()), s.insertTenant(newTenant())
	if one.No < 1 || two.No < 1 || one.No == two.No || one.No >= 1<<22 || two.No >= 1<<22 {
		t.Errorf("drew tenant numbers %d and %d, want two of 1 to 2^22-1", one.No, two.No)
	}
}

func (s *sample) wantTenant(want directory.Tenant) {
	s.t.Helper()
	s.view(func(r directory.Reader) error {
		got, err := r.Tenant(s.ctx, want.No)
		wantSame(s.t, "Tenant", got, want)
		byName, err2 := r.TenantByName(s.ctx, want.Name)
		wantSame(s.t, "TenantByName", byName, want)
		for _, host := range want.Hosts {
			byHost, err := r.TenantByHost(s.ctx, host)
			if err != nil {
				return err
			}
			wantSame(s.t, "TenantByHost", byHost, want)
		}
		return errors.Join(err, err2)
	})
}

func tenantRoundTrip(t *testing.T, s *sample) {
	full := s.insertTenant(fullTenant())
	wantNoZero(t, full)
	s.wantTenant(full)
	s.wantTenant(s.insertTenant(newTenant()))
}

func tenantUpdate(t *testing.T, s *sample) {
	old := s.insertTenant(newTenant())
	changed := fullTenant()
	changed.No, changed.ID = old.No, old.ID
	s.update(func(tx directory.Tx) error { return tx.UpdateTenant(s.ctx, changed) })
	s.wantTenant(changed)
	s.view(func(r directory.Reader) error {
		_, err := r.TenantByName(s.ctx, old.Name)
		wantNotFound(t, "the former name", err)
		return nil
	})
	bare := old
	bare.Version = 10
	s.update(func(tx directory.Tx) error { return tx.UpdateTenant(s.ctx, bare) })
	s.wantTenant(bare)
	s.view(func(r directory.Reader) error {
		for _, host := range changed.Hosts {
			_, err := r.TenantByHost(s.ctx, host)
			wantNotFound(t, "a former host", err)
		}
		return nil
	})
}

func tenantLock(t *testing.T, s *sample) {
	full := s.insertTenant(fullTenant())
	s.update(func(tx directory.Tx) error {
		got, err := tx.LockTenant(s.ctx, full.No)
		wantSame(t, "LockTenant", got, full)
		return err
	})
	err := s.try(func(tx directory.Tx) error {
		_, err := tx.LockTenant(s.ctx, noTenant)
		return err
	})
	wantNotFound(t, "LockTenant", err)
}

func tenantByName(t *testing.T, s *sample) {
	tenant := newTenant()
	tenant.Hosts = []string{tenant.Name + ".example"}
	tenant = s.insertTenant(tenant)
	s.wantTenant(tenant)
	s.view(func(r directory.Reader) error {
		for _, name := range []string{tenant.Name + " ", tenant.Name[:3], "T" + tenant.Name[1:], "%", "_" + tenant.Name[1:]} {
			_, err := r.TenantByName(s.ctx, name)
			wantNotFound(t, "TenantByName "+name, err)
			_, err = r.TenantByHost(s.ctx, name+".example")
			wantNotFound(t, "TenantByHost "+name, err)
		}
		return nil
	})
}

func tenantHostTaken(t *testing.T, s *sample) {
	host := uuid.NewString() + ".example"
	first, second := newTenant(), newTenant()
	first.Hosts, second.Hosts = []string{host}, []string{host}
	first = s.insertTenant(first)
	err := s.try(func(tx directory.Tx) error {
		_, err := tx.InsertTenant(s.ctx, second)
		return err
	})
	wantConflict(t, "a second tenant with the host", err)
	s.wantTenant(first)
}

func tenantsOrder(t *testing.T, s *sample) {
	for range 3 {
		s.insertTenant(newTenant())
	}
	all := look(t, s, func(ctx context.Context, r directory.Reader) ([]directory.Tenant, error) { return r.Tenants(ctx) })
	if len(all) < 4 {
		t.Fatalf("%d tenants, want 4 or more", len(all))
	}
	for i := 1; i < len(all); i++ {
		if all[i-1].No >= all[i].No {
			t.Errorf("tenant %d comes before %d", all[i-1].No, all[i].No)
		}
	}
	s.view(func(r directory.Reader) error {
		for _, tenant := range all {
			one, err := r.Tenant(s.ctx, tenant.No)
			if err != nil {
				return err
			}
			wantSame(t, "a tenant in the list", tenant, one)
		}
		return nil
	})
}

func tenantNameTaken(t *testing.T, s *sample) {
	tenant := s.insertTenant(newTenant())
	again := newTenant()
	again.Name = tenant.Name
	err := s.try(func(tx directory.Tx) error {
		_, err := tx.InsertTenant(s.ctx, again)
		return err
	})
	wantConflict(t, "a second tenant with the name", err)
	other := s.insertTenant(newTenant())
	other.Name = tenant.Name
	err = s.try(func(tx directory.Tx) error { return tx.UpdateTenant(s.ctx, other) })
	wantConflict(t, "a tenant renamed to the name", err)
}

func tenantsOfDoor(t *testing.T, s *sample) {
	off, disabled := newTenant(), newTenant()
	off.Doors, disabled.Disabled = directory.DoorSet(directory.DoorEncore|directory.DoorConsole), true
	s.insertTenant(off)
	s.insertTenant(disabled)
	s.insertTenant(newTenant())
	s.view(func(r directory.Reader) error {
		all, err := r.Tenants(s.ctx)
		if err != nil {
			return err
		}
		for _, door := range []directory.Door{directory.DoorEncore, directory.DoorEduBrite, directory.DoorConsole} {
			var want []directory.Tenant
			for _, tenant := range all {
				if !tenant.Disabled && tenant.Doors.Has(door) {
					want = append(want, tenant)
				}
			}
			for _, limit := range []int{0, 1, 2, len(all)} {
				got, err := r.TenantsOfDoor(s.ctx, door, limit)
				if err != nil {
					return err
				}
				wantSame(t, "TenantsOfDoor", got, want[:min(limit, len(want))])
			}
		}
		return nil
	})
}

package canonical

import (
	"encoding/json"
	"maps"

	"github.com/usher-id/usher/internal/directory"
	"github.com/usher-id/usher/internal/web"
)

// patch converts the members that are there; null is the zero value.
func (f *UserFields) patch() directory.UserPatch {
	p := directory.UserPatch{
		UserName: f.UserName.reset(), Email: f.Email.reset(), GivenName: f.GivenName.reset(), FamilyName: f.FamilyName.reset(),
		DisplayName: f.DisplayName.reset(), Title: f.Title.reset(), ValidFrom: f.ValidFrom.reset(), ExpiresAt: f.ExpiresAt.reset(),
		EmployeeNumber: f.EmployeeNumber.reset(), OpenID: f.OpenID.reset(), WebMDN: f.WebMDN.reset(), ClientUserID: f.ClientUserID.reset(),
		ExternalID: f.ExternalID.reset(), LicenceType: f.LicenceType.reset(), Language: f.Language.reset(), TimeZone: f.TimeZone.reset(),
		MobileOnly: f.MobileOnly.reset(), StorageLocation: f.StorageLocation.reset(),
		Company: f.Company.reset(), Locked: f.Locked.reset(), Attributes: f.Attributes.reset(),
		Picture: directory.Opt[json.RawMessage]{Set: f.Picture.set, Value: compact(f.Picture.value)},
		Phones:  directory.Opt[[]directory.Phone]{Set: f.Phones.set, Value: phonesOf(f.Phones.value)},
		Address: directory.Opt[directory.Address]{Set: f.Address.set},
	}
	if !f.Address.null && f.Address.set {
		p.Address.Value = f.Address.value.core()
	}
	// Null is no company and neither locked nor unlocked: as it is.
	p.Company.Set = p.Company.Set && !f.Company.null
	p.Locked.Set = p.Locked.Set && !f.Locked.null
	return p
}

// core is the address as the core has it.
func (a *Address) core() directory.Address {
	return directory.Address{Set: true, Line1: a.Line1, Line2: a.Line2, City: a.City, Region: a.Region, Country: a.Country, Zip: a.Zip}
}

func phonesOf(list []Phone) []directory.Phone {
	phones := make([]directory.Phone, 0, len(list))
	for _, p := range list {
		phones = append(phones, directory.Phone{Number: p.Number, Extension: p.Extension, Type: p.Type})
	}
	return phones
}

// compact is kept JSON without white space.
func compact(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return nil
	}
	text, err := encode(raw)
	if err != nil {
		return raw // no JSON after all: the core refuses it
	}
	return text
}

// newUser converts the body of POST /users.
func newUser(in *userCreation) directory.NewUser {
	fields := in.patch()
	if !fields.Locked.Value {
		fields.Locked.Set = false
	}
	return directory.NewUser{
		Number: in.Number.or(0), ID: in.ID.or(""), State: directory.State(in.Status.or(string(directory.StateActive))),
		Password: in.Password.or(""), Temporary: in.Temporary.or(false), ClaimEmail: true, Fields: fields,
	}
}

// replacement converts the body of PUT /users/{id}: what is not there is reset, but
// for status, lock and company.
func replacement(in *UserChange) directory.UserPatch {
	p := in.patch()
	for _, set := range []*bool{&p.UserName.Set, &p.Email.Set, &p.GivenName.Set, &p.FamilyName.Set, &p.DisplayName.Set, &p.Title.Set,
		&p.ValidFrom.Set, &p.ExpiresAt.Set, &p.EmployeeNumber.Set, &p.OpenID.Set, &p.WebMDN.Set, &p.ClientUserID.Set, &p.ExternalID.Set,
		&p.LicenceType.Set, &p.Phones.Set, &p.Address.Set, &p.Picture.Set, &p.Language.Set, &p.TimeZone.Set, &p.Attributes.Set,
		&p.MobileOnly.Set, &p.StorageLocation.Set} {
		*set = true
	}
	in.setState(&p)
	return p
}

// setState puts the status of a body on a patch; null is as it is.
func (in *UserChange) setState(p *directory.UserPatch) {
	if in.Status.set && !in.Status.null {
		p.State = directory.Some(directory.State(in.Status.value))
	}
}

// mergePatch converts the body of PATCH /users/{id} for a user as it is now: a
// merge patch goes into objects (RFC 7396 section 2).
func mergePatch(in *UserChange, now *directory.User) (directory.UserPatch, error) {
	p := in.patch()
	in.setState(&p)
	if in.Attributes.set && !in.Attributes.null {
		p.Attributes.Value = mergeMembers(now.Profile.Attributes, in.Attributes.value)
	}
	if in.Address.set && !in.Address.null {
		var merged Address
		if err := json.Unmarshal(mergeValue(appendAddress(nil, &now.Address), in.Address.value.raw), &merged); err != nil {
			return p, err
		}
		p.Address.Value = merged.core()
	}
	return p, nil
}

// mergeMembers is an object after a merge patch.
func mergeMembers(now, patch map[string]json.RawMessage) map[string]json.RawMessage {
	merged := maps.Clone(now)
	if merged == nil {
		merged = map[string]json.RawMessage{}
	}
	for name, value := range patch {
		if string(value) == "null" {
			delete(merged, name)
			continue
		}
		merged[name] = mergeValue(merged[name], value)
	}
	return merged
}

// mergeValue is a value after a merge patch.
func mergeValue(now, patch json.RawMessage) json.RawMessage {
	if _, state := web.ObjectOf(patch); state != web.Present {
		return compact(patch)
	}
	var held, members map[string]json.RawMessage
	_ = json.Unmarshal(now, &held) // what is no object is replaced by one
	if err := json.Unmarshal(patch, &members); err != nil {
		return patch // no JSON after all: the core refuses it
	}
	text, err := encode(mergeMembers(held, members))
	if err != nil {
		return patch
	}
	return text
}

package directory

import (
	"bytes"
	"encoding/json"
	"time"
)

// eventContents is what the payload of an event says.
type eventContents struct {
	Version int64                        `json:"version"`
	Changes map[string][]json.RawMessage `json:"changes"` // before and after
}

// undoers put the value that a field had before back into a user, from the JSON
// that changes.compare wrote of it. What is not here is no part of a user's own
// row: memberships, and the password.
var undoers = map[Field]func(u *User, before json.RawMessage) error{
	FieldState:              undo(func(u *User) *State { return &u.State }),
	FieldLocked:             undo(func(u *User) *bool { return &u.Locked }),
	FieldLockReason:         undo(func(u *User) *int64 { return &u.LockReason }),
	FieldMustChangePassword: undo(func(u *User) *bool { return &u.MustChangePassword }),
	FieldValidFrom:          undo(func(u *User) *time.Time { return &u.ValidFrom }),
	FieldExpiresAt:          undo(func(u *User) *time.Time { return &u.ExpiresAt }),
	FieldUserName:           undo(func(u *User) *string { return &u.UserName }),
	FieldEmail:              undo(func(u *User) *string { return &u.Email }),
	FieldGivenName:          undo(func(u *User) *string { return &u.GivenName }),
	FieldFamilyName:         undo(func(u *User) *string { return &u.FamilyName }),
	FieldDisplayName:        undo(func(u *User) *string { return &u.DisplayName }),
	FieldTitle:              undo(func(u *User) *string { return &u.Title }),
	FieldCompany:            undo(func(u *User) *int64 { return &u.Company }),
	FieldEmployeeNumber:     undo(func(u *User) *string { return &u.EmployeeNumber }),
	FieldOpenID:             undo(func(u *User) *string { return &u.OpenID }),
	FieldWebMDN:             undo(func(u *User) *string { return &u.WebMDN }),
	FieldClientUserID:       undo(func(u *User) *string { return &u.ClientUserID }),
	FieldLicenceType:        undo(func(u *User) *string { return &u.LicenceType }),
	FieldRank:               undo(func(u *User) *Rank { return &u.Rank }),
	FieldPhones:             undo(func(u *User) *[]Phone { return &u.Phones }),
	FieldAddress:            undo(func(u *User) *Address { return &u.Address }),
	FieldLanguage:           undo(func(u *User) *string { return &u.Profile.Language }),
	FieldTimeZone:           undo(func(u *User) *string { return &u.Profile.TimeZone }),
	FieldMobileOnly:         undo(func(u *User) *bool { return &u.Profile.MobileOnly }),
	FieldStorageLocation:    undo(func(u *User) *string { return &u.Profile.StorageLocation }),
	FieldPicture:            undo(func(u *User) *json.RawMessage { return &u.Profile.Picture }),
	FieldAttributes:         undo(func(u *User) *map[string]json.RawMessage { return &u.Profile.Attributes }),
	FieldExtras:             undo(func(u *User) *map[string]json.RawMessage { return &u.Profile.Extras }),
	FieldExternalID:         undo(func(u *User) *map[string]string { return &u.Profile.ExternalIDs }),
}

// undo sets a member of a user to what JSON says, null being the zero value.
func undo[T any](member func(u *User) *T) func(u *User, before json.RawMessage) error {
	return func(u *User, before json.RawMessage) error {
		var value T
		err := error(nil)
		if string(before) != "null" {
			err = json.Unmarshal(before, &value)
		}
		*member(u) = value
		return err
	}
}

// fieldsByName are the fields as events name them.
var fieldsByName = func() map[string]Field {
	names := make(map[string]Field, fieldCount)
	for f := FieldNone + 1; f < fieldCount; f++ {
		names[f.String()] = f
	}
	return names
}()

// undo takes back the changes that an event made.
func (p *PastUser) undo(contents *eventContents) {
	var set FieldSet
	for name, values := range contents.Changes {
		f, known := fieldsByName[name]
		back := undoers[f]
		if !known || len(values) != 2 {
			continue
		}
		if set |= Fields(f); back == nil {
			continue
		}
		p.Unknown &^= Fields(f)
		if incomplete(f, values[0]) || back(&p.User, values[0]) != nil {
			p.Unknown |= Fields(f)
			// The zero value of a member of any type is made of null.
			_ = back(&p.User, json.RawMessage("null"))
		}
	}
	p.normalise()
	switch {
	case contents.Version != 0:
		p.Version = contents.Version - 1
	case set != 0: // of a time when events did not say
		p.Version--
	}
	if set&doorVersionFields != 0 {
		p.DoorVersion--
	}
}

// incomplete reports whether an event keeps a stand-in for a value instead of the
// value: it was too long (boundedValue), or a secret.
func incomplete(f Field, value json.RawMessage) bool {
	if f == FieldExtras && bytes.Contains(value, []byte(`"`+redacted+`"`)) {
		return true
	}
	var stand map[string]json.RawMessage
	var size int
	var digest string
	return json.Unmarshal(value, &stand) == nil && len(stand) == 2 && json.Unmarshal(stand["bytes"], &size) == nil && size > maxEventValue &&
		json.Unmarshal(stand["sha256"], &digest) == nil && len(digest) == 64
}

// normalise makes what is empty as it is read from the store.
func (p *PastUser) normalise() {
	if len(p.Phones) == 0 {
		p.Phones = nil
	}
	if len(p.Profile.Attributes) == 0 {
		p.Profile.Attributes = nil
	}
	if len(p.Profile.Extras) == 0 {
		p.Profile.Extras = nil
	}
	if len(p.Profile.ExternalIDs) == 0 {
		p.Profile.ExternalIDs = nil
	}
}

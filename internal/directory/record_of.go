package directory

import "encoding/json"

// What a record has of a user's own fields, field by field; the record shares what
// the user has.
var recordMembersOf = map[Field]func(r *Record, u *User){
	FieldState:              func(r *Record, u *User) { r.Status = &u.State },
	FieldLocked:             func(r *Record, u *User) { r.Locked = &u.Locked },
	FieldLockReason:         func(r *Record, u *User) { r.LockReason = &u.LockReason },
	FieldMustChangePassword: func(r *Record, u *User) { r.MustChangePassword = &u.MustChangePassword },
	FieldValidFrom:          func(r *Record, u *User) { r.ValidFrom = &u.ValidFrom },
	FieldExpiresAt:          func(r *Record, u *User) { r.ExpiresAt = &u.ExpiresAt },
	FieldUserName:           func(r *Record, u *User) { r.UserName = &u.UserName },
	FieldEmail:              func(r *Record, u *User) { r.Email = &u.Email },
	FieldGivenName:          func(r *Record, u *User) { r.GivenName = &u.GivenName },
	FieldFamilyName:         func(r *Record, u *User) { r.FamilyName = &u.FamilyName },
	FieldDisplayName:        func(r *Record, u *User) { r.DisplayName = &u.DisplayName },
	FieldTitle:              func(r *Record, u *User) { r.Title = &u.Title },
	FieldCompany:            func(r *Record, u *User) { r.Company = &u.Company },
	FieldEmployeeNumber:     func(r *Record, u *User) { r.EmployeeNumber = &u.EmployeeNumber },
	FieldOpenID:             func(r *Record, u *User) { r.OpenID = &u.OpenID },
	FieldWebMDN:             func(r *Record, u *User) { r.WebMDN = &u.WebMDN },
	FieldClientUserID:       func(r *Record, u *User) { r.ClientUserID = &u.ClientUserID },
	FieldLicenceType:        func(r *Record, u *User) { r.LicenceType = &u.LicenceType },
	FieldAddress:            func(r *Record, u *User) { r.Address = &u.Address },
	FieldLanguage:           func(r *Record, u *User) { r.Language = &u.Profile.Language },
	FieldTimeZone:           func(r *Record, u *User) { r.TimeZone = &u.Profile.TimeZone },
	FieldMobileOnly:         func(r *Record, u *User) { r.MobileOnly = &u.Profile.MobileOnly },
	FieldStorageLocation:    func(r *Record, u *User) { r.StorageLocation = &u.Profile.StorageLocation },
	FieldPhones: func(r *Record, u *User) {
		if u.Phones == nil {
			u.Phones = []Phone{} // null would say nothing
		}
		r.Phones = &u.Phones
	},
	FieldPicture: func(r *Record, u *User) {
		if len(u.Profile.Picture) == 0 {
			u.Profile.Picture = json.RawMessage("{}") // null would say nothing
		}
		r.Picture = &u.Profile.Picture
	},
	FieldAttributes: func(r *Record, u *User) {
		if u.Profile.Attributes == nil {
			u.Profile.Attributes = map[string]json.RawMessage{}
		}
		r.Attributes = &u.Profile.Attributes
	},
}

// unlessZero is a member of a record that says nothing where there is nothing.
func unlessZero[T comparable](member *T) *T {
	if *member == *new(T) {
		return nil
	}
	return member
}

// recordOf is a user as a record, which shares what the user has: what is empty is
// left out. Nothing of it is a secret but what a door's own fields may hold.
func recordOf(u *User) Record {
	r := Record{ID: &u.ID, Number: &u.Number, Status: &u.State, Company: &u.Company, Locked: &u.Locked, Version: &u.Version,
		UserName: &u.UserName, Email: unlessZero(&u.Email), GivenName: unlessZero(&u.GivenName), FamilyName: unlessZero(&u.FamilyName),
		DisplayName: unlessZero(&u.DisplayName), Title: unlessZero(&u.Title), EmployeeNumber: unlessZero(&u.EmployeeNumber),
		OpenID: unlessZero(&u.OpenID), WebMDN: unlessZero(&u.WebMDN), ClientUserID: unlessZero(&u.ClientUserID),
		LicenceType: unlessZero(&u.LicenceType), LockReason: unlessZero(&u.LockReason), MustChangePassword: unlessZero(&u.MustChangePassword),
		Address: unlessZero(&u.Address), Language: unlessZero(&u.Profile.Language), TimeZone: unlessZero(&u.Profile.TimeZone),
		MobileOnly: unlessZero(&u.Profile.MobileOnly), StorageLocation: unlessZero(&u.Profile.StorageLocation),
		Extras: u.Profile.Extras, CreatedAt: &u.CreatedAt, UpdatedAt: &u.UpdatedAt}
	if !u.ValidFrom.IsZero() {
		r.ValidFrom = &u.ValidFrom
	}
	if !u.ExpiresAt.IsZero() {
		r.ExpiresAt = &u.ExpiresAt
	}
	if len(u.Phones) > 0 {
		r.Phones = &u.Phones
	}
	if len(u.Profile.Picture) > 0 {
		r.Picture = &u.Profile.Picture
	}
	if len(u.Profile.Attributes) > 0 {
		r.Attributes = &u.Profile.Attributes
	}
	if u.Rank != RankSelf {
		r.Rank = rankTexts[u.Rank]
	}
	return r
}

// rankTexts are the names of ranks for records to share.
var rankTexts = func() map[Rank]*string {
	texts := make(map[Rank]*string, len(rankNames))
	for rank, name := range rankNames {
		texts[rank] = &name
	}
	return texts
}()

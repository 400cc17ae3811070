package directory

import (
	"cmp"
	"encoding/json"
	"slices"
	"sync"
)

// setTo makes a field of a patch of a member of a record: what the record does not
// have, the patch leaves as it is.
func setTo[T any](member *T) Opt[T] {
	if member == nil {
		return Opt[T]{}
	}
	return Some(*member)
}

// patch is what a record says of a user's own fields. Groups, locations, lock reason,
// password and the doors' extras, which no other patch sets as files do, are applied
// beside it (importRow).
func (r *Record) patch() UserPatch {
	p := UserPatch{
		UserName: setTo(r.UserName), Email: setTo(r.Email), GivenName: setTo(r.GivenName), FamilyName: setTo(r.FamilyName),
		DisplayName: setTo(r.DisplayName), Title: setTo(r.Title), Company: setTo(r.Company), EmployeeNumber: setTo(r.EmployeeNumber),
		OpenID: setTo(r.OpenID), WebMDN: setTo(r.WebMDN), ClientUserID: setTo(r.ClientUserID), LicenceType: setTo(r.LicenceType),
		Phones: setTo(r.Phones), Address: setTo(r.Address), Picture: setTo(r.Picture), Language: setTo(r.Language),
		TimeZone: setTo(r.TimeZone), Attributes: setTo(r.Attributes), ValidFrom: setTo(r.ValidFrom), ExpiresAt: setTo(r.ExpiresAt),
		Locked: setTo(r.Locked), MobileOnly: setTo(r.MobileOnly), StorageLocation: setTo(r.StorageLocation), Roles: setTo(r.Roles),
	}
	if r.Address != nil && *r.Address != (Address{}) {
		a := *r.Address
		a.Set = true
		p.Address = Some(a)
	}
	if p.Picture.Set && isEmptyJSON(p.Picture.Value) {
		p.Picture.Value = nil // an empty object takes the picture away
	}
	// A name in the place of a number; beside one it only says who that is.
	if r.Company == nil && r.CompanyName != nil && *r.CompanyName != "" {
		p.CompanyName = Some(*r.CompanyName)
	}
	return p
}

// memberOfField is the JSON name of the record's member that a fault of a field is
// about: the field's own but where a record says the thing in another member.
func (r *Record) memberOfField(field string) string {
	switch field {
	case FieldCompany.String():
		if r.Company == nil && r.CompanyName != nil {
			return "company_name"
		}
	case FieldPassword.String():
		if r.Password == nil && r.PasswordHash != nil {
			return "password_hash"
		}
	}
	return field
}

// refused is what a verdict says of a refusal, with the members at fault.
func (r *Record) refused(err error) (Verdict, []FieldError) {
	e := AsError(err)
	faults := slices.Clone(e.Fields)
	if len(faults) == 0 {
		faults = []FieldError{{Field: reasonMember[e.Reason], Reason: e.Reason, Message: e.Message}}
	}
	verdict := RowConflict
	for i := range faults {
		faults[i].Field = r.memberOfField(faults[i].Field)
		faults[i].Reason = cmp.Or(faults[i].Reason, e.Reason)
		if reasonCodes()[faults[i].Reason] == CodeInvalid {
			verdict = RowInvalid // whatever else is wrong, it cannot be
		}
	}
	return verdict, faults
}

// reasonCodes are the usual codes of reasons: an error about several things has one
// code for all of them.
var reasonCodes = sync.OnceValue(func() map[Reason]Code {
	codes := map[Reason]Code{}
	for _, info := range Reasons() {
		codes[info.Reason] = info.Code
	}
	return codes
})

// reasonMember are the members at fault where a refusal names none.
var reasonMember = map[Reason]string{
	ReasonSeatExhausted: "licence_type", ReasonSeatNotEntitled: "licence_type", ReasonLockReasonNotFound: "lock_reason",
	ReasonSelfLock: "locked", ReasonOwnerProtected: "status", ReasonStateNotAllowed: "status", ReasonUserHeld: "status",
	ReasonVersionMismatch: "version", ReasonLocationNotFound: "locations", ReasonRoleNotFound: "roles", ReasonGroupNotFound: "groups",
}

// isRefused tells what a record is refused for from a failure after which the page is
// done again.
func isRefused(err error) bool {
	switch CodeOf(err) {
	case CodeInternal, CodeUnavailable, CodeRateLimited:
		return false
	}
	return true
}

// checkExtras validates the doors' own fields of a record.
func (r *Record) checkExtras(bad *violations) {
	for name, raw := range r.Extras {
		if doorNamed(name) == 0 {
			bad.add(FieldExtras, ReasonFieldValue, "There is no door %q.", name)
			continue
		}
		checkJSON(bad, FieldExtras, raw)
	}
}

// setExtras puts the doors' own fields of a record on a user; those of doors that the
// record does not name stay. null and an empty object take a door's away.
func (r *Record) setExtras(u *User) {
	for name, raw := range r.Extras {
		u.Profile.Extras = with(u.Profile.Extras, name, raw, isEmptyJSON(raw))
	}
}

func isEmptyJSON(raw json.RawMessage) bool {
	text := string(raw)
	return text == "" || text == "null" || text == "{}"
}

package directory

import (
	"encoding/json"
	"maps"
	"slices"
)

// RecordPage is a page of a directory elsewhere, as the reader of a door has read it.
type RecordPage struct {
	Records []Record
	Next    string // where the next page is, in the reader's own words; "" at the end
	Total   int64  // how many users there are, as far as the other side says; 0 for not known
	// Left counts what the records could not bring along, by what it is, for people.
	Left map[string]int64
}

// Leave counts something that the records cannot bring along.
func (p *RecordPage) Leave(what string) {
	if p.Left == nil {
		p.Left = map[string]int64{}
	}
	p.Left[what]++
}

// Pointer is the value if set, for members of Record.
func (o Opt[T]) Pointer() *T {
	if !o.Set {
		return nil
	}
	return &o.Value
}

// Detail is the record as a user with what belongs to it, for doors to show: what the
// record says nothing of is empty. Groups, roles and locations have what a record has
// of them. names are those of companies, by number.
func (r *Record) Detail(names map[int64]string) UserDetail {
	var d UserDetail
	u := &d.User
	u.ID, u.Number = said(r.ID), said(r.Number)
	u.UserName, u.Email = said(r.UserName), said(r.Email)
	u.GivenName, u.FamilyName, u.DisplayName, u.Title = said(r.GivenName), said(r.FamilyName), said(r.DisplayName), said(r.Title)
	u.Company, u.EmployeeNumber, u.OpenID = said(r.Company), said(r.EmployeeNumber), said(r.OpenID)
	u.WebMDN, u.ClientUserID, u.LicenceType = said(r.WebMDN), said(r.ClientUserID), said(r.LicenceType)
	u.State, u.Locked, u.LockReason = said(r.Status), said(r.Locked), said(r.LockReason)
	u.MustChangePassword, u.ValidFrom, u.ExpiresAt = said(r.MustChangePassword), said(r.ValidFrom), said(r.ExpiresAt)
	u.Phones, u.Address = said(r.Phones), said(r.Address)
	u.Profile = Profile{Picture: said(r.Picture), Language: said(r.Language), TimeZone: said(r.TimeZone), Attributes: said(r.Attributes),
		Extras: r.Extras, MobileOnly: said(r.MobileOnly), StorageLocation: said(r.StorageLocation)}
	if r.Rank != nil {
		u.Rank, _ = ParseRank(*r.Rank)
	}
	d.Company = Company{Number: u.Company, Name: names[u.Company]}
	if r.CompanyName != nil {
		d.Company.Name = *r.CompanyName
	}
	for _, g := range said(r.Groups) {
		d.Groups = append(d.Groups, Membership{Group: Group{Kind: g.Kind, Key: g.Key, Name: g.Name}, Role: g.Role, Position: len(d.Groups)})
	}
	for _, key := range said(r.Roles) {
		d.Roles = append(d.Roles, HeldRole{Role: Role{Number: int64(len(d.Roles) + 1), Key: key, Name: key}})
	}
	for _, number := range said(r.Locations) {
		d.Locations = append(d.Locations, Location{Number: number})
	}
	return d
}

// said is what a member of a record says, zero for nothing.
func said[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// OwnFields are a door's own fields for Record.Extras, of members of which those that
// are null are left out; nil without any.
func OwnFields(door Door, members map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	kept := maps.Clone(members)
	maps.DeleteFunc(kept, func(_ string, raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" })
	if len(kept) == 0 {
		return nil, nil
	}
	own, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	return map[string]json.RawMessage{door.String(): own}, nil
}

// RecordMembers are the JSON names of the members of Record that a directory elsewhere
// can show, in order, for choosing among them.
func RecordMembers() []string { return slices.Clone(recordMembers) }

// recordMembers are those of Record without what only files and undoing have.
var recordMembers = []string{"id", "number", "user_name", "email", "given_name", "family_name", "display_name", "title", "company",
	"company_name", "employee_number", "open_id", "web_mdn", "client_user_id", "licence_type", "status", "locked", "lock_reason", "phones",
	"address", "picture", "language", "time_zone", "attributes", "extras", "mobile_only", "storage_location", "groups", "roles", "locations", "rank"}

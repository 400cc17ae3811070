package directory

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// importRow is a record as far as it can be understood without looking at what there
// is. It does not change once it has been made: the transaction that writes it may
// run twice.
type importRow struct {
	record *Record
	at     int        // in the page
	faults violations // of the record whatever is there, with the members' names
	keys   []rowKey   // by which the row may find its user, in the order of the options
	own    []rowKey   // that its user will hold alone: no two rows of a run may have one
	// password is the plain one, as long as it has no hash.
	password string
}

// rowKey is a member of a record that names one user.
type rowKey struct {
	member string
	handle HandleKeyOf // of a member that is a handle, folded
	kind   HandleKind  // as what the user must hold it
	text   string      // id in lower case, or client user id
	number int64
}

// The members that are no handles.
const (
	memberID       = "id"
	memberNumber   = "number"
	memberClientID = "client_user_id"
)

// handleMembers are the members that are handles.
var handleMembers = map[string]struct {
	space Space
	kind  HandleKind
	of    func(*Record) *string
}{
	"user_name":        {SpaceLogin, HandleUserName, func(r *Record) *string { return r.UserName }},
	"email":            {SpaceLogin, HandleEmail, func(r *Record) *string { return r.Email }},
	"employee_number":  {SpaceEmployee, HandleKey, func(r *Record) *string { return r.EmployeeNumber }},
	"open_id":          {SpaceOpenID, HandleKey, func(r *Record) *string { return r.OpenID }},
	"web_mdn":          {SpaceWebMDN, HandleKey, func(r *Record) *string { return r.WebMDN }},
	"storage_location": {SpaceStorage, HandleKey, func(r *Record) *string { return r.StorageLocation }},
}

// DefaultMatch are the members by which a row finds its user where the options name
// none.
func DefaultMatch() []string {
	return []string{memberID, memberNumber, "user_name", "email", "employee_number", "open_id", memberClientID}
}

// ownMembers are the members that no two users share, with which rows of a file can
// contradict each other.
var ownMembers = []string{memberID, memberNumber, "user_name", "email", "employee_number", "open_id", "web_mdn", "storage_location"}

// match are the members by which the rows of a run find their users.
func (o *ImportOptions) match() []string {
	if len(o.Match) > 0 {
		return o.Match
	}
	return DefaultMatch()
}

// newImportRow reads what a record says. What is wrong with it whatever is there joins
// its faults.
func (s *Service) newImportRow(call *Call, run *BulkRun, record *Record, at int) *importRow {
	row := &importRow{record: record, at: at}
	for _, f := range record.Faults {
		row.faults = append(row.faults, f)
	}
	if record.Undo != "" {
		row.checkUndo()
	}
	record.checkExtras(&row.faults)
	s.checkPasswordOf(call, row)
	for _, member := range run.Import.match() {
		if key, ok := record.key(member); ok {
			row.keys = append(row.keys, key)
		}
	}
	for _, member := range ownMembers {
		key, ok := record.key(member)
		if !ok || member == "email" && run.Import.SharedEmail {
			continue
		}
		same := func(have rowKey) bool { return have.handle == key.handle && key.handle.Key != "" }
		if !slices.ContainsFunc(row.own, same) {
			row.own = append(row.own, key)
		}
	}
	return row
}

// key reads the member of a record that names its user; false where it has none, or
// one that can be nobody's.
func (r *Record) key(member string) (rowKey, bool) {
	switch member {
	case memberID:
		if r.ID == nil {
			return rowKey{}, false
		}
		id, err := presetID(*r.ID)
		return rowKey{member: member, text: id}, err == nil
	case memberNumber:
		n := said(r.Number)
		return rowKey{member: member, number: n}, n > 0 && n <= MaxNumber
	case memberClientID:
		text := said(r.ClientUserID)
		return rowKey{member: member, text: text}, text != "" && CleanText(member, text, maxTextRunes) == nil
	}
	h, known := handleMembers[member]
	if !known {
		return rowKey{}, false
	}
	text := said(h.of(r))
	if text == "" {
		return rowKey{}, false
	}
	key, err := FoldKey(h.space, text)
	return rowKey{member: member, handle: HandleKeyOf{h.space, key}, kind: h.kind}, err == nil
}

// checkUndo checks what a line of an undo file must have.
func (row *importRow) checkUndo() {
	r := row.record
	if r.Undo != undoDelete && r.Undo != undoRestore {
		row.faults = append(row.faults, FieldError{Field: "undo", Reason: ReasonFieldValue, Message: "undo must be delete or restore."})
	}
	if r.ID == nil && r.Number == nil {
		row.faults = append(row.faults, FieldError{Field: memberID, Reason: ReasonFieldRequired, Message: "What is undone is named by id or number."})
	}
	if r.Version == nil {
		row.faults = append(row.faults, FieldError{Field: "version", Reason: ReasonFieldRequired, Message: "version is required."})
	}
}

// What a line of an undo file asks for.
const (
	undoDelete  = "delete"
	undoRestore = "restore"
)

// checkPasswordOf checks what a record brings for its user to sign in with.
func (s *Service) checkPasswordOf(call *Call, row *importRow) {
	r := row.record
	plain, hash := string(said(r.Password)), string(said(r.PasswordHash))
	if plain != "" && hash != "" {
		row.faults = append(row.faults, FieldError{Field: "password_hash", Reason: ReasonFieldValue, Message: "A row has a password or a hash of one, not both."})
		return
	}
	if hash != "" {
		row.faults.gatherMember("password_hash", s.hasher.CheckImportable(hash))
	}
	if plain != "" {
		named := User{UserName: said(r.UserName), Email: said(r.Email), GivenName: said(r.GivenName), FamilyName: said(r.FamilyName)}
		row.faults.gatherMember("password", CheckPassword(call.Settings.Password, &named, plain, 0))
		row.password = plain
	}
}

// gatherMember adds a refusal as one of a member.
func (v *violations) gatherMember(member string, err error) {
	if err == nil {
		return
	}
	e := AsError(err)
	*v = append(*v, FieldError{Field: member, Reason: e.Reason, Message: e.Message})
}

// patch is what the record says of a user's own fields, with the parts of members that
// single columns name.
func (row *importRow) patch(u *User) UserPatch {
	p, parts := row.record.patch(), row.record.Parts
	if parts == nil {
		return p
	}
	p.TypedPhones = parts.Phones
	if len(parts.Address) > 0 {
		a := p.Address.or(u.Address)
		for name, text := range parts.Address {
			if at := addressPart(&a, name); at != nil {
				*at = text
			}
		}
		a.Set = true
		p.Address = Some(a)
	}
	if len(parts.Attributes) > 0 {
		all := maps.Clone(p.Attributes.or(u.Profile.Attributes))
		if all == nil {
			all = map[string]json.RawMessage{}
		}
		for name, cell := range parts.Attributes {
			all[name] = cellValue(cell, all[name])
		}
		p.Attributes = Some(all)
	}
	return p
}

// addressPart is the part of an address of a name; nil for none.
func addressPart(a *Address, name string) *string {
	switch name {
	case "line1":
		return &a.Line1
	case "line2":
		return &a.Line2
	case "city":
		return &a.City
	case "region":
		return &a.Region
	case "country":
		return &a.Country
	case "zip":
		return &a.Zip
	}
	return nil
}

// belongs reports whether the record says something of what is kept in rows of its
// own, or that has to be looked up for the one user.
func (row *importRow) belongs() bool {
	r := row.record
	return r.Groups != nil || r.Roles != nil || r.Locations != nil || said(r.LockReason) != 0
}

// title is how a verdict names the row's user.
func (row *importRow) title(u *User) string {
	if name := strings.TrimSpace(said(row.record.UserName)); name != "" {
		return firstRunes(name, MaxHandle)
	}
	if u != nil {
		return u.UserName
	}
	return ""
}

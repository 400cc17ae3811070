package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/usher-id/usher/internal/directory"
)

// userColumns are the columns of a user in the order of scanUser and
// userValues: what the hot paths filter and decide on comes first.
var userColumns = []string{"rid", "id", "state", "locked", "lock_reason", "must_change_password", "valid_from",
	"expires_at", "company", "rank", "seat", "auth_epoch", "version", "door_version", "created_at", "updated_at",
	"deleted_at", "user_name", "email", "email_claimed", "given_name", "family_name", "display_name", "title",
	"employee_number", "open_id", "web_mdn", "client_user_id", "licence_type", "phones", "address", "profile"}

// foldedColumns hold what filters compare without regard to case; nothing
// reads them back. The column "x" is folded in "x_key".
var foldedColumns = []string{"user_name_key", "email_key", "given_name_key", "family_name_key", "display_name_key",
	"employee_number_key"}

// selectUser is "u.rid, u.id, …" for a FROM that calls the table u.
var selectUser = "u." + strings.Join(userColumns, ", u.")

// The states by their stored code.
func stateOf(code int64) directory.State {
	if code >= 0 && code < int64(len(directory.States)) {
		return directory.States[code]
	}
	return ""
}

// appendUser reads a user of a list where it will lie: a user is some 700 bytes,
// and a page of them that went through the heap twice was a third of its garbage.
func appendUser(list []directory.User, r *row) []directory.User {
	list = append(list, directory.User{})
	scanUser(r, &list[len(list)-1])
	return list
}

// scanUser reads the columns of selectUser into a zero user.
func scanUser(r *row, u *directory.User) {
	u.Tenant, u.Number = split(r.int())
	u.ID = r.text()
	u.State = stateOf(r.int())
	u.Locked = r.flag()
	u.LockReason = r.int()
	u.MustChangePassword = r.flag()
	u.ValidFrom = r.time()
	u.ExpiresAt = r.time()
	u.Company = r.int()
	u.Rank = directory.Rank(r.int())
	u.Seat = int(r.int())
	u.AuthEpoch = r.int()
	u.Version = r.int()
	u.DoorVersion = r.int()
	u.CreatedAt = r.time()
	u.UpdatedAt = r.time()
	u.DeletedAt = r.time()
	u.UserName = r.text()
	u.Email = r.text()
	u.EmailClaimed = r.flag()
	u.GivenName = r.text()
	u.FamilyName = r.text()
	u.DisplayName = r.text()
	u.Title = r.text()
	u.EmployeeNumber = r.text()
	u.OpenID = r.text()
	u.WebMDN = r.text()
	u.ClientUserID = r.text()
	u.LicenceType = r.text()
	decodePhones(r, &u.Phones)
	decodeAddress(r, &u.Address)
	decodeProfile(r, &u.Profile)
}

// userValues are the stored values of userColumns and foldedColumns.
func userValues(u *directory.User) ([]any, error) {
	phones, address, profile, err := encodeCollections(u)
	if err != nil {
		return nil, err
	}
	scalars := userScalars(u)
	values := make([]any, 0, len(userColumns)+len(foldedColumns))
	for i := range scalars {
		values = append(values, scalars[i].value())
	}
	return append(values, phones, address, profile,
		directory.FoldSearch(u.UserName), directory.FoldSearch(u.Email), directory.FoldSearch(u.GivenName),
		directory.FoldSearch(u.FamilyName), directory.FoldSearch(u.DisplayName), directory.FoldSearch(u.EmployeeNumber)), nil
}

// scalar is a stored value that is an integer or a text. An update compares
// sixty of them to find the few that changed: as values of type any they were
// a sixth of all allocations of a change of state.
type scalar struct {
	text    string
	number  int64
	textual bool
}

func number(n int64) scalar { return scalar{number: n} }
func text(s string) scalar  { return scalar{text: s, textual: true} }

// value is the argument of a statement.
func (s *scalar) value() any {
	if s.textual {
		return s.text
	}
	return s.number
}

// userScalars are the stored values of userColumns before the collections.
func userScalars(u *directory.User) [29]scalar {
	return [...]scalar{number(rowID(u.Tenant, u.Number)), text(u.ID), number(int64(u.State.Index())), number(bit(u.Locked)),
		number(u.LockReason), number(bit(u.MustChangePassword)), number(micros(u.ValidFrom)), number(micros(u.ExpiresAt)),
		number(u.Company), number(int64(u.Rank)), number(int64(u.Seat)), number(u.AuthEpoch), number(u.Version),
		number(u.DoorVersion), number(micros(u.CreatedAt)), number(micros(u.UpdatedAt)), number(micros(u.DeletedAt)),
		text(u.UserName), text(u.Email), number(bit(u.EmailClaimed)), text(u.GivenName), text(u.FamilyName),
		text(u.DisplayName), text(u.Title), text(u.EmployeeNumber), text(u.OpenID), text(u.WebMDN), text(u.ClientUserID),
		text(u.LicenceType)}
}

// encodeCollections are the JSON texts of a user's collections; "" for an
// empty one, so that reading most rows decodes nothing.
func encodeCollections(u *directory.User) (phones, address, profile string, err error) {
	if len(u.Phones) > 0 {
		phones, err = encode(u.Phones)
	}
	if err == nil && u.Address != (directory.Address{}) {
		address, err = encode(u.Address)
	}
	if err == nil && !u.Profile.IsZero() {
		profile, err = encode(u.Profile)
	}
	return phones, address, profile, err
}

// encode writes JSON without HTML escapes, so that the raw JSON of a door
// comes back with the characters that the door sent.
func encode(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("store: encode %T: %w", v, err)
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// decode reads a JSON text into v; "" leaves it as it is.
func decode(r *row, text string, v any) {
	if text == "" {
		return
	}
	if err := json.Unmarshal([]byte(text), v); err != nil && r.err == nil {
		r.err = fmt.Errorf("store: decode column %d: %w", r.at, err)
	}
}

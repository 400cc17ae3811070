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

// scanUser reads the columns of selectUser.
func scanUser(r *row) directory.User {
	var u directory.User
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
	decode(r, r.text(), &u.Profile)
	return u
}

// userValues are the stored values of userColumns and foldedColumns.
func userValues(u *directory.User) ([]any, error) {
	phones, address, profile, err := encodeCollections(u)
	if err != nil {
		return nil, err
	}
	return append(userScalars(u), phones, address, profile,
		directory.FoldSearch(u.UserName), directory.FoldSearch(u.Email), directory.FoldSearch(u.GivenName),
		directory.FoldSearch(u.FamilyName), directory.FoldSearch(u.DisplayName), directory.FoldSearch(u.EmployeeNumber)), nil
}

// userScalars are the stored values of userColumns before the collections.
func userScalars(u *directory.User) []any {
	return []any{rowID(u.Tenant, u.Number), u.ID, int64(u.State.Index()), bit(u.Locked), u.LockReason,
		bit(u.MustChangePassword), micros(u.ValidFrom), micros(u.ExpiresAt), u.Company, int64(u.Rank), int64(u.Seat),
		u.AuthEpoch, u.Version, u.DoorVersion, micros(u.CreatedAt), micros(u.UpdatedAt), micros(u.DeletedAt),
		u.UserName, u.Email, bit(u.EmailClaimed), u.GivenName, u.FamilyName, u.DisplayName, u.Title, u.EmployeeNumber,
		u.OpenID, u.WebMDN, u.ClientUserID, u.LicenceType}
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

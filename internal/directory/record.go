package directory

import (
	"encoding/json"
	"time"
)

// Record is a user as files have it: one line of an import, of a pull of another
// directory and of an export. Its JSON is the format "ndjson", one object a line;
// members have the canonical API's names. A nil member says nothing about the field;
// one that is set to its zero value empties it.
type Record struct {
	// Line is where the record stands in its file, from 1; 0 for none. Faults are what
	// its reader found wrong with it; a record with faults is RowInvalid.
	Line   int64        `json:"-"`
	Faults []FieldError `json:"-"`
	// Parts are what single columns of a file say of members that hold several things.
	Parts *RecordParts `json:"-"`

	ID             *string `json:"id,omitempty"`
	Number         *int64  `json:"number,omitempty"`
	UserName       *string `json:"user_name,omitempty"`
	Email          *string `json:"email,omitempty"`
	GivenName      *string `json:"given_name,omitempty"`
	FamilyName     *string `json:"family_name,omitempty"`
	DisplayName    *string `json:"display_name,omitempty"`
	Title          *string `json:"title,omitempty"`
	Company        *int64  `json:"company,omitempty"`      // number
	CompanyName    *string `json:"company_name,omitempty"` // in place of Company
	EmployeeNumber *string `json:"employee_number,omitempty"`
	OpenID         *string `json:"open_id,omitempty"`
	WebMDN         *string `json:"web_mdn,omitempty"`
	ClientUserID   *string `json:"client_user_id,omitempty"`
	LicenceType    *string `json:"licence_type,omitempty"`

	Status             *State     `json:"status,omitempty"`
	Locked             *bool      `json:"locked,omitempty"`
	LockReason         *int64     `json:"lock_reason,omitempty"`
	MustChangePassword *bool      `json:"must_change_password,omitempty"`
	ValidFrom          *time.Time `json:"valid_from,omitempty"`
	ExpiresAt          *time.Time `json:"expires_at,omitempty"`

	Phones          *[]Phone                    `json:"phones,omitempty"`
	Address         *Address                    `json:"address,omitempty"`
	Picture         *json.RawMessage            `json:"picture,omitempty"`
	Language        *string                     `json:"language,omitempty"`
	TimeZone        *string                     `json:"time_zone,omitempty"`
	Attributes      *map[string]json.RawMessage `json:"attributes,omitempty"`
	Extras          map[string]json.RawMessage  `json:"extras,omitempty"` // door name -> that door's own fields
	MobileOnly      *bool                       `json:"mobile_only,omitempty"`
	StorageLocation *string                     `json:"storage_location,omitempty"`

	Groups    *[]RecordGroup `json:"groups,omitempty"`    // all groups of the user
	Roles     *[]string      `json:"roles,omitempty"`     // keys of all roles of the tenant itself
	Locations *[]int64       `json:"locations,omitempty"` // numbers of all locations
	Rank      *string        `json:"rank,omitempty"`      // only written: roles give it

	// Password and PasswordHash are only read: no export has them. Temporary says that
	// its owner must replace Password.
	Password     *Secret `json:"password,omitempty"`
	PasswordHash *Secret `json:"password_hash,omitempty"`
	Temporary    *bool   `json:"temporary,omitempty"`

	CreatedAt *time.Time `json:"created_at,omitempty"` // only written
	UpdatedAt *time.Time `json:"updated_at,omitempty"` // only written
	// Version is what the user's version must be for Undo, and is only written else.
	Version *int64 `json:"version,omitempty"`
	// Undo is what a line of an undo file asks for: "delete" or "restore"; "" in all
	// other files.
	Undo string `json:"undo,omitempty"`
}

// RecordParts are parts of members of a record: what they do not name stays as it is.
type RecordParts struct {
	Phones     []Phone           // the number of the first phone of each of these types
	Address    map[string]string // by part: line1, line2, city, region, country, zip
	Attributes map[string]string // cells by name: JSON where the attribute is no text, else the text
}

// RecordGroup is a group of a record.
type RecordGroup struct {
	Kind GroupKind `json:"kind"`
	Key  string    `json:"key"`
	Name string    `json:"name,omitempty"`
	Role string    `json:"role,omitempty"` // of the user in the group
}
